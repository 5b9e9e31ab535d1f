"""LangChain histories as the core client is given them."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.exceptions import ModelInvalidRequestError
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

from freelm_integrations.langchain.messages import to_wire

PICTURE = {"type": "image", "url": "https://x/y.png"}
PART = {"type": "image_url", "image_url": {"url": "https://x/y.png"}}
CALL = {"name": "add", "args": {"a": 1}, "id": "c1", "type": "tool_call"}


def called(call_id: str = "c1", arguments: str = '{"a": 1}', **more: Any) -> dict[str, Any]:
    function = {"name": "add", "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function, **more}


def assistant(content: str = "", **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **more}


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (SystemMessage("be brief"), {"role": "system", "content": "be brief"}),
        (HumanMessage("hi", name="ann"), {"role": "user", "content": "hi", "name": "ann"}),
        (HumanMessage(["a", {"type": "text", "text": "b"}]), {"role": "user", "content": "a\nb"}),
        (
            HumanMessage(["look", PICTURE]),
            {"role": "user", "content": [{"type": "text", "text": "look"}, PART]},
        ),
        (ChatMessage("hi", role="developer"), {"role": "developer", "content": "hi"}),
        (FunctionMessage("3", name="add"), {"role": "user", "content": "3", "name": "add"}),
        (
            ToolMessage("3", tool_call_id="c1"),
            {"role": "tool", "tool_call_id": "c1", "content": "3"},
        ),
        (AIMessage("hi"), assistant("hi")),
        (AIMessageChunk("hi"), assistant("hi")),
        (AIMessage("", tool_calls=[CALL]), assistant(tool_calls=[called()])),
        (
            AIMessage(
                "",
                invalid_tool_calls=[
                    {**CALL, "args": "{a:", "error": "no", "type": "invalid_tool_call"}
                ],
            ),
            assistant(tool_calls=[called(arguments="{a:")]),
        ),
        (
            AIMessage([{"type": "tool_use", "id": "c1", "name": "add", "input": {"a": 1}}]),
            assistant(tool_calls=[called()]),
        ),
        (
            AIMessage(
                [{"type": "tool_use", "id": "c1", "name": "add", "input": {}}], tool_calls=[CALL]
            ),
            assistant(tool_calls=[called()]),
        ),
        (
            AIMessage(
                [
                    {"type": "thinking", "thinking": "hm", "signature": "s"},
                    {"type": "text", "text": "a"},
                    "b",
                ]
            ),
            assistant("ab"),
        ),
        (
            AIMessage([{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "a"}]),
            assistant("a", reasoning_content="hm"),
        ),
        (
            AIMessage("a", additional_kwargs={"reasoning_content": "hm"}),
            assistant("a", reasoning_content="hm"),
        ),
        (
            AIMessage(
                "",
                tool_calls=[CALL],
                additional_kwargs={
                    "freelm_extra": {
                        "message": {"google": {"m": 1}},
                        "calls": {"c1": {"google": {"thought_signature": "s"}}},
                    }
                },
            ),
            assistant(
                tool_calls=[called(extra_content={"google": {"thought_signature": "s"}})],
                extra_content={"google": {"m": 1}},
            ),
        ),
    ],
    ids=lambda value: value.type if isinstance(value, BaseMessage) else "",
)
def test_each_message_has_its_shape(message: BaseMessage, wire: dict[str, Any]) -> None:
    """Roles, names, calls and what only their maker understands are all in their OpenAI place."""
    assert to_wire([message]) == [wire]


def test_an_order_to_delete_is_not_something_said() -> None:
    """Agents put RemoveMessage into a history; it is left out."""
    assert to_wire([RemoveMessage(id="1"), HumanMessage("hi")]) == [
        {"role": "user", "content": "hi"}
    ]


def test_results_in_a_user_turn_come_before_its_words() -> None:
    """Anthropic puts tool results and words into one turn; endpoints want the results first."""
    turn = HumanMessage(
        [
            {"type": "text", "text": "and now?"},
            {
                "type": "tool_result",
                "tool_use_id": "c1",
                "content": [{"type": "text", "text": "3"}],
            },
        ]
    )

    assert to_wire([turn]) == [
        {"role": "tool", "tool_call_id": "c1", "content": "3"},
        {"role": "user", "content": "and now?"},
    ]


def test_pictures_in_tool_results_move_behind_the_run_of_results() -> None:
    """Nearly no endpoint takes a picture from a tool, and nothing may stand between two results."""
    first = ToolMessage([PICTURE], tool_call_id="c1")
    second = ToolMessage("3", tool_call_id="c2")

    wire = to_wire([first, second, AIMessage("a cat")])

    assert [message["role"] for message in wire] == ["tool", "tool", "user", "assistant"]
    assert wire[2]["content"][1] == PART
    assert "c1" in wire[2]["content"][0]["text"]


def test_a_picture_in_the_last_result_is_not_lost() -> None:
    """Also where no message follows."""
    assert to_wire([ToolMessage([PICTURE], tool_call_id="c1")])[-1]["content"][1] == PART


def test_an_unknown_kind_of_message_is_refused_as_the_callers() -> None:
    """With an error that LangChain's retries leave alone."""

    class Telegram(BaseMessage):
        type: str = "telegram"

    with pytest.raises(ModelInvalidRequestError, match="Telegram"):
        to_wire([Telegram("stop")])


TEXTS = st.text(max_size=8)
BLOCKS = st.one_of(
    TEXTS,
    st.builds(lambda text: {"type": "text", "text": text}, TEXTS),
    st.builds(lambda text: {"type": "reasoning", "reasoning": text}, TEXTS),
    st.just(PICTURE),
)
CONTENTS = st.one_of(TEXTS, st.lists(BLOCKS, max_size=4))
CALLS = st.lists(
    st.builds(lambda n: {"name": "f", "args": {}, "id": f"c{n}"}, st.integers(0, 9)),
    max_size=2,
)
MESSAGES = st.one_of(
    st.builds(HumanMessage, CONTENTS),
    st.builds(SystemMessage, TEXTS),
    st.builds(lambda content, calls: AIMessage(content, tool_calls=calls), CONTENTS, CALLS),
    st.builds(lambda content: ToolMessage(content, tool_call_id="c1"), CONTENTS),
)


@given(st.lists(MESSAGES, max_size=5))
def test_any_history_is_sendable_and_stays_as_it_was(messages: list[BaseMessage]) -> None:
    """The result is JSON with a role and a content each; the caller's messages are untouched."""
    before = deepcopy(messages)

    wire = to_wire(messages)

    assert messages == before
    assert json.loads(json.dumps(wire)) == wire
    assert all({"role", "content"} <= message.keys() for message in wire)
