"""Waiting for a route to come back: in order, no longer than may be, and not all at once."""

from __future__ import annotations

import heapq

import pytest

from freelm_integrations.engine.steps import Elapsed, Launch, Wait, advance
from freelm_integrations.errors import NoRouteAnswered
from freelm_integrations.providers.spec import Limit
from tests.engine.flying import ANSWER, Air, Sky, refused
from tests.pool.making import provider


class Crowd:
    """Many calls over one pool and clock: each is played as its waits run out."""

    def __init__(self, sky: Sky, size: int, answer) -> None:
        self.sky = sky
        self.launched: list[tuple[float, int]] = []
        """When a call sent an attempt, and which call."""
        self.ended: dict[int, object] = {}
        self._answer = answer
        self._due: list[tuple[float, int]] = []
        self._machines = [sky.machine() for _ in range(size)]
        self._began_at = sky.clock.now()
        for number in range(size):
            self._go(number, None)

    def run(self) -> Crowd:
        while self._due:
            at, number = heapq.heappop(self._due)
            self.sky.clock.move(max(0.0, at - self.sky.clock.now()))
            self._go(number, Elapsed())
        return self

    def _go(self, number: int, reply) -> None:
        machine, attempt, replies = self._machines[number], None, []
        try:
            while (step := advance(machine, reply)) is not None:
                reply = None
                if isinstance(step, Launch):
                    attempt = step.attempt
                    self.launched.append((self.sky.clock.now() - self._began_at, number))
                    replies = list(self._answer(len(self.launched)))
                elif isinstance(step, Wait) and replies:
                    reply = replies.pop(0)(attempt)
                elif isinstance(step, Wait):
                    heapq.heappush(self._due, (self.sky.clock.now() + step.seconds, number))
                    return
            self.ended[number] = None
        except NoRouteAnswered as error:
            self.ended[number] = error


def test_calls_that_wait_for_a_window_go_in_the_order_they_came():
    """As many as fit at a time, and every one of them in the end."""
    sky = Sky(provider("a", limits=(Limit(5, "requests", per=60.0),)), wait=True, timeout=600)
    crowd = Crowd(sky, 23, lambda _: ANSWER).run()

    assert [number for _, number in crowd.launched] == list(range(23))
    assert set(crowd.ended.values()) == {None}
    minutes = [round(at // 60) for at, _ in crowd.launched]
    assert max(minutes.count(minute) for minute in set(minutes)) == 5


def test_when_a_rest_ends_not_all_who_waited_set_off_at_once():
    """The first is refused again: few others have followed by then."""

    def answer(count):
        return [refused(429, retry_after="10")] if count in {1, 2} else ANSWER

    sky = Sky(provider("a"), wait=True, timeout=600)
    crowd = Crowd(sky, 40, answer)
    assert len(crowd.launched) == 1
    crowd.run()

    again = [at for at, _ in crowd.launched if at > 5]
    assert [at for at in again if at < 15] == [pytest.approx(10.0, abs=0.1)]
    assert set(crowd.ended.values()) == {None}
    assert sky.in_flight() == 0


def test_nobody_looks_more_often_than_it_must():
    """Each waits once for its turn, give or take a look; there is no busy loop."""
    sky = Sky(provider("a", limits=(Limit(5, "requests", per=60.0),)), wait=True, timeout=600)
    waits = 0
    machines = [sky.machine() for _ in range(5)]
    for machine in machines:
        _run(machine, ANSWER)
    late = sky.machine()
    reply, replies, attempt = None, [], None
    while (step := advance(late, reply)) is not None:
        reply = None
        if isinstance(step, Launch):
            attempt, replies = step.attempt, list(ANSWER)
        elif isinstance(step, Wait) and replies:
            reply = replies.pop(0)(attempt)
        elif isinstance(step, Wait):
            waits += 1
            sky.clock.move(step.seconds)
            reply = Elapsed()

    assert waits <= 2


def _run(machine, answer) -> None:
    reply, replies, attempt = None, list(answer), None
    while (step := advance(machine, reply)) is not None:
        reply = None
        if isinstance(step, Launch):
            attempt = step.attempt
        elif isinstance(step, Wait):
            reply = replies.pop(0)(attempt)


def test_who_leaves_while_it_waits_gives_up_its_place():
    """The next moves up."""
    sky = Sky(provider("a"), wait=True, timeout=600)
    first = Air(sky).hears(0, refused(429, retry_after="30"))
    second = Air(sky)
    assert second.wait > first.wait
    first.machine.close()

    third = Air(sky)
    assert third.wait == pytest.approx(second.wait)


def test_without_waiting_the_error_says_when_the_first_is_back():
    """Nothing is slept for."""
    sky = Sky(provider("a"))
    with pytest.raises(NoRouteAnswered) as caught:
        Air(sky).hears(0, refused(429, retry_after="30"))

    assert caught.value.next_ready_at == pytest.approx(sky.clock.utc() + 30)
