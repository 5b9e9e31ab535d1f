"""Which parameter a refusal names, so that it can be left out and the request sent again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freelm_integrations.wire.complaints import Complaint

NEEDED = frozenset(
    {"model", "messages", "tools", "tool_choice", "response_format", "stream", "input", "functions"}
)
"""What cannot be left out without asking for something else: a refusal of these is the model's inability."""
_MESSAGE_CORE = frozenset({"messages.content", "messages.role", "messages.tool_calls", "messages"})
_WHERE = frozenset({"body", "query", "root"})
_NAME = r"[a-z_][\w.]*"
_QUOTED = rf"[`'\"]({_NAME})[`'\"]"
_MISSING = re.compile(r"field required|missing")
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"unknown name {_QUOTED}(?! at)",  # Google
        rf"unknown name {_QUOTED} at '(?:generation_config|)'",
        rf"(?:property|parameter|field|argument) {_QUOTED} is (?:un|not )supported",  # Groq, Cerebras
        r"unsupported parameter\(s\): ([\w`'\", ]+)",  # NIM
        rf"(?:unsupported|unknown|unrecognized|invalid|unexpected) (?:request |keyword )?"
        rf"(?:parameter|argument|field)s?(?: supplied)?:? [`'\"]?({_NAME})",
        rf"{_QUOTED}:? (?:extra inputs are not permitted|is not (?:supported|allowed|permitted))",
        r"\b(?:body\.)?([a-z_]+(?:\.\w+)*): extra inputs are not permitted",
        rf"(?:additional properties|extra (?:field|input)s?)[^'\"`]{{0,40}}{_QUOTED}",
        r"\b([a-z]+_[a-z_]+) (?:is )?not supported",
    )
)
_IN_MESSAGES = re.compile(r"messages?[.\[]\s*\d+")
_THINKING = re.compile(
    r"does not support thinking|not support reasoning|reasoning.effort.{0,20}not"
)


def named_parameter(said: Complaint) -> str | None:
    """The parameters a 400 or 422 refuses, apart by commas; a message's field as `messages.<field>`; None for none."""
    if said.status not in {400, 422}:
        return None
    return _located(said) or _written(said)


def _located(said: Complaint) -> str | None:
    """From the `loc` of a schema violation (FastAPI: NIM, Mistral): where it is, unless it is what is missing."""
    if not said.locations or "missing" in said.words:
        return None
    names: list[str] = []
    for location in said.locations:
        path = [part for part in location if part not in _WHERE and not part.isdecimal()]
        if len(path) == 1:
            names.append(path[0])
        elif path and path[0] == "messages":
            names.append(f"messages.{path[-1]}")
        elif path:
            return path[0] if path[0] in NEEDED else path[0]
    return ",".join(dict.fromkeys(names)) or None


def _written(said: Complaint) -> str | None:
    if _THINKING.search(said.text):
        return "reasoning_effort"
    for pattern in _PATTERNS:
        found = pattern.search(said.text)
        if found:
            return _cleaned(found[1], said.text)
    return None


def _cleaned(found: str, text: str) -> str | None:
    names = [name.strip(" `'\".") for name in found.split(",")]
    bare = [name.removeprefix("body.") for name in names if name]
    if len(bare) == 1 and (_IN_MESSAGES.search(text) or bare[0].startswith("messages.")):
        return f"messages.{bare[0].rpartition('.')[2]}"
    return ",".join(bare) or None


def can_be_dropped(parameter: str) -> bool:
    """Whether the request still asks for the same without these parameters."""
    return not any(
        name in _MESSAGE_CORE
        or name.partition(".")[0] in NEEDED
        and not name.startswith("messages.")
        for name in parameter.split(",")
    )
