"""What the events of calls add up to: every attempt, and what each provider did. Plain data."""

from __future__ import annotations

import math
import threading
from collections import Counter
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from freelm_integrations.chat import fault_words
from freelm_integrations.events import (
    AttemptFailed,
    AttemptStarted,
    CallCommitted,
    CallCompleted,
    RouteCooled,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from freelm_integrations.events import Event

__all__ = ["Attempt", "ProviderSummary", "Timeline"]

Outcome = Literal["trying", "failed", "answers", "answered", "dropped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt as the events told it; `ms` is its whole length, None while it runs.

    `outcome` goes from trying to failed, or by answers (first words came) to answered; a hedge that
    lost is dropped. `rests` is what rests after a fault, `rests_for` how long (s), inf for good.
    """

    call: int
    number: int
    provider: str
    model: str
    key: str
    started_at: float
    outcome: Outcome = "trying"
    kind: str | None = None
    status: int | None = None
    rests: str | None = None
    rests_for: float | None = None
    ms: float | None = None

    @property
    def words(self) -> str:
        """What came of it, for people: `rate limited (429), key rests 20 s`."""
        if self.outcome != "failed" or self.kind is None:
            return self.outcome
        rest = "" if self.rests is None else f", {self.rests} rests {span(self.rests_for)}"
        return fault_words(self.kind, self.status) + rest


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSummary:
    """What one provider did: attempts, faults by kind, answers and their median length."""

    provider: str
    attempts: int
    failed: Mapping[str, int]
    answers: int
    median_ms: float | None

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe dict."""
        return asdict(self)


class Timeline:
    """An observer that keeps every attempt it is told of. Safe from any thread."""

    def __init__(self) -> None:
        """Start empty."""
        self._attempts: dict[tuple[int, int], Attempt] = {}
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Take one event in; of the kinds it does not know, nothing is kept."""
        with self._lock:
            for attempt in self._told(event):
                self._attempts[attempt.call, attempt.number] = attempt

    def attempts(self, call: int | None = None) -> list[Attempt]:
        """All attempts in the order they set off, or those of one call."""
        with self._lock:
            return [one for one in self._attempts.values() if call is None or one.call == call]

    def failovers(self) -> int:
        """How many faults were followed by another attempt of the same call."""
        rows = self.attempts()
        last = {row.call: row.number for row in rows}
        return sum(row.outcome == "failed" and row.number < last[row.call] for row in rows)

    def summary(self) -> list[ProviderSummary]:
        """A row a provider, in the order they were first tried."""
        rows = self.attempts()
        return [
            _summary(name, [row for row in rows if row.provider == name])
            for name in dict.fromkeys(row.provider for row in rows)
        ]

    def _told(self, event: Event) -> Iterable[Attempt]:
        """What the event changes."""
        if isinstance(event, AttemptStarted):
            return [_started(event)]
        if isinstance(event, CallCompleted):
            return [_ended(row, event) for row in self._running(event.call)]
        if isinstance(event, RouteCooled):
            return self._cooled(event)
        row = self._attempts.get((event.call, getattr(event, "attempt", 0)))
        if row is not None and isinstance(event, AttemptFailed):
            return [_failed(row, event)]
        if row is not None and isinstance(event, CallCommitted):
            return [replace(row, outcome="answers")]
        return []

    def _running(self, call: int) -> list[Attempt]:
        rows = self._attempts.values()
        return [row for row in rows if row.call == call and row.outcome in {"trying", "answers"}]

    def _cooled(self, event: RouteCooled) -> list[Attempt]:
        """The event names a route; the last fault of this call there is the cause."""
        route = (event.call, event.provider, event.model, event.key)
        for row in reversed(list(self._attempts.values())):
            if (row.call, row.provider, row.model, row.key) == route and row.outcome == "failed":
                return [replace(row, rests=event.scope, rests_for=event.cools_for)]
        return []


def _started(event: AttemptStarted) -> Attempt:
    return Attempt(
        call=event.call,
        number=event.attempt,
        provider=event.provider,
        model=event.model,
        key=event.key,
        started_at=event.at,
    )


def _failed(row: Attempt, event: AttemptFailed) -> Attempt:
    return replace(row, outcome="failed", kind=event.kind, status=event.status, ms=event.ms)


def _ended(row: Attempt, event: CallCompleted) -> Attempt:
    outcome: Outcome = "answered" if row.outcome == "answers" else "dropped"
    return replace(row, outcome=outcome, ms=(event.at - row.started_at) * 1000)


def _summary(provider: str, rows: Sequence[Attempt]) -> ProviderSummary:
    lengths = [row.ms for row in rows if row.outcome == "answered" and row.ms is not None]
    return ProviderSummary(
        provider=provider,
        attempts=len(rows),
        failed=dict(Counter(row.kind for row in rows if row.kind is not None)),
        answers=len(lengths),
        median_ms=median(lengths) if lengths else None,
    )


_UNITS = (("s", 1.0, 120.0), ("min", 60.0, 7200.0), ("h", 3600.0, 172_800.0))


def span(seconds: float | None) -> str:
    """Say a length of time for people: `20 s`, `3 min`, `2 h`, `30 days`."""
    if seconds is None:
        return "a while"
    if math.isinf(seconds):
        return "until it is replaced"
    for unit, length, most in _UNITS:
        if seconds < most:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds / 86_400:.0f} days"
