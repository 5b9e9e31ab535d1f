"""Lengths of time in every spelling providers use, and the moments their daily limits end at."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = 86_400.0
_MILLISECONDS = 1e11  # an epoch beyond this is not in seconds: they reach it in the year 5138
_DECEMBER = 12
LONGEST = 400 * DAY
"""Seconds; what claims to be longer is a misreading, not a promise."""
_UNITS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": DAY,
}
_PIECE = (
    r"(\d+(?:\.\d+)?)\s*"
    r"(milliseconds?|seconds?|minutes?|hours?|days?|secs?|mins?|hrs?|ns|[uµμ]s|ms|s|m|h|d)(?![a-z])"
)
_RUN = re.compile(rf"(?:{_PIECE}[\s,]*)+", re.IGNORECASE)
_ONE = re.compile(_PIECE, re.IGNORECASE)
_PROSE = re.compile(
    r"(?:again|retry|wait|available|resets?|allowed)(?: \w+){0,2}?(?: in| after| for)?:? +"
    r"(?:about |around |approximately |another |~)?"
    rf"((?:{_PIECE}[\s,]*(?:and )?)+)",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"\b(?:in|after|for) (\d{1,2}):(\d\d):(\d\d)\b")
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d[t ]\d\d:\d\d(?::\d\d)?)(\.\d+)?\s*(?:z|utc|([+-]\d\d):?(\d\d))?",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def seconds(spelled: str) -> float | None:
    """The length in seconds: a bare number, or Go's form (`2m59.56s`, `825ms`; `5 hours` too)."""
    spelled = spelled.strip()
    if _NUMBER.fullmatch(spelled):
        return _sane(float(spelled))
    if not _RUN.fullmatch(spelled):
        return None
    return _sane(sum(float(number) * _unit(unit) for number, unit in _ONE.findall(spelled)))


def seconds_in(prose: str) -> float | None:
    """The wait a sentence promises ("try again in 9m38.5s", "resets in 00:05:00"), or None."""
    clock = _CLOCK.search(prose)
    if clock is not None:
        return _sane(3600.0 * int(clock[1]) + 60.0 * int(clock[2]) + int(clock[3]))
    found = _PROSE.search(prose)
    return seconds(found[1].replace("and ", "").strip(" ,.")) if found else None


def until(spelled: str, *, utc: float | None) -> float | None:
    """Seconds until a moment: epoch seconds or milliseconds, a date, or a length from now."""
    length = seconds(spelled)
    if length is None and _NUMBER.fullmatch(spelled.strip()):
        number = float(spelled)
        moment: float | None = number / 1000.0 if number > _MILLISECONDS else number
    elif length is None:
        moment = _date(spelled.strip())
    else:
        return length
    if moment is None or utc is None:
        return None
    return _sane(max(0.0, moment - utc))


def until_midnight(zone: str, *, utc: float) -> float:
    """Seconds to the next midnight in a zone (see `zone_of`), clock changes counted."""
    local = datetime.fromtimestamp(utc, zone_of(zone))
    midnight = datetime(local.year, local.month, local.day, tzinfo=local.tzinfo) + timedelta(days=1)
    return midnight.timestamp() - utc


def until_next_month(*, utc: float) -> float:
    """Seconds to the first of the next month, UTC."""
    now = datetime.fromtimestamp(utc, timezone.utc)
    year, month = (now.year + 1, 1) if now.month == _DECEMBER else (now.year, now.month + 1)
    return datetime(year, month, 1, tzinfo=timezone.utc).timestamp() - utc


class PacificTime(tzinfo):
    """US Pacific time by its rule since 2007, for machines without zone data (Windows)."""

    def utcoffset(self, dt: datetime | None) -> timedelta:
        """Behind UTC by eight hours, or seven in summer."""
        return timedelta(hours=-8) + self.dst(dt)

    def dst(self, dt: datetime | None) -> timedelta:
        """An hour from 2 a.m. on March's second Sunday to 2 a.m. on November's first."""
        if dt is None:
            return timedelta(0)
        begins = _sunday(dt.year, 3, after=8) + timedelta(hours=2)
        ends = _sunday(dt.year, 11, after=1) + timedelta(hours=1)
        return timedelta(hours=1 if begins <= dt.replace(tzinfo=None) < ends else 0)

    def tzname(self, dt: datetime | None) -> str:
        """PST or PDT."""
        return "PDT" if self.dst(dt) else "PST"


def _sunday(year: int, month: int, *, after: int) -> datetime:
    first = datetime(year, month, after)  # noqa: DTZ001 (wall-clock time has no zone)
    return first + timedelta(days=(6 - first.weekday()) % 7)


@lru_cache(maxsize=4)
def zone_of(name: str) -> tzinfo:
    """`UTC`, `America/Los_Angeles`, or `Asia/Shanghai`, which is eight hours ahead all year."""
    if name == "UTC":
        return timezone.utc
    if name == "Asia/Shanghai":
        return timezone(timedelta(hours=8))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError):
        return PacificTime()


def _unit(spelled: str) -> float:
    spelled = spelled.lower()
    if spelled in _UNITS:
        return _UNITS[spelled]
    return 1e-3 if spelled.startswith("milli") else _UNITS[spelled[0]]


def _sane(length: float) -> float | None:
    return length if 0.0 <= length <= LONGEST else None


def _date(spelled: str) -> float | None:
    """Epoch seconds of an HTTP or ISO date; one without a zone is in UTC."""
    iso = _ISO.fullmatch(spelled)
    try:
        if iso is None:
            return parsedate_to_datetime(spelled).timestamp()
        zone = f"{iso[3]}:{iso[4]}" if iso[3] else "+00:00"
        return datetime.fromisoformat(iso[1] + zone).timestamp() + float(f"0{iso[2] or ''}")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
