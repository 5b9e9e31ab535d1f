"""Which parameter a refusal names, so that it can be left out and the request sent again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from freelm_integrations.wire.requests.room import effort_refused, least_output

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freelm_integrations.wire.refusals.complaints import Complaint

_NEEDED = frozenset(
    {
        *("model", "messages", "tools", "tool_choice", "response_format", "stream", "input"),
        *("json_schema", "json_object", "image_url", "functions", "developer", "system"),
        *("tool calling", "tool use", "tool calls", "function calling", "json mode"),
    }
)
_UNKNOWN_CODES = frozenset(
    {
        *("unknownparameter", "unsupportedparameter", "unsupportedvalue", "unrecognizedkeys"),
        *("extraforbidden", "valueerrorextra", "additionalproperty", "unexpectedparameter"),
    }
)
_NEEDED_IN_MESSAGES = frozenset({"", "role", "content", "tool_calls", "tool_call_id"})
_REFUSALS = frozenset({400, 422})
_WHERE = frozenset({"body", "query", "root"})
_MESSAGE = "messages."
_QUOTED = r"[`'\"]([a-z_][\w.]*)[`'\"]"
_BARE = (  # what is no quoted name must look like one, or be one of the usual
    r"([a-z]+_[a-z_]+|temperature|seed|stop|logprobs|store|user|metadata|reasoning|verbosity|n)\b"
)
_REFUSED = r"(?:currently )?(?:un|not )(?:supported|allowed|permitted|recognized|known)"
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        # A value of it is what is refused ("reasoning_effort='medium' is not supported").
        rf"\b{_BARE}(?: ?= ?\S+| [`'\"][^`'\"\s]+[`'\"]) is (?:{_REFUSED}|not available)",
        # Google; with a path behind it the name is one inside messages or tools.
        rf"unknown name {_QUOTED}(?! at '[^'])",
        # Groq, Cerebras
        rf"(?:property|parameter|field|argument) [`'\"]?([a-z_][\w.]*)[`'\"]? is {_REFUSED}",
        # NIM, which lists all of them
        r"unsupported parameter\(s\):? ([\w`'\", ]+)",
        r"(?:parameter|argument|field)s:? ([`'\"]?[a-z_]\w*[`'\"]?(?:, ?[`'\"]?[a-z_]\w*[`'\"]?)+)",
        # OpenAI and what is built like it
        (
            r"(?:unsupported|unknown|unrecognized|invalid|unexpected) (?:request |keyword )?"
            r"(?:parameter|argument|field|key|property|propertie)(?:s|\(s\))?(?: in object)?"
            r"(?: supplied)?(?:: ?[`'\"]?| [`'\"])([a-z_][\w.]*)"
        ),
        (
            r"(?:unsupported|unknown|unrecognized|invalid|unexpected|no such) (?:request )?"
            rf"(?:parameter|argument|field|property)s?:? {_BARE}"
        ),
        rf"does not support (?:the )?(?:parameter|argument|field) {_BARE}",
        rf"(?:parameter|argument|field|property) {_QUOTED} (?:does not exist|is {_REFUSED})",
        # LM Studio: a value, all of it in quotation marks
        r"[`'\"](response_format)(?:\.\w+)?[`'\"] must be",
        # pydantic in prose, or as Python prints it
        r"extra_forbidden', 'loc': [(\[]'body', '([a-z_]\w*)',? ?[)\]]",
        # OpenAI, of a value that must be the default; LiteLLM, which prints a list
        rf"unsupported value: {_QUOTED} does not support",
        (
            r"does not support (?:the )?(?:parameters?:? )?"
            r"\[?[`'\"]([a-z_][\w`'\", ]*?)[`'\"](?=[],.\s]|$)"
        ),
        rf"{_QUOTED}:? (?:extra (?:inputs|fields)(?: are)? not permitted|is {_REFUSED})",
        # Groq, of an ability that it spells as a parameter
        (
            r"[`'\"](tool (?:calling|use|calls)|function calling|json mode)[`'\"]"
            rf" (?:is|are) {_REFUSED}"
        ),
        rf"{_QUOTED} is not a (?:valid|known|recognized) (?:parameter|argument|field|property)",
        r"([a-z_]+(?:\.\w+)*):? extra (?:inputs are|fields) not permitted",
        rf"(?:additional propert|extra (?:field|input))[^'\"`]{{0,40}}{_QUOTED}",
        rf"\b{_BARE} (?:is )?{_REFUSED}",
    )
)
_IN_MESSAGES = re.compile(r"messages?[.\[]\s*\d+")
_MUST_THINK = re.compile(
    r"(?:reasoning|thinking)(?: mode)? is (?:mandatory|required)"
    r"|(?:reasoning|thinking)\b[^.\n]{0,40}\b(?:cannot|can't|may not|must not) be (?:disabled"
    r"|(?:turned|switched) off)|(?:cannot|can't) (?:disable|(?:turn|switch) off) (?:reasoning"
    r"|thinking)"
)
_LEAST = re.compile(
    r"\bmax_(?:completion_|output_|new_)?tokens\b[\s\S]{0,80}?"
    r"(?:at least|>=|(?:greater|more) than or equal to|no(?:t be)? less than"
    r"|minimum(?: value)?(?: is| of|:)?) ?(\d+)\b"
)
_BELIEVED = range(2, 1_025)
"""Tokens that may be the least a model writes; whoever asks for none at all is to be told so."""
_THINKING = re.compile(r"does not support (?:thinking|reasoning)")


def named_parameter(said: Complaint) -> str | None:
    """The parameters that a 400 or 422 refuses, with commas between them; None if it names none.

    A field of messages is named as `messages.<field>`.
    """
    if said.status not in _REFUSALS:
        return None
    return _bounded(said) or _located(said) or _pointed_at(said) or _written(said)


def can_be_dropped(parameter: str) -> bool:
    """Whether the request still asks for the same without all of these parameters."""
    return not any(_is_needed(name) for name in parameter.split(","))


def _is_needed(name: str) -> bool:
    if name.startswith(_MESSAGE):
        return name.removeprefix(_MESSAGE) in _NEEDED_IN_MESSAGES
    return name.partition(".")[0] in _NEEDED


def _bounded(said: Complaint) -> str | None:
    """What of a parameter is refused, where another value of it is known to be taken."""
    if _MUST_THINK.search(said.naming):
        return effort_refused("none")
    least = _LEAST.search(said.naming)
    if least is None or int(least[1]) not in _BELIEVED:
        return None
    return least_output(int(least[1]))


def _located(said: Complaint) -> str | None:
    """From the `loc` of a schema violation (FastAPI: NIM, Mistral), unless something is missing."""
    if "missing" in said.words:
        return None
    names = [name for location in said.locations if (name := _name_at(location))]
    return _listed(names)


def _name_at(location: tuple[str, ...]) -> str:
    path = [part for part in location if part not in _WHERE and not part.isdecimal()]
    if not path:
        return ""
    return _MESSAGE + path[-1] if path[0] == "messages" and len(path) > 1 else path[0]


def _pointed_at(said: Complaint) -> str | None:
    """From the fields that name the culprit, where a code says that it is one nobody knows."""
    if not said.named or _UNKNOWN_CODES.isdisjoint(said.words):
        return None
    return _listed(_cleaned(name.lower(), said.naming) for name in said.named)


def _written(said: Complaint) -> str | None:
    if _THINKING.search(said.naming):
        return "reasoning_effort"
    for pattern in _PATTERNS:
        names = [name for found in pattern.findall(said.naming) for name in found.split(",")]
        if names:
            return _listed(_cleaned(name, said.naming) for name in names)
    return None


def _cleaned(found: str, text: str) -> str:
    name = found.strip(" `'\".").removeprefix("body.")
    if name.startswith(_MESSAGE) or (name and _IN_MESSAGES.search(text)):
        return _MESSAGE + name.rpartition(".")[2]
    return name


def _listed(names: Iterable[str]) -> str | None:
    return ",".join(name for name in dict.fromkeys(names) if name) or None
