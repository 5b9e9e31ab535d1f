"""Messages brought into the shape one provider takes: roles, order, names, content, tool ids, images, extras."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from freelm_integrations.wire.shapes import mapping, sequence, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freelm_integrations.chat import Json, Message, Request
    from freelm_integrations.wire.openai import ChatCompletions

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ANSWERS = frozenset({"assistant", "tool"})
# What other front ends put into an assistant's content and no provider but its maker takes back.
_FOREIGN_PARTS = frozenset({"thinking", "reasoning", "redacted_thinking", "tool_use", "tool_call"})


def shaped_messages(
    request: Request, model: str, rules: ChatCompletions, refused: frozenset[str]
) -> list[Json]:
    """The messages as they go on the wire; fields named in `refused` as `messages.<field>` are left out."""
    kept = rules.message_fields.difference(
        name.removeprefix("messages.") for name in refused if name.startswith("messages.")
    ) | {"role", "content"}
    shaped: list[Json] = []
    for message in request.messages:
        wire = _shaped(message, model, rules, kept)
        if wire is not None:
            _place(wire, shaped, rules)
    if rules.prefix_flag and shaped and _may_be_prefix(shaped[-1]):
        shaped[-1][rules.prefix_flag] = True
    if rules.json_word and _wants_json(request):
        _say_json(shaped)
    return shaped


def alnum9(tool_id: str) -> str:
    """A tool id of nine letters and digits: the same one for the same id, and such an id for itself."""
    if len(tool_id) == 9 and tool_id.isascii() and tool_id.isalnum():
        return tool_id
    number = int.from_bytes(hashlib.sha256(tool_id.encode("utf-8", "replace")).digest()[:8], "big")
    digits: list[str] = []
    for _ in range(9):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(digits)


def _shaped(
    message: Message, model: str, rules: ChatCompletions, kept: frozenset[str]
) -> Json | None:
    wire: Json = {name: message[name] for name in message if name in kept}
    if "name" in wire and (wire["role"] not in rules.named_roles or wire["name"] is None):
        del wire["name"]
    content = wire.get("content")
    if not isinstance(content, str):
        wire["content"] = _content(content, rules)
    role = wire.get("role")
    if role == "assistant":
        return _assistant(wire, message, model, rules)
    if role == "tool":
        _tool_result(wire, rules)
    elif role == "developer" and not rules.developer_role:
        wire["role"] = "system"
    if wire["content"] is None:
        wire["content"] = ""
    return None if wire["role"] == "system" and not wire["content"] else wire


def _tool_result(wire: Json, rules: ChatCompletions) -> None:
    if rules.tool_id == "alnum9":
        wire["tool_call_id"] = alnum9(text(wire.get("tool_call_id")))
    if isinstance(wire["content"], list):
        wire["content"] = _joined(wire["content"]) or json.dumps(wire["content"])


def _assistant(wire: Json, message: Message, model: str, rules: ChatCompletions) -> Json | None:
    calls = [_call(mapping(call), rules) for call in sequence(wire.pop("tool_calls", None))]
    if calls:
        wire["tool_calls"] = calls
        _sign(calls, model, rules)
        if not wire["content"]:
            _empty_content(wire, rules)
    elif not wire["content"]:
        return None  # refused by most: an assistant who neither speaks nor calls
    _add_extras(wire, message, model, rules)
    return wire


def _empty_content(wire: Json, rules: ChatCompletions) -> None:
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
        "function": {"name": function.get("name"), "arguments": _arguments(function)},
    }
    extra = mapping(call.get("extra_content"))
    if rules.extra_key in extra and not rules.extra_fields:
        shaped["extra_content"] = {rules.extra_key: extra[rules.extra_key]}
    return shaped


def _arguments(function: Json) -> str:
    """Valid JSON text, whatever the model once wrote: several providers refuse the whole history otherwise."""
    said = function.get("arguments")
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
    """Put the documented stand-in where a thought signature must be and cannot: the first call, made elsewhere."""
    if rules.signature is None or any("extra_content" in call for call in calls):
        return
    name = model.lower()
    if any(part in name for part in rules.signed_models):
        calls[0]["extra_content"] = {rules.extra_key: rules.signature}


def _add_extras(wire: Json, message: Message, model: str, rules: ChatCompletions) -> None:
    """Send back what this provider alone understands: nested as it came, or flat and to the same model only."""
    own = mapping(mapping(message.get("extra_content")).get(rules.extra_key or ""))
    if not own:
        return
    if not rules.extra_fields:
        wire["extra_content"] = {rules.extra_key: own}
    elif own.get("model") == model:
        wire.update({name: own[name] for name in rules.extra_fields if name in own})


def _content(content: Any, rules: ChatCompletions) -> Any:
    if content is None:
        return None
    if not isinstance(content, (list, tuple)):
        return str(content)
    parts = [_part(part, rules) for part in content if not _is_foreign(part)]
    if rules.text_parts and parts:
        return parts
    only_text = all(part.get("type") == "text" for part in parts)
    return _joined(parts) if only_text else parts


def _is_foreign(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") in _FOREIGN_PARTS


def _joined(parts: list[Any]) -> str:
    return "\n".join(said for part in parts if (said := text(mapping(part).get("text"))))


def _part(part: Any, rules: ChatCompletions) -> Mapping[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    shaped = mapping(part)
    if shaped.get("type") != "image_url":
        return shaped
    image = shaped.get("image_url")
    if rules.image_url == "string" and isinstance(image, dict):
        return {**shaped, "image_url": mapping(image).get("url")}
    if rules.image_url == "object" and isinstance(image, str):
        return {**shaped, "image_url": {"url": image}}
    return shaped


def _place(wire: Json, shaped: list[Json], rules: ChatCompletions) -> None:
    """Append the message where the provider's order allows it, mended where it does not."""
    before = shaped[-1]["role"] if shaped else None
    if wire["role"] == "system" and _out_of_place(before, rules):
        wire["role"] = "user"
    if rules.bridge is not None and before == "tool" and wire["role"] == "user":
        shaped.append({"role": "assistant", "content": rules.bridge})
    shaped.append(wire)


def _out_of_place(before: str | None, rules: ChatCompletions) -> bool:
    if rules.system_place == "anywhere" or before is None:
        return False
    return before in _ANSWERS if rules.system_place == "not_after_answer" else before != "system"


def _may_be_prefix(wire: Json) -> bool:
    return wire["role"] == "assistant" and bool(wire.get("content")) and "tool_calls" not in wire


def _wants_json(request: Request) -> bool:
    return request.response_format is not None and request.response_format.get("type") in {
        "json_object",
        "json_schema",
    }


def _say_json(shaped: list[Json]) -> None:
    """Mention JSON, if nobody has: asked for it without the word, some models write spaces for ever."""
    if any("json" in str(message.get("content")).lower() for message in shaped):
        return
    shaped.insert(0, {"role": "system", "content": "Answer in JSON."})
