"""Accounts that are one, though their keys were stated apart: joined, and parted again.

Rules:
- What `recognition.py` makes of the answers is believed until it lapses; nothing of it is told to
  other processes, which hear the same answers.
- Joined accounts have one set of windows. What was counted in both by ourselves adds up; where the
  server had told the count, the fuller one is right.
- Leases that are open meanwhile are settled as usual, with effect on what they were taken from.

Called under the pool's lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from freelm_integrations.pool.lease import Success
from freelm_integrations.pool.recognition import BELIEVED_FOR, Answer, Tally, Verdict
from freelm_integrations.pool.settlement import taken_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freelm_integrations.pool.lease import Lease, Outcome
    from freelm_integrations.pool.register import Register
    from freelm_integrations.pool.scopes import AccountState, ProviderState, Rest
    from freelm_integrations.wire.refusals.hints import Reading


class Joined(NamedTuple):
    """An account is part of `root`, until then."""

    root: str
    until: float


def listen(
    lease: Lease, outcome: Outcome, readings: Sequence[Reading], now: float
) -> list[Verdict]:
    """What an answer tells of whose account it is."""
    home, account = lease.state.provider, lease.route.key.account
    if not isinstance(outcome, Success):
        for tally in home.tallies.values():
            tally.doubt(account)
        return []
    verdicts: list[Verdict] = []
    for reading in readings:
        if reading.unit == "requests" and reading.remaining is not None:
            verdicts += _heard(lease, reading, reading.remaining, now)
    return verdicts


def _heard(lease: Lease, reading: Reading, remaining: float, now: float) -> list[Verdict]:
    taken = taken_for(lease, reading)
    if taken is None or reading.limit is None:
        return []
    window, _, _, moves = taken
    after = reading.resets_after
    answer = Answer(
        account=lease.route.key.account,
        began_at=lease.began_at,
        at=now,
        limit=reading.limit,
        remaining=remaining,
        per=reading.per,
        resets_at=None if after is None else now + after,
        is_alone=window.open == 0 and window.moves == moves + 1,
    )
    name = window.unit, window.per, window.resets
    is_shared = lease.state.account.shared.get(name) is window
    tallies = lease.state.provider.tallies
    place = None if is_shared else lease.route.model.id, name
    tally = tallies.get(place)
    if tally is None:
        tally = tallies[place] = Tally()
    return tally.heard(answer)


def heed(home: ProviderState, verdicts: Sequence[Verdict], register: Register, now: float) -> bool:
    """Join and part accounts as is believed now; whether any were."""
    has_changed = False
    for one, other, are_one in verdicts:
        if are_one:
            has_changed = _join(home, one, other, register, now) or has_changed
        else:
            has_changed = _part(home, other if other in home.joined else one, register)
    return has_changed


def lapse(home: ProviderState, register: Register, now: float) -> bool:
    """Part those that were not seen to be one for long; whether there were any."""
    lapsed = [name for name, joined in home.joined.items() if joined.until <= now]
    for name in lapsed:
        _part(home, name, register)
    return bool(lapsed)


def _join(home: ProviderState, one: str, other: str, register: Register, now: float) -> bool:
    until = now + BELIEVED_FOR
    for name in (one, other):
        if name in home.joined:
            home.joined[name] = Joined(home.joined[name].root, until)
    root, joins = home.account_of(one), home.account_of(other)
    if root == joins or not {root, joins} <= home.accounts.keys():
        return False
    if len(home.accounts[joins].routes) > len(home.accounts[root].routes):
        root, joins = joins, root
    gone = home.accounts.pop(joins)
    _pour(gone, home.accounts[root], now)
    register.unseat(gone, list(gone.routes))
    for name, joined in home.joined.items():
        if joined.root == joins:
            home.joined[name] = Joined(root, joined.until)
    home.joined[joins] = Joined(root, until)
    return True


def _part(home: ProviderState, name: str, register: Register) -> bool:
    """Let its keys have windows of their own again, which the next answers put right."""
    joined = home.joined.pop(name, None)
    account = None if joined is None else home.accounts.get(joined.root)
    if account is None:
        return False
    own = [
        place
        for place, state in account.routes.items()
        if any(route.key.account == name for route in state.routes.values())
    ]
    register.unseat(account, own)
    return True


def _pour(gone: AccountState, kept: AccountState, now: float) -> None:
    """Let what was counted and what rests in one hold for the other."""
    _rest_alike(gone.rest, kept.rest)
    for name, window in gone.shared.items():
        if name in kept.shared:
            kept.shared[name].absorb(window, now)
    for model, quota in gone.quotas.items():
        same = kept.quotas.get(model)
        if same is None:
            continue
        _rest_alike(quota.rest, same.rest)
        for name, window in quota.own.items():
            if name in same.own:
                same.own[name].absorb(window, now)
    kept.stir()


def _rest_alike(gone: Rest, kept: Rest) -> None:
    if gone.until > kept.until:
        kept.until, kept.kind = gone.until, gone.kind
