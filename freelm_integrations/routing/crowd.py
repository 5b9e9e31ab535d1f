"""A rank of very many routes, gone through best first without looking at each of them.

The pool keeps the routes of every model in a strategy's order; here those of a rank's models are
brought together as the strategy would have them. What comes out first is what sorting all of them
would have put first.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from freelm_integrations.pool.view import Ask, Order, Route, RouteView
    from freelm_integrations.providers.provider import Provider
    from freelm_integrations.providers.spec import ModelSpec
    from freelm_integrations.routing.catalog import Choice, Rank

FEW = 48
"""Up to so many routes, looking at each takes no longer than keeping them in order."""
GROWTH = 8
"""How many times as many routes are asked for where those before were not enough."""


class Ordered(Protocol):
    """What is asked of the pool: see there."""

    def best(
        self,
        provider: Provider,
        model: ModelSpec,
        order: Order,
        now: float,
        ask: Ask,
        *,
        count: int,
        first: int = 0,
    ) -> list[RouteView]:
        """The best routes that are ready."""
        ...

    def soonest(
        self,
        provider: Provider,
        model: ModelSpec,
        order: Order,
        now: float,
        ask: Ask,
        *,
        count: int,
    ) -> list[RouteView]:
        """The first to be ready."""
        ...

    def may_serve(
        self, provider: Provider, model: ModelSpec, order: Order, now: float, ask: Ask
    ) -> bool:
        """Whether the limits of any let such a request through."""
        ...


class Crowd:
    """One rank, for requests of one need; `order` is the strategy's."""

    def __init__(self, rank: Rank, pool: Ordered, order: Order, ask: Ask) -> None:
        self._rank = rank
        self._pool = pool
        self._order = order
        self._ask = ask

    def best(self, now: float) -> Iterator[RouteView]:
        """Those that are ready, best first; lazily."""
        lines = [self._line(choice, now) for choice in self._rank]
        if len(lines) == 1:
            return lines[0]
        return heapq.merge(*lines, key=self._place)

    def in_turn(self, now: float, turn: int) -> Iterator[RouteView]:
        """Those that are ready, one of each provider at a time, from where it is their turn."""
        lap, first = divmod(turn, max(1, len(self._rank)))
        rotated = (*self._rank[first:], *self._rank[:first])
        for priority in sorted({provider.priority for provider, _ in rotated}):
            lines = deque(
                self._line(choice, now, lap=lap)
                for choice in rotated
                if choice[0].priority == priority
            )
            while lines:
                line = lines.popleft()
                if (view := next(line, None)) is not None:
                    yield view
                    lines.append(line)

    def soonest(self, now: float, is_open: Callable[[Route], bool]) -> RouteView | None:
        """The first to be ready of those that are open to the call; None where none is."""
        found: RouteView | None = None
        for provider, model in self._rank:
            count = GROWTH
            while True:
                views = self._pool.soonest(
                    provider, model, self._order, now, self._ask, count=count
                )
                some = [view for view in views if is_open(view.route)]
                if some or len(views) < count:
                    break
                count *= GROWTH
            for view in some:
                if found is None or view.ready_at < found.ready_at:
                    found = view
        return None if found is None or found.ready_at == math.inf else found

    def is_large_enough(self, now: float) -> bool:
        """Whether the limits of any of them let such a request through."""
        return any(
            self._pool.may_serve(provider, model, self._order, now, self._ask)
            for provider, model in self._rank
        )

    def _line(self, choice: Choice, now: float, *, lap: int = 0) -> Iterator[RouteView]:
        """The ready routes of one model; more of them are asked for as they are needed."""
        provider, model = choice
        first = lap % max(1, len(provider.keys))
        seen: set[Route] = set()
        count = 1
        while True:
            views = self._pool.best(
                provider, model, self._order, now, self._ask, count=count, first=first
            )
            for view in views:
                if view.route not in seen:
                    seen.add(view.route)
                    yield view
            if len(views) < count:
                return
            count *= GROWTH

    def _place(self, view: RouteView) -> tuple[float, ...]:
        return view.route.provider.priority, *self._order(view)
