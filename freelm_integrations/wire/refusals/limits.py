"""Limits that refusals name: they are more current than any table, and headers often lack them.

Groq has no header for four of its six axes and says in words which one was hit, and what it allows;
Google has no headers at all, and names the broken quotas in the body (both 2026-10).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from freelm_integrations.wire.refusals.durations import DAY
from freelm_integrations.wire.refusals.hints import Reading, readings
from freelm_integrations.wire.shapes import integer, is_sequence, mapping, sequence, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from freelm_integrations.chat import Json
    from freelm_integrations.wire.refusals.hints import Unit

_IN_WORDS = re.compile(
    r"\b(?P<unit>(?:input |output )?tokens|requests) per (?P<per>second|minute|hour|day)"
    r"(?: \([a-z]+\))?:? limit:? (?P<limit>\d+(?:,\d{3})*)(?:, used:? (?P<used>\d+(?:,\d{3})*))?"
)
_PER: Mapping[str, float] = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": DAY}


def limits_in(data: object, prose: str, *, utc: float | None) -> tuple[Reading, ...]:
    """What a refusal says of the windows it speaks of.

    `data` is its parsed body, `prose` its sentences in lower case, `utc` now in epoch seconds, None
    where no moment can be read. A limit of nothing is no window: it says that the model is not to
    be had.
    """
    found = (*_in_words(prose), *_violated(data), *_in_headers(data, utc))
    return tuple(reading for reading in found if reading.limit)


def allows_nothing(data: object) -> bool:
    """Whether one of Google's violations is of a limit of zero, stated as such."""
    return any(integer(violation.get("quotaValue")) == 0 for violation in _violations(data))


def _in_words(prose: str) -> Iterator[Reading]:
    for found in _IN_WORDS.finditer(prose):
        unit: Unit = _unit(found["unit"].replace(" ", ""))
        limit = _number(found["limit"])
        left = None if found["used"] is None else max(0.0, limit - _number(found["used"]))
        yield Reading(unit, _PER[found["per"]], limit, left)


def _violated(data: object) -> Iterator[Reading]:
    """Google's violations: what is counted and for how long stands in an id."""
    for violation in _violations(data):
        name = text(violation.get("quotaId")).lower()
        per = next((_PER[word] for word in _PER if f"per{word}" in name), None)
        limit = integer(violation.get("quotaValue"))
        if per is not None and limit is not None and ("token" in name or "request" in name):
            yield Reading(_unit(name), per, float(limit))


def _in_headers(data: object, utc: float | None) -> tuple[Reading, ...]:
    """Of OpenRouter's headers, which sometimes stand in the body alone (2026-08)."""
    error = mapping(mapping(data).get("error"))
    told = mapping(mapping(error.get("metadata")).get("headers"))
    if utc is None or not told:
        return ()
    return readings({name.lower(): str(value) for name, value in told.items()}, utc=utc)


def _violations(data: object) -> Iterator[Json]:
    first = next(iter(data), None) if is_sequence(data) else data
    for detail in sequence(mapping(mapping(first).get("error")).get("details")):
        yield from map(mapping, sequence(mapping(detail).get("violations")))


def _unit(name: str) -> Unit:
    if "token" not in name:
        return "requests"
    if "inputtoken" in name:
        return "input_tokens"
    return "output_tokens" if "outputtoken" in name else "tokens"


def _number(spelled: str) -> float:
    return float(spelled.replace(",", ""))
