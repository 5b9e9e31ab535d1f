"""Calls as their events tell them, for all who show calls."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console

from freelm_integrations.events import (
    AttemptDropped,
    AttemptFailed,
    AttemptStarted,
    CallCommitted,
    CallCompleted,
    Resumed,
    RouteCooled,
)
from freelm_integrations.timeline import Timeline

if TYPE_CHECKING:
    from freelm_integrations.events import Event

GROQ = {"provider": "groq", "model": "small:free:", "key": "11111111"}
NIM = {"provider": "nim", "model": "large", "key": "22222222"}
MISTRAL = {"provider": "mistral", "model": "ministral", "key": "33333333"}


def started(
    attempt: int, route: dict[str, str], at: float = 100.0, call: int = 1
) -> AttemptStarted:
    return AttemptStarted(call=call, at=at, attempt=attempt, **route)


def failed(attempt: int, route: dict[str, str], kind: str, status: int | None = None) -> Event:
    return AttemptFailed(
        call=1, at=100.1, attempt=attempt, kind=kind, status=status, ms=100.0, **route
    )


def dropped(attempt: int, route: dict[str, str]) -> AttemptDropped:
    return AttemptDropped(call=1, at=101.0, attempt=attempt, ms=1000.0, **route)


def committed(attempt: int, route: dict[str, str]) -> CallCommitted:
    return CallCommitted(call=1, at=100.3, attempt=attempt, ms=300.0, **route)


def resumed(attempt: int, route: dict[str, str], left: dict[str, str], at: int) -> Resumed:
    return Resumed(
        call=1,
        at=100.4,
        attempt=attempt,
        from_provider=left["provider"],
        to_provider=route["provider"],
        to_model=route["model"],
        to_key=route["key"],
        at_character=at,
    )


def completed(route: dict[str, str], attempts: int) -> CallCompleted:
    return CallCompleted(
        call=1,
        at=100.6,
        attempts=attempts,
        ms=600.0,
        prompt_tokens=30,
        completion_tokens=12,
        **route,
    )


REFUSED: list[Event] = [
    started(1, GROQ),
    failed(1, GROQ, "throttled", 429),
    RouteCooled(call=1, at=100.1, scope="key", kind="throttled", cools_for=20.0, **GROQ),
    started(2, NIM, at=100.1),
    committed(2, NIM),
    completed(NIM, 2),
]
"""Refused by one, answered by the next."""
HEDGED: list[Event] = [
    started(1, GROQ),
    started(2, NIM),
    dropped(1, GROQ),
    committed(2, NIM),
    completed(NIM, 2),
]
"""One kept silent; another was asked beside it and spoke first."""
STITCHED: list[Event] = [
    started(1, GROQ),
    committed(1, GROQ),
    failed(1, GROQ, "broken"),
    started(2, NIM),
    failed(2, NIM, "astray"),
    started(3, MISTRAL),
    committed(3, MISTRAL),
    resumed(3, MISTRAL, GROQ, 5),
    completed(MISTRAL, 3),
]
"""One broke off after five characters, another did not carry on, the third did."""


def told(*events: Event) -> Timeline:
    timeline = Timeline()
    for event in events:
        timeline(event)
    return timeline


def console(*, terminal: bool, width: int = 100, height: int = 30) -> Console:
    return Console(
        file=io.StringIO(),
        width=width,
        height=height,
        force_terminal=terminal,
        _environ={"TERM": "xterm"},
    )
