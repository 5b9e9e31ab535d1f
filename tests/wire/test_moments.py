"""Moments that a sentence promises are read in every spelling, and in the right zone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.wire.refusals.hints import retry_after
from freelm_integrations.wire.refusals.moments import until_moment_in
from tests.wire.refusals import UTC

NOW = datetime.fromtimestamp(UTC, timezone.utc)  # Sunday 2026-11-22, 12:00


def moment(sentence, zone="UTC"):
    """As a moment of UTC, written plainly."""
    seconds = until_moment_in(sentence, utc=UTC, zone=zone)
    return None if seconds is None else (NOW + timedelta(seconds=seconds)).strftime("%m-%d %H:%M")


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Your limit will reset at 2026-11-23 00:00:00", "11-23 00:00"),
        ("your limit will reset at 2026-11-29 20:00:00.", "11-29 20:00"),
        ("resets on 2026/11/23", "11-23 00:00"),
        ("available again 2026-11-23T06:30Z", "11-23 06:30"),
        ("try again after 2026-11-23T06:30:00.123456Z", "11-23 06:30"),
        ("Please try again at 2026-11-23T06:30:00+02:00", "11-23 04:30"),
        ("try again at 2026-11-23 06:30:00 -0500", "11-23 11:30"),
        ("resets at 2026-11-23 00:00:00 (UTC+8)", "11-22 16:00"),
        ("resets at 2026-11-23 00:00 GMT-3", "11-23 03:00"),
        ("resets at 2026-11-23 00:00:00 Beijing time", "11-22 16:00"),
        ("resets at 2026-11-23 00:00 PST", "11-23 08:00"),
        ("Quota will refresh on Nov 23, 2026 at 12:00 AM PT", "11-23 08:00"),
        ("Your quota renews on December 1, 2026", "12-01 00:00"),
        ("Your quota renews on December 1st.", "12-01 00:00"),
        ("blocked until Mon, 23 Nov 2026 09:05:01 GMT", "11-23 09:05"),
        ("You can retry on the 23rd Nov, 2026, 3:30 p.m.", "11-23 15:30"),
        ("Resets at 14:30 UTC", "11-22 14:30"),
        ("Resets at 09:00 UTC", "11-23 09:00"),
        ("Your free allowance is restored at midnight UTC", "11-23 00:00"),
        ("It resets at midnight Pacific time", "11-23 08:00"),
        ("Usage limit reached for 5 hour. Your limit will reset at 2026-11-22 20:00:00", "11-22 20:00"),
        # Passed, nowhere, or of something else.
        ("Your limit was reset at 2026-11-22 11:59:59", None),
        ("try again after 2026-02-30", None),
        ("try again after 2026-13-01 00:00", None),
        ("try again at 29:99", None),
        ("resets at 2031-01-01", None),
        ("The model reached its end of life on 2026-12-01", None),
        ("Released 2026-12-01. Try again later.", None),
        ("retry with model owl-2026-12-01", None),
        ("available in version 3.2026-12-01", None),
        ("", None),
    ],
)  # fmt: skip
def test_a_moment_is_read_in_every_spelling(sentence, expected):
    """Behind a word of coming back, still to come, and within reason."""
    assert moment(sentence) == expected


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", "11-23 00:00"),
        ("Asia/Shanghai", "11-22 16:00"),
        ("America/Los_Angeles", "11-23 08:00"),
    ],
)
def test_a_moment_without_a_zone_is_in_the_provider_s_own(zone, expected):
    """What a sentence says itself comes first."""
    assert moment("resets at 2026-11-23 00:00:00", zone) == expected
    assert moment("resets at 2026-11-23 00:00:00 UTC", zone) == "11-23 00:00"


def test_a_year_left_out_is_the_next_that_fits():
    """In November the first of January is next year's."""
    assert until_moment_in("renews on Jan 1", utc=UTC) == pytest.approx(39.5 * 86_400)


def test_a_refusal_is_believed_until_the_moment_it_names():
    """Where nothing more exact is said; without a calendar it cannot be."""
    prose = "Weekly limit exhausted, it resets at 2026-11-24 12:00:00. Daily limits too."

    assert retry_after({}, {}, prose, utc=UTC) == 2 * 86_400.0
    assert retry_after({"retry-after": "7"}, {}, prose, utc=UTC) == 7.0
    assert retry_after({}, {}, f"Try again in 5s. {prose}", utc=UTC) == 5.0
    assert retry_after({}, {}, prose, utc=None) is None


ZONES = st.sampled_from(("UTC", "America/Los_Angeles", "Asia/Shanghai"))


@given(
    minutes=st.integers(1, 60 * 24 * 300),
    offset=st.integers(-12 * 4, 14 * 4),
    zone=ZONES,
)
def test_any_moment_with_an_offset_is_found_again(minutes, offset, zone):
    """Whatever the offset, and whatever the zone of the provider."""
    there = NOW + timedelta(minutes=minutes)
    local = there.astimezone(timezone(timedelta(minutes=15 * offset)))

    assert until_moment_in(f"reset at {local.isoformat()}", utc=UTC, zone=zone) == minutes * 60.0


@given(st.text(alphabet="reset at 0123456789-:/TZzamp+,.novdec()"), ZONES)
def test_no_sentence_breaks_the_reading(tail, zone):
    """A moment to come, or None."""
    seconds = until_moment_in(f"resets at {tail}", utc=UTC, zone=zone)

    assert seconds is None or seconds > 0
