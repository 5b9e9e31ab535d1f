"""The ladder: how JSON, or a tool call, is asked of a model that was seen to refuse the better way.

From the top: a strict schema, a schema, JSON with the schema in words, a tool that takes the answer
as its arguments, words alone. A model starts where it was found to stand; what it refuses is kept
among the parameters it refuses, under the names below, so that one refused request finds it out for
all calls to come. The lower the rung the less the provider enforces: callers validate.

A model that cannot be made to call a tool is told in words to call one.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from freelm_integrations.wire.answers.fences import wants_json
from freelm_integrations.wire.shapes import mapping, sequence

if TYPE_CHECKING:
    from freelm_integrations.chat import Delta, Json, Message, Request, Usage
    from freelm_integrations.wire.dialect import Decoder
    from freelm_integrations.wire.faults import Fault, FaultKind
    from freelm_integrations.wire.openai import ChatCompletions

STRICT = "response_format.json_schema.strict"
SCHEMA = "response_format.json_schema"
JSON = "response_format.json_object"
FORCED = "tool_choice.required"
ANSWER = "freelm_answer"
"""The tool that takes an answer as its arguments."""

_ABOUT_STRICT = re.compile(
    r"\bstrict\b|additional_?properties|must be required|all fields.*required"
)
_ABOUT_FORMAT = re.compile(
    r"response[_ ]?format|response[_ ]mime|json[_ -]?(?:schema|mode|object)|structured output"
    r"|\bguided|\bgrammar"
)
_ABOUT_CHOICE = re.compile(r"tool[_ ]?choice|(?:forced|required|named) (?:tool|function)")
_ABOUT_TOOLS = re.compile(r"\btools?\b|tool[_ ]|function")
_ABOUT_THE_FORM = frozenset({"unsupported", "malformed"})
_FREE: tuple[object, ...] = ("auto", "none")


class Lowered(NamedTuple):
    """A request as a model takes it, and what it must be told in words besides ("" for nothing)."""

    request: Request
    words: str = ""


def lowered(
    request: Request, refused: frozenset[str], rules: ChatCompletions, *, tags: tuple[str, ...]
) -> Lowered:
    """The request on the highest rung that the model has not refused."""
    must = ""
    if request.tools and (FORCED in refused or rules.forced_in_words):
        unforced, must = _unforced(request)
        request = unforced if FORCED in refused else request
    if not wants_json(request):
        return Lowered(request, must)
    if request.tools and not (rules.format_with_tools and JSON not in refused):
        # The tools stay what they are; it is the answer after them that is to be JSON.
        return Lowered(
            _plain(request), f"{must} When you answer in words: {_wish(request)}".strip()
        )
    if not rules.format_with_images and _has_images(request):
        return Lowered(_plain(request), _wish(request))
    if JSON not in refused:
        request, words = _with_format(request, refused)
        return Lowered(request, f"{must} {words}".strip())
    schema = _schema_of(request)
    if FORCED in refused or "tools" not in tags or schema.get("type") != "object":
        return Lowered(_plain(request), _wish(request))
    return Lowered(_called(request, schema))


def refused_rung(request: Request, refused: frozenset[str], fault: Fault) -> str | None:
    """The name under which to remember what a fault says of the form asked for; None if nothing.

    `refused` is what was known when the request was sent.
    """
    said = fault.message.lower()
    if wants_json(request) and JSON not in refused:
        return _refused_format(request, refused, fault.kind, said)
    if fault.kind != "unsupported" or FORCED in refused:
        return None
    # The answering tool is ours: a model that takes no tools is not asked for it again.
    is_ours = wants_json(request) and not request.tools
    is_forced = bool(request.tools) and request.tool_choice not in (None, *_FREE)
    if not (is_ours or is_forced):
        return None
    about = _ABOUT_TOOLS if is_ours else _ABOUT_CHOICE
    return FORCED if about.search(said) else None


def _refused_format(
    request: Request, refused: frozenset[str], kind: FaultKind, said: str
) -> str | None:
    asked = mapping(mapping(request.response_format).get("json_schema"))
    by_schema = bool(asked) and SCHEMA not in refused
    is_strict = by_schema and bool(asked.get("strict")) and STRICT not in refused
    if is_strict and kind in _ABOUT_THE_FORM and _ABOUT_STRICT.search(said):
        return STRICT
    if kind == "unsupported" and _ABOUT_FORMAT.search(said):
        return SCHEMA if by_schema else JSON
    return None


def _with_format(request: Request, refused: frozenset[str]) -> Lowered:
    asked = mapping(mapping(request.response_format).get("json_schema"))
    if not asked:
        return Lowered(request)
    if SCHEMA in refused:
        return Lowered(replace(request, response_format={"type": "json_object"}), _wish(request))
    if asked.get("strict") and STRICT in refused:
        relaxed = {name: value for name, value in asked.items() if name != "strict"}
        wanted = {"type": "json_schema", "json_schema": relaxed}
        return Lowered(replace(request, response_format=wanted))
    return Lowered(request)


def _has_images(request: Request) -> bool:
    return any(
        mapping(part).get("type") == "image_url"
        for message in request.messages
        for part in sequence(message.get("content"))
    )


def _plain(request: Request) -> Request:
    return replace(request, response_format=None)


def _called(request: Request, schema: Json) -> Request:
    described = "Give the answer. Call this once, with the whole answer."
    function = {"name": ANSWER, "description": described, "parameters": schema}
    tools: tuple[Message, ...] = ({"type": "function", "function": function},)
    return replace(request, response_format=None, tools=tools, tool_choice="required")


def _unforced(request: Request) -> Lowered:
    """The same request, told in words to call what it may not be made to."""
    choice = request.tool_choice
    if choice is None or choice in _FREE:
        return Lowered(request)
    name = None if isinstance(choice, str) else mapping(choice.get("function")).get("name")
    must = f"Call the tool {name}." if name else "Answer by calling a tool, not in words."
    return Lowered(replace(request, tool_choice=None), must)


def _schema_of(request: Request) -> Json:
    asked = mapping(mapping(request.response_format).get("json_schema"))
    return mapping(asked.get("schema"))


def _wish(request: Request) -> str:
    schema = _schema_of(request)
    if not schema:
        return "Answer with a JSON object and nothing else."
    written = json.dumps(schema, ensure_ascii=False)
    return f"Answer with JSON that fits this JSON schema, and nothing else: {written}"


class CalledAnswer:
    """Reads an answer that may come as the arguments of the answering tool: they are its text.

    Not thread safe.
    """

    __slots__ = ("_decoder", "_index")

    def __init__(self, decoder: Decoder) -> None:
        """Read on top of what reads the wire."""
        self._decoder = decoder
        self._index: int | None = None

    @property
    def model(self) -> str | None:
        """See `Decoder`."""
        return self._decoder.model

    @property
    def response_id(self) -> str | None:
        """See `Decoder`."""
        return self._decoder.response_id

    @property
    def usage(self) -> Usage | None:
        """See `Decoder`."""
        return self._decoder.usage

    def feed(self, data: bytes) -> list[Delta] | Fault:
        """See `Decoder`."""
        return self._retold(self._decoder.feed(data))

    def end(self) -> list[Delta] | Fault:
        """See `Decoder`."""
        return self._retold(self._decoder.end())

    def _retold(self, heard: list[Delta] | Fault) -> list[Delta] | Fault:
        return [self._as_text(delta) for delta in heard] if isinstance(heard, list) else heard

    def _as_text(self, delta: Delta) -> Delta:
        for part in delta.tool_calls:
            if part.name == ANSWER and self._index is None:
                self._index = part.index
        if self._index is None:
            return delta
        # Words around the call are none of the answer.
        said = "".join(part.arguments for part in delta.tool_calls if part.index == self._index)
        reason = "stop" if delta.finish_reason == "tool_calls" else delta.finish_reason
        return delta._replace(text=said, tool_calls=(), finish_reason=reason)
