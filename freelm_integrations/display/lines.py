"""What an event is worth as a line of its own, where nothing can be redrawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.chat import fault_words
from freelm_integrations.events import (
    AttemptDropped,
    AttemptFailed,
    AttemptStarted,
    CallCommitted,
    Exhausted,
    Resumed,
    RouteCooled,
)
from freelm_integrations.timeline import characters, span

if TYPE_CHECKING:
    from freelm_integrations.events import Event
    from freelm_integrations.timeline import Attempt


def event_line(event: Event, attempt: Attempt | None) -> str:
    """Say what is new, given how its attempt stands now; "" for what says nothing new."""
    if isinstance(event, RouteCooled):
        return f"     {event.scope} rests {span(event.cools_for)}"
    if isinstance(event, Exhausted):
        return f"  no whole answer: {event.reason}"
    if isinstance(event, Resumed):
        said = f"carries on after {characters(event.at_character)}"
        return f"  {event.attempt}. {event.to_provider} {event.to_model}: {said}"
    if attempt is None or not (said := _said(event, attempt)):
        return ""
    return f"  {attempt.number}. {attempt.provider} {attempt.model}: {said}"


def _said(event: Event, attempt: Attempt) -> str:
    if isinstance(event, AttemptStarted):
        return "asked as a hedge, others being silent" if attempt.is_hedge else ""
    if isinstance(event, AttemptFailed):
        where = " in mid-answer" if attempt.outcome == "broke_off" else ""
        return f"{fault_words(event.kind, event.status)}{where} after {event.ms:.0f} ms"
    if isinstance(event, AttemptDropped):
        return f"{fault_words('outpaced')} after {event.ms:.0f} ms of silence"
    if isinstance(event, CallCommitted):
        return f"first words {event.ms:.0f} ms after the question"
    return ""
