"""What a flight tells its observers: it builds the events, the machine reports them.

Builds nothing when nobody looks.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from freelm_integrations.events import (
    AttemptFailed,
    AttemptStarted,
    CallCommitted,
    CallCompleted,
    Exhausted,
    ProviderSwitched,
    RouteCooled,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from freelm_integrations.chat import Usage
    from freelm_integrations.clock import Clock
    from freelm_integrations.events import Event
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
        self._failed: tuple[Route, str] | None = None

    def take(self) -> list[Event]:
        """The news so far, told once."""
        if not self._news:
            return _NOTHING
        news, self._news = self._news, []
        return news

    def started(self, attempt: int, route: Route) -> None:
        """An attempt sets off.

        After a failed one it is a switch as well, unless it is the same route again.
        """
        if not self._is_observed:
            return
        if self._failed is not None and self._failed[0] is not route:
            left, reason = self._failed
            self._news.append(
                _switched(self._call, self._clock.utc(), attempt, left, reason, route)
            )
        self._tell(AttemptStarted, route, attempt=attempt)

    def failed(self, attempt: int, route: Route, fault: Fault, ms: float) -> None:
        """An attempt ended in a fault."""
        self._failed = (route, fault.kind)
        self._tell(
            AttemptFailed,
            route,
            attempt=attempt,
            kind=fault.kind,
            status=fault.status,
            message=fault.message,
            retry_after=fault.retry_after,
            ms=ms,
        )

    def cooled(self, route: Route, fault: Fault, cooled: Cooled | None) -> None:
        """Something rests after a fault."""
        if cooled is not None:
            scope, cools_for = cooled
            self._tell(RouteCooled, route, scope=scope, kind=fault.kind, cools_for=cools_for)

    def committed(self, attempt: int, route: Route, elapsed: float) -> None:
        """The first content came, `elapsed` seconds into the call."""
        self._tell(CallCommitted, route, attempt=attempt, ms=elapsed * 1000)

    def completed(self, route: Route, attempts: int, elapsed: float, usage: Usage | None) -> None:
        """The answer is whole, `elapsed` seconds into the call."""
        self._tell(
            CallCompleted,
            route,
            attempts=attempts,
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

    def exhausted(self, attempts: int, reason: str, ready_after: float | None) -> None:
        """Nothing answered."""
        if self._is_observed:
            self._news.append(
                Exhausted(
                    call=self._call,
                    at=self._clock.utc(),
                    attempts=attempts,
                    reason=reason,
                    next_ready_after=ready_after,
                )
            )


_NOTHING: list[Event] = []


def _names(route: Route) -> tuple[str, str, str]:
    return route.provider.name, route.model.id, route.key.fingerprint


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
