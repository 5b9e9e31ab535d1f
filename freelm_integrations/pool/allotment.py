"""Several leases' worth claimed at once, where a window is roomy and a route is asked in a hurry.

Asking a ledger costs more than all else a lease does. Whoever leases the same route again within a
moment asks for two at once, then four, and so on; the next leases draw on what is there. After a
pause it is as many as were wanted before. None of it is ever more than a hundredth of what is left,
so that nobody else goes short of it.

Rules:
- What is allotted is counted by the ledger already: drawing on it can exceed no limit.
- Who leases while it is asked for waits for it, as far as it goes, and asks for nothing.
- It is good for `GOOD_FOR`, and only while what is taken now would come back when it does.
- What its leases have not used goes back into it; what is left is given back as one, once another
  has taken its place and its leases are settled, or have lasted for `LEAVES_WITHIN`.
- Of a process that was killed it stays counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.pool.ledger.claim import Correction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freelm_integrations.pool.ledger.claim import Claim, Draw
    from freelm_integrations.pool.window import Taken, Window

GOOD_FOR = 0.25
"""Seconds."""
REMEMBERED_FOR = 1.0
"""Seconds after which a pause is no longer one, and a single lease is asked for again."""
LEAVES_WITHIN = 1.0
"""Seconds it may wait for its leases before what is left is given back without them."""
MOST = 64
"""Leases' worth at most."""
SHARE = 0.01
"""The share of what is left of a window that may be claimed in advance."""


class Allotment:
    """Mutable, guarded by the pool's lock.

    `leases` is how many were asked for, `before` the one whose place it takes. What is taken of its
    windows between the moments `same` (UTC) comes back when it does itself.
    """

    __slots__ = (
        "begun_at",
        "claim",
        "draws",
        "is_closed",
        "is_granted",
        "is_leaving",
        "leases",
        "left",
        "moves",
        "open",
        "promised",
        "same_from",
        "same_until",
        "wanted",
        "windows",
    )

    def __init__(
        self,
        claim: Claim,
        leases: int,
        now: float,
        before: Allotment | None = None,
        *,
        windows: Sequence[Window],
        same: tuple[float, float],
    ) -> None:
        self.claim = claim
        self.windows = windows
        self.same_from, self.same_until = same
        self.leases = leases
        self.begun_at = now
        self.draws = claim.draws
        self.left = [0.0] * len(claim.draws)
        """What is there for further leases; nothing before the ledger grants it."""
        self.moves: tuple[int, ...] = ()
        self.open = 0
        """Its leases that are not settled yet."""
        self.wanted = 1
        if before is not None and before.is_good(now):
            self.wanted += before.wanted
        """Leases taken of it, and of those that it followed without a pause."""
        self.promised = 1
        """Leases that wait for it to be granted; the first asks."""
        self.is_granted = False
        self.is_leaving = False
        """Another has taken its place: it only waits for its leases."""
        self.is_closed = False
        """Its rest was given back."""

    def granted(self, first: Sequence[Draw], moves: tuple[int, ...]) -> None:
        """The ledger has counted it; the first lease takes its part."""
        self.moves, self.is_granted, self.open = moves, True, 1
        self.left = [draw.amount - own.amount for draw, own in zip(self.draws, first, strict=True)]

    def is_good(self, now: float) -> bool:
        """Whether it was asked for just now."""
        return now - self.begun_at <= GOOD_FOR

    def is_promised(self, now: float) -> bool:
        """Whether it is just being asked for, and would be enough for one lease more."""
        if self.is_granted or not self.is_good(now) or self.promised >= self.leases:
            return False
        self.promised += 1
        return True

    def serves(self, taken: Sequence[Taken], now: float, utc: float) -> bool:
        """Whether a lease that has taken this may be taken out of it; if so, it is."""
        if self.is_closed or not (self.is_good(now) and self.same_from <= utc < self.same_until):
            return False
        left = self.left
        if len(taken) != len(left):
            return False
        for place, (window, _, took, _) in enumerate(taken):
            if took > left[place] or window is not self.windows[place]:
                return False
        for place, (_, _, took, _) in enumerate(taken):
            left[place] -= took
        self.open += 1
        self.wanted += 1
        return True

    @property
    def may_be_closed(self) -> bool:
        """Whether nothing more can come of it."""
        return self.is_leaving and not self.open and not self.is_closed

    def put_back(self, taken: Sequence[Taken], used: Sequence[float]) -> bool:
        """Take back what a lease of it has not used; False if that has to be told instead."""
        if self.is_closed:
            return False
        left = self.left
        for place, (_, _, took, _) in enumerate(taken):
            if left[place] + took < used[place]:
                return False  # so much more was used that it has to be told
        for place, (_, _, took, _) in enumerate(taken):
            left[place] += took - used[place]
        return True

    def draws_of(self, taken: Sequence[Taken]) -> tuple[Draw, ...]:
        """What a lease of it has drawn, in a ledger's words."""
        return tuple(
            [
                draw._replace(amount=took)
                for draw, (_, _, took, _) in zip(self.draws, taken, strict=True)
            ]
        )

    def rest(self) -> tuple[Correction, ...]:
        """What is given back."""
        moves = self.moves or (None,) * len(self.draws)
        return tuple(
            [
                Correction(draw.window, draw.back_at, left, 0.0, moved)
                for draw, left, moved in zip(self.draws, self.left, moves, strict=True)
            ]
        )


def next_size(
    before: Allotment | None, windows: Sequence[Window], draws: Sequence[Draw], now: float
) -> int:
    """How many leases' worth to ask for; one, unless the last asking was a moment ago."""
    if before is None or now - before.begun_at > REMEMBERED_FOR or not draws:
        return 1
    size = min(MOST, 2 * before.leases if before.is_good(now) else before.wanted)
    for window, draw in zip(windows, draws, strict=True):
        if draw.amount > 0:
            size = min(size, int(SHARE * window.remaining(now) / draw.amount))
    return max(1, size)
