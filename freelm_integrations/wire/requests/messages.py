"""Messages brought into the shape one provider takes: roles, order, names, content, tool ids."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from freelm_integrations.wire.answers.fences import wants_json
from freelm_integrations.wire.requests.content import joined, wire_content
from freelm_integrations.wire.requests.names import wire_name
from freelm_integrations.wire.requests.order import Order
from freelm_integrations.wire.requests.pairs import paired
from freelm_integrations.wire.shapes import (
    first_match,
    is_mapping,
    is_named_in,
    is_sequence,
    mapping,
    sequence,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freelm_integrations.chat import Json, Message, Request
    from freelm_integrations.wire.openai import ChatCompletions

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHORT_ID = 9
_INSTRUCTIONS = frozenset({"system", "developer"})
_EMPTY = "(empty)"
_NOTHING = ("", _EMPTY)
_SAY_JSON = "Answer in JSON."


def shaped_messages(
    request: Request,
    model: str,
    rules: ChatCompletions,
    refused: frozenset[str],
    *,
    thinks_less: bool = False,
    words: str = "",
) -> list[Json]:
    """The messages as they go on the wire, without the fields in `refused` (`messages.<field>`).

    `words` are told to the model besides.
    """
    kept = rules.message_fields
    if refused:
        kept -= {name.removeprefix("messages.") for name in refused if name.startswith("messages.")}
        kept |= {"role", "content"}
    order = Order(rules, model)
    for message in paired(request.messages, singly=is_named_in(rules.single_calls, model)):
        wire = _shaped(message, model, rules, kept)
        if wire is not None:
            order.place(wire)
    shaped = order.finished()
    if words:
        _tell(shaped, words)
    if rules.json_word and wants_json(request):
        _say_json(shaped)
    if thinks_less and (word := first_match(rules.quiet_word, model)):
        _tell(shaped, word)
    return shaped


def alnum9(tool_id: str) -> str:
    """A tool id of nine letters and digits: the same for the same id, itself for such a one."""
    if len(tool_id) == _SHORT_ID and tool_id.isascii() and tool_id.isalnum():
        return tool_id
    number = int.from_bytes(hashlib.sha256(tool_id.encode("utf-8", "replace")).digest()[:8], "big")
    digits: list[str] = []
    for _ in range(_SHORT_ID):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(digits)


def _shaped(
    message: Message, model: str, rules: ChatCompletions, kept: frozenset[str]
) -> Json | None:
    wire: Json = {name: message[name] for name in message if name in kept}
    role = wire.setdefault("role", "user")
    if "name" in wire and (role not in rules.named_roles or not wire["name"]):
        del wire["name"]
    content = wire.get("content")
    if not isinstance(content, str):
        wire["content"] = wire_content(content, rules)
    if role == "assistant":
        return _assistant(wire, message, model, rules)
    if role == "tool":
        _make_result(wire, rules)
    elif role == "developer" and not rules.developer_role:
        wire["role"] = "system"
    if not wire["content"]:
        wire["content"] = "" if rules.empty_content else _EMPTY
    return None if role in _INSTRUCTIONS and wire["content"] in _NOTHING else wire


def _make_result(wire: Json, rules: ChatCompletions) -> None:
    if rules.tool_id == "alnum9":
        wire["tool_call_id"] = alnum9(text(wire.get("tool_call_id")))
    if "name" in wire:
        wire["name"] = wire_name(text(wire["name"]))
    if is_sequence(wire["content"]):
        wire["content"] = joined(wire["content"]) or json.dumps(wire["content"])


def _assistant(wire: Json, message: Message, model: str, rules: ChatCompletions) -> Json | None:
    calls = [_call(mapping(call), rules) for call in sequence(wire.pop("tool_calls", None))]
    if calls:
        wire["tool_calls"] = calls
        _sign(calls, model, rules)
        if not wire["content"]:
            _say_nothing(wire, rules)
    elif not wire["content"]:
        return None  # refused by most: an assistant who neither speaks nor calls
    _add_extras(wire, message, model, rules)
    return wire


def _say_nothing(wire: Json, rules: ChatCompletions) -> None:
    if rules.content_beside_calls == "omit":
        del wire["content"]
    else:
        wire["content"] = None if rules.content_beside_calls == "null" else ""


def _call(call: Json, rules: ChatCompletions) -> Json:
    function = mapping(call.get("function"))
    tool_id = text(call.get("id"))
    shaped: Json = {
        "id": alnum9(tool_id) if rules.tool_id == "alnum9" else tool_id,
        "type": "function",
        "function": {
            "name": wire_name(text(function.get("name"))),
            "arguments": _arguments(function),
        },
    }
    extra = mapping(call.get("extra_content"))
    if rules.nests_extras and rules.extra_key in extra:
        shaped["extra_content"] = {rules.extra_key: extra[rules.extra_key]}
    return shaped


def _arguments(function: Json) -> str:
    """Valid JSON text, whatever the model once wrote: some refuse the whole history otherwise."""
    said: Any = function.get("arguments")
    if not isinstance(said, str):
        return json.dumps(said or {})
    if not said.strip():
        return "{}"
    try:
        json.loads(said)
    except (ValueError, RecursionError):
        return json.dumps({"invalid_arguments": said})
    return said


def _sign(calls: list[Json], model: str, rules: ChatCompletions) -> None:
    """Put the documented stand-in for a signature on calls that were made elsewhere."""
    if rules.signature is None or any("extra_content" in call for call in calls):
        return
    name = model.lower()
    if any(part in name for part in rules.signed_models):
        calls[0]["extra_content"] = {rules.extra_key: rules.signature}


def _add_extras(wire: Json, message: Message, model: str, rules: ChatCompletions) -> None:
    """Send back what this provider alone understands: nested as it came, or flat to its model."""
    if rules.extra_key is None or "extra_content" not in message:
        return
    own = mapping(mapping(message["extra_content"]).get(rules.extra_key))
    if own and rules.nests_extras:
        wire["extra_content"] = {rules.extra_key: own}
    elif own and own.get("model") == model:
        wire.update({name: own[name] for name in rules.extra_fields if name in own})
        if rules.thinking_parts:
            _put_thinking_back(wire, sequence(own.get("thinking")))


def _put_thinking_back(wire: Json, thinking: Sequence[Any]) -> None:
    """Let the thinking stand before what was said, as parts of the content."""
    parts = [part for part in thinking if is_mapping(part)]
    content = wire.get("content")
    if content and not is_sequence(content):
        content = [{"type": "text", "text": content}]
    if parts:
        wire["content"] = [*parts, *sequence(content)]


def _say_json(shaped: list[Json]) -> None:
    """Mention JSON if nobody has: without the word, some models write spaces for ever."""
    if any("json" in str(message.get("content")).lower() for message in shaped):
        return
    _tell(shaped, _SAY_JSON)


def _tell(shaped: list[Json], words: str) -> None:
    """Put the words at the end of the system message, which may be theirs alone."""
    first = shaped[0] if shaped else {}
    if first.get("role") == "system" and isinstance(first["content"], str):
        first["content"] += "\n" + words
    else:
        shaped.insert(0, {"role": "system", "content": words})
