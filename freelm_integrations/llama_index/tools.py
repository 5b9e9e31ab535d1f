"""Tools: how they are asked for, and how the calls of an answer are read.

A finished call has arguments that are a JSON object; in mid-stream the text so far is read as far
as it goes.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from llama_index.core.base.llms.types import ChatMessage, MessageRole, ToolCallBlock
from llama_index.core.llms.llm import ToolSelection
from pydantic_core import from_json

from freelm_integrations.chat import ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from llama_index.core.base.llms.types import ChatResponse
    from llama_index.core.tools.types import BaseTool
    from pydantic import BaseModel

    from freelm_integrations.chat import Json, ToolCallPart

CHOICES = frozenset({"auto", "none", "required", "any"})


def tool_request(
    tools: Sequence[BaseTool],
    *,
    tool_choice: str | Json | None,
    tool_required: bool,
    allow_parallel_tool_calls: bool,
) -> Json:
    """The keyword arguments that put `tools` into a call.

    `tool_choice` may be a mode, the name of a tool or an OpenAI-shaped object; without one,
    `tool_required` decides.
    """
    if not tools:
        return {}
    request: Json = {"tools": [_asked(tool) for tool in tools]}
    if (choice := _choice(tool_choice, tool_required=tool_required)) is not None:
        request["tool_choice"] = choice
    if not allow_parallel_tool_calls:
        request["parallel_tool_calls"] = False
    return request


def _asked(tool: BaseTool) -> Json:
    asked = tool.metadata.to_openai_tool(skip_length_check=True)
    parameters: Json = asked["function"].get("parameters") or {}
    if "$defs" in parameters and "properties" not in parameters:
        # A class that holds itself: core keeps its parts, but not which of them is the whole.
        schema = cast("type[BaseModel]", tool.metadata.fn_schema).model_json_schema()
        asked["function"]["parameters"] = with_fields(schema)
    return asked


def with_fields(schema: Json) -> Json:
    """The JSON schema with its fields at the root, also of a class that holds itself."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    parts: Json = schema["$defs"]
    return {**parts[reference.rpartition("/")[2]], "$defs": parts}


def _choice(choice: str | Json | None, *, tool_required: bool) -> str | Json | None:
    if choice is None:
        return "required" if tool_required else None
    if not isinstance(choice, str):
        return choice
    if choice in CHOICES:
        return "required" if choice == "any" else choice
    return {"type": "function", "function": {"name": choice}}


def conversation(
    chat_history: Sequence[ChatMessage] | None, user_msg: str | ChatMessage | None
) -> list[ChatMessage]:
    """A new list of the history and the user's message; neither is changed."""
    messages = list(chat_history or ())
    if isinstance(user_msg, str):
        user_msg = ChatMessage(role=MessageRole.USER, content=user_msg)
    return messages if user_msg is None else [*messages, user_msg]


def selections(response: ChatResponse, *, error_on_no_tool_call: bool) -> list[ToolSelection]:
    """The calls of an answer, or of a stream so far.

    Raises:
        ValueError: there is none and one was asked for, or a finished call's arguments are no
            JSON object.
    """
    blocks = [block for block in response.message.blocks if isinstance(block, ToolCallBlock)]
    if not blocks and error_on_no_tool_call:
        said = response.message.content or ""
        message = f"expected at least one tool call, but got {len(said)} characters of text"
        raise ValueError(message)
    is_finished = response.delta is None
    return [_selection(block, is_finished=is_finished) for block in blocks]


def _selection(block: ToolCallBlock, *, is_finished: bool) -> ToolSelection:
    arguments = block.tool_kwargs
    if isinstance(arguments, str):
        call = ToolCall(block.tool_call_id or "", block.tool_name, arguments)
        arguments = finished_arguments(call) if is_finished else object_so_far(arguments)
    return ToolSelection(
        tool_id=block.tool_call_id or "", tool_name=block.tool_name, tool_kwargs=arguments
    )


def object_so_far(text: str) -> Json:
    """As much of a JSON object as the beginning of its text says; empty if it is none."""
    try:
        # Not core's parse_partial_json: it puts None where a value has not come yet.
        parsed: object = from_json(text, allow_partial="trailing-strings")
    except ValueError:
        return {}
    return cast("Json", parsed) if isinstance(parsed, dict) else {}


def cut_to_one(response: ChatResponse) -> ChatResponse:
    """The same response with its first tool call only, in both places that hold calls."""
    message = response.message
    calls = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    if len(calls) <= 1:
        return response
    dropped = {id(block) for block in calls[1:]}
    kept = ChatMessage(
        role=message.role,
        blocks=[block for block in message.blocks if id(block) not in dropped],
        additional_kwargs={
            **message.additional_kwargs,
            "tool_calls": message.additional_kwargs.get("tool_calls", [])[:1],
        },
    )
    return response.model_copy(update={"message": kept})


def finished_arguments(call: ToolCall) -> Json:
    """The arguments of a finished call; empty text is an empty object.

    Raises:
        ValueError: they are not JSON, or not an object.
    """
    try:
        arguments: object = json.loads(call.arguments or "{}")
    except json.JSONDecodeError:
        arguments = None
    if isinstance(arguments, dict):
        return cast("Json", arguments)
    said = call.arguments[:200]
    message = f"the arguments of the call to {call.name!r} are not a JSON object: {said!r}"
    raise ValueError(message)


def call_blocks(calls: Sequence[ToolCall], arguments: Iterable[str | Json]) -> list[ToolCallBlock]:
    """One block a call."""
    pairs = zip(calls, arguments, strict=True)
    return [
        ToolCallBlock(tool_call_id=call.id, tool_name=call.name, tool_kwargs=given)
        for call, given in pairs
    ]


class GrowingCalls:
    """Tool calls of a stream so far; falsy while there are none."""

    def __init__(self) -> None:
        """Start with none."""
        self._calls: dict[int, ToolCall] = {}

    def __bool__(self) -> bool:
        """Whether a call has begun."""
        return bool(self._calls)

    def add(self, parts: Iterable[ToolCallPart]) -> None:
        """Take the parts of one delta. A call that comes without an id is given one of its own."""
        for part in parts:
            call = self._calls.get(part.index)
            if call is None:
                call = ToolCall(part.id or f"call_{uuid4().hex[:24]}", part.name or "", "")
            self._calls[part.index] = replace(
                call,
                name=call.name or part.name or "",
                arguments=call.arguments + part.arguments,
                extra=call.extra if part.extra is None else part.extra,
            )

    def calls(self) -> list[ToolCall]:
        """The calls so far, in order; frozen values."""
        return [self._calls[index] for index in sorted(self._calls)]


__all__ = [
    "GrowingCalls",
    "call_blocks",
    "conversation",
    "cut_to_one",
    "finished_arguments",
    "object_so_far",
    "selections",
    "tool_request",
    "with_fields",
]
