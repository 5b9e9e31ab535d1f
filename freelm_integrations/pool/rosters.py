"""The rosters of a pool: made when somebody first asks for one, and kept for the next who does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.pool.roster import Roster

if TYPE_CHECKING:
    from freelm_integrations.pool.register import Register
    from freelm_integrations.pool.view import Order
    from freelm_integrations.providers.provider import Key, Provider
    from freelm_integrations.providers.spec import ModelSpec

KEPT = 512
"""So many are kept: one for every model and strategy that is asked for. Then the oldest goes."""
PROVIDERS_KEPT = 64
"""Of so many providers it is known which keys share an account."""


class Rosters:
    """Mutable, guarded by the pool's lock."""

    def __init__(self, register: Register) -> None:
        self._register = register
        # By identity: a roster holds on to both, so that no other can come to have their ids.
        self._rosters: dict[tuple[int, int, Order], Roster] = {}
        self._accounts: dict[int, tuple[Provider, dict[str, list[Key]]]] = {}

    def of(self, provider: Provider, model: ModelSpec, order: Order) -> Roster:
        """The routes of all keys, in declared order where `order` tells nothing apart."""
        name = (id(provider), id(model), order)
        roster = self._rosters.get(name)
        if roster is None:
            if len(self._rosters) >= KEPT:
                self._rosters.pop(next(iter(self._rosters))).close()
            register = self._register
            routes = [register.route(provider, key, model) for key in provider.keys]
            seats = [register.seat(route) for route in routes]
            roster = self._rosters[name] = Roster(seats, order)
        return roster

    def keys_of(self, provider: Provider, account: str) -> list[Key]:
        """Those of a provider's keys that belong to one account."""
        known = self._accounts.get(id(provider))
        if known is None:
            if len(self._accounts) >= PROVIDERS_KEPT:
                self._accounts.clear()
            by_account: dict[str, list[Key]] = {}
            for key in provider.keys:
                by_account.setdefault(key.account, []).append(key)
            known = self._accounts[id(provider)] = provider, by_account
        return known[1].get(account, [])

    def forget(self) -> None:
        """Have none."""
        for roster in self._rosters.values():
            roster.close()
        self._rosters.clear()
        self._accounts.clear()
