"""What a flight tells of its attempts: a record of each for the caller, events for observers.

The machine reports the events; none is built when nobody looks.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from freelm_integrations.chat import AttemptRecord
from freelm_integrations.events import (
    AttemptDropped,
    AttemptFailed,
    AttemptStarted,
    CallCommitted,
    CallCompleted,
    CallWaiting,
    Exhausted,
    ProviderSwitched,
    Resumed,
    RouteCooled,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from freelm_integrations.chat import Usage
    from freelm_integrations.clock import Clock
    from freelm_integrations.events import Event
    from freelm_integrations.pool.holding import Room
    from freelm_integrations.pool.pool import Cooled
    from freelm_integrations.pool.view import Route
    from freelm_integrations.wire.faults import Fault


logger = logging.getLogger("freelm_integrations")


def report(observe: Callable[[Event], object], event: Event) -> None:
    """Tell an observer; a raising one is logged and forgiven."""
    try:
        observe(event)
    except Exception:
        logger.exception("an observer raised on %s; the call goes on", event.name)


class Journal:
    """The events of one call, waiting to be reported."""

    def __init__(self, clock: Clock, call: int, *, is_observed: bool) -> None:
        """Start with no news."""
        self._clock = clock
        self._call = call
        self._is_observed = is_observed
        self._news: list[Event] = []
        self.records: list[AttemptRecord] = []
        """How each attempt ended, in that order; the one that speaks is told of as answering."""
        self._answering: dict[int, AttemptRecord] = {}
        self._in_charge: Route | None = None
        """Who is expected to answer: those sent beside it only stand by."""
        self._ends: dict[Route, str] = {}
        """Why attempts on these were given up."""

    def take(self) -> list[Event]:
        """The news so far, told once."""
        if not self._news:
            return _NOTHING
        news, self._news = self._news, []
        return news

    def started(
        self, attempt: int, route: Route, *, is_beside: bool = False, room: Room | None = None
    ) -> None:
        """An attempt sets off.

        After a failed one it is a switch as well, unless it is the same route again or goes
        beside others that may still answer. `room` is told where it is less than usual.
        """
        if not self._is_observed:
            return
        if not is_beside:
            self._switch(attempt, route)
        lowered = None if room is None or not room.is_lowered else room.tokens
        self._tell(AttemptStarted, route, attempt=attempt, room=lowered)

    def failed(self, attempt: int, route: Route, fault: Fault, lasted: float) -> None:
        """An attempt ended in a fault, after so many seconds."""
        answering = self._answering.pop(attempt, None)
        if answering is not None:  # it had been noted as the one that answers
            self.records.remove(answering)
        record = _record(
            route,
            lasted,
            kind=fault.kind,
            status=fault.status,
            message=fault.message,
            retry_after=fault.retry_after,
            request_id=fault.request_id,
        )
        self.records.append(record)
        self._ends[route] = fault.kind
        self._tell(
            AttemptFailed,
            route,
            attempt=attempt,
            kind=fault.kind,
            status=fault.status,
            message=fault.message,
            retry_after=fault.retry_after,
            ms=record.ms,
        )

    def forgiven(self, route: Route) -> None:
        """The last attempt of that route is to answer after all: it has not failed."""
        failed = [
            one for one in self.records if (one.provider, one.model, one.key) == _names(route)
        ]
        self.records.remove(failed[-1])
        self._ends.pop(route, None)

    def dropped(self, attempt: int, route: Route, silent_for: float) -> None:
        """An attempt was still silent (s) when another spoke."""
        record = _record(route, silent_for, kind="outpaced")
        self.records.append(record)
        self._ends[route] = "outpaced"
        self._tell(AttemptDropped, route, attempt=attempt, ms=record.ms)

    def cooled(self, route: Route, fault: Fault, cooled: Cooled | None) -> None:
        """Something rests after a fault."""
        if cooled is not None:
            scope, cools_for = cooled
            self._tell(RouteCooled, route, scope=scope, kind=fault.kind, cools_for=cools_for)

    def committed(
        self,
        attempt: int,
        route: Route,
        *,
        latency: float,
        elapsed: float,
        begun: Route | None = None,
        seam: int | None = None,
    ) -> None:
        """Its first content came, `latency` seconds into the attempt, `elapsed` into the call.

        If it carries on what another had begun: whose that was, and how far into the text (in
        characters) the seam is.
        """
        record = self._answering[attempt] = _record(route, latency)
        self.records.append(record)
        if not self._is_observed:
            return
        self._switch(attempt, route)
        if seam is not None:
            self._resume(attempt, route, begun, seam)
        self._tell(CallCommitted, route, attempt=attempt, ms=elapsed * 1000)

    def _resume(self, attempt: int, route: Route, begun: Route | None, seam: int) -> None:
        provider, model, key = _names(route)
        self._news.append(
            Resumed(
                call=self._call,
                at=self._clock.utc(),
                attempt=attempt,
                from_provider="" if begun is None else begun.provider.name,
                to_provider=provider,
                to_model=model,
                to_key=key,
                at_character=seam,
            )
        )

    def _switch(self, attempt: int, route: Route) -> None:
        """Put a route in charge, and tell of it if another was."""
        left, self._in_charge = self._in_charge, route
        if left is not None and left is not route:
            reason = self._ends.get(left, "outpaced")
            utc = self._clock.utc()
            self._news.append(_switched(self._call, utc, attempt, left, reason, route))

    def completed(self, route: Route, elapsed: float, usage: Usage | None) -> None:
        """The answer is whole, `elapsed` seconds into the call."""
        self._tell(
            CallCompleted,
            route,
            attempts=len(self.records),
            ms=elapsed * 1000,
            prompt_tokens=None if usage is None else usage.prompt_tokens,
            completion_tokens=None if usage is None else usage.completion_tokens,
        )

    def _tell(self, made: Callable[..., Event], route: Route, /, **fields: object) -> None:
        """Note an event of one route; for its fields see its class."""
        if self._is_observed:
            provider, model, key = _names(route)
            call, at = self._call, self._clock.utc()
            self._news.append(
                made(call=call, at=at, provider=provider, model=model, key=key, **fields)
            )

    def waiting(self, ready_after: float, place: int) -> None:
        """The call joins those that wait."""
        if self._is_observed:
            utc = self._clock.utc()
            self._news.append(
                CallWaiting(call=self._call, at=utc, ready_after=ready_after, place=place)
            )

    def exhausted(self, reason: str, ready_after: float | None) -> None:
        """The call ends without a whole answer."""
        if self._is_observed:
            self._news.append(
                Exhausted(
                    call=self._call,
                    at=self._clock.utc(),
                    attempts=len(self.records),
                    reason=reason,
                    next_ready_after=ready_after,
                )
            )


_NOTHING: list[Event] = []


def _names(route: Route) -> tuple[str, str, str]:
    return route.provider.name, route.model.id, route.key.fingerprint


def _record(
    route: Route,
    lasted: float,
    *,
    kind: str | None = None,
    status: int | None = None,
    message: str = "",
    retry_after: float | None = None,
    request_id: str | None = None,
) -> AttemptRecord:
    provider, model, key = _names(route)
    return AttemptRecord(
        provider,
        model,
        key,
        kind=kind,
        status=status,
        message=message,
        retry_after=retry_after,
        ms=lasted * 1000,
        request_id=request_id,
    )


def _switched(
    call: int, at: float, attempt: int, left: Route, reason: str, taken: Route
) -> ProviderSwitched:
    return ProviderSwitched(
        call=call,
        at=at,
        attempt=attempt,
        from_provider=left.provider.name,
        from_model=left.model.id,
        from_key=left.key.fingerprint,
        to_provider=taken.provider.name,
        to_model=taken.model.id,
        to_key=taken.key.fingerprint,
        reason=reason,
    )
