"""Every route and what is known of it now: the only mutable state of the engine.

Rules:
- One plain lock, held for arithmetic only: never across a callback, an await or I/O. Safe from any thread and loop.
- `now` is passed in, on one monotonic clock for all callers of a pool. Questions (`views`, `ready_at`, `rests`, `snapshot`)
  change nothing that could be seen.
- State belongs to (provider id, account, key fingerprint, model id), so clients over the same keys share it, while each
  keeps the routes of its own provider objects.
- What is leased is settled, exactly once.
"""

from __future__ import annotations

import math
import os
from threading import Lock
from typing import TYPE_CHECKING

from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.pool.lease import Abandoned, Cooled, Lease, Outcome, Success, Taken
from freelm_integrations.pool.scopes import (
    AccountState,
    KeyState,
    ModelState,
    ProviderState,
    Quota,
    RouteState,
)
from freelm_integrations.pool.snapshot import KeyRow, rows_of
from freelm_integrations.pool.verdicts import VERDICTS
from freelm_integrations.pool.view import Route, RouteView
from freelm_integrations.pool.window import Window
from freelm_integrations.providers.spec import Limit
from freelm_integrations.wire.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freelm_integrations.chat import Usage
    from freelm_integrations.clock import Clock
    from freelm_integrations.pool.scopes import WindowName
    from freelm_integrations.pool.verdicts import Verdict
    from freelm_integrations.providers.provider import Key, Provider
    from freelm_integrations.providers.spec import ModelSpec, Unit
    from freelm_integrations.wire.hints import Reading

__all__ = [
    "Abandoned",
    "Cooled",
    "Lease",
    "Outcome",
    "Pool",
    "Success",
    "shared_pool",
]

ROUTES_A_STATE = 8
"""How many clients' route objects are remembered for one state; the oldest are forgotten, and known again when met."""


class _Seat:
    """A route object's place in the pool: its state, and its last view while that holds."""

    __slots__ = ("fresh_from", "fresh_until", "room", "seen", "state", "view")

    def __init__(self, route: Route, state: RouteState) -> None:
        self.state = state
        self.view = RouteView(route, -math.inf, 1.0, None, 0)
        self.seen = -1
        self.fresh_from = math.inf
        self.fresh_until = -math.inf
        self.room = 0.0
        """Tokens that certainly fit while the view is fresh."""

    def is_fresh(self, now: float) -> bool:
        state = self.state
        return (
            self.seen == state.account.version + state.provider.version
            and self.fresh_from <= now < self.fresh_until
        )

    def refresh(self, now: float) -> None:
        """Take the view anew, and reckon how long it will hold if nothing happens."""
        state = self.state
        ready_at, why = _rested_at(state, now)
        headroom, room, changes_at = 1.0, math.inf, math.inf
        for window in state.quota.windows:
            left = window.remaining(now)
            headroom = min(headroom, left / window.amount if window.amount > 0 else 0.0)
            changes_at = min(changes_at, window.changes_at(now))
            if window.unit != "requests":
                room = min(room, left)
            if left < 1.0 and (window_at := window.ready_at(now, 1.0)) > ready_at:
                ready_at, why = window_at, "window"
        if ready_at > now:
            changes_at = min(changes_at, ready_at)
        else:
            why = None
        route = self.view.route
        self.view = RouteView(route, ready_at, headroom, state.latency, state.in_flight, why)
        self.room = room
        self.seen = state.account.version + state.provider.version
        self.fresh_from = now
        # With a probe under way the breaker says "ask again soon", counted from each asking.
        self.fresh_until = now if state.key.breaker.is_probing else changes_at


class Pool:
    """See the module. `clock` is asked for calendar time and chance only."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        """Know nothing yet."""
        self._clock = clock
        self._lock = Lock()
        self._providers: dict[str, ProviderState] = {}
        self._seats: dict[Route, _Seat] = {}

    # ------------------------------------------------------------------ routes

    def route(self, provider: Provider, key: Key, model: ModelSpec) -> Route:
        """The one object for these three; a model declared anew under the same id gets a new one, over the same state."""
        with self._lock:
            state = self._state(provider, key, model)
            route = state.routes.get(id(provider))
            if route is None or route.model is not model or route.key is not key:
                route = Route(provider, key, model)
                self._adopt(route)
            return route

    def _state(self, provider: Provider, key: Key, model: ModelSpec) -> RouteState:
        home = self._providers.get(provider.id)
        if home is None:
            home = self._providers[provider.id] = ProviderState()
        account = home.accounts.get(key.account)
        if account is None:
            account = home.accounts[key.account] = AccountState()
        state = account.routes.get((key.fingerprint, model.id))
        if state is None:
            state = RouteState(
                home,
                account,
                home.keys.setdefault(key.fingerprint, KeyState()),
                home.models.setdefault(model.id, ModelState()),
                account.quotas.setdefault(model.id, Quota()),
            )
            account.routes[key.fingerprint, model.id] = state
        return state

    def _adopt(self, route: Route) -> _Seat:
        """Give a route object its seat, and declare its limits."""
        state = self._state(route.provider, route.key, route.model)
        old = state.routes.pop(id(route.provider), None)
        if old is None and len(state.routes) >= ROUTES_A_STATE:
            old = state.routes.pop(next(iter(state.routes)))
        if old is not None:
            self._seats.pop(old, None)
        state.routes[id(route.provider)] = route
        account, quota = state.account, state.quota
        known = len(account.shared)
        self._declare(account.shared, route.provider.shared_limits)
        self._declare(quota.own, route.provider.limits_of(route.model))
        for other in account.quotas.values() if len(account.shared) > known else (quota,):
            other.windows = (*account.shared.values(), *other.own.values())
        account.version += 1
        seat = self._seats[route] = _Seat(route, state)
        return seat

    def _declare(self, windows: dict[WindowName, Window], limits: Sequence[Limit]) -> None:
        for limit in limits:
            if limit.amount == math.inf:
                continue
            name = (limit.unit, limit.per, limit.resets)
            window = windows.get(name)
            if window is None:
                windows[name] = Window(limit, self._clock)
            elif window.declared != limit.amount:
                window.declare(limit.amount)

    # ------------------------------------------------------------------ questions

    def views(
        self, routes: Sequence[Route], now: float, *, tokens: int = 0
    ) -> tuple[RouteView, ...]:
        """Each route as it is now, in the order given; ready means that `tokens` more would fit as well."""
        views: list[RouteView] = []
        with self._lock:
            seats = self._seats
            for route in routes:
                seat = seats.get(route) or self._adopt(route)
                if not seat.is_fresh(now):
                    seat.refresh(now)
                view = seat.view
                if tokens > seat.room:
                    view = _crowded(view, seat.state.quota.windows, now, tokens)
                views.append(view)
        return tuple(views)

    def ready_at(self, routes: Sequence[Route], now: float, *, tokens: int = 0) -> float:
        """The earliest moment one of them can be leased: `now` if one can already, inf if none ever."""
        views = self.views(routes, now, tokens=tokens)
        return min((max(now, view.ready_at) for view in views), default=math.inf)

    def rests(self, route: Route, now: float) -> str | None:
        """Why the route is not ready, in one word; None when it is. See `RouteView.resting`."""
        return self.views((route,), now)[0].resting

    def refused(self, route: Route) -> frozenset[str]:
        """Request parameters this model was seen to refuse."""
        with self._lock:
            return (self._seats.get(route) or self._adopt(route)).state.model.refused

    def snapshot(
        self, now: float, providers: Sequence[Provider] | None = None
    ) -> tuple[KeyRow, ...]:
        """A row a key: of these providers' keys, used or not, in their order; without them, of all that were routed."""
        with self._lock:
            return rows_of(self._providers, now, providers, self._clock)

    # ------------------------------------------------------------------ commands

    def lease(self, route: Route, now: float, *, tokens: int = 0, output: int = 0) -> Lease | None:
        """Leave to make one attempt now, or None.

        Args:
            route: Where.
            now: The present moment.
            tokens: What it may use, prompt and answer together.
            output: How much of that is meant for the answer.
        """
        with self._lock:
            state = (self._seats.get(route) or self._adopt(route)).state
            key = state.key
            if key.retired is not None:
                return None
            for rest in state.rests:
                if rest.until > now:
                    return None
            is_probe = not key.breaker.is_closed
            if is_probe and key.breaker.ready_at(now) > now:
                return None
            windows = state.quota.windows
            needs = _needs(tokens, output)
            for window in windows:
                if not window.fits(now, needs[window.unit]):
                    return None
            taken = [
                Taken(window, window.take(now, need := needs[window.unit]), need, window.moves)
                for window in windows
            ]
            if is_probe:
                key.breaker.begin_probe()
            state.in_flight += 1
            state.account.version += 1
            return Lease(route, state, taken, is_probe=is_probe)

    def settle(
        self,
        lease: Lease,
        outcome: Outcome,
        now: float,
        *,
        usage: Usage | None = None,
        readings: Sequence[Reading] = (),
    ) -> Cooled | None:
        """Close a lease with its outcome; what it cooled, if anything.

        What the lease took is corrected by the real usage, or given back as far as the fault's verdict says; then by what
        the server read out of its windows.

        Raises:
            RuntimeError: It was settled before.
        """
        with self._lock:
            if lease.is_settled:
                message = "a lease is settled exactly once, and this one was"
                raise RuntimeError(message)
            lease.is_settled = True
            state = lease.state
            state.in_flight -= 1
            state.account.version += 1
            _settle_windows(lease, outcome, now, usage)
            if readings:
                self._learn(lease, readings, now, usage)
            if isinstance(outcome, Fault):
                return self._blame(lease, outcome, now)
            if isinstance(outcome, Success):
                _praise(lease, outcome, now)
            else:
                _let_go(lease, outcome)
            return None

    def learn_refused(self, route: Route, parameter: str) -> bool:
        """Remember that this model refuses a request parameter; False if that was known."""
        with self._lock:
            model = (self._seats.get(route) or self._adopt(route)).state.model
            if parameter in model.refused:
                return False
            model.refused |= {parameter}
            return True

    def forget(self, provider_id: str | None = None) -> None:
        """Know nothing any more, of one provider or of all; leases still open are settled as usual, without effect."""
        with self._lock:
            if provider_id is None:
                self._providers.clear()
                self._seats.clear()
                return
            self._providers.pop(provider_id, None)
            for route in [route for route in self._seats if route.provider.id == provider_id]:
                del self._seats[route]

    # ------------------------------------------------------------------ what a fault does

    def _blame(self, lease: Lease, fault: Fault, now: float) -> Cooled | None:
        state, verdict = lease.state, VERDICTS[fault.kind]
        key = state.key
        state.provider.version += 1
        key.last_fault, key.fault_at = fault, now
        if verdict.retires_key:
            key.retired = fault.kind
        opened = self._feed(lease, verdict, now)
        if verdict.retires_key:
            return Cooled("key", math.inf)
        cooled = _cool(state, fault, verdict, now)
        if cooled is None and opened is not None:
            return Cooled("key", opened)
        return cooled

    def _feed(self, lease: Lease, verdict: Verdict, now: float) -> float | None:
        """Tell the breaker; the seconds it stays open if this opened it."""
        breaker = lease.state.key.breaker
        if verdict.feeds_breaker:
            return breaker.fault(now, is_probe=lease.is_probe, chance=self._clock.chance())
        breaker.alive(is_probe=lease.is_probe)
        return None

    # ------------------------------------------------------------------ what a reading teaches

    def _learn(
        self, lease: Lease, readings: Sequence[Reading], now: float, usage: Usage | None
    ) -> None:
        for reading in readings:
            taken = _taken_for(lease, reading)
            if taken is None:
                self._discover(lease.state, reading, now)
                continue
            window = taken.window
            is_alone = window.open == 0 and window.moves == taken.moves + 1
            # Headers are written before the answer is: its tokens may not be in them.
            unseen = 0.0 if window.unit == "requests" else _tokens(usage, taken.amount)
            window.learn(reading, now, is_alone=is_alone, unseen=unseen)

    def _discover(self, state: RouteState, reading: Reading, now: float) -> None:
        """A window nobody declared: taken for the model's own, as a wrong guess then blocks the least."""
        if reading.limit is None or not 0 < reading.limit < math.inf or reading.per <= 0:
            return
        quota = state.quota
        name = (reading.unit, reading.per, "rolling")
        window = quota.own.get(name)
        if window is None:
            limit = Limit(reading.limit, reading.unit, per=reading.per)
            window = quota.own[name] = Window(limit, self._clock, source="header")
            quota.windows = (*state.account.shared.values(), *quota.own.values())
        window.learn(reading, now, is_alone=False)


def _rested_at(state: RouteState, now: float) -> tuple[float, str | None]:
    """When nothing rests any more, windows aside, and what rests longest."""
    if state.key.retired is not None:
        return math.inf, "retired"
    ready_at, why = -math.inf, None
    for rest in state.rests:
        if rest.until > ready_at:
            ready_at, why = rest.until, rest.kind
    breaker_at = state.key.breaker.ready_at(now)
    return (breaker_at, "breaker") if breaker_at > ready_at else (ready_at, why)


def _needs(tokens: int, output: int) -> Mapping[Unit, float]:
    return {
        "requests": 1.0,
        "tokens": tokens,
        "input_tokens": tokens - output,
        "output_tokens": output,
    }


def _crowded(view: RouteView, windows: Sequence[Window], now: float, tokens: int) -> RouteView:
    """The view for a request of so many tokens, where that may not fit."""
    ready_at = max(
        (window.ready_at(now, tokens) for window in windows if window.unit != "requests"),
        default=-math.inf,
    )
    if ready_at <= max(now, view.ready_at):
        return view
    return view._replace(ready_at=ready_at, resting="window")


def _settle_windows(lease: Lease, outcome: Outcome, now: float, usage: Usage | None) -> None:
    refunds = VERDICTS[outcome.kind].refunds if isinstance(outcome, Fault) else "nothing"
    for window, entry, took, _ in lease.taken:
        used = took
        if window.unit == "requests":
            used = 0.0 if refunds == "all" else took
        elif usage is not None:
            used = _used(usage, window.unit)
        elif refunds != "nothing":
            used = 0.0
        window.settle(entry, now, took=took, used=used)


def _used(usage: Usage, unit: Unit) -> float:
    if unit == "input_tokens":
        return usage.prompt_tokens
    if unit == "output_tokens":
        return usage.completion_tokens
    return max(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)


def _tokens(usage: Usage | None, otherwise: float) -> float:
    return otherwise if usage is None else usage.completion_tokens


def _taken_for(lease: Lease, reading: Reading) -> Taken | None:
    """What the lease holds of the window a reading speaks of; where two are alike, the one of the same limit."""
    alike = [
        taken
        for taken in lease.taken
        if taken.window.unit == reading.unit and taken.window.per == reading.per
    ]
    if len(alike) > 1:
        alike.sort(key=lambda taken: taken.window.amount != reading.limit)
    return alike[0] if alike else None


def _cool(state: RouteState, fault: Fault, verdict: Verdict, now: float) -> Cooled | None:
    """Let rest what the fault names, else what the table does."""
    scope = verdict.scope if fault.scope is None else fault.scope
    rest = state.targets.get(scope)
    if rest is None or (verdict.cools_for <= 0 and fault.retry_after is None):
        return None
    seconds = rest.cool(fault, verdict, now)
    return Cooled(scope, seconds) if seconds > 0 else None


def _praise(lease: Lease, success: Success, now: float) -> None:
    """Note a success: the breaker closes, and the next cooldown is a first one again."""
    state = lease.state
    breaker = state.key.breaker
    if lease.is_probe or not breaker.is_closed:
        state.provider.version += 1
    breaker.alive(is_probe=lease.is_probe)
    for rest in state.rests:
        if rest.strikes:
            rest.forgive(now)
    if success.latency is not None:
        state.smooth(success.latency)


def _let_go(lease: Lease, abandoned: Abandoned) -> None:
    """Blame nobody, but remember slowness: what was dropped while silent was at least that slow."""
    state, silent_for = lease.state, abandoned.silent_for
    if lease.is_probe:
        state.key.breaker.abandoned()
        state.provider.version += 1
    if silent_for is not None and (state.latency is None or silent_for > state.latency):
        state.smooth(silent_for)


_SHARED: list[Pool] = []
_SHARED_LOCK = Lock()


def shared_pool() -> Pool:
    """The pool of this process; a forked child begins with an empty one, as leases and locks are its parent's."""
    with _SHARED_LOCK:
        if not _SHARED:
            _SHARED.append(Pool())
        return _SHARED[0]


def _after_fork() -> None:
    global _SHARED_LOCK  # noqa: PLW0603 - it may have been held by a thread that is not in the child
    _SHARED_LOCK = Lock()
    _SHARED.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
