"""When calendar windows start anew: the next midnight in UTC or in California, the next month.

California's clock is reckoned from its rule (daylight time from the second Sunday of March to the
first Sunday of November, 02:00, since 2007) instead of a zone database, which slim systems and
Windows do not have.
"""

from __future__ import annotations

from calendar import timegm
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freelm_integrations.providers.spec import Reset

_DAY = 86_400.0
_STANDARD = timedelta(hours=-8)
_DAYLIGHT = timedelta(hours=-7)


def next_reset(resets: Reset, utc: float) -> float:
    """The first moment after `utc` (both epoch seconds) at which such a window is empty again.

    Raises:
        ValueError: `resets` is `rolling`, which has no such moment.
    """
    if resets == "utc_day":
        return (utc // _DAY + 1) * _DAY
    if resets == "utc_month":
        return _next_month(utc)
    if resets == "pacific_day":
        return _next_pacific_midnight(utc)
    message = f"a {resets} window has no calendar moment at which it resets"
    raise ValueError(message)


def _next_month(utc: float) -> float:
    now = datetime.fromtimestamp(utc, timezone.utc)
    year, month = (now.year + 1, 1) if now.month == 12 else (now.year, now.month + 1)  # noqa: PLR2004
    return float(timegm((year, month, 1, 0, 0, 0)))


def _next_pacific_midnight(utc: float) -> float:
    now = datetime.fromtimestamp(utc, timezone.utc).replace(tzinfo=None)
    midnight = datetime.combine(
        (now + _offset(now)).date() + timedelta(days=1), datetime.min.time()
    )
    # Midnight is never in the hour that is skipped or repeated, so one of the two offsets holds.
    for offset in (_STANDARD, _DAYLIGHT):
        if _offset(midnight - offset) == offset:
            return float(timegm((midnight - offset).timetuple()))
    message = "no offset fits"  # pragma: no cover - one always does
    raise AssertionError(message)  # pragma: no cover


def _offset(utc: datetime) -> timedelta:
    """California's offset at a naive moment of UTC."""
    begins = datetime.combine(_sunday(utc.year, 3, 2), datetime.min.time()) + timedelta(hours=10)
    ends = datetime.combine(_sunday(utc.year, 11, 1), datetime.min.time()) + timedelta(hours=9)
    return _DAYLIGHT if begins <= utc < ends else _STANDARD


def _sunday(year: int, month: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (nth - 1))
