"""The pool as plain data: a row a key, with cooldowns and windows."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from freelm_integrations.pool.scopes import AccountState, KeyState, ProviderState, Rest, RouteState
from freelm_integrations.pool.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freelm_integrations.clock import Clock
    from freelm_integrations.providers.provider import Provider
    from freelm_integrations.providers.spec import Reset, Unit
    from freelm_integrations.wire.faults import Scope

State = Literal["ready", "cooling", "open", "half-open", "retired"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CooldownRow:
    """Something of this key that rests: `scope` says what, `model` which one where it is one."""

    scope: Scope
    kind: str
    seconds: float
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRow:
    """One window now; all models count in it where `model` is None.

    `resets_after` is the seconds until all of it is back, None if nothing is out.
    """

    unit: Unit
    per: float
    resets: Reset
    limit: float
    remaining: float
    resets_after: float | None
    source: Literal["declared", "header", "learned"]
    model: str | None = None
    learned_at: float | None = None
    """When the limit was learned (epoch s); None while it is as declared."""
    is_heard: bool = False
    """Whether another process learned it, and told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRow:
    """A key's last fault, `ago` seconds ago."""

    kind: str
    status: int | None
    message: str
    ago: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """One key now. `state` is the key's as a whole: single models may rest while it is ready."""

    provider: str
    fingerprint: str
    account: str
    state: State
    in_flight: int = 0
    ready_after: float | None = None
    """Seconds until the key as a whole is back; None if it is there, or out until a person acts."""
    cooldowns: tuple[CooldownRow, ...] = ()
    windows: tuple[WindowRow, ...] = ()
    last_fault: FaultRow | None = None
    joined_for: float | None = None
    """Seconds for which the key is taken to share `account` with others, as their rate-limit
    headers move together, unless they go on to; None where the account is as stated."""

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe dict."""
        return asdict(self)


def rows_of(
    known: Mapping[str, ProviderState],
    now: float,
    providers: Sequence[Provider] | None,
    clock: Clock,
) -> tuple[KeyRow, ...]:
    """See `Pool.snapshot`; called under the pool's lock."""
    if providers is None:
        return tuple(
            _row(provider_id, fingerprint, name, home, account, now)
            for provider_id, home in known.items()
            for name, account in home.accounts.items()
            for fingerprint in {key: None for key, _ in account.routes}
        )
    blank = ProviderState()
    rows: list[KeyRow] = []
    for provider in providers:
        home = known.get(provider.id, blank)
        for key in provider.keys:
            name = home.account_of(key.account)
            account = home.accounts.get(name)
            if account is None:
                account = _unused(provider, clock)
            row = _row(provider.id, key.fingerprint, name, home, account, now)
            joined = home.joined.get(key.account)
            rows.append(
                row if joined is None else replace(row, joined_for=max(0.0, joined.until - now))
            )
    return tuple(rows)


def _unused(provider: Provider, clock: Clock) -> AccountState:
    """What an account nobody routed to yet would look like."""
    account = AccountState()
    for limit in provider.shared_limits:
        if limit.amount < math.inf:
            account.shared[limit.unit, limit.per, limit.resets] = Window(limit, clock)
    return account


def _row(
    provider: str,
    fingerprint: str,
    name: str,
    home: ProviderState,
    account: AccountState,
    now: float,
) -> KeyRow:
    key = home.keys.get(fingerprint) or KeyState()
    mine = {model: state for (mark, model), state in account.routes.items() if mark == fingerprint}
    ready_at = max(home.rest.until, account.rest.until, key.rest.until, key.breaker.ready_at(now))
    is_back = ready_at <= now or key.retired is not None
    return KeyRow(
        provider=provider,
        fingerprint=fingerprint,
        account=name,
        state=_key_state(home, account, key, now),
        in_flight=sum(state.in_flight for state in mine.values()),
        ready_after=None if is_back else ready_at - now,
        cooldowns=tuple(_cooldowns(home, account, key, mine, now)),
        windows=tuple(_windows(account, mine, now)),
        last_fault=_last_fault(key, now),
    )


def _key_state(home: ProviderState, account: AccountState, key: KeyState, now: float) -> State:
    if key.retired is not None:
        return "retired"
    if max(home.rest.until, account.rest.until, key.rest.until) > now:
        return "cooling"
    state = key.breaker.state(now)
    return "ready" if state == "closed" else state


def _cooldowns(
    home: ProviderState,
    account: AccountState,
    key: KeyState,
    mine: Mapping[str, RouteState],
    now: float,
) -> Iterator[CooldownRow]:
    wide: tuple[tuple[Scope, float, str | None], ...] = (
        ("provider", home.rest.until, home.rest.kind),
        ("account", account.rest.until, account.rest.kind),
        ("key", key.rest.until, key.rest.kind),
    )
    for scope, until, kind in wide:
        if until > now:
            yield CooldownRow(scope=scope, kind=str(kind), seconds=until - now)
    for model, state in mine.items():
        narrow: tuple[tuple[Scope, Rest], ...] = (
            ("model", state.model.rest),
            ("route", state.quota.rest),
        )
        for scope, rest in narrow:
            if rest.until > now:
                yield CooldownRow(
                    scope=scope, kind=str(rest.kind), seconds=rest.until - now, model=model
                )


def _windows(
    account: AccountState, mine: Mapping[str, RouteState], now: float
) -> Iterator[WindowRow]:
    for window in account.shared.values():
        yield _window(window, None, now)
    for model in mine:
        for window in account.quotas[model].own.values():
            yield _window(window, model, now)


def _window(window: Window, model: str | None, now: float) -> WindowRow:
    resets_at = window.resets_at(now)
    return WindowRow(
        unit=window.unit,
        per=window.per,
        resets=window.resets,
        limit=window.amount,
        remaining=window.remaining(now),
        resets_after=None if resets_at is None else resets_at - now,
        source=window.source,
        model=model,
        learned_at=window.since,
        is_heard=window.is_heard,
    )


def _last_fault(key: KeyState, now: float) -> FaultRow | None:
    fault = key.last_fault
    if fault is None:
        return None
    return FaultRow(
        kind=fault.kind, status=fault.status, message=fault.message, ago=now - key.fault_at
    )
