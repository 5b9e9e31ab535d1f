"""Names of tools that no provider takes are spelled otherwise on the wire, and restored."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.chat import Request, fold
from freelm_integrations.providers import PROVIDERS
from freelm_integrations.wire.requests.names import own_names, wire_name

SAFE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
ODD = "weather.of the/world"


def tool(name):
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}


def asking(*names, **more):
    messages = (
        {"role": "user", "content": "How is it?"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {"id": "a1", "type": "function", "function": {"name": ODD, "arguments": "{}"}}
            ],
        },
        {"role": "tool", "tool_call_id": "a1", "name": ODD, "content": "fine"},
        {"role": "user", "content": "And there?"},
    )
    return Request(messages=messages, tools=tuple(map(tool, names)), **more)


@given(st.lists(st.text(min_size=1), unique=True, max_size=5))
def test_any_name_is_sent_as_one_that_is_taken_and_no_two_alike(names):
    """Itself where it may be; the same again when its own spelling is spelled."""
    sent = [wire_name(name) for name in names]

    assert all(SAFE.fullmatch(name) for name in sent)
    assert len(set(sent)) == len(names)
    assert all(wire_name(name) == name for name in sent)


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("owl_facts-2", "owl_facts-2"),
        ("weather.of the/world", "weather_of_the_world_"),
        ("wetter.für", "wetter_f_r_"),
        ("天气", "tool_"),
        ("2fa", "tool_2fa_"),
        ("-x", "x_"),
        ("_x", "_x"),
        ("x" * 65, "x" * 50 + "_"),
        ("", ""),
    ],
)
def test_a_name_stays_readable(name, begins):
    """What it was shows in front of the mark that makes it its alone."""
    assert wire_name(name).startswith(begins)


@pytest.mark.parametrize("provider", ["groq", "google", "mistral", "openrouter", "nim", "cerebras"])
def test_a_name_is_the_same_in_tools_choice_and_history(provider):
    """And the caller's own objects keep theirs."""
    request = asking(ODD, "safe", tool_choice={"type": "function", "function": {"name": ODD}})
    before = repr(request)
    body = json.loads(PROVIDERS[provider].dialect.encode(request, "owl"))
    sent = wire_name(ODD)

    assert ODD not in json.dumps(body)
    assert body["tools"][0]["function"]["name"] == sent
    choice = body["tool_choice"]
    assert isinstance(choice, str) or choice["function"]["name"] == sent
    calls = [call for message in body["messages"] for call in message.get("tool_calls") or ()]
    assert [call["function"]["name"] for call in calls] == [sent]
    assert {one["name"] for one in body["messages"] if one.get("name")} <= {sent}
    assert repr(request) == before


@pytest.mark.parametrize("streaming", [False, True])
def test_the_caller_sees_its_own_name_in_the_answer(streaming):
    """In streams as in whole answers; a name nobody sent is told as it came."""
    request = asking(ODD, "safe", streaming=streaming)
    calls = [
        {
            "index": number,
            "id": f"c{number}",
            "type": "function",
            "function": {"name": name, "arguments": "{}"},
        }
        for number, name in enumerate([wire_name(ODD), "safe", "else"])
    ]
    part = "delta" if streaming else "message"
    said = {"choices": [{"index": 0, part: {"tool_calls": calls}, "finish_reason": "tool_calls"}]}
    text = json.dumps(said)
    decoder = PROVIDERS["groq"].dialect.decoder(request, "owl")
    heard = decoder.feed(
        f"data: {text}\n\ndata: [DONE]\n\n".encode() if streaming else text.encode()
    )
    answer = fold([*heard, *decoder.end()])

    assert [call.name for call in answer.tool_calls] == [ODD, "safe", "else"]


def test_where_every_name_may_be_sent_nothing_is_kept():
    """The usual case costs nothing further."""
    assert own_names(asking("safe")) == {}
    assert own_names(asking("safe", ODD)) == {wire_name(ODD): ODD}
