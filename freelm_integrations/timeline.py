"""What the events of calls add up to: every attempt, what each provider did, and what it came to.

Plain data.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from freelm_integrations.chat import fault_words
from freelm_integrations.events import (
    AttemptDropped,
    AttemptFailed,
    AttemptStarted,
    CallCommitted,
    CallCompleted,
    Resumed,
    RouteCooled,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import TypeAlias

    from freelm_integrations.events import Event

__all__ = ["Attempt", "ProviderSummary", "Timeline", "Totals"]

Outcome = Literal["trying", "failed", "answers", "answered", "broke_off", "dropped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt as the events told it; `ms` is its whole length, None while it runs.

    `outcome` goes from trying to failed, or by answers (first words came) to answered, or to
    broke_off where its answer did not come to its end; what another outpaced is dropped.

    `is_hedge`: it was sent beside another that was silent. `carries_on_at` is how many characters
    of the answer were there before its own, None where it began the answer; `broke_off_at` how many
    there were when it broke off, known once another carries on. `rests` is what rests after a
    fault, `rests_for` how long (s), inf for good.
    """

    call: int
    number: int
    provider: str
    model: str
    key: str
    started_at: float
    outcome: Outcome = "trying"
    is_hedge: bool = False
    carries_on_at: int | None = None
    broke_off_at: int | None = None
    kind: str | None = None
    status: int | None = None
    rests: str | None = None
    rests_for: float | None = None
    ms: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe dict, without the fields nobody filled; endless times are among these."""
        fields = asdict(self).items()
        return {name: value for name, value in fields if value is not None and value != math.inf}

    @property
    def is_running(self) -> bool:
        """Whether no event has ended it."""
        return self.outcome in {"trying", "answers"}

    @property
    def words(self) -> str:
        """What came of it, for people: `rate limited (429), key rests 20 s`."""
        if self.outcome not in {"failed", "broke_off"} or self.kind is None:
            return self._deed + (" as a hedge" if self.is_hedge else "")
        rest = "" if self.rests is None else f", {self.rests} rests {span(self.rests_for)}"
        return fault_words(self.kind, self.status) + self._breach + rest

    @property
    def _deed(self) -> str:
        if self.carries_on_at is None:
            return _DEEDS[self.outcome]
        return f"{_DEEDS_ONWARD[self.outcome]} after {characters(self.carries_on_at)}"

    @property
    def _breach(self) -> str:
        if self.outcome != "broke_off":
            return ""
        if self.broke_off_at is None:
            return " in mid-answer"
        return f" after {characters(self.broke_off_at)}"


_DEEDS: Mapping[Outcome, str] = {
    "trying": "trying",
    "failed": "failed",
    "answers": "answers",
    "answered": "answered",
    "broke_off": "broke off",
    "dropped": fault_words("outpaced"),
}
_DEEDS_ONWARD: Mapping[Outcome, str] = {
    **_DEEDS,
    "answers": "carries on",
    "answered": "carried on",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSummary:
    """What one provider did: attempts, faults by kind, answers and their median length.

    `dropped` counts the attempts that others outpaced, `carried_on` the answers of others that it
    took to their end or further. An answer counts for whoever ended it.
    """

    provider: str
    attempts: int
    failed: Mapping[str, int]
    answers: int
    median_ms: float | None
    dropped: int = 0
    carried_on: int = 0

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe dict."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What it all came to.

    `failovers` are faults that another attempt of the same call followed, `hedges` attempts sent
    beside silent ones, `seams` the places where an answer was carried on by another route; tokens
    as the providers counted them, as far as they did.
    """

    calls: int
    answers: int
    attempts: int
    failovers: int
    hedges: int
    seams: int
    prompt_tokens: int
    completion_tokens: int

    @property
    def words(self) -> str:
        """A line for people; what happened not once is left out, but for answers."""
        counts = {"failover": self.failovers, "hedge": self.hedges, "seam": self.seams}
        said = [
            _counted(self.calls, "call"),
            _counted(self.answers, "answer"),
            _counted(self.attempts, "attempt"),
            *(_counted(number, what) for what, number in counts.items() if number),
        ]
        tokens = self.prompt_tokens + self.completion_tokens
        if tokens:
            said.append(f"{tokens:,} tokens ({self.completion_tokens:,} written)")
        return ", ".join(said)

    def to_dict(self) -> dict[str, int]:
        """A JSON-safe dict."""
        return asdict(self)


class Timeline:
    """An observer that keeps every attempt it is told of. Safe from any thread."""

    def __init__(self) -> None:
        """Start empty."""
        self._calls: dict[int, _Rows] = {}
        self._whole: dict[int, CallCompleted] = {}
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Take one event in; of the kinds it does not know, nothing is kept."""
        told = _TOLD.get(type(event))
        if told is None:
            return
        with self._lock:
            rows = self._calls.setdefault(event.call, {})
            for row in told(rows, event):
                rows[row.number] = row
            if isinstance(event, CallCompleted):
                self._whole[event.call] = event

    def calls(self) -> list[int]:
        """The numbers of the calls, in the order they were first told of."""
        with self._lock:
            return list(self._calls)

    def attempts(self, call: int | None = None) -> list[Attempt]:
        """All attempts call by call, or those of one, in the order they set off."""
        with self._lock:
            if call is not None:
                return list(self._calls.get(call, {}).values())
            return [row for rows in self._calls.values() for row in rows.values()]

    def attempt(self, call: int, number: int) -> Attempt | None:
        """One attempt as it stands now; None if it is not known."""
        with self._lock:
            return self._calls.get(call, {}).get(number)

    def failovers(self) -> int:
        """How many faults were followed by another attempt of the same call."""
        rows = self.attempts()
        last = {row.call: row.number for row in rows}
        return sum(row.kind is not None and row.number < last[row.call] for row in rows)

    def totals(self) -> Totals:
        """What it all came to."""
        rows = self.attempts()
        with self._lock:
            whole = list(self._whole.values())
        return Totals(
            calls=len({row.call for row in rows}),
            answers=len(whole),
            attempts=len(rows),
            failovers=self.failovers(),
            hedges=sum(row.is_hedge for row in rows),
            seams=sum(row.carries_on_at is not None for row in rows),
            prompt_tokens=sum(event.prompt_tokens or 0 for event in whole),
            completion_tokens=sum(event.completion_tokens or 0 for event in whole),
        )

    def summary(self) -> list[ProviderSummary]:
        """A row a provider, in the order they were first tried."""
        by_provider: dict[str, list[Attempt]] = {}
        for row in self.attempts():
            by_provider.setdefault(row.provider, []).append(row)
        return [_summary(provider, rows) for provider, rows in by_provider.items()]


if TYPE_CHECKING:
    _Rows: TypeAlias = dict[int, Attempt]
    """The attempts of one call by their numbers, in the order they set off."""


def _started(rows: _Rows, event: AttemptStarted) -> Iterable[Attempt]:
    yield Attempt(
        call=event.call,
        number=event.attempt,
        provider=event.provider,
        model=event.model,
        key=event.key,
        started_at=event.at,
        is_hedge=any(row.is_running for row in rows.values()),
    )


def _failed(rows: _Rows, event: AttemptFailed) -> Iterable[Attempt]:
    if row := rows.get(event.attempt):
        outcome: Outcome = "broke_off" if row.outcome == "answers" else "failed"
        yield replace(row, outcome=outcome, kind=event.kind, status=event.status, ms=event.ms)


def _dropped(rows: _Rows, event: AttemptDropped) -> Iterable[Attempt]:
    if row := rows.get(event.attempt):
        yield replace(row, outcome="dropped", ms=event.ms)


def _committed(rows: _Rows, event: CallCommitted) -> Iterable[Attempt]:
    if row := rows.get(event.attempt):
        yield replace(row, outcome="answers")


def _resumed(rows: _Rows, event: Resumed) -> Iterable[Attempt]:
    """Whoever carries on, and who broke off: the last that spoke before."""
    if row := rows.get(event.attempt):
        yield replace(row, carries_on_at=event.at_character)
    broken = [row for row in rows.values() if row.outcome == "broke_off"]
    if broken and broken[-1].broke_off_at is None:
        yield replace(broken[-1], broke_off_at=event.at_character)


def _cooled(rows: _Rows, event: RouteCooled) -> Iterable[Attempt]:
    """The event names a route; the last fault of this call there is the cause."""
    route = (event.provider, event.model, event.key)
    for row in reversed(list(rows.values())):
        if (row.provider, row.model, row.key) == route and row.kind is not None:
            return [replace(row, rests=event.scope, rests_for=event.cools_for)]
    return []


def _completed(rows: _Rows, event: CallCompleted) -> Iterable[Attempt]:
    for row in list(rows.values()):
        if row.is_running:
            outcome: Outcome = "answered" if row.outcome == "answers" else "dropped"
            yield replace(row, outcome=outcome, ms=(event.at - row.started_at) * 1000)


_TOLD: Mapping[type[Event], Callable[[_Rows, Any], Iterable[Attempt]]] = {
    AttemptStarted: _started,
    AttemptFailed: _failed,
    AttemptDropped: _dropped,
    CallCommitted: _committed,
    Resumed: _resumed,
    RouteCooled: _cooled,
    CallCompleted: _completed,
}
"""What each event changes, given the attempts of its call."""


def _summary(provider: str, rows: Sequence[Attempt]) -> ProviderSummary:
    lengths = [row.ms for row in rows if row.outcome == "answered" and row.ms is not None]
    return ProviderSummary(
        provider=provider,
        attempts=len(rows),
        failed=dict(Counter(row.kind for row in rows if row.kind is not None)),
        answers=len(lengths),
        median_ms=median(lengths) if lengths else None,
        dropped=sum(row.outcome == "dropped" for row in rows),
        carried_on=sum(row.carries_on_at is not None for row in rows),
    )


def characters(count: int) -> str:
    """Say how long a text is: `61 characters`."""
    return _counted(count, "character")


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


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
