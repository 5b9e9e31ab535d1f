"""Work side by side that is over by a given moment."""

from __future__ import annotations

import threading

import pytest

from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.command.parallel import AT_ONCE, all_by


def soon() -> float:
    return SYSTEM_CLOCK.now() + 30


def test_results_come_in_the_order_of_the_jobs():
    """Whoever is done first."""
    later = threading.Event()

    def work(job: int) -> int:
        if job == 0:
            assert later.wait(10)
        else:
            later.set()
        return job * 10

    assert all_by(soon(), work, [0, 1, 2], SYSTEM_CLOCK) == [0, 10, 20]


def test_more_jobs_than_threads_take_turns():
    """All are done."""
    jobs = list(range(AT_ONCE * 3))

    assert all_by(soon(), str, jobs, SYSTEM_CLOCK) == [str(job) for job in jobs]


def test_no_jobs_make_nothing():
    """Nor do they take any time."""
    assert all_by(soon(), str, [], SYSTEM_CLOCK) == []


def test_who_is_not_done_in_time_is_none_and_stops_after_its_job():
    """The others' results are there, and jobs still waiting are never begun."""
    hold, begun = threading.Event(), []

    def work(job: int) -> int:
        begun.append(job)
        if job:
            hold.wait(10)
        return job

    jobs = list(range(AT_ONCE + 5))
    try:
        made = all_by(SYSTEM_CLOCK.now() + 0.2, work, jobs, SYSTEM_CLOCK)
    finally:
        hold.set()

    assert made[0] == 0
    assert set(made[1:]) == {None}
    assert len(begun) <= AT_ONCE + 1


def test_what_a_job_raises_is_raised():
    """A bug is not a slow job."""
    with pytest.raises(ZeroDivisionError):
        all_by(soon(), lambda job: 1 // job, [1, 0], SYSTEM_CLOCK)
