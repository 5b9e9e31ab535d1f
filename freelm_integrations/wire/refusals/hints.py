"""Retry-After and rate-limit headers -> what they promise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from freelm_integrations.wire.refusals.durations import (
    DAY,
    seconds,
    seconds_in,
    until,
    until_midnight,
    until_next_month,
)
from freelm_integrations.wire.refusals.moments import until_moment_in
from freelm_integrations.wire.shapes import is_sequence, mapping, sequence, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from freelm_integrations.chat import Json

Unit = Literal["requests", "tokens", "input_tokens", "output_tokens"]

_PER: Mapping[str, float] = {
    "second": 1.0,
    "minute": 60.0,
    "hour": 3600.0,
    "day": DAY,
    "month": 30 * DAY,
}
_UNIT: Mapping[str, Unit] = {
    "requests": "requests",
    "req": "requests",
    "tokens": "tokens",
    "input-tokens": "input_tokens",
    "output-tokens": "output_tokens",
}
_HEADER = re.compile(
    r"(?:x-)?rate-?limit(?P<size>bysize)?-(?P<what>limit|remaining|reset)"
    r"(?:-(?P<unit>requests|req|tokens|input-tokens|output-tokens))?"
    r"(?:-(?P<per>second|minute|hour|day|month))?"
)
_SHORT = 61.0
_DAILY = re.compile(
    r"per[ _-]?day|daily|\b(?:rpd|tpd)\b|(?:requests?|tokens) a day|/ ?day\b|\b24[ -]?h(?:ours?)?\b"
    r"|\btomorrow\b"
)
_MONTHLY = re.compile(
    r"(?:per|this|a) (?:calendar )?month|per[_-]month|monthly|/ ?month|tokens-month"
)
_WAITS = frozenset({"retryafter", "retryafterseconds", "retryaftersecondsraw", "retryin"})
_WAITS_MS = frozenset({"retryafterms", "retryaftermilliseconds"})
_DEEPEST = 4


class Reading(NamedTuple):
    """What a server said of one window; None: unsaid.

    `per` is its length and `resets_after` when it is full again, both in seconds.
    """

    unit: Unit
    per: float
    limit: float | None = None
    remaining: float | None = None
    resets_after: float | None = None


def readings(
    headers: Mapping[str, str], *, utc: float, windows: Mapping[str, float] | None = None
) -> tuple[Reading, ...]:
    """What rate-limit headers say, a window each; header names in lower case.

    `windows` are the lengths (s) of windows whose headers do not name them: Groq's bare `requests`
    is a day and its bare `tokens` a minute. A header without even a unit (OpenRouter) is taken for
    requests, of a minute if that is how soon it resets, else of a day.
    """
    found: dict[tuple[Unit, float | None], dict[str, str]] = {}
    for name, value in headers.items():
        if ("ratelimit" in name or "rate-limit" in name) and (match := _HEADER.fullmatch(name)):
            spelled = match["unit"]
            unit: Unit = _UNIT[spelled] if spelled else "tokens" if match["size"] else "requests"
            per = _PER.get(match["per"]) if match["per"] else _bare(spelled, match["size"], windows)
            found.setdefault((unit, per), {}).setdefault(match["what"], value)
    return tuple(_reading(unit, per, said, utc) for (unit, per), said in found.items())


def retry_after(
    headers: Mapping[str, str],
    data: object,
    prose: str,
    *,
    utc: float | None,
    day_zone: str = "UTC",
) -> float | None:
    """Seconds until trying again makes sense; 0.0 means now, None that the refusal does not say.

    `data` is its parsed body and `prose` its sentences. `utc` is now in epoch seconds, None where
    only lengths can be told. A daily quota ends at midnight in `day_zone`, whatever shorter wait is
    named beside it; moments that name no zone are in that one too.
    """
    ends = _daily_violation(data, utc=utc, day_zone=day_zone)
    if ends is not None:
        return ends
    for told in _told(headers, data, utc):
        if told is not None:
            return told
    prose = prose.lower()
    told = seconds_in(prose)
    if told is None and utc is not None:
        told = until_moment_in(prose, utc=utc, zone=day_zone)
    if told is not None:
        return told
    exhausted = _exhausted(headers, utc, day_zone)
    if exhausted is not None or utc is None:
        return exhausted
    if _MONTHLY.search(prose):
        return until_next_month(utc=utc)
    return until_midnight(day_zone, utc=utc) if _DAILY.search(prose) else None


def _told(headers: Mapping[str, str], data: object, utc: float | None) -> Iterator[float | None]:
    """Every outright promise, the most reliable first."""
    yield _from_headers(headers, utc)
    error = _error(data)
    metadata = mapping(error.get("metadata"))
    yield _number(mapping(error.get("availability")).get("retry_after"))
    yield _number(metadata.get("retry_after_seconds"))
    yield _number(metadata.get("retry_after_seconds_raw"))
    yield _from_headers(
        {k.lower(): str(v) for k, v in mapping(metadata.get("headers")).items()}, utc
    )
    for detail in _details(data):
        yield _length(detail.get("retryDelay"))
    yield from _named(data, 0)


def _named(value: object, depth: int) -> Iterator[float | None]:
    """What fields anywhere in a body promise that are called so, however they are spelled."""
    if depth > _DEEPEST:
        return
    if is_sequence(value):
        for item in value[:10]:
            yield from _named(item, depth + 1)
    for key, item in mapping(value).items():
        name = key.lower().replace("_", "").replace("-", "")
        if name in _WAITS_MS:
            milliseconds = _number(item)
            yield None if milliseconds is None else milliseconds / 1000.0
        elif name in _WAITS:
            yield _length(item)
        else:
            yield from _named(item, depth + 1)


def _from_headers(headers: Mapping[str, str], utc: float | None) -> float | None:
    milliseconds = seconds(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000.0
    told = until(headers.get("retry-after", ""), utc=utc)
    if told is not None:
        return told
    for name in ("x-ratelimit", "x-rate-limit"):
        reset = headers.get(f"{name}-reset")
        if reset and headers.get(f"{name}-remaining", "0").strip() in {"0", ""}:
            return until(reset, utc=utc)
    return None


def _exhausted(headers: Mapping[str, str], utc: float | None, day_zone: str) -> float | None:
    """When the last of the windows that are used up is full again.

    Of a day or a month whose end is not told, the calendar's.
    """
    if utc is None:
        return None
    waits: list[float] = []
    for reading in readings(headers, utc=utc):
        if reading.remaining != 0:
            continue
        if reading.resets_after is not None:
            waits.append(reading.resets_after)
        elif reading.per > DAY:
            waits.append(until_next_month(utc=utc))
        elif reading.per == DAY:
            waits.append(until_midnight(day_zone, utc=utc))
    return max(waits, default=None)


def _daily_violation(data: object, *, utc: float | None, day_zone: str) -> float | None:
    """The wait of a daily quota among Google's violations.

    The delay told beside it is often a few seconds, which is not true (2026-07).
    """
    if utc is None:
        return None
    for detail in _details(data):
        for violation in sequence(detail.get("violations")):
            if "perday" in text(mapping(violation).get("quotaId")).lower():
                return until_midnight(day_zone, utc=utc)
    return None


def _error(data: object) -> Json:
    first = next(iter(data), None) if is_sequence(data) else data
    return mapping(mapping(first).get("error"))


def _details(data: object) -> list[Json]:
    return [mapping(detail) for detail in sequence(_error(data).get("details"))]


def _length(value: object) -> float | None:
    """A length: a number or text, or protobuf's object of whole seconds and the rest."""
    shaped = mapping(value)
    if "seconds" not in shaped:
        return _number(value)
    whole, rest = _number(shaped["seconds"]), _number(shaped.get("nanos", 0))
    return None if whole is None else whole + (rest or 0.0) * 1e-9


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    return seconds(str(value))


def _bare(
    spelled: str | None, size: str | None, windows: Mapping[str, float] | None
) -> float | None:
    """The window of a header that does not name it; None where its reset must tell."""
    if spelled is None:
        return 60.0 if size else None
    return (windows or {}).get(spelled, 60.0)


def _reading(unit: Unit, per: float | None, said: Mapping[str, str], utc: float) -> Reading:
    resets_after = until(said.get("reset", ""), utc=utc)
    if per is None:
        per = DAY if resets_after is not None and resets_after > _SHORT else 60.0
    return Reading(
        unit, per, _count(said.get("limit")), _count(said.get("remaining")), resets_after
    )


def _count(spelled: str | None) -> float | None:
    """A count; some servers append the window (`100;w=60`) or list several (`10, 10;w=1`)."""
    found = re.match(r"\s*(\d+(?:\.\d+)?)", spelled or "")
    return float(found[1]) if found else None
