"""Every record a pool has, found by route; and which limits are declared of them.

Rules:
- State belongs to (provider id, account, key fingerprint, model id), so clients over the same keys
  share it, while each keeps the routes of its own provider objects.
- Who declares last is believed; what a server said stands.

Guarded by the pool's lock.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from freelm_integrations.pool.scopes import (
    AccountState,
    KeyState,
    ModelState,
    ProviderState,
    Quota,
    RouteState,
)
from freelm_integrations.pool.seat import Seat
from freelm_integrations.pool.view import Route
from freelm_integrations.pool.window import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freelm_integrations.clock import Clock
    from freelm_integrations.pool.scopes import WindowName
    from freelm_integrations.pool.sharing import Sharing
    from freelm_integrations.providers.provider import Key, Provider
    from freelm_integrations.providers.spec import Limit, ModelSpec

ROUTES_A_STATE = 8
"""How many clients' route objects are remembered for one state.

The oldest are forgotten, and known again when met.
"""


class Register:
    """Mutable. `sharing` is told of every record that is made."""

    def __init__(self, clock: Clock, sharing: Sharing | None) -> None:
        self.providers: dict[str, ProviderState] = {}
        self.seats: dict[Route, Seat] = {}
        self._clock = clock
        self._sharing = sharing

    def route(self, provider: Provider, key: Key, model: ModelSpec) -> Route:
        """The one object for these three; a new one where the model or the key was made anew."""
        state = self._state(provider, key, model)
        route = state.routes.get(id(provider))
        if route is None or route.model is not model or route.key is not key:
            route = Route(provider, key, model)
            self._adopt(route, state)
        return route

    def seat(self, route: Route) -> Seat:
        """The route's place; it is given one where it has none, or lost it."""
        seat = self.seats.get(route)
        if seat is not None:
            return seat
        return self._adopt(route, self._state(route.provider, route.key, route.model))

    def account(self, provider: Provider, key: Key) -> AccountState:
        """What the key's account is known by, with what its provider declares all models share."""
        home = self.providers.setdefault(provider.id, ProviderState())
        name = home.account_of(key.account)
        account = home.accounts.get(name)
        if account is None:
            account = home.accounts[name] = AccountState()
        if self._declare(account.shared, provider.shared_limits):
            for quota in account.quotas.values():
                quota.windows = (*account.shared.values(), *quota.own.values())
        return account

    def forget(self, provider_id: str | None) -> None:
        """Know nothing any more, of one provider or of all."""
        if provider_id is None:
            self.providers.clear()
            self.seats.clear()
            return
        self.providers.pop(provider_id, None)
        for route in [route for route in self.seats if route.provider.id == provider_id]:
            del self.seats[route]

    def unseat(self, account: AccountState, places: Sequence[tuple[str, str]]) -> None:
        """Have these routes of an account met anew; leases that are open there end as usual."""
        for place in places:
            state = account.routes.pop(place)
            state.key.accounts.pop(account, None)
            for route in state.routes.values():
                self.seats.pop(route, None)

    def _state(self, provider: Provider, key: Key, model: ModelSpec) -> RouteState:
        home = self.providers.get(provider.id)
        if home is None:
            home = self.providers[provider.id] = ProviderState()
        name = home.account_of(key.account)
        account = home.accounts.get(name)
        if account is None:
            account = home.accounts[name] = AccountState()
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
                self._sharing.meet(Route(provider, key, model), state, self._clock.now())
        return state

    def _adopt(self, route: Route, state: RouteState) -> Seat:
        """Give a route object its seat, and declare its limits."""
        old = state.routes.pop(id(route.provider), None)
        if old is None and len(state.routes) >= ROUTES_A_STATE:
            old = state.routes.pop(next(iter(state.routes)))
        if old is not None:
            self.seats.pop(old, None)
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
        account.stir()
        seat = self.seats[route] = Seat(route, state)
        return seat

    def _declare(self, windows: dict[WindowName, Window], limits: Sequence[Limit]) -> bool:
        """Let these limits hold, in place of all declared before; whether windows came or went.

        What a server told of by itself stays.
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
