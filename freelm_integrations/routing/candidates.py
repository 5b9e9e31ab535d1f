"""The routes for one call, best first and lazily: rank by rank, each in the strategy's order.

What a request may use is worked out once for all requests alike (same names, same needs, same
catalogs) and kept as a plan; a call then only looks at the ranks it gets to.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import TYPE_CHECKING, Protocol, TypeAlias

from freelm_integrations.errors import ConfigError
from freelm_integrations.pool.view import Ask
from freelm_integrations.routing import filters
from freelm_integrations.routing.affinity import Affinity, Stay, at_home
from freelm_integrations.routing.avoidance import nearness, put_last
from freelm_integrations.routing.catalog import in_ranks, matches, resolve
from freelm_integrations.routing.crowd import FEW, Crowd, Ordered
from freelm_integrations.routing.filters import (
    LeftOut,
    admit,
    counted,
    reservation,
    thresholds,
    unlikely,
)
from freelm_integrations.routing.needs import Needs, needs_of
from freelm_integrations.routing.retirement import A_DAY, LONG_AGO, Calendar, calendar_at
from freelm_integrations.routing.strategies import IN_TURN, ORDERS, STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from freelm_integrations.chat import Request
    from freelm_integrations.pool.view import Route, RouteView
    from freelm_integrations.providers.provider import Key, Provider
    from freelm_integrations.providers.spec import ModelSpec
    from freelm_integrations.routing.affinity import Home
    from freelm_integrations.routing.catalog import Catalogs, Rank
    from freelm_integrations.routing.needs import Counts

    Likeness: TypeAlias = tuple[object, ...]

PLANS_KEPT = 256
"""How many plans are remembered; past that all are forgotten and made again when needed."""


class Contexts(Protocol):
    """The contexts that refusals have told of."""

    @property
    def is_empty(self) -> bool:
        """Whether there are none."""
        ...

    def too_short(self, route: Route, now: float, *, prompt: int, surely: int) -> int | None:
        """The context of that model, if such a prompt is too long for it."""
        ...


class Routes(Ordered, Protocol):
    """What routing asks of the pool."""

    @property
    def contexts(self) -> Contexts:
        """What refusals have told of contexts."""
        ...

    def route(self, provider: Provider, key: Key, model: ModelSpec) -> Route:
        """The one object for these three."""
        ...

    def views(
        self, routes: Sequence[Route], now: float, *, tokens: int = 0, output: int | None = 0
    ) -> tuple[RouteView, ...]:
        """Each route as it is now, in the order given; see `Pool.lease` for what may be needed."""
        ...

    def of_account(self, provider: Provider, model: ModelSpec, account: str) -> list[Route]:
        """The routes of that model by the keys of one account."""
        ...

    def turn(self, circle: tuple[str, ...]) -> int:
        """The turn that is next in a circle of providers, by their ids."""
        ...

    def take_turn(self, circle: tuple[str, ...]) -> int:
        """That turn, which nobody else gets then."""
        ...


class Guards(filters.Guards, Protocol):
    """The settings that steer routing."""

    @property
    def strategy(self) -> str:
        """A name in `STRATEGIES`."""
        ...


class Plan:
    """What requests alike may use; its routes are made when first looked at.

    Safe from any thread.
    """

    def __init__(
        self,
        ranks: tuple[Rank, ...],
        left_out: tuple[LeftOut, ...],
        calendar: Calendar = LONG_AGO,
        unlikely: frozenset[tuple[str, str]] = frozenset(),
    ) -> None:
        self.ranks = ranks
        self.left_out = left_out
        self.calendar = calendar
        self.unlikely = unlikely
        self.providers = frozenset(provider.id for rank in ranks for provider, _ in rank)
        self._routes: list[tuple[Route, ...] | None] = [None] * len(ranks)
        self._is_crowd = [sum(len(who.keys) for who, _ in rank) > FEW for rank in ranks]

    def is_crowd(self, place: int) -> bool:
        """Whether that rank has too many routes to look at each."""
        return self._is_crowd[place]

    def routes(self, place: int, pool: Routes) -> tuple[Route, ...]:
        """Every key's route of one rank, in declared order."""
        routes = self._routes[place]
        if routes is None:
            routes = self._routes[place] = tuple(
                pool.route(provider, key, model)
                for provider, model in self.ranks[place]
                for key in provider.keys
            )
        return routes


class Candidates:
    """The routes for one call.

    `stay` is the conversation it belongs to, `avoid` who is to be asked last.
    """

    __slots__ = (
        *("_ask", "_avoid", "_crowded", "_plan", "_pool", "_short", "_stay", "_strategy", "_turn"),
        "needs",
    )

    def __init__(
        self,
        plan: Plan,
        needs: Needs,
        pool: Routes,
        strategy: str,
        turn: int,
        stay: Stay | None = None,
        avoid: tuple[str, ...] = (),
    ) -> None:
        self.needs = needs
        self._ask = Ask(needs.tokens, needs.output, needs.surely, needs.surely_in_all)
        self._plan = plan
        self._pool = pool
        self._strategy = strategy
        self._turn = turn
        self._stay = stay
        self._avoid = avoid
        self._crowded: dict[Route, float] = {}
        self._short: dict[Route, int] = {}
        """Those whose contexts turned out to be shorter than the prompt."""

    @property
    def providers(self) -> frozenset[str]:
        """The ids of all who have an admissible route, ready or not."""
        return self._plan.providers

    @property
    def tokens(self) -> int:
        """What one attempt is expected to use, prompt and answer, unless `output` is None."""
        return self._ask.tokens

    @property
    def output(self) -> int | None:
        """What of that is for the answer; None where its length is left open (see `Ask`)."""
        return self._ask.output

    def views(self, now: float) -> Iterator[RouteView]:
        """Every admissible route as it is now, ready or not, best first; lazily, rank by rank.

        Routes whose limits, as they are known now, never let so large a request through are left
        out, unless there are no others. Where the conversation is at home goes first, if ready. Of
        very many routes those that are ready come first.
        """
        return self._as_wanted(now, self._in_order(now, self._whole_crowd))

    def ready(self, now: float) -> Iterator[RouteView]:
        """Those of the views that are ready, in that order; of very many few are looked at."""
        ordered = self._as_wanted(now, self._in_order(now, self._ready_crowd))
        return (view for view in ordered if view.ready_at <= now)

    def soonest(
        self, now: float, is_open: Callable[[Route], bool], *, by: float = -math.inf
    ) -> RouteView | None:
        """The first of the views to be ready, of those open to the call; None where none will be.

        One that is ready `by` then is soon enough.
        """
        found: RouteView | None = None
        for view in self._long_enough(now, self._soon(now, is_open)):
            if view.ready_at < (math.inf if found is None else found.ready_at):
                found = view
                if view.ready_at <= by:
                    break
        return found

    def served(self, route: Route) -> None:
        """That one has answered the call."""
        if self._stay is not None:
            self._stay.settle(route)

    def is_unlikely(self, route: Route) -> bool:
        """Whether its model, of which no context is told, will hardly have room."""
        return (route.provider.id, route.model.id) in self._plan.unlikely

    def _as_wanted(self, now: float, views: Iterator[RouteView]) -> Iterator[RouteView]:
        views = self._long_enough(now, views)
        home = None if self._stay is None else self._stay.home
        if home is not None:
            views = self._from_home(home, now, views)
        return put_last(views, self._avoid) if self._avoid else views

    def _long_enough(self, now: float, views: Iterator[RouteView]) -> Iterator[RouteView]:
        """Without those whose models have said of themselves that such a prompt is too long."""
        if self._pool.contexts.is_empty:
            return views
        return (view for view in views if self._fits(view.route, now))

    def _fits(self, route: Route, now: float) -> bool:
        needs = self.needs
        window = self._pool.contexts.too_short(route, now, prompt=needs.prompt, surely=needs.surely)
        if window is not None:
            self._short[route] = window
        return window is None

    def _from_home(self, home: Home, now: float, views: Iterator[RouteView]) -> Iterator[RouteView]:
        told: set[Route] = set()
        for view in self._at_home(home, now):
            if view.ready_at <= now and view.route not in told and self._fits(view.route, now):
                told.add(view.route)
                yield view
        yield from (view for view in views if view.route not in told)

    def _at_home(self, home: Home, now: float) -> Iterator[RouteView]:
        """The routes of the account that served the conversation, then others of that model."""
        for place, rank in enumerate(self._plan.ranks):
            here = tuple(
                one for one in rank if (one[0].id, one[1].id) == (home.provider, home.model)
            )
            if here and not self._plan.is_crowd(place):
                near = at_home(self._plan.routes(place, self._pool), home)
                yield from self._sorted_out(self._seen(near, now), [])
            elif here:
                for provider, model in here:
                    near = self._pool.of_account(provider, model, home.account)
                    yield from self._sorted_out(self._seen(near, now), [])
                yield from self._crowd(here).best(now)

    def _in_order(
        self, now: float, crowd: Callable[[Rank, int, float], Iterator[RouteView]]
    ) -> Iterator[RouteView]:
        """Rank by rank; `crowd` gives what is wanted of one that has very many routes."""
        crowded: list[RouteView] = []
        is_served = False
        strategy = STRATEGIES[self._strategy]
        for place, rank in enumerate(self._plan.ranks):
            if self._plan.is_crowd(place) and self._crowd(rank).is_large_enough(now):
                is_served = True
                yield from crowd(rank, place, now)
                continue
            routes = self._plan.routes(place, self._pool)
            views = self._sorted_out(self._seen(routes, now), crowded)
            is_served = is_served or bool(views)
            yield from views if len(views) <= 1 else strategy(views, self._turn)
        self._crowded = {view.route: self._most(view) for view in crowded} if is_served else {}
        if not is_served:
            yield from crowded

    def _seen(self, routes: Sequence[Route], now: float) -> tuple[RouteView, ...]:
        return self._pool.views(routes, now, tokens=self._ask.tokens, output=self._ask.output)

    def _ready_crowd(self, rank: Rank, _place: int, now: float) -> Iterator[RouteView]:
        crowd = self._crowd(rank)
        return crowd.in_turn(now, self._turn) if self._strategy in IN_TURN else crowd.best(now)

    def _whole_crowd(self, rank: Rank, place: int, now: float) -> Iterator[RouteView]:
        told: set[Route] = set()
        for view in self._ready_crowd(rank, place, now):
            told.add(view.route)
            yield view
        views = self._seen(self._plan.routes(place, self._pool), now)
        yield from self._sorted_out([view for view in views if view.route not in told], [])

    def _soon(self, now: float, is_open: Callable[[Route], bool]) -> Iterator[RouteView]:
        """Views among which is the first to be ready."""

        def soonest_of(rank: Rank, _place: int, now: float) -> Iterator[RouteView]:
            view = self._crowd(rank).soonest(now, is_open)
            return iter(()) if view is None else iter((view,))

        return (view for view in self._in_order(now, soonest_of) if is_open(view.route))

    def _crowd(self, rank: Rank) -> Crowd:
        return Crowd(rank, self._pool, ORDERS[self._strategy], self._ask)

    def reservation(self, route: Route) -> str | None:
        """Why the route comes after all others that were wanted alike; None if it does not."""
        if nearness(route, self._avoid):
            return "is to be avoided"
        return reservation(route.model, self.needs, self._plan.calendar)

    def left_out(self) -> tuple[tuple[str, str, str], ...]:
        """(provider, model, reason) for what cannot serve this request.

        What only the limits leave out is told once `views` was gone through to its end.
        """
        unable = ((out.provider, out.model, out.reason) for out in self._plan.left_out)
        crowded = (
            (route.provider, route.model, _too_few(most, self.needs))
            for route, most in self._crowded.items()
        )
        short = (
            (route.provider, route.model, _too_short(window, self.needs))
            for route, window in self._short.items()
        )
        told = ((one.name, model.id, why) for one, model, why in (*unable, *crowded, *short))
        return tuple(dict.fromkeys(told))

    def _sorted_out(
        self, views: Sequence[RouteView], crowded: list[RouteView]
    ) -> Sequence[RouteView]:
        """The views of routes that are large enough; the others are put to the crowded ones."""
        prompt, whole = self._ask.prompt, self._ask.whole
        small: set[Route] = set()
        for view in views:
            if prompt > view.most_input or (whole > view.most and self._is_too_much(view)):
                small.add(view.route)
        if not small:
            return views
        crowded += [view for view in views if view.route in small]
        return [view for view in views if view.route not in small]

    def _is_too_much(self, view: RouteView) -> bool:
        """Whether prompt and answer never fit, as far as its provider counts the answer at all."""
        reserves, output = view.route.provider.spec.reserves, self.needs.output or 0
        if reserves is not None and reserves.most is not None:
            output = min(output, reserves.most)
        return self.needs.surely + output > view.most

    def _most(self, view: RouteView) -> float:
        return view.most_input if self.needs.surely > view.most_input else view.most


def _too_short(window: int, needs: Needs) -> str:
    return f"context of {window} tokens, as it told, is too short for about {needs.prompt}"


def _too_few(most: float, needs: Needs) -> str:
    answer = "" if needs.output is None else f" and an answer of {needs.output}"
    return (
        f"its limits let {most:g} tokens through at once, too few for about {needs.prompt}{answer}"
    )


class Router:
    """Turns requests into candidates. Safe from any thread."""

    def __init__(self, pool: Routes, guards: Guards, affinity: Affinity | None = None) -> None:
        self._pool = pool
        self._guards = guards
        self._strategy = guards.strategy
        self._known = _Known({}, 0)
        self._affinity = Affinity() if affinity is None else affinity

    def candidates(self, request: Request, catalogs: Catalogs, *, utc: float = 0.0) -> Candidates:
        """What may serve a request, given each provider's models (the same object while unchanged).

        `utc` is now (epoch seconds), for what ends on a day; 0 for who does not care.
        Each call takes a turn, by which a rotation moves on; the pool counts them, so that clients
        that share it, one after another or at once, share the rotation too.

        Raises:
            ConfigError: A name matches nothing, or only what the settings rule out.
        """
        plan, needs = self._planned(request, catalogs, utc)
        turn = self._pool.take_turn(self._known.circle)
        return self._candidates(request, plan, needs, turn)

    def preview(self, request: Request, catalogs: Catalogs, *, utc: float = 0.0) -> Candidates:
        """What `candidates` would give now, without taking a turn; raises what it does."""
        plan, needs = self._planned(request, catalogs, utc)
        turn = self._pool.turn(self._known.circle)
        return self._candidates(request, plan, needs, turn)

    def _candidates(self, request: Request, plan: Plan, needs: Needs, turn: int) -> Candidates:
        stay = None
        if request.affinity is not None:
            best = min((provider.priority for provider in self._known.catalogs), default=0)
            # Whoever asks for other models talks to somebody else, though in the same conversation.
            conversation = "\n".join((request.affinity, *request.wanted))
            stay = Stay(self._affinity, conversation, best)
        return Candidates(plan, needs, self._pool, self._strategy, turn, stay, avoid=request.avoid)

    def _planned(self, request: Request, catalogs: Catalogs, utc: float) -> tuple[Plan, Needs]:
        known, day = self._known, int(utc // A_DAY)
        if known.catalogs is not catalogs or known.day != day:
            known = self._known = _Known(catalogs, day)
        needs = needs_of(request)
        likeness = known.likeness(request.wanted, needs)
        plan = known.plans.get(likeness)
        if plan is None:
            if len(known.plans) >= PLANS_KEPT:
                known.plans.clear()
            plan = known.plans[likeness] = _plan(request.wanted, needs, self._guards, known)
        return plan, needs


class _Known:
    """What was worked out from one state of the catalogs, on one day (counted from 1970)."""

    def __init__(self, catalogs: Catalogs, day: int) -> None:
        self.catalogs = catalogs
        self.day = day
        self.calendar = calendar_at(day * A_DAY)
        self.circle = tuple(sorted({provider.id for provider in catalogs}))
        self.plans: dict[Likeness, Plan] = {}
        self._sizes = thresholds(catalogs)
        self._counted = tuple(counted(catalogs).items())

    def likeness(self, wanted: tuple[str, ...], needs: Needs) -> Likeness:
        sizes = self._sizes
        return (
            wanted,
            needs.tools,
            needs.forced_tool,
            needs.parallel_calls,
            needs.vision,
            needs.parts,
            needs.json_schema,
            needs.images,
            bisect_left(sizes, needs.surely),
            None if needs.output is None else bisect_left(sizes, needs.output),
            bisect_left(sizes, needs.surely_in_all),
            needs.is_brief,
            any(needs.counts) and self._numbers(needs.counts),  # most requests have none
        )

    def _numbers(self, counts: Counts) -> tuple[int, ...]:
        """Between which declared numbers each count lies."""
        return tuple(bisect_left(most, getattr(counts, name)) for name, most in self._counted)


def _plan(wanted: tuple[str, ...], needs: Needs, guards: Guards, known: _Known) -> Plan:
    catalogs, calendar = known.catalogs, known.calendar

    def comes_last(model: ModelSpec) -> bool:
        return reservation(model, needs, calendar) is not None

    ranks = resolve(wanted, catalogs, comes_last)
    kept, left_out = admit(ranks, needs, guards, catalogs, calendar)
    if left_out:
        _check_settings(wanted, guards, catalogs)
    return Plan(kept, left_out, calendar, unlikely(kept, needs, catalogs))


def _check_settings(wanted: tuple[str, ...], guards: Guards, catalogs: Catalogs) -> None:
    """Refuse a name that the settings leave nothing of: trying again would never help."""
    for name in wanted:
        kept, left_out = admit(in_ranks(matches(name, catalogs)), Needs(), guards, catalogs)
        if not kept:
            reasons = " and ".join(sorted({out.reason for out in left_out}))
            shown = ", ".join(
                sorted({f"{out.provider.name}/{out.model.id}" for out in left_out})[:5]
            )
            raise ConfigError(f"the settings leave nothing of model {name!r}: {shown}: {reasons}")
