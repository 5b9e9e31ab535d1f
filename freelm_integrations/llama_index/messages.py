"""LlamaIndex messages as the OpenAI-shaped dicts the core client reads; they are never changed.

What leaves a message is its role, content, tool calls, tool call id, name and the extras its maker
wants back, nothing else: other entries of `additional_kwargs` (cache hints, what another
integration left there) stay behind. Thinking and cache points are skipped. What one provider takes
of all that is for the core to know.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from llama_index.core.base.llms.types import (
    CachePoint,
    CitableBlock,
    CitationBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from pydantic import BaseModel

from freelm_integrations.llama_index.media import MEDIA

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from llama_index.core.base.llms.types import BaseContentBlock, ChatMessage

    from freelm_integrations.chat import Json

ROLES: Mapping[str, str] = {
    "system": "system",
    "developer": "developer",
    "user": "user",
    "assistant": "assistant",
    "chatbot": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
}

EXTRA = "extra_content"
"""Where a message, or a call in it, keeps what only the provider that made it understands."""


def to_wire(messages: Sequence[ChatMessage]) -> list[Json]:
    """The messages as OpenAI-shaped dicts.

    A tool call without an id is given one that is unique in the conversation, and a tool reply
    without one answers the oldest call still open; a reply to no call at all is told as the user's
    words, as no endpoint takes an orphan.
    """
    return list(_converted(messages))


def _converted(messages: Iterable[ChatMessage]) -> Iterator[Json]:
    open_calls: list[str] = []
    for position, message in enumerate(messages):
        role = ROLES[message.role.value]
        wire: Json = {"role": role, "content": _content(message.blocks)}
        if isinstance(name := message.additional_kwargs.get("name"), str):
            wire["name"] = name
        if role == "assistant":
            open_calls = _add_what_was_made(wire, message, position)
        elif role == "tool":
            _answer_a_call(wire, message.additional_kwargs.get("tool_call_id"), open_calls)
        yield wire


def _add_what_was_made(wire: Json, message: ChatMessage, position: int) -> list[str]:
    """Add an assistant's calls and what only its maker understands; gives the ids of the calls."""
    calls = _tool_calls(message, position)
    if calls:
        wire["tool_calls"] = calls
    for block in message.blocks:
        if isinstance(block, ThinkingBlock) and (extra := block.additional_information.get(EXTRA)):
            wire[EXTRA] = extra
    return [call["id"] for call in calls]


def _answer_a_call(wire: Json, named: object, open_calls: list[str]) -> None:
    """Pair a tool reply with the call it answers."""
    call_id = named if isinstance(named, str) and named else next(iter(open_calls), None)
    if call_id is None:
        wire["role"] = "user"
        return
    if call_id in open_calls:
        open_calls.remove(call_id)
    wire["tool_call_id"] = call_id


def _content(blocks: Sequence[BaseContentBlock]) -> str | list[Json]:
    """A string where there is only text, else a list of parts."""
    if len(blocks) == 1 and isinstance(only := blocks[0], TextBlock):
        return only.text
    parts = list(_parts(blocks))
    texts = [part["text"] for part in parts if part["type"] == "text"]
    # One newline between texts, as ChatMessage.content joins them: sent is what a user reads.
    return "\n".join(texts) if len(texts) == len(parts) else parts


def _parts(blocks: Iterable[BaseContentBlock]) -> Iterator[Json]:
    for block in blocks:
        if isinstance(block, TextBlock):
            yield {"type": "text", "text": block.text}
        elif isinstance(block, CitableBlock):
            yield from _parts(block.content)
        elif isinstance(block, CitationBlock):
            yield from _parts([block.cited_content])
        elif (encode := MEDIA.get(type(block))) is not None:
            yield encode(block)
        elif not isinstance(block, (ThinkingBlock, CachePoint, ToolCallBlock)):
            message = f"cannot send a content block of type {type(block).__name__}"
            raise ValueError(message)


def _tool_calls(message: ChatMessage, position: int) -> list[Json]:
    """The message's calls, each once, whether it holds them as blocks, as a list or as both."""
    listed = [_listed_call(call) for call in message.additional_kwargs.get("tool_calls") or ()]
    blocks = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    calls = [_block_call(block) for block in blocks] if blocks else listed
    # Only the list keeps what nobody but the maker of a call understands (a thought signature).
    extras = {call["id"]: call[EXTRA] for call in listed if EXTRA in call}
    for number, call in enumerate(calls):
        call["id"] = call["id"] or f"call_{position}_{number}"
        if call["id"] in extras:
            call[EXTRA] = extras[call["id"]]
    return calls


def _block_call(block: ToolCallBlock) -> Json:
    return _call(block.tool_call_id, block.tool_name, block.tool_kwargs)


def _listed_call(listed: object) -> Json:
    """One entry of `additional_kwargs["tool_calls"]`: a dict, or another integration's object."""
    entry = cast("dict[str, Any]", listed.model_dump() if isinstance(listed, BaseModel) else listed)
    function: dict[str, Any] = entry.get("function") or {}
    call = _call(entry.get("id"), function.get("name") or "", function.get("arguments"))
    if extra := entry.get(EXTRA):
        call[EXTRA] = extra
    return call


def _call(call_id: str | None, name: str, arguments: object) -> Json:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
    return {
        "id": call_id,
        "type": "function",
        "function": {"name": name, "arguments": text or "{}"},
    }
