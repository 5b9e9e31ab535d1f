"""A clock that moves when told, and a driver that plays a machine from a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.engine.steps import Elapsed, Launch, Wait, advance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from freelm_integrations.engine.steps import Attempt, Reply, Step, Steps

MIDDAY = 1_795_348_800.0  # 2026-11-22 12:00 UTC


class FakeClock:
    """Time that stands still until it is moved, and dice that always fall the same way."""

    def __init__(self, now: float = 1000.0, utc: float = MIDDAY, chance: float = 0.5) -> None:
        self._now, self._utc, self._chance = now, utc, chance

    def now(self) -> float:
        return self._now

    def utc(self) -> float:
        return self._utc

    def chance(self) -> float:
        return self._chance

    def move(self, seconds: float) -> None:
        self._now += seconds
        self._utc += seconds


def play(
    machine: Steps[object],
    clock: FakeClock,
    script: Iterable[Callable[[Attempt], Reply] | float],
) -> list[Step]:
    """Run a machine by hand.

    Each entry answers one Wait: a function of the last attempt launched, or a number of seconds
    after which nothing came. The steps it asked for are returned; a machine that wants more than
    the script has is a failure.
    """
    steps: list[Step] = []
    answers = iter(script)
    attempt: Attempt | None = None
    reply: Reply | None = None
    while (step := advance(machine, reply)) is not None:
        steps.append(step)
        reply = None
        if isinstance(step, Launch):
            attempt = step.attempt
        if isinstance(step, Wait):
            answer = next(answers)
            if callable(answer):
                assert attempt is not None
                reply = answer(attempt)
            else:
                clock.move(min(answer, step.seconds))
                reply = Elapsed()
    return steps
