"""Tools are asked for as the caller means it, and their calls are read as they are."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    TextBlock,
    ToolCallBlock,
)
from llama_index.core.tools import FunctionTool

from freelm_integrations.llama_index.tools import (
    conversation,
    cut_to_one,
    object_so_far,
    selections,
    tool_request,
)
from tests.llama_index.scripted import ScriptedLLM, called, said


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


TOOL = FunctionTool.from_defaults(add)
NAMED = {"type": "function", "function": {"name": "add"}}


@pytest.mark.parametrize(
    ("choice", "required", "sent"),
    [
        (None, False, None),
        (None, True, "required"),
        ("auto", True, "auto"),
        ("any", False, "required"),
        ("required", False, "required"),
        ("none", False, "none"),
        ("add", False, NAMED),
        (NAMED, True, NAMED),
    ],
)
def test_tool_choice_says_what_was_meant(choice: Any, required: bool, sent: object) -> None:
    """A mode, a name or an object; `tool_required` decides only where none is given."""
    request = tool_request(
        [TOOL], tool_choice=choice, tool_required=required, allow_parallel_tool_calls=True
    )

    assert request.get("tool_choice") == sent
    assert "parallel_tool_calls" not in request
    assert request["tools"][0]["function"]["name"] == "add"


def test_one_call_at_a_time_is_asked_for() -> None:
    """And without tools there is nothing to ask for."""
    asked = {"tool_choice": None, "tool_required": True, "allow_parallel_tool_calls": False}

    assert tool_request([TOOL], **asked)["parallel_tool_calls"] is False
    assert tool_request([], **asked) == {}


def test_a_description_of_any_length_is_no_error_of_ours() -> None:
    """Whether an endpoint takes it is for the endpoint to say."""
    tool = FunctionTool.from_defaults(add, description="x" * 2000)

    request = tool_request(
        [tool], tool_choice=None, tool_required=False, allow_parallel_tool_calls=True
    )

    assert len(request["tools"][0]["function"]["description"]) >= 2000


def test_a_conversation_is_a_new_list() -> None:
    """The caller's history stays as it is."""
    history = [ChatMessage(content="one")]

    messages = conversation(history, "two")

    assert [message.content for message in messages] == ["one", "two"]
    assert len(history) == 1
    assert conversation(None, ChatMessage(content="x")) == [ChatMessage(content="x")]
    assert conversation(None, None) == []


def response(*kwargs: Any, delta: str | None = None) -> ChatResponse:
    blocks = [
        ToolCallBlock(tool_call_id=f"c{n}", tool_name="add", tool_kwargs=given)
        for n, given in enumerate(kwargs)
    ]
    listed = [{"id": block.tool_call_id} for block in blocks]
    message = ChatMessage(
        role="assistant",
        blocks=[TextBlock(text="so"), *blocks],
        additional_kwargs={"tool_calls": listed} if listed else {},
    )
    return ChatResponse(message=message, delta=delta)


def test_calls_are_read_strictly_when_whole_and_leniently_on_the_way() -> None:
    """In mid-stream an agent wants to see what is there; at the end nothing is guessed."""
    [whole] = selections(response({"a": 1}), error_on_no_tool_call=True)
    assert (whole.tool_id, whole.tool_name, whole.tool_kwargs) == ("c0", "add", {"a": 1})

    [part] = selections(response('{"a": 1, "b', delta=""), error_on_no_tool_call=True)
    assert part.tool_kwargs == {"a": 1}

    with pytest.raises(ValueError, match="not a JSON object"):
        selections(response('{"a": 1, "b'), error_on_no_tool_call=True)


def test_no_call_is_an_error_only_if_one_was_wanted() -> None:
    """The message does not repeat what the model said: it may be long and private."""
    assert selections(response(), error_on_no_tool_call=False) == []
    with pytest.raises(ValueError, match="at least one tool call, but got 2 characters"):
        selections(response(), error_on_no_tool_call=True)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("", {}),
        ("{", {}),
        ('{"a": 1, "b', {"a": 1}),
        ('{"a": "x', {"a": "x"}),
        ("[1", {}),
        ("]}", {}),
        ("word", {}),
    ],
)
def test_the_beginning_of_an_object_is_read_as_far_as_it_goes(
    text: str, fields: dict[str, Any]
) -> None:
    """Never an error, and never anything but an object."""
    assert object_so_far(text) == fields


def test_cutting_leaves_one_call_in_both_places_and_the_original_alone() -> None:
    """Text stays."""
    two = response({"a": 1}, {"a": 2})

    one = cut_to_one(two)

    assert [block.block_type for block in one.message.blocks] == ["text", "tool_call"]
    assert one.message.additional_kwargs["tool_calls"] == [{"id": "c0"}]
    assert len(two.message.blocks) == 3
    single = response({"a": 1})
    assert cut_to_one(single) is single


@pytest.mark.parametrize(("parallel", "count"), [(False, 1), (True, 2)])
def test_a_chat_gives_as_many_calls_as_are_allowed(parallel: bool, count: int) -> None:
    """Some models do not heed that one was asked for."""
    llm, sent = ScriptedLLM.that_says(
        called(("add", '{"a": 1, "b": 2}'), ("add", '{"a": 3, "b": 4}'))
    )

    answer = llm.chat_with_tools([TOOL], "add", allow_parallel_tool_calls=parallel)

    assert len(llm.get_tool_calls_from_response(answer)) == count
    assert len(sent) == 1


async def test_tools_are_called_with_what_the_model_said() -> None:
    """`predict_and_call` and its twin run the tool and give its output."""
    llm, sent = ScriptedLLM.that_says(*[called(("add", '{"a": 3, "b": 4}'))] * 2)

    assert str(llm.predict_and_call([TOOL], "3 + 4?")) == "7"
    assert str(await llm.apredict_and_call([TOOL], "3 + 4?")) == "7"
    assert [body["messages"] for body in sent] == [[{"role": "user", "content": "3 + 4?"}]] * 2


def test_a_forced_tool_that_is_not_called_is_a_value_error() -> None:
    """As in every other integration."""
    llm, _ = ScriptedLLM.that_says(said("I would rather not."))

    with pytest.raises(ValueError, match="tool call"):
        llm.predict_and_call([TOOL], "3 + 4?", tool_required=True)
