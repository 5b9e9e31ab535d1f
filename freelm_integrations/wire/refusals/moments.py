"""Moments that sentences name: "your limit will reset at 2026-11-23 00:00:00".

Rules:
- A date counts only behind a word of coming back (resets, again, until, available, ...), in the
  same sentence: other dates tell of releases, retirements and versions.
- A moment is in the zone it names (`UTC`, `Z`, `+08:00`, `UTC+8`, `PST`, "Pacific", "Beijing
  time"), else in the one where the provider's day begins.
- A date without a time means its first moment; a time without a date, its next occurrence; a date
  without a year, its next occurrence too.
- A moment that has passed tells nothing: the zone was another one, or the clocks differ.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo

from freelm_integrations.wire.refusals.durations import DAY, LONGEST, zone_of

_READ = 20_000  # characters; what comes after is no sentence to a caller
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?:{'|'.join(_MONTHS)})[a-z]*\.?"
_COMING_BACK = (
    r"\b(?:re-?set|again|retry|wait|available|until|till|renew|refill|replenish|refresh|resume"
    r"|restore|expire|unlock|lift|recover|return)\w*"
)
_DATE = (
    r"(?P<year>20\d\d)[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?!\d)"
    rf"|(?P<name>{_MONTH}) (?P<nth>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?P<year2>20\d\d))?"
    rf"|(?P<nth2>\d{{1,2}})(?:st|nd|rd|th)? (?P<name2>{_MONTH})(?:,? (?P<year3>20\d\d))?"
)
_TIME = (
    r"(?P<{p}hour>\d{{1,2}}):(?P<{p}minute>\d\d)(?::(?P<{p}second>\d\d)(?:[.,]\d+)?)?"
    r"(?: ?(?P<{p}half>[ap])\.?m\b\.?)?|(?P<{p}midnight>midnight)"
)
_ZONE = (
    r" ?\(?(?:(?P<zulu>z\b)"
    r"|(?P<zone>utc|gmt|pacific|p[sd]?t\b|beijing|china|e[sd]t\b|cet\b|cest\b)?"
    r" ?(?P<offset>[+-]\d{1,2}(?::?\d\d)?(?![\d-]))?)"
)
_MOMENT = re.compile(
    rf"{_COMING_BACK}\b[^.!?\n]{{0,40}}?(?<![\w.-])"
    rf"(?:(?:{_DATE})(?:(?:t|,? (?:at |@ ?)?)(?:{_TIME.format(p='')}))?"
    rf"|(?:{_TIME.format(p='only_')})){_ZONE}",
    re.IGNORECASE,
)
_HOURS = {
    "utc": 0,
    "gmt": 0,
    "cet": 1,
    "cest": 2,
    "beijing": 8,
    "china": 8,
    "pdt": -7,
    "pst": -8,
    "edt": -4,
    "est": -5,
}
_NOON = 12


def until_moment_in(prose: str, *, utc: float, zone: str = "UTC") -> float | None:
    """Seconds until the first moment still to come that a sentence promises, or None.

    `utc` is now in epoch seconds, `zone` where moments are that name none.
    """
    for found in _MOMENT.finditer(prose[:_READ]):
        moment = _moment(found, utc, _zone(found, zone))
        if moment is not None and 0 < moment - utc <= LONGEST:
            return moment - utc
    return None


def _moment(found: re.Match[str], utc: float, zone: tzinfo) -> float | None:
    """In epoch seconds; None where there is no such day or time."""
    try:
        now = datetime.fromtimestamp(utc, zone)
        if found["only_hour"] or found["only_midnight"]:
            return _next_time(now, _time(found, "only_"))
        hour, minute, second = _time(found, "")
        year = int(found["year"] or found["year2"] or found["year3"] or now.year)
        month, day = _month(found), int(found["day"] or found["nth"] or found["nth2"])
        moment = datetime(year, month, day, hour, minute, second, tzinfo=zone)
        if moment < now and not (found["year"] or found["year2"] or found["year3"]):
            moment = moment.replace(year=year + 1)
        return moment.timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _next_time(now: datetime, time: tuple[int, int, int]) -> float:
    hour, minute, second = time
    moment = now.replace(hour=hour, minute=minute, second=second, microsecond=0)
    return (moment if moment > now else moment + timedelta(days=1)).timestamp()


def _month(found: re.Match[str]) -> int:
    if found["month"]:
        return int(found["month"])
    return 1 + _MONTHS.index((found["name"] or found["name2"])[:3].lower())


def _time(found: re.Match[str], which: str) -> tuple[int, int, int]:
    """Hour, minute and second; midnight where none is told."""
    hour, half = int(found[f"{which}hour"] or 0), (found[f"{which}half"] or "").lower()
    if half:
        hour = hour % _NOON + (_NOON if half == "p" else 0)
    return hour, int(found[f"{which}minute"] or 0), int(found[f"{which}second"] or 0)


def _zone(found: re.Match[str], otherwise: str) -> tzinfo:
    name, offset = (found["zone"] or "").lower(), found["offset"]
    if found["zulu"]:
        return timezone.utc
    if name in {"pacific", "pt"}:
        return zone_of("America/Los_Angeles")
    if not (name or offset):
        return zone_of(otherwise)
    length = timedelta(hours=_HOURS.get(name, 0)) + (_offset(offset) if offset else timedelta())
    return timezone(length) if abs(length) < timedelta(seconds=DAY) else timezone.utc


def _offset(spelled: str) -> timedelta:
    digits = spelled[1:].replace(":", "")
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))  # noqa: PLR2004
    length = timedelta(hours=hours, minutes=minutes)
    return -length if spelled[0] == "-" else length
