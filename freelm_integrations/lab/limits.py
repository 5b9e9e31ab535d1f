"""Limits a played provider really enforces: rules, and the meters that count against them.

All moments are epoch seconds of the lab's own clock, all lengths are seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable

Unit = Literal["requests", "tokens"]
Scope = Literal["account", "model"]
Refill = Literal["steady", "utc_day", "pacific_day"]

MINUTE, HOUR, DAY, MONTH = 60.0, 3600.0, 86_400.0, 2_592_000.0
_HAIR = 1e-6


@dataclass(frozen=True)
class LabLimit:
    """So many units per window, for each account, or for each model of an account.

    A `steady` window refills all the time, as a token bucket does; the others start anew at
    midnight.
    """

    amount: float
    unit: Unit
    per: float = MINUTE
    scope: Scope = "model"
    refill: Refill = "steady"
    model: str | None = None  # only this one; None: any


def _pacific() -> tzinfo:
    try:
        return ZoneInfo("America/Los_Angeles")
    except ZoneInfoNotFoundError:  # no time zone data here: winter time will do
        return timezone(timedelta(hours=-8))


def next_midnight(now: float, zone: tzinfo) -> float:
    """The moment the next day begins in a time zone."""
    today = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=1)).timestamp()


@dataclass
class Meter:
    """The count against one limit."""

    limit: LabLimit
    at: float
    left: float = field(init=False)
    resets_at: float = field(init=False)

    def __post_init__(self) -> None:
        """Start full."""
        self.left = self.limit.amount
        self.resets_at = self._midnight(self.at)

    def _midnight(self, now: float) -> float:
        if self.limit.refill == "steady":
            return math.inf
        return next_midnight(now, timezone.utc if self.limit.refill == "utc_day" else _pacific())

    @property
    def rate(self) -> float:
        """Units a second a steady window gives back."""
        return self.limit.amount / self.limit.per

    def room(self, now: float) -> float:
        """Units left now; below zero when answers turned out longer than was held for them."""
        if self.limit.refill == "steady":
            gone = max(0.0, now - self.at)  # a moment may have been read before the last count
            return min(self.limit.amount, self.left + gone * self.rate)
        return self.limit.amount if now >= self.resets_at else self.left

    def whole_room(self, now: float) -> int:
        """Whole units left now, as headers tell them; sums of floats may miss one by a hair."""
        return max(0, math.floor(self.room(now) + _HAIR))

    def wait(self, amount: float, now: float) -> float:
        """Seconds until so many units fit: 0 if they do, inf if they never will."""
        if amount <= self.room(now):
            return 0.0
        if amount > self.limit.amount:
            return math.inf
        if self.limit.refill == "steady":
            return (amount - self.room(now)) / self.rate
        return self.resets_at - now

    def full_in(self, now: float) -> float:
        """Seconds until nothing is used any more."""
        if self.limit.refill != "steady":
            return max(0.0, self.resets_at - now)
        return (self.limit.amount - self.room(now)) / self.rate if self.rate else math.inf

    def take(self, amount: float, now: float) -> None:
        """Count so many units; a negative amount gives back."""
        self.left = min(self.limit.amount, self.room(now) - amount)
        self.at = max(self.at, now)
        if now >= self.resets_at:
            self.resets_at = self._midnight(now)


@dataclass(frozen=True)
class Tripped:
    """The limit that refused a request, and what it said."""

    meter: Meter
    requested: float
    wait: float  # inf: a request of this size will never fit


@dataclass(frozen=True)
class Usage:
    """What one request holds of the meters it passed."""

    meters: tuple[Meter, ...]
    held: int  # tokens

    def settle(self, spent: int, now: float) -> None:
        """Put the tokens really spent in the place of those held."""
        for meter in self.meters:
            if meter.limit.unit == "tokens":
                meter.take(spent - self.held, now)


class MeterBook:
    """Every meter of one provider: a set for each account, and within it for each model."""

    def __init__(self, limits: Iterable[LabLimit]) -> None:
        self._limits = tuple(limits)
        self._overrides: dict[tuple[Unit, float, str | None], LabLimit] = {}
        self._meters: dict[tuple[LabLimit, int, str | None], Meter] = {}

    def override(self, limit: LabLimit) -> None:
        """Put a limit in the place of the one with its unit, window and model, or beside them."""
        self._overrides[limit.unit, limit.per, limit.model] = limit

    def meters(
        self, account: int, model: str, own: tuple[LabLimit, ...] | None, now: float
    ) -> tuple[Meter, ...]:
        """The meters a request of this account to this model must pass."""
        return tuple(self._meter(limit, account, model, now) for limit in self._rules(model, own))

    def _rules(self, model: str, own: tuple[LabLimit, ...] | None) -> Iterable[LabLimit]:
        rules = {(rule.unit, rule.per): rule for rule in (self._limits if own is None else own)}
        for (unit, per, only), rule in self._overrides.items():
            if only is None or only == model:
                own_rule = rules.get((unit, per), rule)
                scope = own_rule.scope if only is None else rule.scope  # who shares it stays
                rules[unit, per] = replace(rule, scope=scope)
        return rules.values()

    def _meter(self, limit: LabLimit, account: int, model: str, now: float) -> Meter:
        place = (limit, account, model if limit.scope == "model" else None)
        if place not in self._meters:
            self._meters[place] = Meter(limit, now)
        return self._meters[place]


def admit(meters: tuple[Meter, ...], tokens: int, now: float) -> Usage | Tripped:
    """Count one request of so many tokens, or say which limit is in the way and count nothing."""
    sizes = [(meter, tokens if meter.limit.unit == "tokens" else 1) for meter in meters]
    trips = [Tripped(meter, size, meter.wait(size, now)) for meter, size in sizes]
    worst = max(trips, key=lambda trip: trip.wait, default=None)
    if worst is not None and worst.wait > 0:
        return worst
    for meter, size in sizes:
        meter.take(size, now)
    return Usage(meters, tokens)
