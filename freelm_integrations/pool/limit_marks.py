"""What is learned of limits, as marks that all who share a ledger read, and back.

Rules:
- A limit that a server named is believed for `NAMED_FOR`, unless it is named again.
- A ceiling that refusals taught is tried again by whoever found it; the others wait `GRACE` longer,
  so that one tries for all, and another where that one is gone.
- A mark without a value takes back what was told: the ceiling was outgrown.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from freelm_integrations.pool.ledger.claim import Mark
from freelm_integrations.providers.spec import Limit

if TYPE_CHECKING:
    from freelm_integrations.pool.window import Source, Window
    from freelm_integrations.providers.spec import Reset, Unit

NAMED_FOR = 86_400.0
"""Seconds after which a limit that a server told of is forgotten."""
GRACE = 30.0
"""Seconds by which those who only heard of a ceiling trust it for longer."""
FIELDS = 10
"""Of a mark's value; those at its end may be missing."""


class ToldLimit(NamedTuple):
    """One learned limit: `model` is `*` where all of the account count in it. Moments are UTC."""

    account: str
    model: str
    limit: Limit
    source: Source
    since: float | None
    trusted_until: float | None
    trusted_for: float | None


def limit_mark(window: Window, account: str, model: str, *, utc: float, behind: float) -> Mark:
    """That its limit was learned, or is no more what was learned of it."""
    name = str(window.name)
    if window.source == "declared":
        return Mark(name, "limit", None, utc + NAMED_FOR)
    limit = [window.unit, window.per, window.resets, window.amount]
    trust = window.trust
    if trust is None:
        value = [account, model, *limit, window.source, window.since]
        return Mark(name, "limit", json.dumps(value), utc + NAMED_FOR)
    until = trust.until - behind
    value = [account, model, *limit, window.source, window.since, until, trust.length]
    return Mark(name, "limit", json.dumps(value), until + NAMED_FOR)


def told_limit(mark: Mark) -> ToldLimit | None:
    """What a mark says; None if it holds no more."""
    if mark.value is None:
        return None
    said: list[Any] = json.loads(mark.value)
    account, model, unit, per, resets, amount, source, since, until, length = said + [None] * (
        FIELDS - len(said)
    )
    limit = Limit(amount, cast("Unit", unit), per=per, resets=cast("Reset", resets))
    return ToldLimit(account, model, limit, source or "header", since, until, length)


def heed_limit(window: Window, mark: Mark, *, behind: float) -> None:
    """Go by what another process learned of a window."""
    told = told_limit(mark)
    if told is None:
        window.unlearn()
    elif told.trusted_until is None or told.trusted_for is None:
        window.hear(told.limit.amount, since=told.since)
    else:
        until = told.trusted_until + behind + GRACE
        window.hear_ceiling(
            told.limit.amount, since=told.since, until=until, length=told.trusted_for
        )
