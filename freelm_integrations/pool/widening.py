"""A refusal heard again and again is believed of more than the route it was heard on.

A 403 seldom says whether it is about the key, its plan, the model, or everybody who calls from
here. Taken at its word it costs one attempt a key to be told the same. Hence:

- what several accounts were told of one model is believed of the model, whatever the key;
- what one account was told of several models is believed of the account, where the kind allows: a
  plan may well have one model and not another;
- what is believed of several accounts is believed of the provider;
- a quota is a model's own, but where the provider is declared to tell nothing of its quotas.

The witnesses are the rests still running, so nothing is kept for it. A belief is a guess: it lasts
`GUESSED_FOR` at most, after which a key it was wrong about is asked itself.
"""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from freelm_integrations.pool.lease import Cooled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freelm_integrations.pool.lease import Lease
    from freelm_integrations.pool.scopes import AccountState, ProviderState, Rest
    from freelm_integrations.wire.faults import Fault, FaultKind, Scope

GUESSED_FOR = 600.0
"""Seconds a belief is held."""


class Witnesses(NamedTuple):
    """How many must have been told the same before it is believed of the next larger thing."""

    accounts: float
    """Of one model: then of the model."""
    models: float = math.inf
    """To one account: then of the account."""
    believed: float = 2
    """Accounts of which it is believed: then of the provider."""


WITNESSES: Mapping[FaultKind, Witnesses] = MappingProxyType(
    {
        "forbidden": Witnesses(accounts=2, models=2),
        # NIM: "not found for account" is true of one model and not of the next (2026-10).
        "not_on_plan": Witnesses(accounts=3),
        # Cerebras says this of models that other keys may use (2026-08).
        "model_gone": Witnesses(accounts=2),
    }
)


def widen(lease: Lease, fault: Fault, cooled: Cooled, now: float) -> Cooled:
    """Believe a refusal that let its route rest of more, where it was heard often enough.

    Called under the pool's lock; what rests now.
    """
    kind = fault.kind
    needed = WITNESSES.get(kind) or _of_quota(lease, fault)
    if needed is None or cooled.scope != "route":
        return cooled
    state, model = lease.state, lease.route.model.id
    if _told_of_model(state.provider, model, kind, now) >= needed.accounts:
        cooled = _believe(state.model.rest, "model", kind, now, cooled)
    if _told_to_account(state.account, kind, now) >= needed.models:
        cooled = _believe(state.account.rest, "account", kind, now, cooled)
        if _believed(state.provider, kind, now) >= needed.believed:
            cooled = _believe(state.provider.rest, "provider", kind, now, cooled)
    return cooled


def _of_quota(lease: Lease, fault: Fault) -> Witnesses | None:
    """How many models must refuse an account for its quota, where that is declared at all.

    A wait that is told is of the model's own window.
    """
    models = lease.route.provider.spec.throttled_models
    if fault.kind != "throttled" or fault.retry_after is not None or models is None:
        return None
    return Witnesses(accounts=math.inf, models=models, believed=math.inf)


def _told_of_model(home: ProviderState, model: str, kind: FaultKind, now: float) -> int:
    quotas = (account.quotas.get(model) for account in home.accounts.values())
    return sum(quota is not None and _holds(quota.rest, kind, now) for quota in quotas)


def _told_to_account(account: AccountState, kind: FaultKind, now: float) -> int:
    return sum(_holds(quota.rest, kind, now) for quota in account.quotas.values())


def _believed(home: ProviderState, kind: FaultKind, now: float) -> int:
    return sum(_holds(account.rest, kind, now) for account in home.accounts.values())


def _holds(rest: Rest, kind: FaultKind, now: float) -> bool:
    return rest.kind == kind and rest.until > now


def _believe(rest: Rest, scope: Scope, kind: FaultKind, now: float, cooled: Cooled) -> Cooled:
    """Let it rest as long as the fault asks for, but no longer than a guess may."""
    seconds = min(GUESSED_FOR, cooled.cools_for)
    if now + seconds > rest.until:
        rest.until, rest.kind = now + seconds, kind
    return Cooled(scope, seconds)
