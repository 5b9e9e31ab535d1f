"""LangChain messages -> the OpenAI-shaped messages the core client takes.

The caller's objects stay untouched. What one provider needs otherwise than another (tool ids,
roles, reasoning echoed or not) is settled per attempt, when the request is encoded for it; here the
history is put into the one shape it all starts from:

- a tool's result stands right behind the call it answers, pictures in it move into a user turn of
  their own;
- every tool call the model made is there, also one whose arguments do not parse, so that its result
  has a partner;
- blocks that only one maker understands are gone (see `blocks.py`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

from freelm_integrations.langchain.blocks import to_part
from freelm_integrations.langchain.errors import UnsendableMessage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from freelm_integrations.chat import Json

EXTRA = "freelm_extra"
"""Where `additional_kwargs` keeps what only the answer's maker understands (thought signatures and
such): under `message` what goes with all of it, under `calls` by tool call id."""
REASONING = "reasoning_content"


def to_wire(messages: Sequence[BaseMessage]) -> list[Json]:
    """The messages as OpenAI-shaped dicts, in order.

    Raises:
        UnsendableMessage: a message or a block of one has no such shape.
    """
    wire: list[Json] = []
    shown: list[Json] = []  # pictures in tool results, until the run of results is over
    for message in messages:
        if shown and not isinstance(message, ToolMessage):
            wire.append({"role": "user", "content": shown})
            shown = []
        wire.extend(_written(message, shown))
    if shown:
        wire.append({"role": "user", "content": shown})
    return wire


def _written(message: BaseMessage, shown: list[Json]) -> list[Json]:
    if isinstance(message, HumanMessage):
        return _human(message, shown)
    if isinstance(message, AIMessage):
        return [_assistant(message)]
    if isinstance(message, ToolMessage):
        return [_tool_result(message.tool_call_id, message.content, shown)]
    if isinstance(message, RemoveMessage):  # an order to a graph's memory, not something said
        return []
    return [_named(_role(message), message)]


def _role(message: BaseMessage) -> str:
    if isinstance(message, SystemMessage):
        return "system"
    if isinstance(message, ChatMessage):
        return message.role
    if isinstance(message, FunctionMessage):  # endpoints of today have no such role
        return "user"
    text = f"cannot send a message of type {type(message).__name__}"
    raise UnsendableMessage(text)


def _named(role: str, message: BaseMessage) -> Json:
    written: Json = {"role": role, "content": content_of(message.content)}
    if message.name:
        written["name"] = message.name
    return written


def _human(message: HumanMessage, shown: list[Json]) -> list[Json]:
    """A user turn; results of tools in it (Anthropic's way) come first, as endpoints want them."""
    blocks = _blocks(message.content)
    results = [block for block in blocks if block.get("type") == "tool_result"]
    if not results:
        return [_named("user", message)]
    written = [
        _tool_result(block["tool_use_id"], block.get("content") or "", shown) for block in results
    ]
    said: list[Any] = [block for block in blocks if block.get("type") != "tool_result"]
    if said or shown:
        content: list[Any] = [*said, *shown]
        shown.clear()
        written.append(_named("user", message.model_copy(update={"content": content})))
    return written


def _blocks(content: str | Sequence[str | Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The blocks of a content that is kept in blocks; none of one that is plain text."""
    if isinstance(content, str):
        return []
    return [{"type": "text", "text": one} if isinstance(one, str) else one for one in content]


def _tool_result(call_id: str, content: str | list[Any], shown: list[Json]) -> Json:
    """A tool's result as text; what else it holds is appended to `shown`."""
    if isinstance(content, str):
        return {"role": "tool", "tool_call_id": call_id, "content": content}
    parts = [part for part in map(to_part, content) if part is not None]
    pictures = [part for part in parts if part["type"] != "text"]
    if pictures:
        shown.append({"type": "text", "text": f"What tool call {call_id} returned:"})
        shown.extend(pictures)
    text = _joined(parts, "\n") or ("(see below)" if pictures else "")
    return {"role": "tool", "tool_call_id": call_id, "content": text}


def content_of(content: str | Sequence[str | Mapping[str, Any]]) -> str | list[Json]:
    """Content as plain text where it is only text, else as parts."""
    if isinstance(content, str):
        return content
    parts = [part for part in map(to_part, content) if part is not None]
    # Some endpoints take parts in user turns only, and text as parts nowhere: plain text goes
    # everywhere.
    if all(part["type"] == "text" for part in parts):
        return _joined(parts, "\n")
    return parts


def _joined(parts: Iterable[Json], glue: str) -> str:
    return glue.join(part["text"] for part in parts if part["type"] == "text")


def _assistant(message: AIMessage) -> Json:
    blocks, kept = _blocks(message.content), message.additional_kwargs
    text = message.content if isinstance(message.content, str) else _told(blocks, "text")
    text = text or kept.get("refusal") or _told(blocks, "refusal")
    written: Json = {"role": "assistant", "content": text}
    if message.name:
        written["name"] = message.name
    extra: Mapping[str, Any] = kept.get(EXTRA) or {}
    if calls := _calls(message, blocks, extra.get("calls") or {}):
        written["tool_calls"] = calls
    if reasoning := kept.get(REASONING) or _told(blocks, "reasoning"):
        written[REASONING] = reasoning
    if extra.get("message"):
        written["extra_content"] = extra["message"]
    return written


def _told(blocks: Iterable[Mapping[str, Any]], kind: str) -> str:
    """All that blocks of one kind say; endpoints take only text back from an assistant."""
    return "".join(str(one.get(kind, "")) for one in blocks if one.get("type", "text") == kind)


def _calls(
    message: AIMessage, blocks: Iterable[Mapping[str, Any]], extra: Mapping[str, Any]
) -> list[Json]:
    """Every call the message makes, wherever its maker put it."""
    found = [(call["id"], call["name"], _json(call["args"])) for call in message.tool_calls]
    # Arguments that do not parse go back as they are: each endpoint's encoder makes JSON of them.
    found += [
        (call["id"], call["name"] or "unknown", call["args"] or "{}")
        for call in message.invalid_tool_calls
    ]
    known = {call_id for call_id, _, _ in found}
    found += [call for call in map(_call_in, blocks) if call is not None and call[0] not in known]
    return [_call(call_id or "call_0", name, told, extra) for call_id, name, told in found]


def _call(call_id: str, name: str, arguments: str, extra: Mapping[str, Any]) -> Json:
    function = {"name": name, "arguments": arguments}
    call: Json = {"id": call_id, "type": "function", "function": function}
    if call_id in extra:
        call["extra_content"] = extra[call_id]
    return call


def _call_in(block: Mapping[str, Any]) -> tuple[str | None, str, str] | None:
    """The call that stands in the content alone: Anthropic's way, core's, OpenAI's newer one."""
    if block.get("type") == "tool_use":
        return block["id"], block["name"], _json(block["input"])
    if block.get("type") == "tool_call":
        return block["id"], block["name"], _json(block["args"])
    if block.get("type") == "function_call":
        return block["call_id"], block["name"], block["arguments"] or "{}"
    return None


def _json(arguments: object) -> str:
    return json.dumps(arguments, ensure_ascii=False)
