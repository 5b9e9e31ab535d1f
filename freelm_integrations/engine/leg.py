"""One attempt in the air, and what has been heard of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from freelm_integrations.chat import Delta, Origin
from freelm_integrations.engine.steps import Broken, Chunk, End, Opened, Whole
from freelm_integrations.wire.faults import Fault

if TYPE_CHECKING:
    from pydantic import SecretStr

    from freelm_integrations.chat import AttemptRecord, Request, Usage
    from freelm_integrations.engine.continuation import Continuation
    from freelm_integrations.engine.steps import Attempt, Heard
    from freelm_integrations.pool.holding import Room
    from freelm_integrations.pool.pool import Lease
    from freelm_integrations.pool.view import Route
    from freelm_integrations.wire.dialect import Decoder
    from freelm_integrations.wire.refusals.hints import Reading

TELLING = 8
"""So many characters of a key are too many to show."""


@dataclass(slots=True, eq=False)
class Leg:
    """Touched by its flight only; `number` counts the attempts of the call from 1."""

    attempt: Attempt
    route: Route
    lease: Lease
    decoder: Decoder
    started_at: float
    number: int
    expires_at: float
    request: Request | None = None
    """What it was asked; None where nobody cares."""
    dropped: frozenset[str] = frozenset()
    """Parameters left out because the model was known to refuse them."""
    is_roomier: bool = False
    """Whether it was given more room, as its first answer had nothing but thinking in it."""
    room: Room | None = None
    """How long its answer may be, where the caller left that open."""
    continuation: Continuation | None = None
    """What it carries on, if another attempt had begun the answer."""
    usual_gap: float | None = None
    """How long answers on this route have paused so far (s)."""
    readings: tuple[Reading, ...] = ()
    held: list[Delta] = field(default_factory=list["Delta"])
    """What it said before its first content."""
    usage: Usage | None = None
    first_content_at: float | None = None
    pieces: int = 0
    """Deltas with content so far; several may come at once."""
    gap: float | None = None
    """The longest pause in its content so far (s); None while all of it came at once."""
    has_finished: bool = False
    """Whether the answer is whole; only the body's end is still to come."""

    def hear(self, reply: Heard, *, utc: float) -> list[Delta] | Fault:
        """The deltas in a reply, or the fault in their place; `utc` is now in epoch seconds."""
        heard = self._decode(reply, utc)
        if self.continuation is not None:
            # Told by the server in so many words; a body that only ends may have been cut short.
            if isinstance(reply, Chunk) and self.continuation.is_complete_by(heard):
                return [Delta(finish_reason="stop")]
            if not isinstance(heard, Fault):
                heard = self.continuation.passing(heard)
        return _without_key(heard, self.route.key.secret) if isinstance(heard, Fault) else heard

    def _decode(self, reply: Heard, utc: float) -> list[Delta] | Fault:
        if isinstance(reply, Chunk):
            return self.decoder.feed(reply.data)
        if isinstance(reply, End):
            return self.decoder.end()
        if isinstance(reply, Broken):
            return _weather(reply.error)
        dialect = self.route.provider.dialect
        self.readings = dialect.readings(reply.headers, utc=utc)
        if isinstance(reply, Whole):
            told = self.decoder.feed(reply.body)
            return told if isinstance(told, Fault) else self._ended(told)
        if isinstance(reply, Opened):
            return []
        return dialect.fault(reply.status, reply.headers, reply.body, utc=utc, request=self.request)

    def _ended(self, told: list[Delta]) -> list[Delta] | Fault:
        rest = self.decoder.end()
        return rest if isinstance(rest, Fault) else [*told, *rest]

    def speech(self, deltas: list[Delta], *, is_last: bool) -> list[Delta] | None:
        """All it has said once there is content in it; None before."""
        self.held += deltas
        for delta in deltas:
            self.note(delta)
        if is_last or any(delta.has_content for delta in deltas):
            return self.held
        return None

    @property
    def used(self) -> Usage | None:
        """What it told of its usage, be it before the end."""
        return self.usage or self.decoder.usage

    def note(self, delta: Delta) -> None:
        """What a delta tells of the attempt itself."""
        self.usage = delta.usage or self.usage
        self.has_finished = self.has_finished or delta.finish_reason is not None

    def origin(self, records: tuple[AttemptRecord, ...]) -> Origin:
        """Who speaks, after which attempts."""
        route, decoder = self.route, self.decoder
        return Origin(
            route.provider.name,
            decoder.model or route.model.id,
            route.key.fingerprint,
            records,
            decoder.response_id,
        )

    def beat(self, pieces: int, silent_for: float) -> None:
        """So many pieces of content came at once, after so many seconds of waiting for them."""
        if self.pieces:
            self.gap = silent_for if self.gap is None else max(self.gap, silent_for)
        self.pieces += pieces


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


def _without_key(fault: Fault, secret: SecretStr) -> Fault:
    """Servers may repeat the key they were sent, whatever it looks like, and cut in its midst."""
    key, message = secret.get_secret_value(), fault.message
    if not key or key[:TELLING] not in message:
        return fault
    message = message.replace(key, "***")
    for length in range(len(key) - 1, TELLING - 1, -1):
        message = message.replace(key[:length], "***")
    return replace(fault, message=message)
