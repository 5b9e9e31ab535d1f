"""What refusals teach of a limit that was declared too high, and how that is unlearned.

A bare 429 names no limit. Whoever is refused although the count says that there is room was told
too much: the limit is what was let in. That may have been a bad moment, so a learned ceiling is
trusted for a while only, then raised by a step; if that step is refused again, it is trusted for
twice as long.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

FULL_ENOUGH = 0.2
"""The share of a window that must be used before a refusal is put down to its limit."""
TRUSTED_FOR = 600.0
"""Seconds a ceiling is trusted at first, if the window is not longer."""
LONGEST = 86_400.0
"""Seconds it is trusted at most."""
STEP = 1.25
"""What it is multiplied by when it is tried again."""


class Trust(NamedTuple):
    """Until when a ceiling is trusted, and for how many seconds it was."""

    until: float
    length: float


class Ceiling:
    """Mutable, guarded by the pool's lock. All moments are on the call's clock."""

    __slots__ = ("_guessed_for", "_lowered_at", "_refused", "_trusted_for", "_trusted_until")

    def __init__(self, per: float) -> None:
        self._refused: deque[float] = deque()
        self._trusted_for = min(LONGEST, max(TRUSTED_FOR, per))
        self._trusted_until = -math.inf
        self._lowered_at = -math.inf
        self._guessed_for: float | None = None

    def refused(self, back_at: float, now: float) -> int:
        """Note a refusal that counts until `back_at`; how many of those counted were refused."""
        self._refused.append(back_at)
        return self.refusals(now)

    def refusals(self, now: float) -> int:
        """How many of those counted now were refused."""
        while self._refused and self._refused[0] <= now:
            self._refused.popleft()
        return len(self._refused)

    def lower(self, now: float, per: float) -> None:
        """The ceiling was found, or found again; refusals of one burst find it once."""
        if now - self._lowered_at > per:
            was_known = self._lowered_at > -math.inf
            self._trusted_for = min(LONGEST, self._trusted_for * (2.0 if was_known else 1.0))
            self._lowered_at = now
        self._guessed_for = None
        self._trusted_until = now + self._trusted_for

    @property
    def trust(self) -> Trust:
        """How long it is trusted."""
        return Trust(self._trusted_until, self._trusted_for)

    def guessed(self, now: float, seconds: float) -> None:
        """It was found elsewhere, and is believed here for so long, and each step after it."""
        self._guessed_for = seconds
        self._trusted_until = now + seconds

    @property
    def is_guess(self) -> bool:
        """Whether it was never found here."""
        return self._guessed_for is not None

    def told(self, trust: Trust) -> None:
        """Trust it as another process does, which found it."""
        self._guessed_for = None
        self._trusted_until, self._trusted_for = trust

    def raised(self, amount: float, declared: float, now: float) -> float:
        """The limit to go by now: higher by a step, where the ceiling has been trusted enough."""
        if now < self._trusted_until:
            return amount
        lasts = self._trusted_for if self._guessed_for is None else self._guessed_for
        self._trusted_until = now + lasts
        return min(declared, max(amount + 1.0, math.floor(amount * STEP)))
