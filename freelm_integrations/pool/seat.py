"""A route object's place in the pool: its state, and its last view while that holds.

Views are asked for far more often than anything changes, so each is kept until something does: a
lease or a settlement of its account (that moves the account's version), a fault at its provider
(the provider's version), or time itself (`fresh_until`). That cannot be seen from outside.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from freelm_integrations.pool.holding import Holding
from freelm_integrations.pool.view import RouteView

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freelm_integrations.pool.holding import Room
    from freelm_integrations.pool.scopes import RouteState
    from freelm_integrations.pool.view import Ask, Route
    from freelm_integrations.pool.window import Window
    from freelm_integrations.providers.spec import Unit


PROVIDER, MODEL, OWN = 0, 3, (1, 2, 4)
"""Places in `RouteState.rests`: of what all routes of a model have in common, and of the others."""
AGAIN = 0.25
"""Seconds after which to ask again where all places are taken, or all tokens held: when one is
settled, none knows."""


class Seat:
    """Mutable, guarded by the pool's lock. All moments are on the call's clock."""

    __slots__ = (
        "account",
        "changes_at",
        "fresh_from",
        "fresh_until",
        "holding",
        "open_room",
        "own_ready_at",
        "provider",
        "reach",
        "room",
        "seen",
        "state",
        "view",
    )

    def __init__(self, route: Route, state: RouteState) -> None:
        self.state = state
        self.view = RouteView(route, -math.inf, 1.0, None, 0)
        self.holding = Holding(route)
        self.room = self.open_room = 0.0
        """Tokens that certainly fit while the view is fresh, and those of prompts whose answers are
        left open."""
        self.reach = math.inf
        """Tokens of a prompt beyond which it certainly does not fit."""
        self.account = state.account
        self.provider = state.provider
        self.seen = -1
        """The versions of both, added up, when the view was taken. It holds while they are the
        same, from `fresh_from` to before `fresh_until`."""
        self.fresh_from = math.inf
        self.fresh_until = -math.inf
        self.own_ready_at = -math.inf
        """When it is ready, or, below `changes_at`, would be, but for its provider and its model
        as a whole: those rest for all routes alike."""
        self.changes_at = math.inf

    def is_fresh(self, now: float) -> bool:
        """Whether the view still holds."""
        return (
            self.seen == self.account.version + self.provider.version
            and self.fresh_from <= now < self.fresh_until
        )

    def refresh(self, now: float) -> None:
        """Take the view anew, and reckon how long it will hold if nothing happens."""
        state = self.state
        windows = state.quota.windows
        own_at, why = _rested_at(state, now)
        levels = _levels(windows, now)
        headroom, changes_at = levels.headroom, levels.changes_at
        if levels.is_empty:
            for window in windows:
                if (window_at := window.ready_at(now, 1.0)) > own_at:
                    own_at, why = window_at, "window"
        self.own_ready_at, self.changes_at = own_at, changes_at
        ready_at = own_at
        for rest in (state.rests[PROVIDER], state.rests[MODEL]):
            if rest.until > ready_at:
                ready_at, why = rest.until, rest.kind
        if ready_at > now:
            changes_at = min(changes_at, ready_at)
        else:
            why = None
        route = self.view.route
        self.view = RouteView(
            route,
            ready_at,
            headroom,
            state.pacing.latency,
            state.in_flight,
            why,
            levels.most_input,
            levels.most,
        )
        self.room, self.reach = levels.room, levels.reach
        self.open_room = levels.room - self.holding.usual
        self.seen = state.account.version + state.provider.version
        self.fresh_from = now
        # With a probe under way, or all places taken, it is "ask again soon", from each asking on.
        is_moving = state.key.breaker.is_probing or state.quota.is_full
        self.fresh_until = now if is_moving else changes_at

    def view_for(self, ask: Ask, now: float) -> RouteView:
        """The view as it is now for such a request."""
        if not self.is_fresh(now):
            self.refresh(now)
        room = self.open_room if ask.output is None else self.room
        return self.view if ask.tokens <= room else self.crowded(ask.tokens, ask.output, now)

    def room_for(self, prompt: int, now: float, *, is_fitted: bool) -> Room:
        """The room for an answer that is left open; see `Holding.room`."""
        state = self.state
        return self.holding.room(
            state.quota.windows,
            now,
            prompt=prompt,
            longest=state.pacing.length,
            is_fitted=is_fitted,
        )

    def needs(self, tokens: int, output: int | None, room: Room | None) -> Mapping[Unit, float]:
        """What a request takes of each unit; `room` is for an answer that is left open."""
        prompt, held = tokens, 0
        if room is not None:
            held = room.tokens
        elif output is not None:
            prompt, held = tokens - output, self.holding.of(output)
        return {
            "requests": 1.0,
            "tokens": prompt + held,
            "input_tokens": prompt,
            "output_tokens": held,
        }

    def crowded(self, tokens: int, output: int | None, now: float) -> RouteView:
        """The fresh view as it is for a request of such needs, where those may not fit."""
        room = None if output is not None else self.room_for(tokens, now, is_fitted=False)
        view, needs = self.view, self.needs(tokens, output, room)
        ready_at = max(
            _back_at(window, now, needs[window.unit]) for window in self.state.quota.windows
        )
        if ready_at <= max(now, view.ready_at):
            return view
        return view._replace(ready_at=ready_at, resting="window")


class _Levels(NamedTuple):
    """How full the windows of a route are; see `Seat` and `RouteView`."""

    headroom: float
    changes_at: float
    room: float
    reach: float
    most_input: float
    most: float
    is_empty: bool
    """Whether one of them has not even room for one more request, or token."""


def _levels(windows: Sequence[Window], now: float) -> _Levels:
    headroom, room, reach, changes_at = 1.0, math.inf, math.inf, math.inf
    most = most_input = math.inf
    is_empty = False
    for window in windows:
        left, amount, unit = window.remaining(now), window.amount, window.unit
        headroom = min(headroom, left / amount if amount > 0 else 0.0)
        changes_at = min(changes_at, window.changes_at(now))
        if left < 1.0:
            is_empty = True
        if unit == "requests":
            continue
        room = min(room, left)
        if unit == "tokens":
            most = min(most, amount)
        elif unit == "input_tokens":
            most_input = min(most_input, amount)
        if left < reach and left < amount and unit != "output_tokens":
            reach = left  # else, where nothing counts yet, whatever is too large may go
    return _Levels(headroom, changes_at, room, reach, most_input, most, is_empty)


def _back_at(window: Window, now: float, need: float) -> float:
    """When so much fits; soon, where answers are under way that may leave some of theirs."""
    back_at = window.ready_at(now, need)
    may_leave_some = window.unit != "requests" and window.open > 0 and need <= window.amount
    return min(back_at, now + AGAIN) if may_leave_some else back_at


def _rested_at(state: RouteState, now: float) -> tuple[float, str | None]:
    """When nothing of its own rests any more, windows aside, and what rests longest."""
    if state.key.retired is not None:
        return math.inf, "retired"
    ready_at = -math.inf
    why: str | None = None
    for place in OWN:
        rest = state.rests[place]
        if rest.until > ready_at:
            ready_at, why = rest.until, rest.kind
    if state.quota.shut_until > ready_at:
        ready_at, why = state.quota.shut_until, "window"
    if state.quota.is_full and now + AGAIN > ready_at:
        ready_at, why = now + AGAIN, "full"
    breaker_at = state.key.breaker.ready_at(now)
    return (breaker_at, "breaker") if breaker_at > ready_at else (ready_at, why)
