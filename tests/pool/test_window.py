"""A window never lets through more than its limit in any stretch of its length, and never blocks for ever."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.pool.window import GRAIN, Window
from freelm_integrations.providers.spec import DAY, Limit
from freelm_integrations.wire.refusals.hints import Reading
from tests.fakes import FakeClock

LATE = 2 * 60.0 / GRAIN
"""By how much a taking of a minute's window comes back late at most."""


def window(limit: Limit, clock: FakeClock | None = None) -> Window:
    return Window(limit, clock or FakeClock())


def fill(target: Window, now: float, amount: float = 1.0) -> int:
    """Take until it is full; how often."""
    count = 0
    while target.fits(now, amount):
        taken = target.take(now, amount)
        target.settle(taken[1], now, took=amount, used=amount)
        count += 1
    return count


def test_a_rolling_window_comes_back_piece_by_piece():
    """What was taken first is back first, a length later and hardly more."""
    minute = window(Limit(2, per=60))
    minute.take(0.0, 1)
    minute.take(30.0, 1)

    assert not minute.fits(59.9, 1)
    assert 60.0 < minute.ready_at(59.9, 1) <= 60.0 + LATE
    assert minute.fits(60.0 + LATE, 1)
    assert minute.remaining(60.0 + LATE) == 1
    assert minute.remaining(90.0 + LATE) == 2


@given(
    amount=st.integers(1, 20),
    gaps=st.lists(st.floats(0, 40), min_size=1, max_size=120),
    jitter=st.lists(st.floats(0, 0.1), min_size=120, max_size=120),
)
def test_no_stretch_of_its_length_sees_more_than_the_limit(amount, gaps, jitter):
    """Sliding, fixed and refilling counts at the server all admit it, even if the way takes 0.1 s."""
    minute, now, arrivals = window(Limit(amount, per=60)), 0.0, []
    for gap, way in zip(gaps, jitter, strict=False):
        now += gap
        while minute.fits(now, 1) and len(arrivals) < 200:
            minute.take(now, 1)
            arrivals.append(now + way)
    arrivals.sort()

    for place, moment in enumerate(arrivals[amount:]):
        assert moment - arrivals[place] >= 60.0


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, 1500)), max_size=60))
def test_it_is_ready_exactly_when_it_says(steps):
    """At `ready_at` a taking fits, and just before it does not."""
    tokens, now = window(Limit(1000, "tokens", per=60)), 0.0
    for gap, need in steps:
        now += gap
        ready_at = tokens.ready_at(now, need)
        if ready_at <= now:
            assert tokens.fits(now, need)
            tokens.take(now, need)
        else:
            assert not tokens.fits(now, need)
            assert not tokens.fits(math.nextafter(ready_at, now), need)
            assert tokens.ready_at(ready_at, need) <= ready_at


def test_the_log_stays_short_however_much_is_taken():
    """A busy minute is a few hundred entries, not one a request."""
    busy = window(Limit(1_000_000, per=60))
    for number in range(20_000):
        busy.take(number * 0.003, 1)

    assert len(busy._log) <= GRAIN + 3
    assert busy.used(60.0) == pytest.approx(20_000)


def test_a_calendar_window_is_whole_again_at_its_moment():
    """A UTC day that began at midnight ends at the next, twelve hours after midday."""
    day = window(Limit(3, per=DAY, resets="utc_day"))
    assert fill(day, 1000.0) == 3

    assert day.ready_at(1000.0, 1) == 1000.0 + 12 * 3600
    assert not day.fits(1000.0 + 12 * 3600 - 1, 1)
    assert day.remaining(1000.0 + 12 * 3600) == 3


def test_a_taking_larger_than_the_limit_goes_when_nothing_else_counts():
    """A limit declared too small must not keep a request out for ever."""
    tokens = window(Limit(100, "tokens", per=60))
    assert tokens.fits(0.0, 5000)
    taken = tokens.take(0.0, 5000)

    assert taken[2] == 100
    assert not tokens.fits(1.0, 5000)
    assert tokens.fits(tokens.ready_at(1.0, 5000), 5000)


def test_a_limit_of_nothing_never_opens():
    """Zero means zero: ready never, and no room."""
    none = window(Limit(0, per=60))

    assert not none.fits(0.0, 1)
    assert none.ready_at(0.0, 1) == math.inf
    assert none.headroom(0.0) == 0.0


def test_settling_puts_the_real_use_in_the_place_of_the_estimate():
    """Less used is free at once; more used counts at once."""
    tokens = window(Limit(1000, "tokens", per=60))
    first = tokens.take(0.0, 400)
    second = tokens.take(0.0, 400)
    tokens.settle(first[1], 1.0, took=400, used=100)
    tokens.settle(second[1], 1.0, took=400, used=650)

    assert tokens.used(1.0) == 750
    assert tokens.open == 0


def test_a_late_overrun_counts_from_when_it_is_known():
    """The lease's own minute is over, but what it used beyond it is news."""
    tokens = window(Limit(1000, "tokens", per=60))
    taken = tokens.take(0.0, 400)
    tokens.clear(100.0)
    tokens.settle(taken[1], 100.0, took=400, used=700)

    assert tokens.used(100.0) == 300


def learn(target: Window, now: float = 0.0, *, is_alone: bool = True, unseen: float = 0.0, **said):
    reading = Reading(target.unit, target.per, **said)
    target.learn(reading, now, is_alone=is_alone, unseen=unseen)


def test_a_reading_moves_the_limit_both_ways():
    """What the server says of its limit wins over what was declared, up and down."""
    minute = window(Limit(2, per=60))
    assert fill(minute, 0.0) == 2

    learn(minute, limit=5.0)
    assert fill(minute, 0.0) == 3

    learn(minute, limit=4.0)
    assert minute.remaining(0.0) == 0.0
    assert minute.source == "header"


def test_a_new_declaration_does_not_undo_what_the_server_said():
    """Another client may declare otherwise; the header stands."""
    minute = window(Limit(2, per=60))
    minute.declare(10)
    assert minute.amount == 10

    learn(minute, limit=5.0)
    minute.declare(20)
    assert minute.amount == 5.0


def test_less_left_than_we_knew_is_believed_at_once_and_comes_back_when_told():
    """Somebody else uses the key: their share counts until the server's own reset."""
    minute = window(Limit(10, per=60))
    learn(minute, remaining=3.0, resets_after=7.0, is_alone=False)

    assert minute.remaining(6.9) == 3
    assert minute.remaining(7.0) == 10


def test_more_left_than_we_knew_is_believed_only_when_nothing_else_could_explain_it():
    """Old news of a busy window must not give back what others have taken since."""
    minute = window(Limit(10, per=60))
    fill(minute, 0.0)
    learn(minute, remaining=9.0, is_alone=False)
    assert minute.remaining(0.0) == 0

    learn(minute, remaining=9.0, is_alone=True)
    assert minute.remaining(0.0) == 9


def test_tokens_the_server_may_not_have_counted_yet_are_kept():
    """A header is written before the answer: its tokens stay counted."""
    tokens = window(Limit(1000, "tokens", per=60))
    taken = tokens.take(0.0, 500)
    tokens.settle(taken[1], 0.0, took=500, used=500)
    learn(tokens, remaining=900.0, unseen=300.0)

    assert tokens.used(0.0) == 400


@pytest.mark.parametrize(
    "said",
    [
        {"limit": 0.0},
        {"limit": -1.0},
        {"limit": math.inf},
        {"remaining": -5.0},
        {"remaining": 1e9},
        {"remaining": 5.0, "resets_after": -3.0},
        {"remaining": 5.0, "resets_after": math.inf},
        {},
    ],
)
def test_senseless_readings_do_no_harm(said):
    """Whatever a server reads out, the window stays within its limit and comes back."""
    minute = window(Limit(10, per=60))
    learn(minute, **said)

    assert 0 <= minute.remaining(0.0) <= minute.amount
    assert minute.fits(200.0, 1)
