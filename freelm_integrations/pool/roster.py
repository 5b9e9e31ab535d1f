"""Every route of one model at one provider, kept in order: for those who have very many keys.

A look at each of ten thousand routes takes milliseconds. Here only what has changed since the last
look is looked at: what was leased, settled or failed there, and what came back with time. The
routes that are ready are kept as a strategy wants them, those that are not by when they will be.

Rules:
- It proposes; `Pool.lease` decides. A route that is here for ready and is not costs one more look.
- What rests of the provider or the model as a whole is asked for when it matters: it holds for all.
- The lists are sorted by insertion: at ten thousand routes that moves as many pointers, which is
  2 us.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left, insort
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeAlias

    from freelm_integrations.pool.scopes import ModelState, ProviderState, Quota
    from freelm_integrations.pool.seat import Seat
    from freelm_integrations.pool.view import Ask, Order, RouteView

    Place: TypeAlias = tuple[tuple[float, ...], int]
    """By that, and then as declared."""

ROOMY = 64
"""So many routes with the most room are looked at for when a large request fits again."""
SLACK = 1e-6
"""Tokens: more than sums of them are off by rounding."""


class Roster:
    """Mutable, guarded by the pool's lock. All moments are on the call's clock."""

    def __init__(self, seats: Sequence[Seat], order: Order) -> None:
        self.seats = seats
        self._order = order
        self._home: ProviderState = seats[0].state.provider
        self._model: ModelState = seats[0].state.model
        self._of_quota: dict[Quota, list[int]] = {}
        self._ready: list[Place] = []
        self._resting: list[tuple[float, int]] = []
        self._roomy: list[tuple[float, int]] = []
        """By the room there is, the most first: of those that are ready and have windows of tokens.
        """
        self._due: list[tuple[float, int]] = []
        """When to look again at which, if nothing happens before; some of it is outdated."""
        self._kept: list[_Kept] = [_NOWHERE] * len(seats)
        self._most: dict[tuple[float, float], int] = {}
        self._stale: set[Quota] = set()
        for number, seat in enumerate(seats):
            self._of_quota.setdefault(seat.state.quota, []).append(number)
        for quota in self._of_quota:
            quota.watchers.append(self._stale)
            self._stale.add(quota)

    def close(self) -> None:
        """Be told of no change any more."""
        for quota in self._of_quota:
            quota.watchers = [one for one in quota.watchers if one is not self._stale]

    # ------------------------------------------------------------------ questions

    def ready(self, now: float, ask: Ask, *, first: int = 0) -> Iterator[RouteView]:
        """Those that are ready for such a request, best first.

        `first`: where nothing else tells them apart, begin there and go round.
        """
        self._catch_up(now)
        if self._rests_until() > now:
            return
        for _, number in self._ordered(ask, first):
            seat = self.seats[number]
            if ask.suits(seat.view) and (view := seat.view_for(ask, now)).ready_at <= now:
                yield view

    def soonest(self, now: float, ask: Ask) -> Iterator[RouteView]:
        """Those that are ready, or will be, for such a request, the soonest first.

        Of those that only lack room just the `ROOMY` with the most of it.
        """
        self._catch_up(now)
        near = {number for _, number in self._roomy[:ROOMY]}
        if len(self._roomy) < len(self._ready):
            near.update([number for _, number in self._ready[:ROOMY]])
        crowded = sorted((self.seats[number].view_for(ask, now) for number in near), key=_ready_at)
        resting = (self.seats[number].view_for(ask, now) for _, number in self._resting)
        yield from filter(ask.suits, heapq.merge(crowded, resting, key=_ready_at))

    def has_room(self, now: float, ask: Ask) -> bool:
        """Whether the limits of any of them ever let such a request through."""
        self._catch_up(now)
        return any(ask.prompt <= inputs and ask.whole <= most for inputs, most in self._most)

    def _rests_until(self) -> float:
        return max(self._home.rest.until, self._model.rest.until)

    def _ordered(self, ask: Ask, first: int) -> Iterator[Place]:
        """The ready ones in order; where few have the room, only those."""
        if ask.tokens and self._roomy and len(self._roomy) == len(self._ready):
            tokens = ask.tokens + (self.seats[0].holding.usual if ask.output is None else 0)
            roomy = bisect_left(self._roomy, (SLACK - tokens, -1))
            if roomy < ROOMY:
                kept = (self._kept[number].place for _, number in self._roomy[:roomy])
                return iter(sorted(place for place in kept if place is not None))
        if not first:
            return iter(self._ready)
        start = bisect_left(self._ready, ((), first))
        return iter((*self._ready[start:], *self._ready[:start]))

    # ------------------------------------------------------------------ keeping up

    def _catch_up(self, now: float) -> None:
        """Look at what has changed since."""
        while self._stale:
            for number in self._of_quota[self._stale.pop()]:
                self._look_at(number, now)
        due = self._due
        while due and due[0][0] <= now:
            at, number = heapq.heappop(due)
            if self._kept[number].due_at == at:
                self._look_at(number, now)

    def _look_at(self, number: int, now: float) -> None:
        seat = self.seats[number]
        if not seat.is_fresh(now):
            seat.refresh(now)
        before = self._take_out(number)
        view, back_at = seat.view, seat.own_ready_at
        if back_at > now:
            due_at, place, room = back_at, None, None
            insort(self._resting, (back_at, number))
        else:
            due_at, room = seat.changes_at, seat.reach if seat.room < math.inf else None
            place = (self._order(view), number)
            insort(self._ready, place)
            if room is not None:
                insort(self._roomy, (-room, number))
        limits = view.most_input, view.most
        self._kept[number] = _Kept(place, back_at, room, due_at, limits)
        self._most[limits] = self._most.get(limits, 0) + 1
        if due_at < math.inf and due_at != before.due_at:
            heapq.heappush(self._due, (due_at, number))

    def _take_out(self, number: int) -> _Kept:
        kept = self._kept[number]
        if kept is _NOWHERE:
            return kept
        if kept.place is None:
            del self._resting[bisect_left(self._resting, (kept.back_at, number))]
        else:
            del self._ready[bisect_left(self._ready, kept.place)]
            if kept.room is not None:
                del self._roomy[bisect_left(self._roomy, (-kept.room, number))]
        self._most[kept.limits] -= 1
        if not self._most[kept.limits]:
            del self._most[kept.limits]
        return kept


class _Kept(NamedTuple):
    """Under what a seat stands in the lists: it is found there again by that."""

    place: Place | None
    back_at: float
    room: float | None
    due_at: float
    limits: tuple[float, float]


_NOWHERE = _Kept(None, 0.0, None, math.inf, (0.0, 0.0))


def _ready_at(view: RouteView) -> float:
    return view.ready_at
