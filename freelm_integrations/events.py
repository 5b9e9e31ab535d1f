"""Records for observers.

They are told what happened; they never steer anything, and hold no key and no prompt.

An observer is a plain function of one event. It is called from whichever thread or loop makes the
call, between two steps of it, so it should be quick; if it raises, the call goes on and the error
is logged.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What all events share.

    `call` numbers the user-level call within this process, `at` is epoch seconds.
    """

    name: ClassVar[str] = "freelm.event"
    call: int
    at: float

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe dict, without the fields nobody filled; endless times are among these."""
        fields = asdict(self).items()
        return {key: value for key, value in fields if value is not None and value != math.inf}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallWaiting(Event):
    """The call waits for a route to come back; told once for each such wait.

    `ready_after` is when the first is expected (s); `place` in the line of all who wait, from 1.
    """

    name: ClassVar[str] = "freelm.waiting"
    ready_after: float
    place: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted(Event):
    """An attempt was sent to a route; `attempt` counts from 1 within the call.

    `room` is how many tokens its answer may have, where the provider's default was lowered to what
    its windows could bear.
    """

    name: ClassVar[str] = "freelm.attempt_started"
    attempt: int
    provider: str
    model: str
    key: str
    room: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFailed(Event):
    """An attempt ended in a fault.

    `ms` is how long it took, `retry_after` what the server promised (s).
    """

    name: ClassVar[str] = "freelm.attempt_failed"
    attempt: int
    provider: str
    model: str
    key: str
    kind: str
    status: int | None = None
    message: str = ""
    retry_after: float | None = None
    ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptDropped(Event):
    """An attempt was still silent when another one spoke: nobody is to blame.

    `ms` is how long it had been in the air.
    """

    name: ClassVar[str] = "freelm.attempt_dropped"
    attempt: int
    provider: str
    model: str
    key: str
    ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteCooled(Event):
    """Something rests after a fault.

    `scope` says what (route, model, key, account, provider), `cools_for` how long (s).
    """

    name: ClassVar[str] = "freelm.route_cooled"
    provider: str
    model: str
    key: str
    scope: str
    kind: str
    cools_for: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSwitched(Event):
    """The call goes on at another provider, model or key than the attempt that failed."""

    name: ClassVar[str] = "freelm.provider_switched"
    attempt: int
    from_provider: str
    from_model: str
    from_key: str
    to_provider: str
    to_model: str
    to_key: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCommitted(Event):
    """The first content of an answer came: this route speaks. `ms` since the call began."""

    name: ClassVar[str] = "freelm.committed"
    attempt: int
    provider: str
    model: str
    key: str
    ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCompleted(Event):
    """The answer is whole.

    `ms` since the call began; tokens as the provider counted them, if it did.
    """

    name: ClassVar[str] = "freelm.completed"
    provider: str
    model: str
    key: str
    attempts: int
    ms: float
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed(Event):
    """A cut stream is carried on by another route, which is told to be committed next.

    `at_character` is where the seam is in the visible text.
    """

    name: ClassVar[str] = "freelm.resumed"
    attempt: int
    from_provider: str
    to_provider: str
    to_model: str
    to_key: str
    at_character: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhausted(Event):
    """The call ends with an error: nobody answered, or not to the end.

    Every call ends with this or with `CallCompleted`, unless its caller leaves before.
    `reason` is what the error says, `next_ready_after` when the first route is expected back (s),
    None for never.
    """

    name: ClassVar[str] = "freelm.exhausted"
    attempts: int
    reason: str
    next_ready_after: float | None = None


Observer: TypeAlias = Callable[[Event], object]
