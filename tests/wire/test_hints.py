"""Waits and windows are read in every spelling the providers use."""

from __future__ import annotations

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.wire.refusals import durations
from freelm_integrations.wire.refusals.hints import Reading, readings, retry_after
from tests.wire import dialects
from tests.wire.refusals import UTC

DAY = 86_400.0


def at(*moment: int) -> float:
    return datetime(*moment, tzinfo=timezone.utc).timestamp()


@pytest.mark.parametrize(
    ("spelled", "expected"),
    [
        ("2m59.56s", 179.56),
        ("7.66s", 7.66),
        ("825ms", 0.825),
        ("1h2m3s", 3723.0),
        ("250µs", 0.00025),
        ("250us", 0.00025),
        ("1d", DAY),
        ("33011.382867", 33011.382867),
        ("0", 0.0),
        ("0s", 0.0),
        ("10.689924287s", 10.689924287),
        ("65205s", 65205.0),
        ("5 hours", 18000.0),
        ("2 minutes 5 seconds", 125.0),
        ("1 min", 60.0),
        ("30 sec", 30.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("5 parsecs", None),
        ("9" * 30, None),
    ],
)
def test_a_length_is_read_in_every_spelling(spelled, expected):
    """Bare seconds, Go durations and words; what is no length is None."""
    assert durations.seconds(spelled) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Please try again in 9m38.5s. Need more tokens? Upgrade to Dev Tier", 578.5),
        ("Please try again in 825ms.", 0.825),
        ("Please retry in 10.68s.", 10.68),
        ("try again in 5 hours", 18000.0),
        ("Rate limited. Retry after 30 seconds", 30.0),
        ("please wait 20s before the next request", 20.0),
        ("try again in 1 hour and 5 minutes", 3900.0),
        ("resets in 2h", 7200.0),
        ("please wait and try again later", None),
        ("Limit 200000, Used 199500, Requested 1838", None),
        ("retry the 3 models", None),
    ],
)
def test_a_wait_is_found_in_prose(sentence, expected):
    """And nothing is taken for one that is none."""
    found = durations.seconds_in(sentence)

    assert found == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "400", "retry-after": "1"}, 0.4),
        ({"retry-after": "Sun, 22 Nov 2026 12:01:30 GMT"}, 90.0),
        ({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"x-ratelimit-reset": str(int((UTC + 42) * 1000)), "x-ratelimit-remaining": "0"}, 42.0),
        ({"x-ratelimit-reset": str(int(UTC + 42))}, 42.0),
        ({"x-ratelimit-reset": str(int(UTC + 42)), "x-ratelimit-remaining": "3"}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2m"}, 120.0),
        ({"x-ratelimit-remaining-requests": "9", "x-ratelimit-reset-requests": "2m"}, None),
        ({}, None),
    ],
)
def test_headers_say_how_long_to_wait(headers, expected):
    """Seconds, milliseconds, dates, epochs; a wait of zero is a wait, not silence."""
    assert retry_after(headers, None, "", utc=UTC) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (at(2026, 11, 22, 12), 20 * 3600),  # winter: midnight is at 08:00 UTC
        (at(2026, 7, 1, 6, 59, 59), 1),  # summer: at 07:00 UTC
        (at(2026, 7, 1, 7), DAY),
        (at(2027, 3, 14, 8), 23 * 3600),  # the day of the spring change is short
        (at(2026, 11, 1, 7), 25 * 3600),  # the day of the autumn change is long
    ],
)
def test_the_pacific_day_ends_at_pacific_midnight(now, expected):
    """Clock changes counted."""
    assert durations.until_midnight("America/Los_Angeles", utc=now) == expected


@given(st.datetimes(datetime.fromisoformat("2007-04-01"), datetime.fromisoformat("2060-01-01")))
def test_the_rule_for_machines_without_zone_data_agrees_with_the_data(moment):
    """Every hour of fifty years has the same offset by rule and by table."""
    utc = moment.replace(tzinfo=timezone.utc, minute=30)
    known = utc.astimezone(ZoneInfo("America/Los_Angeles"))
    ours = utc.astimezone(durations.PacificTime())

    if known.fold == 0 and known.hour != 1:  # the hour that comes twice is never midnight
        assert ours.replace(tzinfo=None) == known.replace(tzinfo=None)


@pytest.mark.parametrize(
    ("now", "expected"),
    [(at(2026, 11, 22, 12), 8.5 * DAY), (at(2026, 12, 31, 23), 3600.0)],
)
def test_the_month_ends_at_the_first_of_the_next(now, expected):
    """In UTC, over the year's end too."""
    assert durations.until_next_month(utc=now) == expected


def test_a_daily_quota_outweighs_the_delay_told_beside_it():
    """Google says "retry in 3 s" beside a quota that is gone until midnight."""
    violation = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}
    details = [{"violations": [violation]}, {"retryDelay": "3s"}]
    data = [{"error": {"details": details}}]

    zone = "America/Los_Angeles"
    assert retry_after({}, data, "", utc=UTC, day_zone=zone) == 72_000.0
    assert retry_after({}, data, "", utc=None, day_zone=zone) == 3.0


@pytest.mark.parametrize(
    ("dialect", "headers", "expected"),
    [
        (
            dialects.GROQ,
            {
                "x-ratelimit-limit-requests": "1000",
                "x-ratelimit-remaining-requests": "999",
                "x-ratelimit-reset-requests": "1m26.4s",
                "x-ratelimit-limit-tokens": "8000",
                "x-ratelimit-remaining-tokens": "7930",
                "x-ratelimit-reset-tokens": "525ms",
                "x-request-id": "req_1",
            },
            {
                Reading("requests", DAY, 1000.0, 999.0, 86.4),
                Reading("tokens", 60.0, 8000.0, 7930.0, 0.525),
            },
        ),
        (
            dialects.CEREBRAS,
            {
                f"x-ratelimit-{what}-{unit}-{per}": value
                for unit in ("requests", "tokens")
                for per in ("minute", "hour", "day")
                for what, value in (("limit", "5"), ("remaining", "4"), ("reset", "11.5"))
            },
            {
                Reading(unit, per, 5.0, 4.0, 11.5)
                for unit in ("requests", "tokens")
                for per in (60.0, 3600.0, DAY)
            },
        ),
        (
            dialects.MISTRAL,
            {
                "x-ratelimit-limit-req-minute": "60",
                "x-ratelimit-remaining-req-minute": "59",
                "x-ratelimit-limit-tokens-minute": "50000",
                "x-ratelimit-remaining-tokens-minute": "49000",
                "x-ratelimit-limit-tokens-month": "4000000",
                "x-ratelimit-remaining-tokens-month": "3999000",
                "x-ratelimit-tokens-query-cost": "1000",
            },
            {
                Reading("requests", 60.0, 60.0, 59.0),
                Reading("tokens", 60.0, 50_000.0, 49_000.0),
                Reading("tokens", 30 * DAY, 4_000_000.0, 3_999_000.0),
            },
        ),
        (
            dialects.MISTRAL,
            {
                "ratelimitbysize-limit": "500000",
                "ratelimitbysize-remaining": "499000",
                "ratelimitbysize-reset": "32",
                "ratelimitbysize-query-cost": "1000",
                "x-ratelimitbysize-limit-month": "1000000000",
                "x-ratelimitbysize-remaining-month": "999000000",
            },
            {
                Reading("tokens", 60.0, 500_000.0, 499_000.0, 32.0),
                Reading("tokens", 30 * DAY, 1e9, 999e6),
            },
        ),
        (
            dialects.OPENROUTER,
            {
                "x-ratelimit-limit": "20",
                "x-ratelimit-remaining": "0",
                "x-ratelimit-reset": str(int((UTC + 42) * 1000)),
            },
            {Reading("requests", 60.0, 20.0, 0.0, 42.0)},
        ),
        (
            dialects.OPENROUTER,
            {
                "x-ratelimit-limit": "50",
                "x-ratelimit-remaining": "0",
                "x-ratelimit-reset": str(int((UTC + 43_200) * 1000)),
            },
            {Reading("requests", DAY, 50.0, 0.0, 43_200.0)},
        ),
        (
            dialects.LOCAL,
            {"x-ratelimit-limit-input-tokens": "7000", "x-ratelimit-remaining-input-tokens": "1"},
            {Reading("input_tokens", 60.0, 7000.0, 1.0)},
        ),
        (
            dialects.LOCAL,
            {"ratelimit-limit": "100;w=60", "ratelimit-remaining": "99", "ratelimit-reset": "30"},
            {Reading("requests", 60.0, 100.0, 99.0, 30.0)},
        ),
        (dialects.GOOGLE, {"server-timing": "gfet4t7; dur=600"}, set()),
        (
            dialects.NIM,
            {"x-ratelimit-limit-requests": "many", "nvcf-reqid": "1"},
            {("requests", 60)},
        ),
    ],
    ids=lambda value: None,
)
def test_rate_headers_are_readings_of_windows(dialect, headers, expected):
    """Every family of headers names its windows, what is left in them and when they reset."""
    found = dialect.readings(headers, utc=UTC)

    if expected and len(next(iter(expected))) == 2:
        expected = {Reading(*next(iter(expected)))}
    assert set(found) == expected
    assert len(found) == len(expected)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "retry-after",
                "retry-after-ms",
                "x-ratelimit-reset",
                "x-ratelimit-limit",
                "x-ratelimit-reset-tokens-day",
                "x-ratelimit-remaining",
            ]
        ),
        st.one_of(st.text(max_size=20), st.floats().map(str), st.integers().map(str)),
    )
)
def test_no_header_can_break_the_reading(headers):
    """Whatever a proxy writes into them, waits are finite and not negative."""
    wait = retry_after(headers, None, "", utc=UTC)

    assert wait is None or 0.0 <= wait < 500 * DAY
    readings(headers, utc=UTC)
