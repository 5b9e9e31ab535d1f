"""Where one call goes next: the routes it tried, what they said, and who may be asked (again)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from freelm_integrations.engine.shares import NOBODY, Shares
from freelm_integrations.pool.verdicts import VERDICTS
from freelm_integrations.wire.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from freelm_integrations.pool.holding import Room
    from freelm_integrations.pool.pool import Lease, Pool
    from freelm_integrations.pool.view import Route, RouteView

TRIES_OF_A_ROUTE = 2
"""How often a call that will not wait tries one route: once more after all others were asked."""
FITTED = 3
"""How many routes with too little left for a usual answer are looked at for a shorter one."""
UNWELCOME = frozenset({"forbidden", "model_gone", "not_on_plan"})
"""After these another provider is more likely to answer than this one's next model: a 403 or a 404
is often about the account, or about a list that is stale as a whole."""
IN_VAIN = 2
"""After so many refusals for length nobody is asked who will hardly have room either."""
PAUSE_BEFORE_AGAIN = 0.4
"""Seconds before a route that failed in passing is tried again; jittered up to twice that."""


class Candidates(Protocol):
    """Where a flight finds its next route."""

    @property
    def providers(self) -> frozenset[str]:
        """The ids of all who have an admissible route, however it stands."""
        ...

    @property
    def tokens(self) -> int:
        """What one attempt is expected to use, prompt and answer together."""
        ...

    @property
    def output(self) -> int | None:
        """What of that is for the answer; None where its length is left open (see `Pool.lease`)."""
        ...

    def views(self, now: float) -> Iterable[RouteView]:
        """Every admissible route as it is now, best first; lazily."""
        ...

    def ready(self, now: float) -> Iterable[RouteView]:
        """Those of them that are ready, in that order; of very many only as many as are taken."""
        ...

    def soonest(
        self, now: float, is_open: Callable[[Route], bool], *, by: float = -math.inf
    ) -> RouteView | None:
        """The first to be ready of those open to the call, or one ready `by` then; None: none."""
        ...

    def left_out(self) -> tuple[tuple[str, str, str], ...]:
        """(provider, model, reason) for what cannot serve this request."""
        ...

    def is_unlikely(self, route: Route) -> bool:
        """Whether the prompt is longer than what its model, of which nothing is told, may take."""
        ...

    def served(self, route: Route) -> None:
        """That one has answered the call."""
        ...


@dataclass(slots=True)
class Tally:
    """What this call has learned of one route."""

    tries: int = 0
    fault: Fault | None = None
    again_at: float = 0.0
    is_outpaced: bool = False
    """Whether it was silent when another spoke, which is no fault."""

    @property
    def is_told_to_wait(self) -> bool:
        """Whether the server named a time, other than now, before which not to come back."""
        return self.fault is not None and bool(self.fault.retry_after)


class Comebacks(NamedTuple):
    """When a call may go on; inf for never.

    `again_at` is when a second try after a fault in passing is due, `ready_at` when the first route
    is back; `is_counted`: that is when a window opens whose count is known.
    """

    again_at: float
    ready_at: float
    is_counted: bool


class Itinerary:
    """The candidates of one call, and what it has made of them. Not thread safe."""

    def __init__(
        self,
        candidates: Candidates,
        pool: Pool,
        *,
        waits: bool,
        may_fit: bool = False,
        needed: frozenset[str] = frozenset(),
    ) -> None:
        """Start with nothing tried.

        `may_fit`: answers may be given less room than usual where that is all there is. `needed`:
        abilities; a model that was found to lack one comes last.
        """
        self.candidates = candidates
        self._pool = pool
        self._waits = waits
        self._may_fit = may_fit
        self._needed = needed
        self._tallies: dict[Route, Tally] = {}
        # What is rarely filled is made when it is: nothing of a call is done as often as this.
        self._shy = NOBODY
        self._unfit = _NOTHING
        """(provider id, model id) of what cannot serve this request, whatever the key."""
        self._again: Route | None = None
        """What is to be asked once more at once, otherwise."""
        self._shares = Shares()
        self._sated = NOBODY
        """The ids of providers that had their share, while others were not asked."""
        self._cramped = self._instructed = _NOWHERE
        self._mended: Mapping[Route, int | None] = _AS_BEFORE
        """Where a refusal for length was answered: with so little room, or (None) as before."""
        self._overlong = 0
        """Attempts in which the prompt was found too long."""

    def share_out(self, now: float, left: int) -> None:
        """See who had its share of the attempts, with `left` of them to make.

        What is leased is of others then, as long as one that was not asked is ready to be.
        """
        self._sated = NOBODY
        shares = self._shares
        if shares.used_up(shares.unasked(self.candidates.providers), left):
            waiting = {
                view.route.provider.id
                for view in self.candidates.ready(now)
                if not shares.has_had(view.route.provider.id) and self._is_able(view.route, now)
            }
            self._sated = shares.used_up(len(waiting), left)

    def lease_next(self, now: float) -> tuple[Route, Lease] | None:
        """Lease the best route that is ready: a fresh one first.

        Of another provider than those that just failed or had their share, where there is one.
        """
        if self._again is not None and (leased := self._lease_again(now)) is not None:
            return leased
        if not (self._tallies or self._sated):
            return self._lease_fresh(now) or self._lease_fitted(now)
        is_picky = self._shy or self._sated
        elsewhere = self._lease_first(now, self._is_fresh_elsewhere) if is_picky else None
        return (
            elsewhere
            or (self._lease_first(now, self._is_in_its_share) if self._sated else None)
            or self._lease_fresh(now)
            or self._lease_fitted(now)
            or self._lease_first(now, self._is_due_again)
        )

    def lease_beside(self, now: float, in_air: set[str]) -> tuple[Route, Lease] | None:
        """Lease a fresh route to ask beside silent ones: of a provider that is not in the air.

        And only where quota is left to spare, as this attempt may well not be needed.
        """

        def is_spare(route: Route, now: float) -> bool:
            is_elsewhere = route.provider.id not in in_air
            return (
                is_elsewhere
                and self._is_fresh_elsewhere(route, now)
                and self._pool.has_to_spare(route, now)
            )

        return self._lease_first(now, is_spare)

    def lease_onward(
        self, now: float, rank: Callable[[Route], int], in_air: set[str]
    ) -> tuple[Route, Lease] | None:
        """Lease the route that carries on best what another has begun: of the least rank.

        A fresh one of a provider neither in the air nor just failed, where there is one.
        """
        if (leased := self._lease_again(now)) is not None:
            return leased

        def is_elsewhere(route: Route, now: float) -> bool:
            return route.provider.id not in in_air and self._is_fresh_elsewhere(route, now)

        for test in (is_elsewhere, self._is_fresh, self._is_due_again):
            views = [view for view in self.candidates.ready(now) if test(view.route, now)]
            for view in sorted(views, key=lambda view: rank(view.route)):
                lease = self._lease(view.route, now)
                if lease is not None:
                    return view.route, lease
        return None

    def comebacks(self, now: float) -> Comebacks:
        """When this call may go on, without waiting for anything to come back and waiting."""
        again_at = math.inf
        first = self.candidates.soonest(now, self._is_open)
        ready_at = math.inf if first is None else first.ready_at
        is_counted = first is not None and first.resting == "window"
        for view, tally in self._tallied(now):
            if not (self._may_try_again(tally) and self._is_fit(view.route)):
                continue
            moment = max(tally.again_at, view.ready_at)
            if view.ready_at <= now and not tally.is_told_to_wait:
                again_at = min(again_at, moment)
            if moment < ready_at:
                ready_at, is_counted = moment, view.resting == "window"
        return Comebacks(again_at, ready_at, is_counted)

    def back_at(self, now: float) -> float:
        """When the first route that was tried and rests since may be tried again; inf for never."""
        moments = (
            max(tally.again_at, view.ready_at)
            for view, tally in self._tallied(now)
            if self._comes_back(tally)
        )
        return min(moments, default=math.inf)

    def _tallied(self, now: float) -> Iterator[tuple[RouteView, Tally]]:
        """The routes that were tried, as they are now."""
        asked = self.candidates
        views = self._pool.views(
            tuple(self._tallies), now, tokens=asked.tokens, output=asked.output
        )
        return zip(views, self._tallies.values(), strict=True)

    def _is_open(self, route: Route) -> bool:
        return route not in self._tallies and self._is_fit(route)

    def lease_sparingly(self, now: float) -> tuple[Route, Lease] | None:
        """Lease a route of a provider not asked yet, or one that has rested since it was tried."""
        asked = {route.provider.id for route in self._tallies}

        def is_elsewhere(route: Route, _now: float) -> bool:
            return route.provider.id not in asked

        return self._lease_first(now, is_elsewhere) or self._lease_first(now, self._is_back)

    def tried(self, route: Route) -> None:
        """An attempt was sent there; one with more room is a second one, whatever was forgotten."""
        self._tallies.setdefault(route, Tally()).tries += 2 if route in self._cramped else 1
        self._shares.take(route.provider.id)

    def outpaced(self, route: Route) -> None:
        """Another spoke before it: it may be asked once more, should that one break off."""
        self._tallies.setdefault(route, Tally()).is_outpaced = True

    def forget(self, route: Route) -> None:
        """That attempt does not count: the same route is to be asked again, otherwise."""
        self._tallies.pop(route, None)
        self._again = route

    def give_room(self, route: Route) -> None:
        """The same route is to be asked again, with more room for its answer."""
        self._cramped |= {route}
        self.forget(route)

    def mend(self, route: Route, room: int | None) -> None:
        """The same route is to be asked again: with less room for its answer, or as before."""
        self._mended = {**self._mended, route: room}
        self.forget(route)

    def is_mended(self, route: Route) -> bool:
        """Whether that was done already."""
        return route in self._mended

    def room_left(self, route: Route) -> int | None:
        """Tokens of the answer beside which the prompt fits there; None where that is not known."""
        return self._mended.get(route)

    def is_cramped(self, route: Route) -> bool:
        """Whether its answer needs more room than it had."""
        return route in self._cramped

    def instruct(self, route: Route) -> None:
        """It will not go on from the answer's beginning: it is to be asked to in words."""
        self._instructed |= {route}
        self._unfit -= {(route.provider.id, route.model.id)}
        self.forget(route)

    def is_instructed(self, route: Route) -> bool:
        """Whether it must be asked in words to carry on."""
        return route in self._instructed

    def failed(self, route: Route, fault: Fault, now: float, *, chance: float) -> None:
        """Note a fault of an attempt; `chance` in [0, 1) jitters the pause before a second try."""
        verdict = VERDICTS[fault.kind]
        tally = self._tallies[route]
        tally.fault = fault
        pause = PAUSE_BEFORE_AGAIN * (1 + chance) if verdict.feeds_breaker else 0.0
        tally.again_at = now + (pause if fault.retry_after is None else fault.retry_after)
        if verdict.feeds_breaker or verdict.blames_request or fault.kind in UNWELCOME:
            self._shy |= {route.provider.id}
        self._overlong += fault.kind == "too_long"
        if verdict.scope == "call" and not verdict.is_transient:
            self._unfit |= {(route.provider.id, route.model.id)}

    def fell_short(self, route: Route, room: Room, now: float) -> None:
        """The room it was given did not do: from now on there must be as much as is usual.

        That very route is asked again only if it can have more.
        """
        self._may_fit = False
        tally = self._tallies[route]
        tally.fault, tally.again_at = Fault(kind="cramped"), now
        if room.is_widest:
            self._unfit |= {(route.provider.id, route.model.id)}

    def is_alone(self, route: Route, now: float, *, until: float) -> bool:
        """Whether no other provider than this route's can be asked by then."""

        def is_elsewhere(other: Route) -> bool:
            return other.provider.id != route.provider.id

        other = self.candidates.soonest(now, is_elsewhere, by=until)
        return other is None or other.ready_at > until

    def _lease_again(self, now: float) -> tuple[Route, Lease] | None:
        """Lease what is to be asked once more; once only."""
        route, self._again = self._again, None
        if route is None or route.provider.id in self._sated:
            return None
        lease = self._lease(route, now)
        return None if lease is None else (route, lease)

    def _lease(self, route: Route, now: float, *, is_fitted: bool = False) -> Lease | None:
        asked = self.candidates
        return self._pool.lease(
            route, now, tokens=asked.tokens, output=asked.output, is_fitted=is_fitted
        )

    def _lease_fitted(self, now: float) -> tuple[Route, Lease] | None:
        """Lease a fresh route that has too little left for a usual answer, but some.

        The answer then has the room that is left: better than none, where nobody has more.
        """
        if not self._may_fit or self.candidates.output is not None:
            return None
        seen: set[Route] = set()

        def is_flexible(route: Route) -> bool:
            reserves = route.provider.spec.reserves is not None
            return reserves and route not in seen and self._is_open(route)

        while len(seen) < FITTED and (view := self.candidates.soonest(now, is_flexible)):
            if lease := self._lease(view.route, now, is_fitted=True):
                return view.route, lease
            seen.add(view.route)
        return None

    def _lease_first(self, now: float, test: _Test) -> tuple[Route, Lease] | None:
        for view in self.candidates.ready(now):
            if test(view.route, now):
                lease = self._lease(view.route, now)
                if lease is not None:
                    return view.route, lease
        return None

    def _lease_fresh(self, now: float) -> tuple[Route, Lease] | None:
        """Lease one not tried yet, of a model not known to lack what is needed if there is one."""
        able = self._lease_first(now, self._is_able) if self._needed else None
        return able or self._lease_first(now, self._is_fresh)

    def _is_able(self, route: Route, now: float) -> bool:
        if not self._is_fresh(route, now):
            return False
        return not self._needed or self._needed.isdisjoint(self._pool.refused(route))

    def _is_fresh(self, route: Route, _now: float) -> bool:
        return self._is_open(route)

    def _is_fresh_elsewhere(self, route: Route, now: float) -> bool:
        return self._is_in_its_share(route, now) and route.provider.id not in self._shy

    def _is_in_its_share(self, route: Route, now: float) -> bool:
        return self._is_able(route, now) and route.provider.id not in self._sated

    def _is_fit(self, route: Route) -> bool:
        if self._overlong >= IN_VAIN and self.candidates.is_unlikely(route):
            return False
        return (route.provider.id, route.model.id) not in self._unfit

    def _is_due_again(self, route: Route, now: float) -> bool:
        tally = self._tallies.get(route)
        if tally is None or not self._is_fit(route):
            return False
        return now >= tally.again_at and self._may_try_again(tally)

    def _is_back(self, route: Route, now: float) -> bool:
        tally = self._tallies.get(route)
        return tally is not None and now >= tally.again_at and self._comes_back(tally)

    def _comes_back(self, tally: Tally) -> bool:
        """Whether it failed for what a rest mends, and may be tried again."""
        rests = tally.fault is not None and VERDICTS[tally.fault.kind].cools_for > 0
        return rests and self._may_try_again(tally)

    def _may_try_again(self, tally: Tally) -> bool:
        if tally.fault is None:
            return tally.is_outpaced and tally.tries < TRIES_OF_A_ROUTE
        if not VERDICTS[tally.fault.kind].is_transient:
            return False
        return self._waits or tally.tries < TRIES_OF_A_ROUTE


_NOWHERE: frozenset[Route] = frozenset()
_NOTHING: frozenset[tuple[str, str]] = frozenset()
_AS_BEFORE: Mapping[Route, int | None] = MappingProxyType({})


class _Test(Protocol):
    def __call__(self, route: Route, now: float, /) -> bool: ...
