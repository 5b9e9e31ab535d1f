"""The routes for one call, best first and lazily: rank by rank, each in the strategy's order.

What a request may use is worked out once for all requests alike (same names, same needs, same
catalogs) and kept as a plan; a call then only looks at the ranks it gets to.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Protocol, TypeAlias

from freelm_integrations.errors import ConfigError
from freelm_integrations.routing import filters
from freelm_integrations.routing.affinity import Affinity, Stay, at_home
from freelm_integrations.routing.avoidance import nearness, put_last
from freelm_integrations.routing.catalog import in_ranks, matches, resolve
from freelm_integrations.routing.filters import (
    LeftOut,
    admit,
    counted,
    reservation,
    thresholds,
)
from freelm_integrations.routing.needs import Needs, needs_of
from freelm_integrations.routing.retirement import A_DAY, LONG_AGO, Calendar, calendar_at
from freelm_integrations.routing.strategies import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freelm_integrations.chat import Request
    from freelm_integrations.pool.view import Route, RouteView
    from freelm_integrations.providers.provider import Key, Provider
    from freelm_integrations.providers.spec import ModelSpec
    from freelm_integrations.routing.affinity import Home
    from freelm_integrations.routing.catalog import Catalogs, Rank
    from freelm_integrations.routing.needs import Counts
    from freelm_integrations.routing.strategies import Strategy

    Likeness: TypeAlias = tuple[object, ...]

PLANS_KEPT = 256
"""How many plans are remembered; past that all are forgotten and made again when needed."""


class Routes(Protocol):
    """What routing asks of the pool."""

    def route(self, provider: Provider, key: Key, model: ModelSpec) -> Route:
        """The one object for these three."""
        ...

    def views(
        self, routes: Sequence[Route], now: float, *, tokens: int = 0
    ) -> tuple[RouteView, ...]:
        """Each route as it is now, in the order given."""
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
    ) -> None:
        self.ranks = ranks
        self.left_out = left_out
        self.calendar = calendar
        self._routes: list[tuple[Route, ...] | None] = [None] * len(ranks)

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

    `tokens` is what one attempt is expected to use, prompt and answer; `stay` is the
    conversation it belongs to, `avoid` who is to be asked last.
    """

    __slots__ = (
        *("_avoid", "_crowded", "_plan", "_pool", "_stay", "_strategy", "_turn", "needs"),
        "tokens",
    )

    def __init__(
        self,
        plan: Plan,
        needs: Needs,
        pool: Routes,
        strategy: Strategy,
        turn: int,
        stay: Stay | None = None,
        avoid: tuple[str, ...] = (),
    ) -> None:
        self.needs = needs
        self.tokens = needs.tokens
        self._plan = plan
        self._pool = pool
        self._strategy = strategy
        self._turn = turn
        self._stay = stay
        self._avoid = avoid
        self._crowded: dict[Route, float] = {}

    def views(self, now: float) -> Iterator[RouteView]:
        """Every admissible route as it is now, ready or not, best first; lazily, rank by rank.

        Routes whose limits, as they are known now, never let so large a request through are left
        out, unless there are no others. Where the conversation is at home goes first, if ready.
        """
        home = None if self._stay is None else self._stay.home
        views = self._in_order(now) if home is None else self._from_home(home, now)
        return put_last(views, self._avoid) if self._avoid else views

    def served(self, route: Route) -> None:
        """That one has answered the call."""
        if self._stay is not None:
            self._stay.settle(route)

    def _from_home(self, home: Home, now: float) -> Iterator[RouteView]:
        ranks = range(len(self._plan.ranks))
        near = at_home((route for n in ranks for route in self._plan.routes(n, self._pool)), home)
        views = self._sorted_out(self._pool.views(near, now, tokens=self.tokens), [])
        ready = [view for view in views if view.ready_at <= now]
        yield from ready
        told = {view.route for view in ready}
        yield from (view for view in self._in_order(now) if view.route not in told)

    def _in_order(self, now: float) -> Iterator[RouteView]:
        crowded: list[RouteView] = []
        is_served = False
        for place in range(len(self._plan.ranks)):
            routes = self._plan.routes(place, self._pool)
            views = self._sorted_out(self._pool.views(routes, now, tokens=self.tokens), crowded)
            is_served = is_served or bool(views)
            yield from views if len(views) <= 1 else self._strategy(views, self._turn)
        self._crowded = {view.route: self._most(view) for view in crowded} if is_served else {}
        if not is_served:
            yield from crowded

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
        told = ((one.name, model.id, why) for one, model, why in (*unable, *crowded))
        return tuple(dict.fromkeys(told))

    def _sorted_out(
        self, views: Sequence[RouteView], crowded: list[RouteView]
    ) -> Sequence[RouteView]:
        """The views of routes that are large enough; the others are put to the crowded ones."""
        prompt, whole = self.needs.surely, self.needs.surely_in_all
        small = [view for view in views if prompt > view.most_input or whole > view.most]
        if not small:
            return views
        crowded += small
        return [view for view in views if prompt <= view.most_input and whole <= view.most]

    def _most(self, view: RouteView) -> float:
        return view.most_input if self.needs.surely > view.most_input else view.most


def _too_few(most: float, needs: Needs) -> str:
    answer = "" if needs.output is None else f" and an answer of {needs.output}"
    return (
        f"its limits let {most:g} tokens through at once, too few for about {needs.prompt}{answer}"
    )


class Router:
    """Turns requests into candidates. Safe from any thread."""

    def __init__(self, pool: Routes, guards: Guards) -> None:
        self._pool = pool
        self._guards = guards
        self._strategy = STRATEGIES[guards.strategy]
        self._known = _Known({}, 0)
        self._affinity = Affinity()

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
        return Candidates(
            plan, needs, self._pool, self._strategy, turn, stay, avoid=request.avoid
        )

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
    return Plan(kept, left_out, calendar)


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
