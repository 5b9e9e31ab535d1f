"""Every route of one model at one provider, kept in order: for those who have very many keys.

A look at each of ten thousand routes takes milliseconds. Here only what has changed since the last
look is looked at: what was leased, settled or failed there, and what came back with time. The
routes that are ready are kept as a strategy wants them, those that are not by when they will be.

Rules:
- It proposes; `Pool.lease` decides. A route that is here for ready and is not costs one more look.
- What rests of the provider or the model as a whole is asked for when it matters: it holds for all.
- Only what has moved is sorted in anew: one that is asked again and again may stay in its place.
"""

from __future__ import annotations

import heapq
import math
from itertools import islice, takewhile
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from freelm_integrations.pool.ascending import Ascending

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeAlias

    from freelm_integrations.pool.scopes import ModelState, ProviderState, Quota
    from freelm_integrations.pool.seat import Seat
    from freelm_integrations.pool.view import Ask, Order, RouteView

    Place: TypeAlias = tuple[tuple[float, ...], int]
    """By that, and then as declared."""
    Limits: TypeAlias = tuple[float, float]
    """Of prompts, and of whole requests: a view's `most_input` and `most`."""

V = TypeVar("V", bound="tuple[object, ...]")

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
        self._ready: Ascending[Place] = Ascending()
        self._resting: Ascending[tuple[float, int]] = Ascending()
        self._roomy: Ascending[tuple[float, int]] = Ascending()
        """By the room there is, the most first: of those that are ready and have windows of tokens.
        """
        self._due: list[tuple[float, int]] = []
        """When to look again at which, if nothing happens before; some of it is outdated."""
        self._kept: list[_Kept] = [_NOWHERE] * len(seats)
        self._most: dict[Limits, int] = {}
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
        near = {number for _, number in islice(self._roomy, ROOMY)}
        if len(self._roomy) < len(self._ready):
            near.update([number for _, number in islice(self._ready, ROOMY)])
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
            too_small = SLACK - tokens, -1
            if not self._roomy.has_below(too_small, count=ROOMY):
                roomy = takewhile(too_small.__gt__, self._roomy)
                kept = (self._kept[number].place for _, number in roomy)
                return iter(sorted(place for place in kept if place is not None))
        return self._ready.starting(((), first)) if first else iter(self._ready)

    # ------------------------------------------------------------------ keeping up

    def _catch_up(self, now: float) -> None:
        """Look at what has changed since."""
        if self._stale:
            stale = list(self._stale)
            self._stale.clear()  # a set popped empty stays as large as it ever was, and is searched
            for quota in stale:
                for number in self._of_quota[quota]:
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
        view, at = seat.view, seat.own_ready_at
        limits = view.most_input, view.most
        if at > now:
            kept = _Kept(None, (at, number), None, at, limits)
        else:
            room = (-seat.reach, number) if seat.room < math.inf else None
            kept = _Kept((self._order(view), number), None, room, seat.changes_at, limits)
        before, self._kept[number] = self._kept[number], kept
        _move(self._ready, before.place, kept.place)
        _move(self._resting, before.back, kept.back)
        _move(self._roomy, before.room, kept.room)
        if kept.limits != before.limits:
            self._count(before.limits, kept.limits)
        if kept.due_at < math.inf and kept.due_at != before.due_at:
            heapq.heappush(self._due, (kept.due_at, number))

    def _count(self, before: Limits | None, now: Limits | None) -> None:
        """One has other limits now."""
        most = self._most
        if now is not None:
            most[now] = most.get(now, 0) + 1
        if before is not None:
            most[before] -= 1
            if not most[before]:
                del most[before]


def _move(kept: Ascending[V], before: V | None, now: V | None) -> None:
    """Let one stand elsewhere in a list, or in it no more, or anew."""
    if now == before:
        return
    if before is not None:
        kept.remove(before)
    if now is not None:
        kept.add(now)


class _Kept(NamedTuple):
    """Under what a seat stands in the lists: it is found there again by that."""

    place: Place | None
    back: tuple[float, int] | None
    room: tuple[float, int] | None
    due_at: float
    limits: Limits | None


_NOWHERE = _Kept(None, None, None, math.inf, None)


def _ready_at(view: RouteView) -> float:
    return view.ready_at
