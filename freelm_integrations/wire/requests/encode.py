"""A request becomes the body to send, in the accent of one provider.

The caller's objects are read, never changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, TypeGuard

from freelm_integrations.wire.answers.surrogates import whole
from freelm_integrations.wire.requests.ladder import lowered
from freelm_integrations.wire.requests.messages import shaped_messages
from freelm_integrations.wire.requests.names import wire_name
from freelm_integrations.wire.requests.room import (
    default_output,
    set_thinking,
    settle_effort,
    settle_output,
    wished_thinking,
)
from freelm_integrations.wire.requests.schemas import can_be_closed, fit
from freelm_integrations.wire.shapes import first_match, mapping, sequence, text

if TYPE_CHECKING:
    from freelm_integrations.chat import Json, Message, Request
    from freelm_integrations.wire.openai import ChatCompletions

_OURS = frozenset({"model", "messages", "tools", "tool_choice", "response_format", "extra_body"})
# One answer is read, so one is asked for; whether and how it is streamed is not the caller's word.
_NEVER = frozenset({"stream", "stream_options", "n", *_OURS})
_NEEDS_TOOLS = frozenset({"parallel_tool_calls"})


def body_of(
    request: Request,
    model: str,
    *,
    rules: ChatCompletions,
    tags: tuple[str, ...],
    dropped: frozenset[str],
    output: int | None,
    roomier: bool,
    room: int | None = None,
) -> bytes:
    """The body to send, as JSON text in UTF-8; `Dialect.encode` says what the arguments mean.

    Raises:
        TypeError: something in the request has no form in JSON.
        ValueError: so has a number in it (nan or inf).
    """
    refused = _apart(dropped)
    thinking = "less" if roomier else wished_thinking(request, model, rules, tags=tags)
    request, words = lowered(request, refused, rules, tags=tags)
    messages = shaped_messages(
        request, model, rules, refused, thinks_less=thinking == "less", words=words
    )
    body: Json = {"model": model, "messages": messages}
    body.update(_parameters(request, model, rules, tags, output, room, refused, roomier=roomier))
    if thinking is not None:
        set_thinking(body, model, rules, thinking)
    _add_tools(body, request, rules)
    _add_format(body, request, rules)
    if request.streaming:
        body["stream"] = True
        if rules.stream_options:
            body["stream_options"] = {"include_usage": True}
    for name in refused.difference(_OURS):
        body.pop(name, None)
        body.pop(rules.renames.get(name, name), None)
    body.update(mapping(request.params.get("extra_body")))
    _part(body, rules)
    written = _JSON.encode(body)
    try:
        return written.encode()
    except UnicodeEncodeError:  # text that somebody else has cut inside a character
        return whole(written).encode()


def _part(body: Json, rules: ChatCompletions) -> None:
    """Leave out what may not stand beside something else that is said."""
    for name, other in rules.exclusive.items():
        if body.get(name) is not None:
            body.pop(other, None)
    if rules.greedy_alone and body.get("temperature") == 0:
        body.pop("top_p", None)
    last = mapping(next(reversed(sequence(body.get("messages"))), None))
    if rules.prefix_flag is not None and last.get(rules.prefix_flag):
        body.pop("reasoning_effort", None)  # what was begun goes on with the answer itself


def _apart(dropped: frozenset[str]) -> frozenset[str]:
    """Every name by itself: one refusal may have named several, with commas between them."""
    if not dropped:
        return dropped
    return frozenset(part.strip() for name in dropped for part in name.split(","))


def _plain(value: object) -> Any:
    """JSON's own types for the frozen ones that callers put into requests."""
    if _is_mapping(value):
        return dict(value)
    if _is_set(value):
        return list(value)
    raise TypeError(f"cannot be sent as JSON: a value of type {type(value).__name__}")


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_plain, allow_nan=False)


def _is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_set(value: object) -> TypeGuard[AbstractSet[Any]]:
    return isinstance(value, AbstractSet)


def _parameters(
    request: Request,
    model: str,
    rules: ChatCompletions,
    tags: tuple[str, ...],
    output: int | None,
    room: int | None,
    refused: frozenset[str],
    *,
    roomier: bool,
) -> Json:
    asked: Json = {**rules.defaults, **(first_match(rules.by_model, model) or {})}
    asked.update({name: value for name, value in request.params.items() if value is not None})
    default = default_output(rules, tags, output) if room is None else room
    settle_output(asked, default, output=output, roomier=roomier, refused=refused)
    settle_effort(asked, model, rules, tags=tags, refused=refused)
    return {
        rules.renames.get(name, name): _in_range(value, rules.ranges.get(name))
        for name, value in asked.items()
        if name not in _NEVER
        and name not in rules.denied
        and (rules.allowed is None or name in rules.allowed)
        and (request.tools or name not in _NEEDS_TOOLS)
    }


def _in_range(value: Any, bounds: tuple[float, float] | None) -> Any:
    if bounds is None or isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return min(max(value, bounds[0]), bounds[1])


def _add_tools(body: Json, request: Request, rules: ChatCompletions) -> None:
    if not request.tools:
        return
    tools = [_tool(tool, rules) for tool in request.tools]
    choice = request.tool_choice
    if isinstance(choice, str):
        choice = rules.forced_choice if choice in {"any", "required"} else choice
    elif choice is not None and not rules.named_choice:
        tools, choice = _only(tools, choice), rules.forced_choice
    body["tools"] = tools
    if choice is not None:
        body["tool_choice"] = choice if isinstance(choice, str) else _named(choice)


def _named(choice: Message) -> Message:
    function = mapping(choice.get("function"))
    name = text(function.get("name"))
    if wire_name(name) == name:
        return choice
    return {**choice, "function": {**function, "name": wire_name(name)}}


def _tool(tool: Message, rules: ChatCompletions) -> Message:
    function = mapping(tool.get("function"))
    if not function:
        return tool
    shaped = dict(function)
    shaped["name"] = wire_name(text(shaped.get("name")))
    # Parameters are mandatory at Mistral (OpenAPI of 2026-08): no parameters are an empty object.
    parameters: Json = shaped.get("parameters") or {"type": "object", "properties": {}}
    strict = _stays_strict(shaped, parameters, rules)
    if not rules.strict_tools:
        shaped.pop("strict", None)
    shaped["parameters"] = fit(parameters, rules.schema, strict=strict)
    return {"type": "function", "function": shaped}


def _stays_strict(asked: Json, schema: Json, rules: ChatCompletions) -> bool:
    """Whether the schema is asked for strictly; it no longer is where its provider cannot do so."""
    if asked.get("strict") is None:
        asked.pop("strict", None)
    elif rules.schema.closed and not can_be_closed(schema):
        asked["strict"] = False
    return bool(asked.get("strict"))


def _only(tools: list[Message], choice: Message) -> list[Message]:
    wanted = wire_name(text(mapping(choice.get("function")).get("name")))
    named = [tool for tool in tools if mapping(tool.get("function")).get("name") == wanted]
    return named or tools


def _add_format(body: Json, request: Request, rules: ChatCompletions) -> None:
    wanted = request.response_format
    if wanted is None:
        return
    described = mapping(wanted.get("json_schema"))
    if described and not rules.schema.changes_nothing:
        described = dict(described)
        schema = mapping(described.get("schema"))
        strict = _stays_strict(described, schema, rules)
        described["schema"] = fit(schema, rules.schema, strict=strict)
        wanted = {**wanted, "json_schema": described}
    body["response_format"] = wanted
