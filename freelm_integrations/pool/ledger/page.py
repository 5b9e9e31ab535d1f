"""One window's page in a ledger: what was taken from it, by whomever, and when that comes back.

The arithmetic is that of the pool's own `Window`, in UTC and without its limit: each claim brings
the limit it knows. `page.lua` says the same in Redis's language; one test suite holds them equal.

Rules:
- Entries stand in the order of their return; those that return together are one.
- Questions and `fits` may follow `clear` only.
- A claim larger than the whole limit may go when nothing else counts.
- An entry that would come back long after what is taken now was written before the clock was set
  back: it is brought forward, so that no window stays shut for ever.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING

from freelm_integrations.pool.ledger.claim import SKEW, Count

if TYPE_CHECKING:
    from freelm_integrations.pool.ledger.claim import Correction, Draw, Said

SLACK = 1e-9


class Page:
    """Mutable; guarded by whoever keeps it. `open_until`: by then all open draws have lapsed.

    The entries are arrays, as those go into a file and back at no cost.
    """

    __slots__ = ("amounts", "backs", "is_healed", "moves", "open", "open_until", "used")

    def __init__(self) -> None:
        self.backs = array("d")
        self.amounts = array("d")
        self.used = 0.0
        self.moves = 0
        self.open = 0
        self.open_until = -math.inf
        self.is_healed = False
        """Worth keeping even where nothing is taken, or it would be brought forward ever anew."""

    def clear(self, utc: float) -> None:
        """Clear away what has come back."""
        backs = self.backs
        if not backs or backs[0] > utc:
            return
        if backs[-1] <= utc:
            del backs[:], self.amounts[:]
            self.used = 0.0
            return
        gone = 0
        while backs[gone] <= utc:
            self.used -= self.amounts[gone]
            gone += 1
        del backs[:gone], self.amounts[:gone]

    def heal(self, back_at: float) -> None:
        """Bring forward what would come back long after what is taken now."""
        backs = self.backs
        if not backs or backs[-1] <= back_at + SKEW:
            return
        place = bisect_left(backs, back_at)
        amount = math.fsum(self.amounts[place:])
        del backs[place:], self.amounts[place:]
        backs.append(back_at)
        self.amounts.append(amount)
        self.is_healed = True

    def fits(self, need: float, limit: float) -> bool:
        """Whether `need`, or at least 1, may be taken."""
        if self.used + max(need, 1.0) <= limit + SLACK:
            return True
        return self.used <= SLACK and limit > 0

    def ready_at(self, need: float, limit: float) -> float:
        """When what does not fit now will, if nothing else is taken."""
        if limit <= 0:
            return math.inf
        excess = self.used + min(max(need, 1.0), limit) - limit
        for back_at, amount in zip(self.backs, self.amounts, strict=True):
            excess -= amount
            if excess <= SLACK:
                return back_at
        return self.backs[-1] if self.backs else -math.inf

    def take(self, draw: Draw, expires_at: float, utc: float) -> None:
        """Count a draw; it was seen to fit."""
        self.moves += 1
        self.open = 1 if utc > self.open_until else self.open + 1
        self.open_until = max(self.open_until, expires_at)
        self._count(min(draw.amount, draw.limit), draw.back_at)

    def settle(self, correction: Correction, utc: float) -> None:
        """Put what was really used in the place of what was taken; then heed the server."""
        is_alone = False
        self.moves += 1
        if correction.moves is not None:
            self.open = 0 if utc > self.open_until else max(0, self.open - 1)
            is_alone = self.open == 0 and self.moves == correction.moves + 1
        if correction.used != correction.took:
            self._change(correction, correction.used - correction.took, utc)
        if correction.said is not None:
            self._heed(correction.said, is_alone=is_alone)

    def count(self, window: str) -> Count:
        """The page in one line."""
        backs = self.backs
        if not backs:
            return Count(window, 0.0, math.inf, math.inf, self.moves)
        return Count(window, max(0.0, self.used), backs[0], backs[-1], self.moves)

    def _change(self, correction: Correction, change: float, utc: float) -> None:
        backs, back_at = self.backs, correction.back_at
        place = bisect_left(backs, back_at)
        if place < len(backs) and backs[place] == back_at:
            change = max(change, -self.amounts[place])
            self.amounts[place] += change
            self.used += change
        elif change > 0:
            if back_at <= utc:
                if correction.again_at is None:
                    return
                back_at = correction.again_at
            self._count(change, back_at)

    def _heed(self, said: Said, *, is_alone: bool) -> None:
        """Believe that more was used; that less was, only of what nobody else moved meanwhile."""
        if said.limit <= 0:
            return
        excess = self.used - (said.limit - min(max(0.0, said.left), said.limit))
        if excess < 0:
            self._count(-excess, said.back_at)
        elif is_alone and excess > said.unseen:
            self._give_back(excess - said.unseen)

    def _count(self, amount: float, back_at: float) -> None:
        backs = self.backs
        self.used += amount
        if not backs or backs[-1] < back_at:
            backs.append(back_at)
            self.amounts.append(amount)
            return
        place = bisect_left(backs, back_at)
        if backs[place] == back_at:
            self.amounts[place] += amount
        else:
            backs.insert(place, back_at)
            self.amounts.insert(place, amount)

    def _give_back(self, excess: float) -> None:
        """Uncount, the oldest first."""
        for place, amount in enumerate(self.amounts):
            part = min(amount, excess)
            self.amounts[place] -= part
            self.used -= part
            excess -= part
            if excess <= 0:
                return
