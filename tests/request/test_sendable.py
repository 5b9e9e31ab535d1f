"""What passes the border can be written by every dialect."""

from __future__ import annotations

import json
from datetime import date
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freelm_integrations import ConfigError, FreeLLM, Groq
from freelm_integrations.nearest import nearest
from freelm_integrations.providers import PROVIDERS
from freelm_integrations.request.messages import FIELDS, ROLES
from freelm_integrations.request.parameters import PARAMETERS
from tests.request.made import TOOL, USER, made

ROOM = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=5)
    | st.sampled_from([b"x", date(2026, 1, 1), "\ud83d", "text", "function", 10**400]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.tuples(inner)
        | st.frozensets(st.integers(), max_size=2)
        | st.dictionaries(
            st.sampled_from(["type", "text", "function", "name", "arguments", "id", "image_url"]),
            inner,
            max_size=3,
        )
        | st.dictionaries(st.text(max_size=3), inner, max_size=2).map(MappingProxyType)
    ),
    max_leaves=8,
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(sorted(ROLES))},
        optional={**dict.fromkeys(sorted(FIELDS - {"role"}), ROOM), "theirs": ROOM},
    ),
    min_size=1,
    max_size=3,
)
PARAMS = st.dictionaries(st.sampled_from(sorted(PARAMETERS)), ROOM, max_size=3)


@settings(max_examples=300, deadline=None)
@given(MESSAGES, st.lists(ROOM, max_size=2), ROOM, ROOM, PARAMS)
def test_what_is_not_refused_can_be_sent_to_anybody(
    messages: Any, tools: Any, choice: Any, form: Any, params: Any
) -> None:
    """No encoder meets a value it cannot write: that would be a bare error, and cost quota."""
    try:
        request = made(
            messages, tools=tools, tool_choice=choice, response_format=form, params=params
        )
    except ConfigError:
        return
    for spec in PROVIDERS.values():
        body = json.loads(spec.dialect.encode(request, "model"))

        assert body["model"] == "model"
        assert isinstance(body["messages"], list)


@pytest.mark.parametrize(
    "arguments",
    [
        {"messages": [{"role": "assistant", "content": {"a": 1}}]},
        {"messages": "x", "temperature": float("nan")},
        {"messages": "x", "max_tokens": 0},
        {"messages": "x", "tools": [{}]},
        {"messages": "x", "tools": [TOOL], "tool_choice": "lok"},
        {"messages": "x", "model": 5},
        {"messages": "x", "response_format": {"type": "json_object", "x": {1, b""}}},
    ],
)
def test_a_refusal_costs_nothing(arguments: dict[str, Any]) -> None:
    """Neither quota nor an event: nobody was asked."""
    events: list[object] = []
    client = FreeLLM(providers=[Groq("gsk_x", models=["m"])], share=False, on_event=events.append)
    before = client.capacity()
    for ask in (client.chat, client.stream_deltas):
        with pytest.raises(ConfigError):
            ask(**arguments)

    assert client.capacity() == before
    assert events == []


def test_a_prompt_of_ten_megabytes_is_one_like_any_other() -> None:
    """It is not copied on its way to the border, and refused where nobody has room for it."""
    text = "x" * 10_000_000

    assert made(text).messages[0]["content"] is text
    assert made([{**USER, "content": [{"type": "text", "text": text}]}]).messages


def test_a_pasted_text_in_place_of_a_name_is_not_compared() -> None:
    """It would take seconds, and no name is like it."""
    assert nearest("llama-3" * 100, ["llama-3"]) is None
    with pytest.raises(ConfigError, match="of 1000000 characters"):
        made(params={"x" * 1_000_000: 1})
