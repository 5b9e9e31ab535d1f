"""A key's circuit breaker: exclusion inferred from repeated faults.

    closed --(THRESHOLD faults in a row)--> open --(backoff over)--> half-open
       ^                                      ^--(probe fails, backoff doubled)--|
       |--------------------------(probe succeeds)------------------------------|

Rules:
- Half-open is not stored: it is what open becomes once its backoff is over, so asking changes
  nothing.
- Half-open admits exactly one probe; a probe that is abandoned gives its place to the next.
- Faults of attempts that began before it opened tell of the same outage: they change nothing while
  it is not closed.
- Any sign of life closes it, whoever brings it.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

BreakerState: TypeAlias = Literal["closed", "open", "half-open"]

THRESHOLD = 3
"""Faults in a row that open it."""
BACKOFF = 5.0
"""Seconds it stays open the first time; doubled each time its probe fails."""
LONGEST = 300.0
"""Seconds it stays open at most, jitter included."""
PATIENCE = 1.0
"""Seconds after which to ask again while a probe is under way."""


class Breaker:
    """Mutable, guarded by the pool's lock. All moments are on the call's clock."""

    __slots__ = ("_faults", "_openings", "_retry_at", "is_probing")

    def __init__(self) -> None:
        self._faults = 0
        self._openings = 0
        self._retry_at: float | None = None
        self.is_probing = False

    def state(self, now: float) -> BreakerState:
        """Which of the three it is in."""
        if self._retry_at is None:
            return "closed"
        return "open" if now < self._retry_at else "half-open"

    def ready_at(self, now: float) -> float:
        """When it admits an attempt: -inf while closed; while it is probed, when to ask again."""
        if self._retry_at is None:
            return -math.inf
        return now + PATIENCE if self.is_probing else self._retry_at

    @property
    def is_closed(self) -> bool:
        """Whether attempts pass freely."""
        return self._retry_at is None

    @property
    def retry_at(self) -> float | None:
        """When its backoff is over; None while closed."""
        return self._retry_at

    @property
    def openings(self) -> int:
        """How often it opened in a row: what its next backoff goes by."""
        return self._openings

    def told(self, retry_at: float, openings: int) -> None:
        """Be as open as another process found it must be, if that is longer."""
        if self._retry_at is None or retry_at > self._retry_at:
            self._retry_at = retry_at
        self._openings = max(self._openings, openings)

    def postpone(self, until: float) -> None:
        """Stay open until then: another process probes."""
        if self._retry_at is not None and not self.is_probing:
            self._retry_at = max(self._retry_at, until)

    def begin_probe(self) -> None:
        """Take the one place of a half-open breaker; the caller has seen that it is free."""
        self.is_probing = True

    def alive(self, *, is_probe: bool) -> None:
        """Close: the server answered, be it with a refusal."""
        self._faults = self._openings = 0
        self._retry_at = None
        if is_probe:
            self.is_probing = False

    def abandoned(self) -> None:
        """Free the probe's place; nothing was learned."""
        self.is_probing = False

    def fault(self, now: float, *, is_probe: bool, chance: float) -> float | None:
        """Count a fault; the seconds it stays open if that opened it.

        Args:
            now: The present moment.
            is_probe: Whether the failed attempt was the probe.
            chance: A number in [0, 1): the backoff is lengthened by up to a quarter of itself, so
                that keys and processes that failed together do not all come back together.
        """
        was_closed = self._retry_at is None
        if is_probe:
            self.is_probing = False
        elif not was_closed:
            return None
        self._faults += 1
        if was_closed and self._faults < THRESHOLD:
            return None
        backoff = BACKOFF * 2.0 ** min(self._openings, 40) * (1.0 + chance / 4.0)
        opens_for = min(LONGEST, backoff)
        self._openings += 1
        self._retry_at = now + opens_for
        return opens_for
