"""Every route and what is known of it now: the only mutable state of the engine.

Rules:
- One lock, held for arithmetic only: never across a callback, an await or I/O. Safe from any thread
  and loop. It lets its holder in again: a stream nobody holds any more may be collected, and so
  settled, in the very thread that is in here.
- `now` is passed in, on one monotonic clock for all callers of a pool. Questions (`views`,
  `ready_at`, `rests`, `snapshot`) change nothing that could be seen.
- State belongs to (provider id, account, key fingerprint, model id), so clients over the same keys
  share it, while each keeps the routes of its own provider objects.
- What is leased is settled, exactly once.
- Where counts are shared with other processes (`sharing.py`) a lease is first taken here, then
  confirmed by a ledger: `claim`, ask, `confirm`. Asking is the caller's to do, outside the lock;
  what is to be told goes into an outbox.
"""

from __future__ import annotations

import math
import os
from functools import partial
from threading import RLock
from typing import TYPE_CHECKING
from weakref import WeakSet

from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.pool.lease import Abandoned, Cooled, Lease, Outcome, Success
from freelm_integrations.pool.ledger.claim import Granted
from freelm_integrations.pool.line import Line
from freelm_integrations.pool.marks import (
    MODEL,
    is_sound,
    key_subject,
    readmitted,
    refused_mark,
    standing,
    subjects_of,
)
from freelm_integrations.pool.scopes import (
    AccountState,
    KeyState,
    ModelState,
    ProviderState,
    Quota,
    RouteState,
)
from freelm_integrations.pool.seat import Seat
from freelm_integrations.pool.settlement import blame, learn, let_go, praise, settle_windows
from freelm_integrations.pool.sharing import Sharing
from freelm_integrations.pool.snapshot import KeyRow, rows_of
from freelm_integrations.pool.view import Route, RouteView
from freelm_integrations.pool.window import Window
from freelm_integrations.wire.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from freelm_integrations.chat import Usage
    from freelm_integrations.clock import Clock
    from freelm_integrations.pool.ledger.claim import Answer, Claim, News, Question, Settlement
    from freelm_integrations.pool.ledger.outbox import Outbox
    from freelm_integrations.pool.marks import Standing
    from freelm_integrations.pool.pace import Pace
    from freelm_integrations.pool.scopes import WindowName
    from freelm_integrations.providers.provider import Key, Provider
    from freelm_integrations.providers.spec import Limit, ModelSpec, Unit
    from freelm_integrations.wire.refusals.hints import Reading

    Circle: TypeAlias = tuple[str, ...]
    """Who takes turns: ids of providers."""

__all__ = [
    "Abandoned",
    "Cooled",
    "Lease",
    "Outcome",
    "Pool",
    "Success",
]

LEAST_SHUT = 0.05
"""Seconds for which a route that the ledger denied is not asked for again, at the least."""
LONGEST_SHUT = 3_600.0
ROUTES_A_STATE = 8
"""How many clients' route objects are remembered for one state.

The oldest are forgotten, and known again when met.
"""

_POOLS: WeakSet[Pool] = WeakSet()


class Pool:
    """See the module. `clock` is asked for calendar time and chance only.

    `outbox` leads to the ledger that counts are shared through; without one nothing is shared.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK, *, outbox: Outbox | None = None) -> None:
        self._clock = clock
        self._outbox = outbox
        if outbox is not None:
            outbox.before_flush(self.give_back)
        self._sharing = None if outbox is None else Sharing(clock)
        self._lock = RLock()
        self._providers: dict[str, ProviderState] = {}
        self._seats: dict[Route, Seat] = {}
        self._turns: dict[Circle, int] = {}
        self.line = Line()
        """Who waits for a route of this pool."""
        _POOLS.add(self)

    # ------------------------------------------------------------------ routes

    def route(self, provider: Provider, key: Key, model: ModelSpec) -> Route:
        """The one object for these three.

        A model declared anew under the same id gets a new one, over the same state.
        """
        with self._lock:
            state = self._state(provider, key, model)
            route = state.routes.get(id(provider))
            if route is None or route.model is not model or route.key is not key:
                route = Route(provider, key, model)
                self._adopt(route, state)
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
            if self._sharing is not None:
                route = Route(provider, key, model)
                self._sharing.meet(route, state, self._clock.now())
        return state

    def _adopt(self, route: Route, state: RouteState | None = None) -> Seat:
        """Give a route object its seat, and declare its limits."""
        if state is None:
            state = self._state(route.provider, route.key, route.model)
        old = state.routes.pop(id(route.provider), None)
        if old is None and len(state.routes) >= ROUTES_A_STATE:
            old = state.routes.pop(next(iter(state.routes)))
        if old is not None:
            self._seats.pop(old, None)
        state.routes[id(route.provider)] = route
        account, quota = state.account, state.quota
        has_changed = self._declare(account.shared, route.provider.shared_limits)
        self._declare(quota.own, route.provider.limits_of(route.model))
        at_once = route.provider.allowance.at_once
        quota.at_once = math.inf if at_once is None else at_once
        for other in account.quotas.values() if has_changed else (quota,):
            other.windows = (*account.shared.values(), *other.own.values())
        if self._sharing is not None:
            self._sharing.meet_windows(route, state, self._clock.now())
        account.version += 1
        seat = self._seats[route] = Seat(route, state)
        return seat

    def _declare(self, windows: dict[WindowName, Window], limits: Sequence[Limit]) -> bool:
        """Let these limits hold, in place of all declared before; whether windows came or went.

        Who declares last is believed. What a server said stands: it told of a window by itself.
        """
        wanted: dict[WindowName, Limit] = {
            (limit.unit, limit.per, limit.resets): limit
            for limit in limits
            if limit.amount < math.inf
        }
        gone = [
            name
            for name, window in windows.items()
            if name not in wanted and window.source == "declared"
        ]
        for name in gone:
            del windows[name]  # leases that hold a part of it settle it without effect
        known = len(windows)
        for name, limit in wanted.items():
            window = windows.get(name)
            if window is None:
                windows[name] = Window(limit, self._clock)
            elif window.declared != limit.amount:
                window.declare(limit.amount)
        return bool(gone) or len(windows) > known

    # ------------------------------------------------------------------ questions

    def views(
        self, routes: Sequence[Route], now: float, *, tokens: int = 0, output: int = 0
    ) -> tuple[RouteView, ...]:
        """Each route as it is now, in the order given.

        Ready means that a `lease` of the same `tokens` and `output` would be given.
        """
        views: list[RouteView] = []
        needs = _needs(tokens, output)
        with self._lock:
            seats = self._seats
            for route in routes:
                seat = seats.get(route) or self._adopt(route)
                # Not a method of the seat's: this is asked of every route there is.
                if (
                    seat.seen != seat.account.version + seat.provider.version
                    or not seat.fresh_from <= now < seat.fresh_until
                ):
                    seat.refresh(now)
                views.append(seat.view if tokens <= seat.room else seat.crowded(now, needs))
        return tuple(views)

    def ready_at(self, routes: Sequence[Route], now: float, *, tokens: int = 0) -> float:
        """The earliest moment one of them can be leased, from `now` on; inf if none ever."""
        views = self.views(routes, now, tokens=tokens)
        return min((max(now, view.ready_at) for view in views), default=math.inf)

    def rests(self, route: Route, now: float) -> str | None:
        """Why the route is not ready, in one word; None when it is. See `RouteView.resting`."""
        return self.views((route,), now)[0].resting

    def refused(self, route: Route) -> frozenset[str]:
        """Request parameters this model was seen to refuse."""
        with self._lock:
            return (self._seats.get(route) or self._adopt(route)).state.model.refused

    def turn(self, circle: Circle) -> int:
        """How many turns were taken in that circle: what `take_turn` would give now."""
        return self._turns.get(circle, 0)

    def pace(self, route: Route, *, streaming: bool) -> Pace:
        """How quick the route has been so far, in streams or in whole answers."""
        with self._lock:
            return (self._seats.get(route) or self._adopt(route)).state.pacing.of(
                streaming=streaming
            )

    def has_to_spare(self, route: Route, now: float) -> bool:
        """Whether every window of the route can spare an attempt that may not be needed."""
        with self._lock:
            windows = (self._seats.get(route) or self._adopt(route)).state.quota.windows
            return all(window.has_to_spare(now) for window in windows)

    def snapshot(
        self, now: float, providers: Sequence[Provider] | None = None
    ) -> tuple[KeyRow, ...]:
        """A row for every key of these providers, used or not, in their order.

        Without providers, for every key that was routed.
        """
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
            if not state.quota.is_open(now) or (is_probe and key.breaker.ready_at(now) > now):
                return None
            windows, needs = state.quota.windows, _needs(tokens, output)
            for window in windows:
                if not window.fits(now, needs[window.unit]):
                    return None
            taken = [window.take(now, needs[window.unit]) for window in windows]
            if is_probe:
                key.breaker.begin_probe()
            state.begin()
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

        What the lease took is corrected by the real usage, or given back as far as the fault's
        verdict says; then by what the server read out of its windows.

        Raises:
            RuntimeError: It was settled before.
        """
        with self._lock:
            if lease.is_settled:
                message = "a lease is settled exactly once, and this one was"
                raise RuntimeError(message)
            lease.is_settled = True
            readings = (*readings, *outcome.limits) if isinstance(outcome, Fault) else readings
            if self._sharing is None:
                return self._close(lease, outcome, now, usage, readings)[0]
            state = lease.state
            is_plain = isinstance(outcome, Success) and is_sound(state)
            before = None if is_plain else standing(state)
            cooled, used = self._close(lease, outcome, now, usage, readings)
            settlement = self._told(self._sharing, lease, before, used, readings, usage, now)
        if settlement is not None:
            self._tell(settlement)
        return cooled

    def _close(
        self,
        lease: Lease,
        outcome: Outcome,
        now: float,
        usage: Usage | None,
        readings: Sequence[Reading],
    ) -> tuple[Cooled | None, list[float]]:
        """What was cooled, and what was used of each window."""
        lease.is_settled = True
        state = lease.state
        state.end()
        used = settle_windows(lease, outcome, now, usage)
        if readings:
            learn(lease, readings, now, usage=usage, clock=self._clock)
        if isinstance(outcome, Fault):
            return blame(lease, outcome, now, chance=self._clock.chance()), used
        if isinstance(outcome, Success):
            praise(lease, outcome, now)
        else:
            let_go(lease, outcome)
        return None, used

    # ------------------------------------------------------------------ sharing

    def claim(self, lease: Lease, now: float) -> Claim | None:
        """What to ask the ledger before the attempt is sent; None where there is nothing to ask."""
        if self._sharing is None:
            return None
        with self._lock:
            claim = self._sharing.claim(lease, now)
            left = self._sharing.left()
        for settlement in left:
            self._tell(settlement)
        return claim

    def give_back(self) -> None:
        """Tell of all that was claimed in advance and not used, as when the process ends."""
        if self._sharing is not None:
            with self._lock:
                left = self._sharing.left(of_all=True)
            for settlement in left:
                self._tell(settlement)

    def confirm(self, lease: Lease, answer: Answer, now: float) -> bool:
        """Note the ledger's answer; False if the lease is void, and nothing is held any more."""
        sharing = self._sharing
        assert sharing is not None, "only what was claimed is answered"
        with self._lock:
            state = lease.state
            state.account.version += 1
            state.provider.version += 1
            if isinstance(answer, Granted):
                sharing.answered(lease, answer, now)
                return True
            self._withdraw(lease, now)
            sharing.answered(lease, answer, now)
            after = min(max(answer.ready_at - self._clock.utc(), LEAST_SHUT), LONGEST_SHUT)
            if answer.why == "probe":
                state.key.breaker.postpone(now + after)
            elif not sharing.asked_for_more(lease) and self._may_lease(lease, now):
                state.quota.shut_until = now + after
            return False

    def withdraw(self, lease: Lease, now: float) -> None:
        """Give back a lease that was never confirmed: no attempt was made."""
        with self._lock:
            self._withdraw(lease, now)

    def _withdraw(self, lease: Lease, now: float) -> None:
        lease.is_settled = True
        lease.state.end()
        for window, entry, took, _ in lease.taken:
            window.settle(entry, now, took=took, used=0.0)
        let_go(lease, Abandoned())

    def _may_lease(self, lease: Lease, now: float) -> bool:
        """Whether the same lease would be given at once again."""
        state = lease.state
        key = state.key
        return (
            key.retired is None
            and all(rest.until <= now for rest in state.rests)
            and (key.breaker.is_closed or lease.is_probe)
            and all(window.fits(now, took) for window, _, took, _ in lease.taken)
        )

    def _told(
        self,
        sharing: Sharing,
        lease: Lease,
        before: Standing | None,
        used: Sequence[float],
        readings: Sequence[Reading],
        usage: Usage | None,
        now: float,
    ) -> Settlement | None:
        learned = list(sharing.learned(lease, before, now))
        if readings:
            learned += sharing.limits(lease)
        return sharing.settlement(lease, used, readings, usage, learned)

    def _tell(self, settlement: Settlement) -> None:
        if self._outbox is not None:
            self._outbox.put(settlement, partial(self._heed, settlement.provider))

    def _heed(self, provider: str, news: News) -> None:
        """Apply news; whenever and from whichever thread they come."""
        sharing = self._sharing
        if sharing is None:
            return
        with self._lock:
            home = self._providers.get(provider)
            if sharing.heed(provider, news, self._clock.now()) and home is not None:
                home.version += 1

    def look(
        self, provider: Provider, models: Sequence[ModelSpec], ask: Callable[[Question], News]
    ) -> None:
        """Know of a provider what the ledger knows; `ask` asks it, and may wait.

        Of routes that nobody here has met, those are taken up that the ledger tells something of.
        """
        sharing = self._sharing
        if sharing is None:
            return
        with self._lock:
            (question,) = sharing.questions(provider.id, ())
        self._heed(provider.id, ask(question))
        with self._lock:
            windows = sharing.windows_of(provider, models)
            questions = sharing.questions(provider.id, list(windows))
        answers = [ask(question) for question in questions]
        used = {count.window for news in answers for count in news.counts if count.used > 0}
        with self._lock:
            met = sharing.told_of(provider, models, windows, used)
        for key, model in met:
            self.route(provider, key, model)
        for news in answers:
            self._heed(provider.id, news)

    def readmit(self, provider: Provider, key: Key) -> bool:
        """Hold nothing against a key any more; False if nothing was. Others are told."""
        now = self._clock.now()
        with self._lock:
            home = self._providers.get(provider.id)
            state = None if home is None else home.keys.get(key.fingerprint)
            if home is None or state is None:
                return False
            is_held = state.retired is not None or not state.breaker.is_closed
            if not (is_held or state.rest.until > now):
                return False
            state.retired = None
            state.rest.end()
            state.breaker.alive(is_probe=False)
            home.version += 1
            settlement = None
            if self._sharing is not None:
                told = readmitted(key_subject(key.fingerprint), self._clock.utc())
                settlement = self._sharing.marks(told, provider.id)
        if settlement is not None:
            self._tell(settlement)
        return True

    # ------------------------------------------------------------------ turns and knowledge

    def hear(self, provider: Provider, key: Key, readings: Sequence[Reading], now: float) -> None:
        """Correct what all models of an account share by what its provider says of it, unasked."""
        with self._lock:
            home = self._providers.setdefault(provider.id, ProviderState())
            account = home.accounts.setdefault(key.account, AccountState())
            if self._declare(account.shared, provider.shared_limits):
                for quota in account.quotas.values():
                    quota.windows = (*account.shared.values(), *quota.own.values())
            for window in account.shared.values():
                for told in readings:
                    if (told.unit, told.per) == (window.unit, window.per):
                        window.learn(told, now, is_alone=window.open == 0)
            account.version += 1

    def take_turn(self, circle: Circle) -> int:
        """The next turn, from 0, in the circle of those who take turns: no two calls get the same.

        Clients over the same providers move on together; others have a circle of their own, or two
        that are asked in alternation would each always come round to the same provider.
        """
        with self._lock:
            turn = self._turns.get(circle, 0)
            self._turns[circle] = turn + 1
            return turn

    def learn_refused(self, route: Route, parameter: str) -> bool:
        """Remember that this model refuses a request parameter; False if that was known."""
        with self._lock:
            model = (self._seats.get(route) or self._adopt(route)).state.model
            if parameter in model.refused:
                return False
            model.refused |= {parameter}
            settlement = None
            if self._sharing is not None:
                subject = subjects_of(route)[MODEL]
                mark = refused_mark(subject, model.refused, self._clock.utc())
                settlement = self._sharing.marks((mark,), route.provider.id)
        if settlement is not None:
            self._tell(settlement)
        return True

    def forget(self, provider_id: str | None = None) -> None:
        """Know nothing any more, of one provider or of all.

        Leases still open are settled as usual, without effect.
        """
        with self._lock:
            if provider_id is None:
                self._providers.clear()
                self._seats.clear()
                self._turns.clear()
                if self._sharing is not None:
                    self._sharing.begin_anew()
                return
            if self._sharing is not None:
                self._sharing.forget(provider_id)
            self._providers.pop(provider_id, None)
            for route in [route for route in self._seats if route.provider.id == provider_id]:
                del self._seats[route]

    def begin_anew(self) -> None:
        """Forget all, with a new lock: only for a process with no other thread, as after a fork."""
        self._lock = RLock()  # the old one may be held by a thread that is not there any more
        self.line = Line()
        self.forget()


def _needs(tokens: int, output: int) -> Mapping[Unit, float]:
    return {
        "requests": 1.0,
        "tokens": tokens,
        "input_tokens": tokens - output,
        "output_tokens": output,
    }


def _after_fork() -> None:
    """Give a forked child empty pools: their leases, probes and locks are its parent's."""
    for pool in list(_POOLS):
        pool.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
