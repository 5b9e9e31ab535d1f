"""Calendar windows start anew when the calendar says so, daylight saving included."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.pool.resets import next_reset

PACIFIC = ZoneInfo("America/Los_Angeles")


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()


@pytest.mark.parametrize(
    ("resets", "now", "next_one"),
    [
        ("utc_day", "2026-11-22 12:00", "2026-11-23 00:00"),
        ("utc_day", "2026-11-22 00:00", "2026-11-23 00:00"),
        ("utc_day", "2026-12-31 23:59", "2027-01-01 00:00"),
        ("utc_month", "2026-11-22 12:00", "2026-12-01 00:00"),
        ("utc_month", "2026-12-31 23:59", "2027-01-01 00:00"),
        ("pacific_day", "2026-11-22 07:59", "2026-11-22 08:00"),  # standard time
        ("pacific_day", "2026-11-22 08:00", "2026-11-23 08:00"),
        ("pacific_day", "2026-07-01 12:00", "2026-07-02 07:00"),  # daylight time
        ("pacific_day", "2026-03-08 09:59", "2026-03-09 07:00"),  # the day that loses an hour
        ("pacific_day", "2026-11-01 07:30", "2026-11-02 08:00"),  # the day that gains one
    ],
)
def test_the_next_reset_is_at_the_calendar_moment(resets, now, next_one):
    """Each rule's next moment, around midnights, months, years and clock changes."""
    assert next_reset(resets, utc(now)) == utc(next_one)


@given(st.floats(utc("2010-01-01"), utc("2040-01-01")))
def test_california_agrees_with_the_zone_database(now):
    """The rule written out here gives the same midnights as the database, in every year."""
    tomorrow = datetime.fromtimestamp(now, PACIFIC).date() + timedelta(days=1)
    midnight = datetime.combine(tomorrow, datetime.min.time(), PACIFIC)

    assert next_reset("pacific_day", now) == midnight.timestamp()


def test_a_rolling_window_has_no_such_moment():
    """Asked for one, it says so instead of inventing a midnight."""
    with pytest.raises(ValueError, match="rolling"):
        next_reset("rolling", 0.0)
