"""What is known of all that a fault or a limit can apply to: provider, account, key, model, route.

Plain mutable records, guarded by the pool's lock. Every route has a state that points at the five
records it depends on.
"""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING

from freelm_integrations.pool.breaker import Breaker
from freelm_integrations.pool.pace import Pacing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    from freelm_integrations.pool.accounts import Joined
    from freelm_integrations.pool.agreement import Findings
    from freelm_integrations.pool.recognition import Tally
    from freelm_integrations.pool.verdicts import Verdict
    from freelm_integrations.pool.view import Route
    from freelm_integrations.pool.window import Window
    from freelm_integrations.providers.spec import Reset, Unit
    from freelm_integrations.wire.faults import Fault, FaultKind, Scope

    WindowName: TypeAlias = tuple[Unit, float, Reset]
    """Unit, length and reset rule: two limits alike in these are one."""


class Rest:
    """The cooldown of one target, and how many faults in a row brought it about."""

    __slots__ = ("kind", "strikes", "until")

    def __init__(self) -> None:
        self.until = -math.inf
        self.strikes = 0
        self.kind: FaultKind | None = None

    def cool(self, fault: Fault, verdict: Verdict, now: float) -> float:
        """Rest, never shorter than was known; the seconds this fault asks for."""
        if now >= self.until:  # otherwise it is one more of the burst that began the cooldown
            self.strikes += 1
        seconds = fault.retry_after
        if seconds is None:
            seconds = verdict.seconds(max(1, self.strikes))
        if seconds > 0 and now + seconds > self.until:
            self.until = now + seconds
            self.kind = fault.kind
        return seconds

    def end(self) -> None:
        """Rest no more, as if nothing had happened."""
        self.until, self.strikes = -math.inf, 0

    def forgive(self, now: float) -> None:
        """A success here: the next cooldown is a first one again."""
        if now >= self.until:
            self.strikes = 0


class KeyState:
    """One key at its provider. `accounts`: those it was met in, nearly always one."""

    __slots__ = ("accounts", "breaker", "fault_at", "last_fault", "rest", "retired")

    def __init__(self) -> None:
        self.accounts: dict[AccountState, None] = {}
        self.rest = Rest()
        self.breaker = Breaker()
        self.retired: FaultKind | None = None
        """Why it is out until a person acts."""
        self.last_fault: Fault | None = None
        self.fault_at = -math.inf

    def stir(self) -> None:
        """Something of it has changed: what is kept of its routes has to be looked at anew."""
        for account in self.accounts:
            account.stir()


class ModelState:
    """One model id at one provider, whatever the key."""

    __slots__ = ("refused", "rest")

    def __init__(self) -> None:
        self.rest = Rest()
        self.refused: frozenset[str] = frozenset()
        """Request parameters it was seen to refuse."""


class Quota:
    """What the keys of one account share of one model: its windows, and its rest.

    `windows` are its own and those all models share.
    """

    __slots__ = ("at_once", "in_flight", "own", "rest", "shut_until", "watchers", "windows")

    def __init__(self) -> None:
        self.rest = Rest()
        self.shut_until = -math.inf
        """The ledger refuses it until then, for reasons that do not show here."""
        self.own: dict[WindowName, Window] = {}
        self.windows: tuple[Window, ...] = ()
        self.in_flight = 0
        self.at_once = math.inf
        """How many attempts it serves at a time."""
        self.watchers: list[set[Quota]] = []
        """Where those that keep it in some order are told that it has changed."""

    def stir(self) -> None:
        """Something of it has changed."""
        for watcher in self.watchers:
            watcher.add(self)

    @property
    def is_full(self) -> bool:
        """Whether it serves no further attempt before one is settled."""
        return self.in_flight >= self.at_once

    def is_open(self, now: float) -> bool:
        """Whether an attempt may begin, as far as places go and what the ledger says."""
        return not self.is_full and self.shut_until <= now


class AccountState:
    """What the keys of one account share.

    `version` moves with every lease, settlement and fault of its routes.
    """

    __slots__ = ("quotas", "rest", "routes", "shared", "version")

    def __init__(self) -> None:
        self.version = 0
        self.rest = Rest()
        self.shared: dict[WindowName, Window] = {}
        self.quotas: dict[str, Quota] = {}
        self.routes: dict[tuple[str, str], RouteState] = {}

    def stir(self) -> None:
        """Something has changed that any of its routes may depend on."""
        self.version += 1
        for quota in self.quotas.values():
            quota.stir()


class ProviderState:
    """What all keys of a provider share. `version` moves when it or a model of it rests."""

    __slots__ = ("accounts", "findings", "joined", "keys", "models", "rest", "tallies", "version")

    def __init__(self) -> None:
        self.version = 0
        self.rest = Rest()
        self.keys: dict[str, KeyState] = {}
        self.models: dict[str, ModelState] = {}
        self.accounts: dict[str, AccountState] = {}
        self.findings: Findings = {}
        self.tallies: dict[tuple[str | None, WindowName], Tally] = {}
        """What answers said of one window, by model (None: what all share)."""
        self.joined: dict[str, Joined] = {}
        """Accounts that were recognised to be part of another."""

    def account_of(self, stated: str) -> str:
        """The account that a key counts for, which was stated to be of that one."""
        joined = self.joined.get(stated) if self.joined else None
        return stated if joined is None else joined.root


class RouteState:
    """One (provider, key, model), and the records it depends on."""

    __slots__ = (
        "account",
        "in_flight",
        "key",
        "model",
        "pacing",
        "provider",
        "quota",
        "rests",
        "routes",
        "subjects",
    )

    def __init__(
        self,
        provider: ProviderState,
        account: AccountState,
        key: KeyState,
        model: ModelState,
        quota: Quota,
    ) -> None:
        self.provider = provider
        self.account = account
        self.key = key
        self.model = model
        self.quota = quota
        self.pacing = Pacing()
        self.in_flight = 0
        self.routes: dict[int, Route] = {}
        self.subjects: tuple[str, ...] = ()
        """What the ledger calls whatever rests, in the same order; empty: nothing is shared."""
        # What one key was told of a model holds for all keys of its account.
        self.rests = (provider.rest, account.rest, key.rest, model.rest, quota.rest)
        key.accounts[account] = None

    def begin(self) -> None:
        """An attempt is leased here."""
        self.in_flight += 1
        self.quota.in_flight += 1
        self._moved()

    def end(self) -> None:
        """One is settled or given back."""
        self.in_flight -= 1
        self.quota.in_flight -= 1
        self._moved()

    def _moved(self) -> None:
        account = self.account
        if account.shared:
            account.stir()
            return
        account.version += 1
        if self.quota.watchers:
            self.quota.stir()

    def rest_of(self, scope: Scope) -> Rest | None:
        """What a fault of that scope lets rest; None for the call, which is over anyway."""
        place = _PLACES.get(scope)
        return None if place is None else self.rests[place]


_PLACES: Mapping[Scope, int] = MappingProxyType(
    {"provider": 0, "account": 1, "key": 2, "model": 3, "route": 4}
)
