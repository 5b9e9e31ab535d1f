"""Closing a lease: what it took is put right, and its outcome told to all it concerns.

Plain functions over the records of `scopes.py`, called under the pool's lock.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from freelm_integrations.pool.agreement import agree
from freelm_integrations.pool.lease import Cooled
from freelm_integrations.pool.verdicts import VERDICTS
from freelm_integrations.pool.widening import widen
from freelm_integrations.pool.window import Window
from freelm_integrations.providers.spec import Limit
from freelm_integrations.wire.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freelm_integrations.chat import Usage
    from freelm_integrations.clock import Clock
    from freelm_integrations.pool.lease import Abandoned, Lease, Outcome, Success
    from freelm_integrations.pool.scopes import RouteState, WindowName
    from freelm_integrations.pool.verdicts import Verdict
    from freelm_integrations.pool.window import Entry, Taken
    from freelm_integrations.providers.spec import Unit
    from freelm_integrations.wire.refusals.hints import Reading


def settle_windows(lease: Lease, outcome: Outcome, now: float, usage: Usage | None) -> list[float]:
    """Put what was really used, as far as that is known, in the place of what was taken.

    What was used of each window, in their order.
    """
    all_used: list[float] = []
    if usage is not None and not lease.route.provider.spec.counts_cached:
        usage = _without_cached(usage)
    refunds = VERDICTS[outcome.kind].refunds if isinstance(outcome, Fault) else "nothing"
    for window, entry, took, _ in lease.taken:
        used = took
        if window.unit == "requests":
            used = 0.0 if refunds == "all" else took
        elif usage is not None:
            used = _used(usage, window.unit)
        elif refunds != "nothing":
            used = 0.0
        window.settle(entry, now, took=took, used=used)
        all_used.append(used)
    return all_used


def learn(
    lease: Lease, readings: Sequence[Reading], now: float, *, usage: Usage | None, clock: Clock
) -> None:
    """Correct the windows by what the server read out of them; the lease's own are settled."""
    for reading in readings:
        taken = taken_for(lease, reading)
        if taken is None:
            _discover(lease.state, reading, now, clock)
            continue
        window, _, took, moves = taken
        is_alone = window.open == 0 and window.moves == moves + 1
        unseen = 0.0 if window.unit == "requests" else not_yet_counted(usage, took)
        if usage is not None and lease.route.provider.spec.reserves is not None:
            reading = _given_back(reading, took, usage)  # noqa: PLW2901 - the same, later
        window.learn(reading, now, is_alone=is_alone, unseen=unseen)


def praise(lease: Lease, success: Success, now: float, usage: Usage | None) -> None:
    """Note a success: the breaker closes, and the next cooldown is a first one again."""
    state = lease.state
    breaker = state.key.breaker
    if lease.is_probe or not breaker.is_closed:
        state.key.stir()
    breaker.alive(is_probe=lease.is_probe)
    for rest in state.rests:
        if rest.strikes:
            rest.forgive(now)
    if success.latency is not None:
        state.pacing.took(success.latency, is_whole=success.is_whole)
    if success.gap is not None:
        state.pacing.paused(success.gap)
    if usage is not None:
        tokens = usage.completion_tokens
        state.pacing.said(2 * tokens if success.was_short else tokens)


def let_go(lease: Lease, abandoned: Abandoned) -> None:
    """Blame nobody, but note slowness: what was dropped while silent was at least that slow."""
    state, silent_for = lease.state, abandoned.silent_for
    if lease.is_probe:
        state.key.breaker.abandoned()
        state.key.stir()
    if silent_for is not None:
        state.pacing.was_silent(silent_for, is_whole=abandoned.is_whole)


def blame(lease: Lease, fault: Fault, now: float, *, chance: float) -> Cooled | None:
    """Note a fault as its verdict says; what it cooled. `chance` is a number in [0, 1)."""
    state, verdict = lease.state, _verdict(lease, fault)
    key = state.key
    key.stir()
    key.last_fault, key.fault_at = fault, now
    opened: float | None = None
    if verdict.feeds_breaker:
        opened = key.breaker.fault(now, is_probe=lease.is_probe, chance=chance)
    else:
        key.breaker.alive(is_probe=lease.is_probe)
    if verdict.retires_key:
        key.retired = fault.kind
        return Cooled("key", math.inf)
    if fault.kind == "throttled" and not fault.limits:
        _learn_ceiling(lease, fault, now)
    cooled = _cool(state, fault, verdict, now)
    if cooled is None:
        return None if opened is None else Cooled("key", opened)
    believed = widen(lease, fault, cooled, now)
    if believed is not cooled or cooled.scope in {"provider", "model"}:
        state.provider.version += 1
    return believed


def _verdict(lease: Lease, fault: Fault) -> Verdict:
    """What the table says, for as long as is usual at this provider."""
    verdict, usual = VERDICTS[fault.kind], lease.route.provider.spec.throttled_for
    if fault.kind != "throttled" or usual is None:
        return verdict
    return replace(verdict, cools_for=usual[0], cap=usual[1])


def _learn_ceiling(lease: Lease, fault: Fault, now: float) -> None:
    """Put a refusal down to the fullest window of requests that it can be about."""
    after = fault.retry_after or 0.0
    meant = [
        (window.used(now) / window.amount, window, entry)
        for window, entry, _, _ in lease.taken
        if window.unit == "requests" and window.amount > 0 and after <= window.per
    ]
    if meant:
        _, window, entry = max(meant, key=_fullness)
        if window.refused(entry, now):
            agree(lease.state, lease.route.model.id, window, now)


def _fullness(one: tuple[float, Window, Entry]) -> float:
    return one[0]


def _cool(state: RouteState, fault: Fault, verdict: Verdict, now: float) -> Cooled | None:
    """Let rest what the fault names, else what the table does."""
    scope = verdict.scope if fault.scope is None else fault.scope
    rest = state.rest_of(scope)
    if rest is None or (verdict.cools_for <= 0 and fault.retry_after is None):
        return None
    seconds = rest.cool(fault, verdict, now)
    return Cooled(scope, seconds) if seconds > 0 else None


def _without_cached(usage: Usage) -> Usage:
    cached = min(usage.cached_tokens or 0, usage.prompt_tokens)
    if cached <= 0:
        return usage
    prompt, total = usage.prompt_tokens - cached, usage.total_tokens - cached
    return replace(usage, prompt_tokens=prompt, total_tokens=total)


def _used(usage: Usage, unit: Unit) -> float:
    if unit == "input_tokens":
        return usage.prompt_tokens
    if unit == "output_tokens":
        return usage.completion_tokens
    return max(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)


def not_yet_counted(usage: Usage | None, took: float) -> float:
    """Tokens a header cannot show: it is written before the answer is."""
    return took if usage is None else usage.completion_tokens


def _given_back(reading: Reading, took: float, usage: Usage) -> Reading:
    """A reading as it is once the answer is there: its header still counted all that was held."""
    if reading.unit == "requests" or reading.remaining is None:
        return reading
    unused = max(0.0, took - _used(usage, reading.unit))
    return reading._replace(remaining=reading.remaining + unused)


def taken_for(lease: Lease, reading: Reading) -> Taken | None:
    """What the lease holds of the window a reading speaks of; of two alike, the same limit's."""
    alike = [
        taken
        for taken in lease.taken
        if taken[0].unit == reading.unit and taken[0].per == reading.per
    ]
    if len(alike) > 1:
        alike.sort(key=lambda taken: taken[0].amount != reading.limit)
    return alike[0] if alike else None


def _discover(state: RouteState, reading: Reading, now: float, clock: Clock) -> None:
    """Add a window nobody declared, as the model's own: a wrong guess then blocks the least."""
    if reading.limit is None or not 0 < reading.limit < math.inf or reading.per <= 0:
        return
    quota = state.quota
    name: WindowName = (reading.unit, reading.per, "rolling")
    window = quota.own.get(name)
    if window is None:
        limit = Limit(reading.limit, reading.unit, per=reading.per)
        window = quota.own[name] = Window(limit, clock, source="header")
        quota.windows = (*state.account.shared.values(), *quota.own.values())
    window.learn(reading, now, is_alone=False)
