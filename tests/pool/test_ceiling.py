"""A ceiling learned from refusals: when it is believed, how long, and how it is tried again."""

from __future__ import annotations

from freelm_integrations.pool.window import Window
from freelm_integrations.providers.spec import Limit
from tests.fakes import FakeClock


def played(limit: float, let_in: int, refused: int) -> tuple[FakeClock, Window]:
    """A window of which so many were let in, and the next were refused."""
    clock = FakeClock()
    window = Window(Limit(limit, per=60), clock)
    for number in range(let_in + refused):
        _, entry, took, _ = window.take(clock.now(), 1)
        window.settle(entry, clock.now(), took=took, used=took)
        if number >= let_in:
            window.refused(entry, clock.now())
    return clock, window


def test_what_was_let_in_is_believed_to_be_the_limit():
    """However many were refused after it."""
    for refused in (1, 5):
        _, window = played(45, 30, refused)
        assert (window.amount, window.source) == (30, "learned")


def test_a_refusal_of_a_window_that_is_hardly_used_teaches_nothing():
    """It is about something else."""
    _, window = played(1_000, 20, 1)

    assert (window.amount, window.source) == (1_000, "declared")


def test_a_ceiling_is_tried_again_by_steps_up_to_what_is_declared():
    """Each step after it has been trusted for long enough."""
    clock, window = played(45, 30, 1)
    seen = []
    for _ in range(4):
        clock.move(601)
        window.fits(clock.now(), 1)
        window.take(clock.now(), 1)
        seen.append(window.amount)

    assert seen == [37, 45, 45, 45]


def test_a_ceiling_found_again_is_trusted_for_twice_as_long():
    """So that what is tried in vain costs less and less."""
    clock, window = played(45, 30, 1)
    clock.move(601)
    _, entry, took, _ = window.take(clock.now(), 31)
    window.settle(entry, clock.now(), took=took, used=took)
    window.refused(entry, clock.now())
    assert window.amount == 30

    clock.move(900)
    window.take(clock.now(), 1)
    assert window.amount == 30
    clock.move(301)
    window.take(clock.now(), 1)
    assert window.amount == 37


def test_what_the_server_says_itself_is_not_doubted():
    """Its own words are better than a guess."""
    clock, window = played(45, 0, 0)
    window.hear(45)
    _, entry, took, _ = window.take(clock.now(), 31)
    window.settle(entry, clock.now(), took=took, used=took)

    window.refused(entry, clock.now())

    assert (window.amount, window.source) == (45, "header")
