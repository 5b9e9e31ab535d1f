"""What happens inside a call, told to LlamaIndex's instrumentation.

Five kinds of event (`class_name()` in brackets), sent with the span id of the call they belong to,
also when a stream is already in its consumer's hands:

- `AttemptFailedEvent` (`freelm.attempt_failed`)
- `AttemptDroppedEvent` (`freelm.attempt_dropped`)
- `ProviderSwitchedEvent` (`freelm.provider_switched`)
- `ResumedEvent` (`freelm.resumed`)
- `ExhaustedEvent` (`freelm.exhausted`)

Besides, every attempt of a call is a child span of it, tagged `freelm.provider`, `freelm.model`,
`freelm.key` and `freelm.attempt`. A failed attempt's span is dropped with the reason, also when its
stream breaks in the middle; every other one ends with its answer, when another outpaces it, or when
its consumer lets go. Of a stream it may outlast the span of the call, which core ends as soon as it
hands the stream out. No event or span holds a key or a prompt.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.base import BaseEvent
from llama_index_instrumentation.dispatcher import active_instrument_tags
from llama_index_instrumentation.event_handlers import NullEventHandler
from llama_index_instrumentation.events.span import SpanDropEvent
from llama_index_instrumentation.span_handlers import NullSpanHandler

from freelm_integrations import events

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from llama_index_instrumentation.dispatcher import Dispatcher

dispatcher = get_dispatcher(__name__)


class _CallEvent(BaseEvent):
    """What all share: `call` numbers the call within this process, `at` is epoch seconds."""

    call: int
    at: float


class AttemptFailedEvent(_CallEvent):
    """An attempt ended in a fault, after `ms`; `retry_after` (s) is what the server promised."""

    attempt: int
    provider: str
    model: str
    key: str
    kind: str
    status: int | None = None
    message: str = ""
    retry_after: float | None = None
    ms: float = 0.0

    @classmethod
    def class_name(cls) -> str:
        """The name handlers know it by."""
        return events.AttemptFailed.name


class AttemptDroppedEvent(_CallEvent):
    """An attempt was still silent, for `ms`, when another one spoke: nobody is to blame."""

    attempt: int
    provider: str
    model: str
    key: str
    ms: float = 0.0

    @classmethod
    def class_name(cls) -> str:
        """The name handlers know it by."""
        return events.AttemptDropped.name


class ProviderSwitchedEvent(_CallEvent):
    """The call goes on at another provider, model or key."""

    attempt: int
    from_provider: str
    from_model: str
    from_key: str
    to_provider: str
    to_model: str
    to_key: str
    reason: str

    @classmethod
    def class_name(cls) -> str:
        """The name handlers know it by."""
        return events.ProviderSwitched.name


class ResumedEvent(_CallEvent):
    """Another route carries a cut stream on; `at_character` is the seam in the visible text."""

    attempt: int
    from_provider: str
    to_provider: str
    to_model: str
    to_key: str
    at_character: int

    @classmethod
    def class_name(cls) -> str:
        """The name handlers know it by."""
        return events.Resumed.name


class ExhaustedEvent(_CallEvent):
    """No candidate answered; the first is back in `next_ready_after` seconds, None for never."""

    attempts: int
    reason: str
    next_ready_after: float | None = None

    @classmethod
    def class_name(cls) -> str:
        """The name handlers know it by."""
        return events.Exhausted.name


TOLD: Mapping[type[events.Event], type[_CallEvent]] = {
    events.AttemptFailed: AttemptFailedEvent,
    events.AttemptDropped: AttemptDroppedEvent,
    events.ProviderSwitched: ProviderSwitchedEvent,
    events.Resumed: ResumedEvent,
    events.Exhausted: ExhaustedEvent,
}


def observer(span_id: str | None) -> CallObserver | None:
    """An observer for the call whose span is `span_id`, or None while nobody listens.

    Without one, the engine does not even make the events.
    """
    return CallObserver(span_id) if any(map(_is_watched, _chain(dispatcher))) else None


class CallObserver:
    """Turns the engine's events of one call into LlamaIndex's; an `on_event` function."""

    def __init__(self, span_id: str | None) -> None:
        """Belong to the call whose span is `span_id`."""
        self._span_id = span_id
        self._spans: dict[int, str] = {}
        self._is_settled = False

    def __call__(self, event: events.Event) -> None:
        """Tell one event."""
        if isinstance(event, events.AttemptStarted):
            self._begin(event)
        elif isinstance(event, events.AttemptFailed):
            self._fail(event)
        elif isinstance(event, events.AttemptDropped):
            self._end(event.attempt)
        if (told_as := TOLD.get(type(event))) is not None:
            dispatcher.event(told_as(**event.to_dict(), span_id=self._span_id))

    def settle(self) -> None:
        """End the spans still open, now that the call is over; further attempts get none."""
        self._is_settled = True
        for attempt in list(self._spans):
            self._end(attempt)

    def _begin(self, event: events.AttemptStarted) -> None:
        if self._is_settled:
            return
        self._spans[event.attempt] = span_id = f"freelm.attempt-{uuid4()}"
        tags = {**active_instrument_tags.get(), **_tags(event)}
        dispatcher.span_enter(
            id_=span_id, bound_args=_NO_ARGUMENTS, parent_id=self._span_id, tags=tags
        )

    def _fail(self, event: events.AttemptFailed) -> None:
        if (failed := self._spans.pop(event.attempt, None)) is not None:
            error = AttemptError(f"{event.provider} {event.status or event.kind}: {event.message}")
            dispatcher.event(SpanDropEvent(span_id=failed, err_str=str(error)))
            dispatcher.span_drop(id_=failed, bound_args=_NO_ARGUMENTS, err=error)

    def _end(self, attempt: int) -> None:
        if (span_id := self._spans.pop(attempt, None)) is not None:
            dispatcher.span_exit(id_=span_id, bound_args=_NO_ARGUMENTS)


def observers(span_id: str | None) -> Observers | None:
    """As `observer`, for several calls at once that belong to one span."""
    return None if observer(span_id) is None else Observers(span_id)


class Observers:
    """Observers of calls that go on side by side, told apart by the number of the call."""

    def __init__(self, span_id: str | None) -> None:
        """Belong to the span they are all made in."""
        self._span_id = span_id
        self._by_call: dict[int, CallObserver] = {}

    def __call__(self, event: events.Event) -> None:
        """Tell one event."""
        if event.call not in self._by_call:
            self._by_call[event.call] = CallObserver(self._span_id)
        self._by_call[event.call](event)

    def settle(self) -> None:
        """End the spans still open."""
        for one in self._by_call.values():
            one.settle()


class AttemptError(Exception):
    """Why an attempt's span was dropped; seen by span handlers only, never raised."""


def _tags(event: events.AttemptStarted) -> dict[str, Any]:
    return {
        "freelm.provider": event.provider,
        "freelm.model": event.model,
        "freelm.key": event.key,
        "freelm.attempt": event.attempt,
    }


def _nothing() -> None:
    """Stands for the function of a span that is not one."""


_NO_ARGUMENTS = inspect.signature(_nothing).bind()


def _chain(lowest: Dispatcher) -> Iterator[Dispatcher]:
    yield lowest
    while lowest.propagate:
        lowest = lowest.parent
        yield lowest


def _is_watched(one: Dispatcher) -> bool:
    spans = cast("list[object]", one.span_handlers)  # pyright: ignore[reportUnknownMemberType]
    handlers: list[object] = [*one.event_handlers, *spans]
    return not all(isinstance(handler, (NullEventHandler, NullSpanHandler)) for handler in handlers)
