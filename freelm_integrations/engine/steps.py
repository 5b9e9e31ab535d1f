"""The alphabet of a machine: the steps it asks for and the replies it is sent.

A machine is a generator. It yields steps; the driver carries each out and sends a reply back for
two of them: `Wait`, and `Consult`, which the ledger answers. A machine decides everything and
touches nothing; a driver touches everything and decides nothing.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

if TYPE_CHECKING:
    from pydantic import SecretStr

    from freelm_integrations.chat import Delta
    from freelm_integrations.events import Event
    from freelm_integrations.pool.ledger.claim import Answer, Claim


@dataclass(slots=True, eq=False)
class Attempt:
    """One exchange to make; nobody changes it.

    Compared by identity; the secret joins the headers in the driver, at the last moment.

    `timeout` (s) bounds each read, `connect_timeout` (s) the connection; both are the driver's
    backstop, the machine judges silence by itself. `is_streamed`: a 200 is told as it comes, else
    once it is whole.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = field(repr=False)
    secret: SecretStr | None
    timeout: float
    connect_timeout: float = 10.0
    is_streamed: bool = True


class Launch(NamedTuple):
    """Start the exchange; do not block."""

    attempt: Attempt


class Cancel(NamedTuple):
    """Close the exchange; no more replies from it."""

    attempt: Attempt


class Deliver(NamedTuple):
    """Hand the delta to the caller."""

    delta: Delta


class Report(NamedTuple):
    """Tell observers; log it if one raises."""

    event: Event


class Wait(NamedTuple):
    """Send back the next reply, at most `seconds` from now.

    Nothing may be open, then it is a plain pause.
    """

    seconds: float


class Consult(NamedTuple):
    """Ask the ledger to confirm a claim, and send back its answer.

    None if it was not asked, as another claim was to bring this one's part along: claim anew.
    """

    claim: Claim


class Opened(NamedTuple):
    """A 200 began; these are its headers (names in lower case)."""

    attempt: Attempt
    headers: Mapping[str, str]


class Chunk(NamedTuple):
    """Bytes of a 200's body."""

    attempt: Attempt
    data: bytes

    def __repr__(self) -> str:
        """Without the bytes."""
        return f"Chunk(attempt={self.attempt!r})"


class End(NamedTuple):
    """The body is complete."""

    attempt: Attempt


class Whole(NamedTuple):
    """A 200 that was not to be streamed, with its whole body (header names in lower case)."""

    attempt: Attempt
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        """Without the body."""
        return f"Whole(attempt={self.attempt!r}, headers={self.headers!r})"


@dataclass(frozen=True, slots=True)
class Refused:
    """Any other status, with its whole body (header names in lower case)."""

    attempt: Attempt
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Broken:
    """The exchange raised: a ConnectionError or TimeoutError is weather.

    Anything else a bug to re-raise.
    """

    attempt: Attempt
    error: BaseException


@dataclass(frozen=True, slots=True)
class Elapsed:
    """Nothing came in time."""


Step: TypeAlias = Launch | Cancel | Deliver | Report | Wait | Consult
Last: TypeAlias = End | Whole | Refused | Broken
"""What ends an exchange."""
Heard: TypeAlias = Opened | Chunk | Last
Reply: TypeAlias = Heard | Elapsed
T = TypeVar("T")
Steps: TypeAlias = Generator[Step, Reply | None, T]
ConsultingSteps: TypeAlias = "Generator[Step, Reply | Answer | None, T]"
"""Of a machine that also consults the ledger."""
Machine: TypeAlias = Generator[Step, Any, object]
"""Either; a driver sends what the step it was given asks for."""

ELAPSED = Elapsed()
LAST = (End, Whole, Refused, Broken)


def advance(machine: Machine, reply: Reply | Answer | None) -> Step | None:
    """The machine's next step after `reply` (None answers every step but a Wait or a Consult).

    Or None when it has returned.
    """
    try:
        return machine.send(reply)
    except StopIteration:
        return None
