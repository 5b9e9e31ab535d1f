"""What a dialect must offer.

A request becomes bytes, bytes become deltas, a refusal becomes a fault.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freelm_integrations.chat import Delta, Request, Usage
    from freelm_integrations.wire.faults import Fault
    from freelm_integrations.wire.refusals.hints import Reading


Continues = Literal["plainly", "after_echo"]
"""Whether a model that is given the beginning of its answer says that again before it goes on."""


class Decoder(Protocol):
    """One attempt's answer being read; it holds nothing but its buffer. Not thread safe."""

    @property
    def model(self) -> str | None:
        """The id the server says answered, once it has said so."""
        ...

    @property
    def response_id(self) -> str | None:
        """The server's own id of this answer, once it has said so."""
        ...

    @property
    def usage(self) -> Usage | None:
        """The tokens it has told of so far."""
        ...

    def feed(self, data: bytes) -> list[Delta] | Fault:
        """What the next bytes say (often nothing yet), or the fault they tell.

        Nothing is fed after a fault. The delta with the finish reason is the last one.
        """
        ...

    def end(self) -> list[Delta] | Fault:
        """What was still held back, now that the body is complete.

        A fault if it is not a whole answer.
        """
        ...


class Dialect(Protocol):
    """A wire format: pure, immutable, shared by all calls."""

    def encode(
        self,
        request: Request,
        model: str,
        *,
        tags: tuple[str, ...] = (),
        dropped: frozenset[str] = frozenset(),
        output: int | None = None,
        roomier: bool = False,
        room: int | None = None,
    ) -> bytes:
        """The body to send for `request` to `model`.

        `dropped` are parameters this model was seen to refuse, as `Fault.parameter` names them,
        `output` is its longest answer in tokens (None: unknown), which no limit that is ours
        exceeds. `roomier` is for asking the same route once more after the fault `only_thinking`:
        with twice the output limit (if one was sent) and with less thinking. Where neither can be
        said to this model, the body is the same as without. `room` is the output limit (tokens) to
        send where the caller gives none, in place of the provider's default.
        """
        ...

    def default_output(self, tags: tuple[str, ...], output: int | None) -> int | None:
        """The output limit (tokens) that is sent where the caller gives none; None for none.

        `tags` and `output` are the model's, as for `encode`.
        """
        ...

    def continues(self, model: str) -> Continues | None:
        """How the model goes on from a trailing assistant message; None where it may not."""
        ...

    def decoder(self, request: Request, model: str) -> Decoder:
        """A fresh decoder for the answer to that request."""
        ...

    def fault(
        self,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        *,
        utc: float,
        request: Request | None = None,
    ) -> Fault:
        """What a refusal means. `headers` have lower-case names, `utc` is now in epoch seconds.

        What the body repeats of `request` decides nothing.
        """
        ...

    def readings(self, headers: Mapping[str, str], *, utc: float) -> tuple[Reading, ...]:
        """What rate-limit headers tell of the windows, in any answer."""
        ...
