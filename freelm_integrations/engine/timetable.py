"""A call's times: what is left of its caller's patience, and when something is due.

All moments are on the call's clock, all lengths in seconds. A caller's patience is spent in races
only, while nobody speaks; a stream that keeps talking costs nothing of it.
"""

from __future__ import annotations

import math

SLACK = 0.001
"""Seconds by which a timer may be early and still have run out: sums of floats are never exact."""


class Timetable:
    """One per call, touched by its flight only."""

    __slots__ = (
        "_patience",
        "_racing_since",
        "_waiting_since",
        "deadline",
        "hedge_at",
        "pause_until",
        "silent_for",
        "started_at",
    )

    def __init__(self, now: float, timeout: float) -> None:
        """Start the first race."""
        self.started_at = now
        self.deadline = now + timeout
        """When the race that is on ends without a winner."""
        self.hedge_at = math.inf
        """When another attempt may go beside those that are silent."""
        self.pause_until = now
        """Before when nothing is launched."""
        self.silent_for = 0.0
        """Time spent waiting since the winner last said something."""
        self._patience = timeout
        self._racing_since: float | None = now
        self._waiting_since = now

    @property
    def is_racing(self) -> bool:
        """Whether a speaker is looked for, be it beside one that has stalled."""
        return self._racing_since is not None

    def stand_in_line(self, now: float, until: float) -> None:
        """Wait for an opening: that is not counted against the caller's patience."""
        self.deadline += until - now
        if self._racing_since is not None:
            self._racing_since += until - now

    def begin_race(self, now: float) -> None:
        """Look for somebody to speak, for what is left of the caller's patience; once."""
        if self._racing_since is None:
            self._racing_since = self.pause_until = now
            self.deadline = now + self._patience
            self.hedge_at = math.inf

    def end_race(self, now: float) -> None:
        """Somebody speaks, or nobody is looked for any longer."""
        if self._racing_since is not None:
            self._patience -= now - self._racing_since
            self._racing_since = None

    def wait(self, now: float) -> None:
        """The driver begins to wait."""
        self._waiting_since = now

    def waited(self, now: float) -> None:
        """The wait is over: only this time counts as silence."""
        self.silent_for += now - self._waiting_since
        self._waiting_since = now

    def spoke(self) -> None:
        """The winner said something."""
        self.silent_for = 0.0

    def is_past(self, moment: float, now: float) -> bool:
        """Whether it is time."""
        return now >= moment - SLACK
