"""The open attempts of one call.

Every decision of the failover machine is a plain method here, tested without a generator.

Rules that keep it sound:
- a route that was leased is in `_open` until it is settled, and settled exactly once;
- the first content commits the call to its attempt; before that every fault is absorbed unless it
  is fatal, after it a
  fault is raised with the partial text;
- expiry is judged on `Elapsed` only; a driver answers `Wait(0)` with it at once, so endless
  keep-alives still time out;
- after the commit only time spent waiting counts as silence: a slow consumer is not a silent
  server.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from freelm_integrations.chat import AttemptRecord, Delta, Origin
from freelm_integrations.engine import ending
from freelm_integrations.engine.itinerary import Itinerary
from freelm_integrations.engine.journal import Journal
from freelm_integrations.engine.steps import (
    Attempt,
    Broken,
    Chunk,
    Elapsed,
    End,
    Opened,
    Refused,
)
from freelm_integrations.errors import StreamInterrupted
from freelm_integrations.pool.pool import Abandoned, Success
from freelm_integrations.pool.verdicts import VERDICTS
from freelm_integrations.wire.faults import Fault

if TYPE_CHECKING:
    from pydantic import SecretStr

    from freelm_integrations.chat import Request, Usage
    from freelm_integrations.clock import Clock
    from freelm_integrations.engine.itinerary import Candidates
    from freelm_integrations.engine.steps import Reply
    from freelm_integrations.events import Event
    from freelm_integrations.pool.pool import Cooled, Lease, Outcome, Pool
    from freelm_integrations.pool.view import Route
    from freelm_integrations.wire.dialect import Decoder
    from freelm_integrations.wire.hints import Reading

WITNESSES = 2
"""Providers that must call a request malformed before the caller is told so at once.

Where only one can be asked, so many models of it.
"""
SHORTEST_PAUSE = 0.02
"""Seconds before looking again for a route that seemed ready but was not."""
FAREWELL = 0.5
"""Seconds a connection gets to end after a whole answer; a clean end lets it be used again."""
KEPT_SHARE = 4
"""Of so many attempts one is kept, by a call that may wait, for routes that are back from a rest.

Else a minute in which everybody is busy would cost it all its attempts in a few milliseconds.
"""
TELLING = 8
"""So many characters of a key are too many to show."""
SLACK = 0.001
"""Seconds by which a timer may be early and still have run out: sums of floats are never exact."""
NEVER_DROPPED = frozenset(
    {"messages", "model", "response_format", "stream", "tool_choice", "tools"}
)
"""Without these a request asks for something else; a route that refuses one cannot serve it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What one call may spend: seconds to its first content, seconds of silence, attempts.

    And whether it may wait.
    """

    timeout: float = 60.0
    attempt_timeout: float = 30.0
    max_attempts: int = 12
    wait: bool = False
    is_observed: bool = True


@dataclass(slots=True)
class Leg:
    """One attempt in the air, and what has been heard of it."""

    attempt: Attempt
    route: Route
    lease: Lease
    decoder: Decoder
    started_at: float
    number: int
    expires_at: float
    dropped: frozenset[str] = frozenset()
    """Parameters left out because the model was known to refuse them."""
    readings: tuple[Reading, ...] = ()
    held: list[Delta] = field(default_factory=list["Delta"])
    """What it said before its first content."""
    usage: Usage | None = None
    first_content_at: float | None = None
    has_finished: bool = False
    """Whether the answer is whole; only the body's end is still to come."""

    def hold(self, deltas: list[Delta]) -> list[Delta]:
        """Keep what is no content until there is some; nothing of it goes on now."""
        self.held += deltas
        return []


class Flight:
    """One call under way; touched by its machine only, so it needs no lock."""

    def __init__(
        self,
        request: Request,
        candidates: Candidates,
        *,
        pool: Pool,
        clock: Clock,
        terms: Terms,
        call: int = 0,
    ) -> None:
        """Start the call's clock; nothing is leased yet."""
        self.request = request
        self.terms = terms
        self.started_at = clock.now()
        self.is_finished = False
        self.winner: Leg | None = None
        self.records: list[AttemptRecord] = []
        self._itinerary = Itinerary(candidates, pool, waits=terms.wait)
        self._pool = pool
        self._clock = clock
        self._open: dict[Attempt, Leg] = {}
        self._dropped: list[Attempt] = []
        self._blamed: set[tuple[str, str]] = set()
        self._deadline = self.started_at + terms.timeout
        self._launches = 0
        self._resume_at = self.started_at
        self._waiting_since = self.started_at
        self._silent_for = 0.0
        self._said: list[str] = []
        self._journal = Journal(clock, call, is_observed=terms.is_observed)

    # ------------------------------------------------------------------ launching

    def launch(self) -> Attempt | None:
        """The next attempt to start now, its route leased.

        None when none is due or none is ready.
        """
        now = self._clock.now()
        if self._open or self.winner is not None or now < self._resume_at - SLACK:
            return None
        if self._launches >= self.terms.max_attempts or now >= self._deadline:
            return None
        spares = self._back_at(now) is not None
        itinerary = self._itinerary
        leased = itinerary.lease_sparingly(now) if spares else itinerary.lease_next(now)
        return None if leased is None else self._take_off(*leased, now)

    def _take_off(self, route: Route, lease: Lease, now: float) -> Attempt:
        self._launches += 1
        provider, model = route.provider, route.model
        dropped = self._pool.refused(route)
        try:
            body = provider.dialect.encode(self.request, model.id, tags=model.tags, dropped=dropped)
        except BaseException:  # what cannot be written as JSON is the caller's error
            self._pool.settle(lease, Abandoned(), now)
            raise
        room = min(self.terms.attempt_timeout, self._deadline - now)
        attempt = Attempt(
            "POST",
            provider.base_url + "/chat/completions",
            {**(_STREAM if self.request.streaming else _PLAIN), **provider.headers},
            body,
            route.key.secret,
            timeout=room,
        )
        self._open[attempt] = Leg(
            attempt,
            route,
            lease,
            provider.dialect.decoder(self.request, model.id),
            started_at=now,
            number=self._launches,
            expires_at=now + room,
            dropped=dropped,
        )
        self._itinerary.tried(route)
        self._journal.started(self._launches, route)
        return attempt

    # ------------------------------------------------------------------ waiting

    def patience(self) -> float:
        """Seconds the next reply may take; raises when nothing can come any more."""
        now = self._waiting_since = self._clock.now()
        if self.winner is not None:
            patience = FAREWELL if self.winner.has_finished else self.terms.attempt_timeout
            return max(0.0, patience - self._silent_for)
        if self._open:
            nearest = min(leg.expires_at for leg in self._open.values())
            return max(0.0, min(nearest, self._deadline) - now)
        if now >= self._resume_at - SLACK:
            self._resume_at = self._next_launch_at(now)
        return max(0.0, self._resume_at - now)

    def _next_launch_at(self, now: float) -> float:
        """When to try again with nothing in the air; raises when that is never, or too late."""
        spent = self._launches >= self.terms.max_attempts
        if not spent and (back_at := self._back_at(now)) is not None:
            return max(back_at, now + SHORTEST_PAUSE)
        again_at, ready_at = (math.inf, math.inf) if spent else self._itinerary.comebacks(now)
        moment = min(again_at, ready_at) if self.terms.wait else again_at
        if moment <= self._deadline and now < self._deadline:
            return max(moment, now + SHORTEST_PAUSE)  # it was not to be had just now
        raise self._exhausted(now, ready_at)

    def _back_at(self, now: float) -> float | None:
        """When a route is back for which the attempts left are kept; None while none are kept."""
        cap = self.terms.max_attempts
        if not self.terms.wait or self._launches < cap - cap // KEPT_SHARE:
            return None
        back_at = self._itinerary.back_at(now)
        return back_at if max(now, back_at) < self._deadline else None

    def _exhausted(self, now: float, ready_at: float) -> Exception:
        """The error that fits what was seen, with a line for every provider."""
        views = tuple(self._itinerary.candidates.views(now))
        if ready_at == math.inf:  # routes not to be tried again in this call may still come back
            ready_at = min((view.ready_at for view in views), default=math.inf)
        summary = ending.Summary(
            records=tuple(self.records),
            left_out=self._itinerary.candidates.left_out(),
            views=views,
            ready_after=None if ready_at == math.inf else max(0.0, ready_at - now),
            is_out_of_time=now >= self._deadline,
            is_out_of_attempts=self._launches >= self.terms.max_attempts,
            timeout=self.terms.timeout,
        )
        error = ending.error_for(summary, utc=self._clock.utc())
        self._journal.exhausted(len(self.records), str(error), summary.ready_after)
        return error

    # ------------------------------------------------------------------ absorbing

    def absorb(self, reply: Reply) -> list[Delta]:
        """What one reply says, ready to be delivered.

        The first content commits the call to its attempt.
        """
        if isinstance(reply, Elapsed):
            self._expire(self._clock.now())
            return []
        leg = self._open.get(reply.attempt)
        if leg is None:
            return []  # late news of a dropped attempt
        if isinstance(reply, (Opened, Refused)):
            dialect = leg.route.provider.dialect
            leg.readings = dialect.readings(reply.headers, utc=self._clock.utc())
        if isinstance(reply, Opened):
            return []
        heard = self._hear(leg, reply)
        now = self._clock.now()
        if isinstance(heard, Fault):
            heard = _without_key(heard, leg.route.key.secret)
            if isinstance(reply, Chunk):
                self._dropped.append(leg.attempt)  # its exchange is still open
            if leg.has_finished:
                self._complete(leg, now)  # what comes after the end is no part of the answer
            else:
                self._fail(leg, heard, now)
            return []
        return self._relay(leg, heard, now, is_last=isinstance(reply, End))

    def _hear(self, leg: Leg, reply: Chunk | End | Refused | Broken) -> list[Delta] | Fault:
        """The deltas in a reply, or the fault in their place."""
        if isinstance(reply, Chunk):
            return leg.decoder.feed(reply.data)
        if isinstance(reply, End):
            return leg.decoder.end()
        if isinstance(reply, Refused):
            return leg.route.provider.dialect.fault(
                reply.status, reply.headers, reply.body, utc=self._clock.utc()
            )
        return _weather(reply.error)

    def _relay(self, leg: Leg, deltas: list[Delta], now: float, *, is_last: bool) -> list[Delta]:
        speaks = False
        for delta in deltas:
            if delta.has_content:
                speaks = True
                self._said.append(delta.text)
            leg.usage = delta.usage or leg.usage
            leg.has_finished = leg.has_finished or delta.finish_reason is not None
        if self.winner is None:
            deltas = self._introduce(leg, deltas, now) if speaks or is_last else leg.hold(deltas)
        self._silent_for = 0.0 if speaks else self._silent_for + now - self._waiting_since
        if is_last:
            self._complete(leg, now)
        return deltas

    def _introduce(self, leg: Leg, deltas: list[Delta], now: float) -> list[Delta]:
        first, *others = (*leg.held, *deltas) or (Delta(),)
        return [first._replace(origin=self._commit(leg, now)), *others]

    def _commit(self, leg: Leg, now: float) -> Origin:
        """Let this attempt speak and drop the others.

        What it says first is marked with who it is.
        """
        self.winner = leg
        leg.first_content_at = now
        for other in [other for other in self._open.values() if other is not leg]:
            self._drop(other, now)
        route, decoder = leg.route, leg.decoder
        ms = (now - leg.started_at) * 1000
        record = AttemptRecord(route.provider.name, route.model.id, route.key.fingerprint, ms=ms)
        self.records.append(record)
        self._journal.committed(leg.number, route, now - self.started_at)
        return Origin(
            route.provider.name,
            decoder.model or route.model.id,
            route.key.fingerprint,
            tuple(self.records),
            decoder.response_id,
        )

    def _complete(self, leg: Leg, now: float) -> None:
        spoke_at = now if leg.first_content_at is None else leg.first_content_at
        self._settle(leg, Success(spoke_at - leg.started_at), now)
        self.is_finished = True
        elapsed = now - self.started_at
        self._journal.completed(leg.route, len(self.records), elapsed, leg.usage)

    # ------------------------------------------------------------------ failing

    def _expire(self, now: float) -> None:
        """Fail every attempt past its own time, or the one that speaks if it fell silent."""
        if self.winner is not None:
            self._silent_for += now - self._waiting_since
            if self.winner.has_finished and self._silent_for >= FAREWELL - SLACK:
                self._dropped.append(self.winner.attempt)
                self._complete(self.winner, now)
            elif self._silent_for >= self.terms.attempt_timeout - SLACK:
                self._drop_failed(self.winner, now)
            return
        for leg in list(self._open.values()):
            if now >= min(leg.expires_at, self._deadline) - SLACK:
                self._drop_failed(leg, now)

    def _drop_failed(self, leg: Leg, now: float) -> None:
        self._dropped.append(leg.attempt)
        silent_for = self._silent_for if self.winner is leg else now - leg.started_at
        fault = Fault(kind="timeout", message=f"silent for {silent_for:.1f} s")
        was_hurried = (
            silent_for < self.terms.attempt_timeout - SLACK
        )  # cut short by the caller's deadline
        self._fail(leg, fault, now, outcome=Abandoned(silent_for) if was_hurried else None)

    def _fail(
        self, leg: Leg, fault: Fault, now: float, *, outcome: Abandoned | None = None
    ) -> None:
        """Settle a failed attempt, by an outcome milder than the fault if one is given.

        Raises when the fault is fatal or came after the commit.
        """
        if fault.kind == "bad_parameter" and self._learn(leg, fault.parameter):
            self._settle(leg, fault, now)
            self._note(leg, fault, now)
            self._itinerary.forget(leg.route)  # the same route again, without the parameter
            return
        cooled = self._settle(leg, outcome or fault, now)
        self._note(leg, fault, now)
        self._journal.cooled(leg.route, fault, cooled)
        if self.winner is leg:
            raise self._interrupted(leg, fault)
        self._judge(leg.route, fault, now)

    def _learn(self, leg: Leg, parameter: str | None) -> bool:
        """Remember that the route's model refuses a parameter.

        False if it had been left out already, or cannot be.
        """
        if parameter is None or parameter in NEVER_DROPPED or parameter in leg.dropped:
            return False
        self._pool.learn_refused(leg.route, parameter)
        return True

    def _note(self, leg: Leg, fault: Fault, now: float) -> None:
        route, ms = leg.route, (now - leg.started_at) * 1000
        if self.winner is leg:
            self.records.pop()  # it had been noted as the one that answered
        record = AttemptRecord(
            route.provider.name,
            route.model.id,
            route.key.fingerprint,
            kind=fault.kind,
            status=fault.status,
            message=fault.message,
            retry_after=fault.retry_after,
            ms=ms,
        )
        self.records.append(record)
        self._journal.failed(leg.number, route, fault, ms)

    def _judge(self, route: Route, fault: Fault, now: float) -> None:
        """Note what the fault says of the route and of the request."""
        self._itinerary.failed(route, fault, now, chance=self._clock.chance())
        if VERDICTS[fault.kind].blames_request:
            self._blamed.add((route.provider.id, route.model.id))
            if self._is_blame_believed(route, now):
                raise ending.rejected(tuple(self.records))

    def _is_blame_believed(self, route: Route, now: float) -> bool:
        if len({provider for provider, _ in self._blamed}) >= WITNESSES:
            return True
        until = self._deadline if self.terms.wait else now
        return len(self._blamed) >= WITNESSES and self._itinerary.is_alone(route, now, until=until)

    def _interrupted(self, leg: Leg, fault: Fault) -> StreamInterrupted:
        partial = "".join(self._said)
        message = (
            f"the answer of {leg.route.provider.name} ({leg.route.model.id}) broke off after "
            f"{len(partial)} characters: {fault.kind} {fault.message}".rstrip()
        )
        return StreamInterrupted(message, partial=partial, attempts=self.records)

    # ------------------------------------------------------------------ settling

    def _settle(self, leg: Leg, outcome: Outcome, now: float) -> Cooled | None:
        del self._open[leg.attempt]
        return self._pool.settle(leg.lease, outcome, now, usage=leg.usage, readings=leg.readings)

    def _drop(self, leg: Leg, now: float) -> None:
        self._dropped.append(leg.attempt)
        self._settle(leg, Abandoned(), now)

    def drops(self) -> list[Attempt]:
        """The attempts to cancel, told once."""
        if not self._dropped:
            return _NOTHING
        dropped, self._dropped = self._dropped, []
        return dropped

    def news(self) -> list[Event]:
        """The events to report, told once."""
        return self._journal.take()

    def close(self) -> None:
        """Settle what is still open as abandoned: nobody is to blame for a caller who left."""
        now = self._clock.now()
        for leg in list(self._open.values()):
            self._settle(leg, Abandoned(), now)


_NOTHING: list[Attempt] = []
_PLAIN = {"content-type": "application/json", "accept": "application/json"}
_STREAM = {"content-type": "application/json", "accept": "text/event-stream"}


def _without_key(fault: Fault, secret: SecretStr) -> Fault:
    """Servers may repeat the key they were sent, whatever it looks like, and cut in its midst."""
    key, message = secret.get_secret_value(), fault.message
    if not key or key[:TELLING] not in message:
        return fault
    message = message.replace(key, "***")
    for length in range(len(key) - 1, TELLING - 1, -1):
        message = message.replace(key[:length], "***")
    return replace(fault, message=message)


def _weather(error: BaseException) -> Fault:
    """A transport error as a fault; anything else is a bug and raised again."""
    message = str(error)[:200]
    if isinstance(error, TimeoutError):
        return Fault(kind="timeout", message=message)
    if isinstance(error, ConnectionRefusedError):
        return Fault(kind="unreachable", message=message)
    if isinstance(error, ConnectionError):
        return Fault(kind="broken", message=message)
    raise error
