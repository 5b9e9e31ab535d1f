"""What a caller passes becomes a request, or an error that says what was wrong with it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations import AsyncFreeLLM, ConfigError, FreeLLM, Groq
from freelm_integrations.request import names_of
from freelm_integrations.request.messages import ROLES
from tests.request.made import TOOL, made


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (None, ("auto",)),
        ("fast", ("fast",)),
        (["fast", "auto"], ("fast", "auto")),
        (("fast",), ("fast",)),
        ("fast, auto", ("fast", "auto")),
        (["fast,large", " auto "], ("fast", "large", "auto")),
        ("vendor/model-1:free", ("vendor/model-1:free",)),
    ],
)
def test_a_model_is_a_name_or_several_in_order(model: Any, expected: tuple[str, ...]) -> None:
    """Commas separate names, as they do in the settings."""
    assert made(model=model).wanted == expected


@pytest.mark.parametrize(
    "model",
    ["", " ", ",", [], [""], [None], ["fast", 5], 5, [["fast"]], {"fast": 1}, {"a", "b"}, b"fast"],
)
def test_what_is_no_name_of_a_model_is_an_error(model: Any) -> None:
    """None alone means the client's own choice."""
    with pytest.raises(ConfigError, match="model is a name or a list of names"):
        names_of(model)


def test_tools_and_their_choice_go_together() -> None:
    """A choice between no tools is left out: every provider would refuse it."""
    request = made(tools=[TOOL], tool_choice="required")
    bare = made(tools=[], tool_choice="required")

    assert (request.tools, request.tool_choice) == ((TOOL,), "required")
    assert (bare.tools, bare.tool_choice) == ((), None)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({}, "no type"),
        ({"type": 5}, "no type"),
        ({"type": "json_schema"}, "no schema"),
        ({"type": "json_schema", "json_schema": []}, "no schema"),
        ({"type": "json_schema", "schema": {"type": "object"}}, "no schema"),
        ({"type": "json_object", "when": object()}, "response_format.when is an object"),
    ],
)
def test_a_response_format_says_what_it_is(wanted: Any, words: str) -> None:
    """Without that every provider refuses it."""
    with pytest.raises(ConfigError, match=words):
        made(response_format=wanted)


@pytest.mark.parametrize(
    "wanted", [{"type": "text"}, {"type": "json_object", "schema": {}}, {"type": "grammar", "x": 1}]
)
def test_a_response_format_of_any_type_is_kept(wanted: Any) -> None:
    """Which types there are is the providers' business."""
    assert made(response_format=wanted).response_format is wanted


@pytest.mark.parametrize("wanted", ["json", dict, 5, ["json_object"]])
def test_a_response_format_is_a_dict(wanted: Any) -> None:
    """A class or a word is another SDK's way."""
    with pytest.raises(ConfigError, match="response_format is a dict"):
        made(response_format=wanted)


messages = st.lists(
    st.dictionaries(st.sampled_from(["role", "content", "name"]), st.text() | st.none()), max_size=3
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(anything | messages, anything, anything, anything)
def test_whatever_is_passed_there_is_a_request_or_a_config_error(
    said: Any, model: Any, tools: Any, wanted: Any
) -> None:
    """Never another exception: the caller's mistakes are told as such."""
    before = repr((said, model, tools, wanted))
    try:
        request = made(said, model=model, tools=tools, response_format=wanted)
    except ConfigError:
        pass
    else:
        assert request.messages
        assert all(one["role"] in ROLES for one in request.messages)
        assert request.wanted
        assert all(isinstance(name, str) and name for name in request.wanted)

    assert repr((said, model, tools, wanted)) == before


def test_a_text_in_place_of_a_model_is_not_repeated() -> None:
    """It may be a secret that went astray."""
    with pytest.raises(ConfigError, match="no name of 5000 characters"):
        names_of(["auto", "hunter2xy-" * 500])


@pytest.mark.parametrize("ask", ["chat", "stream", "stream_deltas"])
@pytest.mark.parametrize("kind", [FreeLLM, AsyncFreeLLM])
def test_an_observer_that_is_no_function_is_refused(kind: Any, ask: str) -> None:
    """When the call is made, and not at the first event."""
    client = kind(providers=[Groq("gsk_x", models=["m"])], share=False)

    def asked() -> None:
        said = getattr(client, ask)("hello", on_event="print")
        asyncio.run(said)

    with pytest.raises(ConfigError, match="on_event takes a function of one event, not a str"):
        asked()


@pytest.mark.parametrize("ask", ["chat", "stream", "stream_deltas", "explain"])
def test_a_wrong_request_is_refused_before_anything_is_opened(ask: str) -> None:
    """By every method that takes one, when it is called."""
    client = FreeLLM(providers=[Groq("gsk_x", models=["m"])], share=False)

    with pytest.raises(ConfigError, match="messages is empty"):
        getattr(client, ask)([])
