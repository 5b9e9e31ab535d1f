"""Every exception a caller can catch.

    FreeLLMError
    ├── ConfigError            an argument, variable or name is wrong: nothing was sent
    │   └── MissingKey         no provider has a key
    ├── NoRouteAnswered        every candidate failed or is resting (attempts, next_ready_at)
    ├── RequestRejected        the request itself is at fault (attempts)
    ├── ContextOverflow        the prompt fits no candidate (attempts)
    ├── StreamInterrupted      a stream broke after its first content (partial, attempts)
    └── LedgerUnavailable      the shared quota ledger cannot be reached

No message, attribute or repr of these ever holds a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from freelm_integrations.chat import AttemptRecord

__all__ = [
    "ConfigError",
    "ContextOverflow",
    "FreeLLMError",
    "LedgerUnavailable",
    "MissingKey",
    "NoRouteAnswered",
    "RequestRejected",
    "StreamInterrupted",
]


class FreeLLMError(Exception):
    """What all of ours share; `attempts` is empty where nothing was tried."""

    def __init__(self, message: str, *, attempts: Sequence[AttemptRecord] = ()) -> None:
        """Keep the message and what was tried, in order."""
        super().__init__(message)
        self.attempts: tuple[AttemptRecord, ...] = tuple(attempts)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with the keyword attributes (worker processes send errors home)."""
        return (_restored, (type(self), self.args, self.__dict__.copy()))


class ConfigError(FreeLLMError, ValueError):
    """An argument, an environment variable or a name is wrong.

    The message names the nearest valid one.
    """


class MissingKey(ConfigError):
    """No provider has a key.

    The message lists the variables looked for and where to get a free one.
    """


class NoRouteAnswered(FreeLLMError):
    """No candidate answered: all failed, are resting, or time ran out.

    `next_ready_at` is the moment (epoch seconds, UTC) the first route is expected back, or None
    when no candidate comes back by itself; `resting` says in a word each why candidates were not
    asked, for their earlier faults or empty windows. `is_out_of_time`: the call's `timeout` ended
    it, not the lack of somebody to ask. The message has a line for every provider.
    """

    def __init__(
        self,
        message: str,
        *,
        attempts: Sequence[AttemptRecord] = (),
        next_ready_at: float | None = None,
        resting: Iterable[str] = (),
        is_out_of_time: bool = False,
    ) -> None:
        """Keep what was tried and when waiting would help."""
        super().__init__(message, attempts=attempts)
        self.next_ready_at = next_ready_at
        self.resting = frozenset(resting)
        self.is_out_of_time = is_out_of_time


class RequestRejected(FreeLLMError):
    """The request is the caller's to mend.

    Two providers called it malformed, or the only one did.
    """


class ContextOverflow(FreeLLMError):
    """The prompt is longer than every candidate can read."""


class StreamInterrupted(FreeLLMError):
    """A stream broke after its first content; `partial` is the text that had been delivered."""

    def __init__(
        self, message: str, *, partial: str = "", attempts: Sequence[AttemptRecord] = ()
    ) -> None:
        """Keep the text so far."""
        super().__init__(message, attempts=attempts)
        self.partial = partial


class LedgerUnavailable(FreeLLMError):
    """The shared quota ledger cannot be reached and the policy is to stop."""


def _restored(
    cls: type[FreeLLMError], args: tuple[object, ...], state: dict[str, object]
) -> FreeLLMError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error
