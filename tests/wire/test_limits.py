"""Limits that refusals name are read from their words and from Google's violations."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.pool.pool import Pool
from freelm_integrations.wire.refusals.hints import Reading
from freelm_integrations.wire.refusals.limits import limits_in
from tests.fakes import FakeClock
from tests.pool.making import only_route, provider
from tests.wire import dialects
from tests.wire.refusals import UTC, Row

DAY = 86_400.0


@pytest.mark.parametrize(
    ("name", "case", "expected"),
    [
        ("groq", "413-tpm", [Reading("tokens", 60.0, 8000.0)]),
        ("groq", "429-tpd-prose", [Reading("tokens", DAY, 200_000.0, 500.0)]),
        ("groq", "429-itpm-prose", [Reading("input_tokens", 60.0, 7000.0, 100.0)]),
        ("google", "429-tokens-per-minute", [Reading("input_tokens", 60.0, 250_000.0)]),
        (
            "google",
            "429-minute-and-day",
            [Reading("requests", 60.0, 5.0), Reading("requests", DAY, 20.0)],
        ),
        ("google", "429-limit-zero", []),
        ("mistral", "429-rate-limited", []),
        ("openrouter", "429-per-day-body-only", [Reading("requests", DAY, 50.0, 0.0)]),
        ("openrouter", "429-per-day-limit-source", [Reading("requests", DAY, 1000.0, 0.0)]),
        ("openrouter", "429-per-minute-limit-source", [Reading("requests", 60.0, 20.0, 0.0)]),
    ],
)
def test_recorded_refusals_tell_their_limits(name, case, expected):
    """As the servers said it."""
    status, headers, body = Row(name, case, "", None).recorded()
    fault = dialects.DECLARED[name].fault(status, headers, body, utc=UTC)

    assert [limit._replace(resets_after=None) for limit in fault.limits] == expected
    for limit in fault.limits:
        assert limit.resets_after == (None if limit.remaining is None else fault.retry_after)


def test_a_wait_that_is_named_wins_over_the_length_of_the_window():
    """All of the minute is used, and still there is room in half a second."""
    words = "Rate limit reached on requests per minute (RPM): Limit 30, Used 30. Try again in 600ms"
    body = json.dumps({"error": {"message": words, "code": "rate_limit_exceeded"}}).encode()
    fault = dialects.DECLARED["groq"].fault(429, {}, body, utc=UTC)
    clock, one = FakeClock(), provider()
    pool = Pool(clock)
    route = only_route(pool, one)
    pool.settle(pool.lease(route, clock.now()), fault, clock.now())

    assert fault.retry_after == pytest.approx(0.6)
    assert pool.ready_at((route,), clock.now()) == pytest.approx(clock.now() + 0.6)


@pytest.mark.parametrize(
    ("prose", "expected"),
    [
        ("on output tokens per minute (otpm): limit 1,000, used 1,200", (1000.0, 0.0)),
        ("requests per hour: limit 150", (150.0, None)),
        ("requests per minute: limit 0", None),
        ("tokens per fortnight: limit 5", None),
        ("the limit is 5", None),
    ],
)
def test_other_words_for_a_limit(prose, expected):
    """More used than allowed leaves nothing; a limit of nothing is no window."""
    told = limits_in(None, prose, utc=UTC)

    assert [(one.limit, one.remaining) for one in told] == ([] if expected is None else [expected])


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(
                    (
                        "error",
                        "details",
                        "violations",
                        "quotaId",
                        "quotaValue",
                        "metadata",
                        "headers",
                    )
                ),
                x,
            )
        ),
    ),
    st.text(),
)
def test_no_body_breaks_the_reading(data, prose):
    """Whatever its shape."""
    assert all(one.limit > 0 for one in limits_in(data, prose, utc=UTC))


def test_a_limit_told_by_a_refusal_keeps_larger_requests_away():
    """It is known from then on, though nobody declared it and no header tells it."""
    pool = Pool(FakeClock())
    route = only_route(pool, provider())
    status, headers, body = Row("groq", "413-tpm", "", None).recorded()
    fault = dialects.DECLARED["groq"].fault(status, headers, body, utc=UTC)
    pool.settle(pool.lease(route, 1000.0, tokens=9126), fault, 1000.0)
    (view,) = pool.views([route], 1000.0)

    assert view.most == 8000.0
    assert view.resting is None
