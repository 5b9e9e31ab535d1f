"""The breaker opens after faults in a row, and lets exactly one probe find out whether it is over."""

from __future__ import annotations

import math

import pytest

from freelm_integrations.pool.breaker import BACKOFF, LONGEST, PATIENCE, THRESHOLD, Breaker


def opened(at: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(THRESHOLD):
        breaker.fault(at, is_probe=False, chance=0.0)
    return breaker


def test_it_opens_at_the_threshold_and_not_before():
    """Faults below the threshold change nothing that could be seen."""
    breaker = Breaker()
    told = [breaker.fault(0.0, is_probe=False, chance=0.0) for _ in range(THRESHOLD)]

    assert told == [None] * (THRESHOLD - 1) + [BACKOFF]
    assert breaker.state(0.0) == "open"
    assert breaker.ready_at(0.0) == BACKOFF


def test_a_sign_of_life_starts_the_count_anew():
    """Only faults in a row open it."""
    breaker = Breaker()
    for _ in range(THRESHOLD - 1):
        breaker.fault(0.0, is_probe=False, chance=0.0)
    breaker.alive(is_probe=False)
    breaker.fault(0.0, is_probe=False, chance=0.0)

    assert breaker.state(0.0) == "closed"
    assert breaker.ready_at(0.0) == -math.inf


def test_it_is_half_open_once_the_backoff_is_over_and_asking_changes_nothing():
    """The state depends on the moment asked about alone, in whatever order it is asked."""
    breaker = opened()
    asked = [breaker.state(moment) for moment in (BACKOFF, 0.0, BACKOFF - 0.1, BACKOFF)]

    assert asked == ["half-open", "open", "open", "half-open"]


def test_a_failed_probe_doubles_the_backoff_up_to_the_longest():
    """5, 10, 20 ... seconds, and never more than the longest."""
    breaker, now, told = opened(), 0.0, []
    for _ in range(10):
        now = breaker.ready_at(now)
        breaker.begin_probe()
        told.append(breaker.fault(now, is_probe=True, chance=0.0))

    assert told == [min(LONGEST, BACKOFF * 2.0**n) for n in range(1, 11)]


def test_a_good_probe_closes_it_and_the_next_opening_is_a_short_one_again():
    """After a recovery the backoff starts over."""
    breaker = opened()
    breaker.begin_probe()
    breaker.fault(BACKOFF, is_probe=True, chance=0.0)
    breaker.begin_probe()
    breaker.alive(is_probe=True)

    assert breaker.state(100.0) == "closed"
    assert not breaker.is_probing
    told = [breaker.fault(100.0, is_probe=False, chance=0.0) for _ in range(THRESHOLD)]
    assert told[-1] == BACKOFF


def test_an_abandoned_probe_frees_its_place():
    """Nothing was learned, so the next attempt may be the probe."""
    breaker = opened()
    breaker.begin_probe()
    assert breaker.ready_at(BACKOFF) == BACKOFF + PATIENCE

    breaker.abandoned()

    assert breaker.state(BACKOFF) == "half-open"
    assert breaker.ready_at(BACKOFF) == BACKOFF


def test_late_faults_of_the_same_outage_do_not_prolong_it():
    """Attempts that were in the air when it opened tell nothing new."""
    breaker = opened()
    told = breaker.fault(1.0, is_probe=False, chance=0.0)

    assert told is None
    assert breaker.ready_at(1.0) == BACKOFF


def test_a_probe_that_fails_after_somebody_else_succeeded_is_one_fault_of_many():
    """The breaker closed in the meantime: it does not open again at once."""
    breaker = opened()
    breaker.begin_probe()
    breaker.alive(is_probe=False)

    assert breaker.fault(9.0, is_probe=True, chance=0.0) is None
    assert breaker.state(9.0) == "closed"


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_jitter_lengthens_by_a_quarter_at_most(chance):
    """Never shorter than the backoff, so that a server gets its pause."""
    breaker = Breaker()
    told = [breaker.fault(0.0, is_probe=False, chance=chance) for _ in range(THRESHOLD)]

    assert told[-1] == pytest.approx(BACKOFF * (1 + chance / 4))
