"""Strings that fit a property: by its format, its name, and what the prompt offers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from freelm_integrations.lab.loose import names
from freelm_integrations.lab.mind.evidence import Evidence, key_words, words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from freelm_integrations.lab.loose import Json

_PLACES = names("location city place town country region address destination origin where capital")
_NAMES = names("name title person customer author user who company")
_WHOLE_PROMPT = names("query question input prompt text message request sentence content body term")
_SUMS = names("expression equation formula calculation")
_CODES = (
    "ABC-123",
    "abc",
    "ABC",
    "12345",
    "123-45-6789",
    "555-123-4567",
    "+15551234567",
    "AB12",
    "a1",
    "2026-11-22",
)


def _first(found: list[str], otherwise: str) -> str:
    return found[0] if found else otherwise


_FORMATS: Mapping[str, Callable[[Evidence], str]] = {
    "date": lambda evidence: _first(evidence.dates, "2026-11-22"),
    "date-time": lambda evidence: _first(evidence.dates, "2026-11-22") + "T09:30:00Z",
    "time": lambda _: "09:30:00Z",
    "duration": lambda _: "PT30M",
    "email": lambda evidence: _first(evidence.emails, "someone@example.org"),
    "uri": lambda evidence: _first(evidence.urls, "https://example.org/"),
    "url": lambda evidence: _first(evidence.urls, "https://example.org/"),
    "hostname": lambda _: "example.org",
    "ipv4": lambda _: "192.0.2.1",
    "ipv6": lambda _: "2001:db8::1",
    "uuid": lambda _: "00000000-0000-4000-8000-000000000001",
    "byte": lambda _: "bGFi",
    "binary": lambda _: "bGFi",
    "json-pointer": lambda _: "/lab",
    "regex": lambda _: ".*",
}


def string_for(schema: Json, name: str, evidence: Evidence) -> str:
    """A string the schema accepts, as near to the prompt as its name allows."""
    formed = _FORMATS.get(str(schema.get("format")))
    made = _by_name(schema, name, evidence) if formed is None else formed(evidence)
    pattern = schema.get("pattern")
    if isinstance(pattern, str):
        made = _matching(pattern, [made, *evidence.quoted, *evidence.text.split()])
    return _sized(made, schema)


def _by_name(schema: Json, name: str, evidence: Evidence) -> str:
    parts = set(words(name.replace("_", " ").replace("-", " ")))
    if parts & _SUMS:
        return _sum_in(evidence.text)
    if parts & _PLACES and evidence.places:
        return evidence.places[0]
    if parts & _NAMES and (evidence.quoted or evidence.named):
        return _first(evidence.quoted, "") or evidence.named[0]
    if parts & _WHOLE_PROMPT:
        return evidence.text.strip() or "hello"
    found = _told(name, evidence) or _proper(parts, evidence)
    return found or _about(name, str(schema.get("description", "")), evidence)


def _told(name: str, evidence: Evidence) -> str | None:
    """What follows the property's name in the prompt: `color: red`, `color is red` and so on."""
    spoken = re.escape(name.replace("_", " "))
    found = re.search(
        rf"\b{spoken}\s*(?::|=|is|of)\s*[\"']?([^\s\"',.;]+)", evidence.text, re.IGNORECASE
    )
    return str(found[1]) if found else None


def _proper(parts: set[str], evidence: Evidence) -> str | None:
    if parts & (_PLACES | _NAMES) and evidence.proper:
        return str(evidence.proper[0])
    return None


def _about(name: str, description: str, evidence: Evidence) -> str:
    subject = ", ".join(key_words(evidence.text, 4)) or description.strip() or "the lab"
    label = name.replace("_", " ").strip() or "answer"
    return f"{label} about {subject}"


def _sum_in(text: str) -> str:
    found = re.findall(r"[\d(][\d\s.()+*/^-]*[\d)]", text)
    return str(max(found, key=len)).strip() if found else "1 + 1"


def _matching(pattern: str, offered: list[str]) -> str:
    """The first string on offer that the pattern accepts, or the first at all."""
    try:
        matcher = re.compile(pattern)
    except re.error:
        return offered[0]
    digits = ["1" * length for length in range(1, 20)]
    letters = [letter * length for letter in "aA" for length in range(1, 20)]
    return next(
        (text for text in (*offered, *_CODES, *digits, *letters) if matcher.search(text)),
        offered[0],
    )


def _sized(text: str, schema: Json) -> str:
    least, most = schema.get("minLength"), schema.get("maxLength")
    if isinstance(least, int) and len(text) < least:
        text = (text + " " + "so on " * least)[: max(least, len(text))].ljust(least, ".")
    return text[:most] if isinstance(most, int) else text
