"""Who waits stands in line."""

from __future__ import annotations

import pytest

from freelm_integrations.pool.line import AFTER_A_REST, AFTER_A_WINDOW, HEAD_START, LONGEST, Line


@pytest.mark.parametrize(
    ("is_counted", "step"), [(True, AFTER_A_WINDOW), (False, AFTER_A_REST)], ids=["window", "rest"]
)
def test_each_looks_a_moment_after_the_one_before_it(is_counted, step):
    """The first at once."""
    line = Line()
    tickets = [line.join() for _ in range(4)]

    delays = [line.delay(ticket, is_counted=is_counted) for ticket in tickets]
    assert delays == pytest.approx([0.0, step, 2 * step, 3 * step])


def test_whoever_leaves_lets_the_others_move_up():
    """Leaving twice is as good as once."""
    line = Line()
    first, second, third = (line.join() for _ in range(3))
    line.leave(first)
    line.leave(first)

    assert line.delay(second, is_counted=False) == 0.0
    assert line.delay(third, is_counted=False) == AFTER_A_REST


def test_the_urgent_stand_before_the_others_however_late_they_come():
    """Among themselves in the order of coming."""
    line = Line()
    patient = line.join(1)
    urgent = [line.join(0), line.join(0)]

    assert line.delay(urgent[0], is_counted=False) == 0.0
    assert line.delay(urgent[1], is_counted=False) == AFTER_A_REST
    assert line.delay(patient, is_counted=False) == pytest.approx(2 * AFTER_A_REST + HEAD_START)
    assert [line.place(one) for one in (*urgent, patient)] == [0, 1, 2]


def test_the_patient_look_without_delay_once_nobody_urgent_waits():
    """The head start is for those who are there."""
    line = Line()
    patient, urgent = line.join(1), line.join(0)
    line.leave(urgent)

    assert line.delay(patient, is_counted=True) == 0.0
    line.leave(patient)
    assert line.is_empty


def test_the_last_of_a_long_line_is_not_held_back_for_ever():
    """Five seconds at most."""
    line = Line()
    tickets = [line.join() for _ in range(500)]

    assert line.delay(tickets[-1], is_counted=False) == LONGEST
