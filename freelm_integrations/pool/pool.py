"""Every route and what is known of it now: the only mutable state of the engine.

Rules:
- One lock, held for arithmetic only: never across a callback, an await or I/O. Safe from any thread
  and loop. It lets its holder in again: a stream nobody holds any more may be collected, and so
  settled, in the very thread that is in here.
- `now` is passed in, on one monotonic clock for all callers of a pool. Questions (`views`,
  `ready_at`, `rests`, `snapshot`) change nothing that could be seen.
- What is leased is settled, exactly once.
- Whose counts are shared with other processes is a `LedgerPool`: there a lease that was taken here
  is confirmed by a ledger.
"""

from __future__ import annotations

import math
import os
from itertools import islice
from threading import RLock
from typing import TYPE_CHECKING
from weakref import WeakSet

from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.pool import accounts
from freelm_integrations.pool.contexts import Contexts
from freelm_integrations.pool.lease import Abandoned, Cooled, Lease, Outcome, Success
from freelm_integrations.pool.line import Line
from freelm_integrations.pool.register import Register
from freelm_integrations.pool.rosters import Rosters
from freelm_integrations.pool.settlement import blame, learn, let_go, praise, settle_windows
from freelm_integrations.pool.snapshot import KeyRow, rows_of
from freelm_integrations.wire.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from freelm_integrations.chat import Usage
    from freelm_integrations.clock import Clock
    from freelm_integrations.pool.holding import Room
    from freelm_integrations.pool.ledger.claim import Answer, Claim, News, Question
    from freelm_integrations.pool.pace import Pace
    from freelm_integrations.pool.sharing import Sharing
    from freelm_integrations.pool.view import Ask, Order, Route, RouteView
    from freelm_integrations.providers.provider import Key, Provider
    from freelm_integrations.providers.spec import ModelSpec
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

_POOLS: WeakSet[Pool] = WeakSet()


class Pool:
    """See the module. `clock` is asked for calendar time and chance only."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK, *, sharing: Sharing | None = None) -> None:
        self._clock = clock
        self._lock = RLock()
        self._register = Register(clock, sharing)
        self._rosters = Rosters(self._register)
        self._turns: dict[Circle, int] = {}
        self.line = Line()
        """Who waits for a route of this pool."""
        self.contexts = Contexts()
        _POOLS.add(self)

    # ------------------------------------------------------------------ routes

    def route(self, provider: Provider, key: Key, model: ModelSpec) -> Route:
        """The one object for these three.

        A model declared anew under the same id gets a new one, over the same state.
        """
        with self._lock:
            return self._register.route(provider, key, model)

    # ------------------------------------------------------------------ questions

    def views(
        self, routes: Sequence[Route], now: float, *, tokens: int = 0, output: int | None = 0
    ) -> tuple[RouteView, ...]:
        """Each route as it is now, in the order given.

        Ready means that a `lease` of the same `tokens` and `output` would be given.
        """
        views: list[RouteView] = []
        is_open = output is None
        with self._lock:
            seats = self._register.seats
            for route in routes:
                seat = seats.get(route) or self._register.seat(route)
                # Not a method of the seat's: this is asked of every route there is.
                if (
                    seat.seen != seat.account.version + seat.provider.version
                    or not seat.fresh_from <= now < seat.fresh_until
                ):
                    seat.refresh(now)
                room = seat.open_room if is_open else seat.room
                views.append(seat.view if tokens <= room else seat.crowded(tokens, output, now))
        return tuple(views)

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
        """The best `count` of all keys' routes that are ready for such a request.

        It costs little more with ten thousand keys than with ten. Where the order tells nothing
        apart they come as declared, from the key number `first` on and round.
        """
        with self._lock:
            roster = self._rosters.of(provider, model, order)
            return list(islice(roster.ready(now, ask, first=first), count))

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
        """The first `count` of all keys' routes to be ready for such a request, or so already."""
        with self._lock:
            roster = self._rosters.of(provider, model, order)
            return list(islice(roster.soonest(now, ask), count))

    def may_serve(
        self, provider: Provider, model: ModelSpec, order: Order, now: float, ask: Ask
    ) -> bool:
        """Whether the limits of any key, as they are known now, ever let such a request through."""
        with self._lock:
            return self._rosters.of(provider, model, order).has_room(now, ask)

    def of_account(self, provider: Provider, model: ModelSpec, account: str) -> list[Route]:
        """The routes of that model by the keys of one account."""
        with self._lock:
            keys = self._rosters.keys_of(provider, account)
            return [self._register.route(provider, key, model) for key in keys]

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
            return self._register.seat(route).state.model.refused

    def turn(self, circle: Circle) -> int:
        """How many turns were taken in that circle: what `take_turn` would give now."""
        return self._turns.get(circle, 0)

    def pace(self, route: Route, *, streaming: bool) -> Pace:
        """How quick the route has been so far, in streams or in whole answers."""
        with self._lock:
            return self._register.seat(route).state.pacing.of(streaming=streaming)

    def room(self, route: Route, now: float, *, tokens: int) -> Room:
        """How long an answer left open could be if asked for now, to a prompt of so many tokens."""
        with self._lock:
            return self._register.seat(route).room_for(tokens, now, is_fitted=True)

    def has_to_spare(self, route: Route, now: float) -> bool:
        """Whether every window of the route can spare an attempt that may not be needed."""
        with self._lock:
            windows = self._register.seat(route).state.quota.windows
            return all(window.has_to_spare(now) for window in windows)

    def snapshot(
        self, now: float, providers: Sequence[Provider] | None = None
    ) -> tuple[KeyRow, ...]:
        """A row for every key of these providers, used or not, in their order.

        Without providers, for every key that was routed.
        """
        with self._lock:
            return rows_of(self._register.providers, now, providers, self._clock)

    # ------------------------------------------------------------------ commands

    def lease(
        self,
        route: Route,
        now: float,
        *,
        tokens: int = 0,
        output: int | None = 0,
        is_fitted: bool = False,
    ) -> Lease | None:
        """Leave to make one attempt now, or None.

        Args:
            route: Where.
            now: The present moment.
            tokens: What it may use, prompt and answer together.
            output: How much of that is meant for the answer; None where its length is left open,
                and `tokens` is the prompt alone.
            is_fitted: Whether a length left open may be what the windows can bear now; the lease
                tells what that is.
        """
        with self._lock:
            seat = self._register.seat(route)
            state = seat.state
            key = state.key
            if key.retired is not None:
                return None
            for rest in state.rests:
                if rest.until > now:
                    return None
            is_probe = not key.breaker.is_closed
            if not state.quota.is_open(now) or (is_probe and key.breaker.ready_at(now) > now):
                return None
            room = None if output is not None else seat.room_for(tokens, now, is_fitted=is_fitted)
            windows, needs = state.quota.windows, seat.needs(tokens, output, room)
            for window in windows:
                if not window.fits(now, needs[window.unit]):
                    return None
            taken = [window.take(now, needs[window.unit]) for window in windows]
            if is_probe:
                key.breaker.begin_probe()
            state.begin()
            return Lease(route, state, taken, began_at=now, is_probe=is_probe, room=room)

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
            readings = self._begin_to_close(lease, outcome, readings)
            return self._close(lease, outcome, now, usage, readings)[0]

    def _begin_to_close(
        self, lease: Lease, outcome: Outcome, readings: Sequence[Reading]
    ) -> Sequence[Reading]:
        """Let nobody close it again; all that the server read out, in headers and in the fault."""
        if lease.is_settled:
            message = "a lease is settled exactly once, and this one was"
            raise RuntimeError(message)
        lease.is_settled = True
        return (*readings, *outcome.limits) if isinstance(outcome, Fault) else readings

    def _close(
        self,
        lease: Lease,
        outcome: Outcome,
        now: float,
        usage: Usage | None,
        readings: Sequence[Reading],
    ) -> tuple[Cooled | None, list[float]]:
        """What was cooled, and what was used of each window."""
        state = lease.state
        state.end()
        used = settle_windows(lease, outcome, now, usage)
        if readings:
            learn(lease, readings, now, usage=usage, clock=self._clock)
        if readings or state.provider.tallies:
            self._recognise(lease, outcome, readings, now)
        if isinstance(outcome, Fault):
            return blame(lease, outcome, now, chance=self._clock.chance()), used
        if isinstance(outcome, Success):
            praise(lease, outcome, now, usage)
        else:
            let_go(lease, outcome)
        return None, used

    def _recognise(
        self, lease: Lease, outcome: Outcome, readings: Sequence[Reading], now: float
    ) -> None:
        """Note which keys share an account, as far as their answers show."""
        home, register = lease.state.provider, self._register
        verdicts = accounts.listen(lease, outcome, readings, now)
        has_changed = bool(home.joined) and accounts.lapse(home, register, now)
        if verdicts:
            has_changed = accounts.heed(home, verdicts, register, now) or has_changed
        if has_changed:
            self._rosters.forget()
            home.version += 1

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

    # ------------------------------------------------------------------ sharing: see `LedgerPool`

    def claim(self, lease: Lease, now: float) -> Claim | None:  # noqa: ARG002 - nothing to ask
        """What to ask the ledger before the attempt is sent; None where there is nothing to ask."""
        return None

    def confirm(self, lease: Lease, answer: Answer, now: float) -> bool:
        """Note the ledger's answer; False if the lease is void, and nothing is held any more."""
        raise NotImplementedError("only what was claimed is answered")

    def look(
        self, provider: Provider, models: Sequence[ModelSpec], ask: Callable[[Question], News]
    ) -> None:
        """Know of a provider what the ledger knows; `ask` asks it, and may wait."""

    def readmit(self, provider: Provider, key: Key) -> bool:
        """Hold nothing against a key any more; False if nothing was."""
        now = self._clock.now()
        with self._lock:
            home = self._register.providers.get(provider.id)
            state = None if home is None else home.keys.get(key.fingerprint)
            if state is None:
                return False
            is_held = state.retired is not None or not state.breaker.is_closed
            if not (is_held or state.rest.until > now):
                return False
            state.retired = None
            state.rest.end()
            state.breaker.alive(is_probe=False)
            state.stir()
            return True

    # ------------------------------------------------------------------ turns and knowledge

    def hear(self, provider: Provider, key: Key, readings: Sequence[Reading], now: float) -> None:
        """Correct what all models of an account share by what its provider says of it, unasked."""
        with self._lock:
            account = self._register.account(provider, key)
            for window in account.shared.values():
                for told in readings:
                    if (told.unit, told.per) == (window.unit, window.per):
                        window.learn(told, now, is_alone=window.open == 0)
            account.stir()

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
            model = self._register.seat(route).state.model
            if parameter in model.refused:
                return False
            model.refused |= {parameter}
            return True

    def forget(self, provider_id: str | None = None) -> None:
        """Know nothing any more, of one provider or of all.

        Leases still open are settled as usual, without effect.
        """
        self.contexts.forget(provider_id)
        with self._lock:
            self._rosters.forget()
            self._register.forget(provider_id)
            if provider_id is None:
                self._turns.clear()

    def begin_anew(self) -> None:
        """Forget all, with a new lock: only for a process with no other thread, as after a fork."""
        self._lock = RLock()  # the old one may be held by a thread that is not there any more
        self.line = Line()
        self.forget()


def _after_fork() -> None:
    """Give a forked child empty pools: their leases, probes and locks are its parent's."""
    for pool in list(_POOLS):
        pool.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
