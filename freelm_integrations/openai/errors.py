"""Our errors under the names that SDK's users catch.

    OpenAIError
    ├── APIError                            message, body, code, type, param
    │   ├── APIConnectionError              no connection, or one that broke
    │   │   └── APITimeoutError             nobody answered in time
    │   └── APIStatusError                  status_code, response
    │       ├── BadRequestError             400
    │       ├── AuthenticationError         401
    │       ├── PermissionDeniedError       403
    │       ├── NotFoundError               404
    │       ├── ConflictError               409, never raised here
    │       ├── UnprocessableEntityError    422, never raised here
    │       ├── RateLimitError              429
    │       └── InternalServerError         5xx
    ├── LengthFinishReasonError             an answer to be parsed is cut off (completion)
    └── ContentFilterFinishReasonError      an answer to be parsed was withheld (completion)

What is raised is one of these and one of `freelm_integrations.errors` at once, and where that SDK
is loaded one of its own as well: `except openai.RateLimitError` goes on working when only the
import of the client was swapped. Which it is, the most hopeful attempt of the call tells; where
time ran out while most of them were silent, it is the timeout.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.errors import (
    ConfigError,
    ContextOverflow,
    FreeLLMError,
    LedgerUnavailable,
    MissingKey,
    NoRouteAnswered,
    RequestRejected,
    StreamInterrupted,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from freelm_integrations.openai.objects import ChatCompletion

_SDK = "openai"


@dataclass(frozen=True, slots=True)
class LastAnswer:
    """The last refusal of a call in the shape of an HTTP response; `retry-after` is in seconds."""

    status_code: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class OpenAIError(Exception):
    """What all of these share."""


class APIError(OpenAIError):
    """A call failed; `body` tells every attempt, `code` why, in a word."""

    message: str = ""
    request: None = None
    body: dict[str, Any] | None = None
    code: str | None = None
    param: str | None = None
    type: str | None = None


class APIConnectionError(APIError):
    """No connection could be made, or one broke."""


class APITimeoutError(APIConnectionError):
    """Nobody answered in time."""


class APIStatusError(APIError):
    """Providers refused; `status_code` is what such a refusal has, whoever it came from."""

    status_code: int = 500
    response: LastAnswer | None = None
    request_id: str | None = None


class BadRequestError(APIStatusError):
    """The request is at fault, or an argument of it."""

    status_code: int = 400


class AuthenticationError(APIStatusError):
    """There is no key, or none was accepted."""

    status_code: int = 401


class PermissionDeniedError(APIStatusError):
    """The keys may not do this: no credit, wrong region, not allowed."""

    status_code: int = 403


class NotFoundError(APIStatusError):
    """The model exists nowhere, or on no plan of these keys."""

    status_code: int = 404


class ConflictError(APIStatusError):
    """Never raised here."""

    status_code: int = 409


class UnprocessableEntityError(APIStatusError):
    """Never raised here."""

    status_code: int = 422


class RateLimitError(APIStatusError):
    """Every candidate is over its quota or resting."""

    status_code: int = 429


class InternalServerError(APIStatusError):
    """Providers failed on their side, or sent what is no answer."""

    status_code: int = 503


class LengthFinishReasonError(OpenAIError):
    """An answer that was to be parsed is cut off."""

    completion: ChatCompletion | None = None


class ContentFilterFinishReasonError(OpenAIError):
    """An answer that was to be parsed was withheld."""

    completion: ChatCompletion | None = None


# The most hopeful first, as a call that met a quota and a dead key is worth another try. By kinds
# of faults, and by words for why candidates rest.
_BY_HOPE: tuple[tuple[frozenset[str], type[APIError]], ...] = (
    (frozenset({"throttled", "window", "full"}), RateLimitError),
    (frozenset({"overloaded", "server_error", "empty", "tool_failed", "cut"}), InternalServerError),
    (frozenset({"timeout"}), APITimeoutError),
    (frozenset({"unreachable", "broken"}), APIConnectionError),
    (frozenset({"breaker"}), InternalServerError),
    (frozenset({"unpaid", "forbidden", "blocked"}), PermissionDeniedError),
    (frozenset({"unauthorized", "retired"}), AuthenticationError),
    (frozenset({"model_gone", "not_on_plan"}), NotFoundError),
    (frozenset({"unsupported", "bad_parameter", "malformed", "moderated"}), BadRequestError),
)
_SILENT = "timeout"
_SHAPES: tuple[tuple[type[FreeLLMError], type[APIError]], ...] = (
    (RequestRejected, BadRequestError),
    (ContextOverflow, BadRequestError),
    (MissingKey, AuthenticationError),
    (ConfigError, BadRequestError),
    (StreamInterrupted, APIConnectionError),
    (LedgerUnavailable, APIConnectionError),
)


@contextmanager
def told() -> Generator[None, None, None]:
    """Raise what is raised inside under that SDK's names as well."""
    try:
        yield
    except FreeLLMError as error:
        translated = as_openai_error(error)
        if translated is error:
            raise
        raise translated from error


def as_openai_error(error: FreeLLMError) -> FreeLLMError:
    """The same error, message and facts, also as a class of that SDK; itself if it is that."""
    if isinstance(error, OpenAIError):
        return error
    translated = of_both(type(error), _shape_of(error))(*error.args)
    vars(translated).update(vars(error), message=str(error), body=_body_of(error))
    vars(translated)["code"] = _code_of(error)
    if isinstance(translated, APIStatusError):
        translated.response = LastAnswer(translated.status_code, str(error), _headers_of(error))
    return translated


def of_both(ours: type[FreeLLMError], shape: type[OpenAIError]) -> type[FreeLLMError]:
    """The class that is one of ours and of these, and of that SDK's own where it is loaded."""
    theirs: object = getattr(sys.modules.get(_SDK), shape.__name__, None)
    bases: tuple[type, ...] = (_Joined, ours, shape)
    return _joined((*bases, theirs) if isinstance(theirs, type) else bases)


class _Joined:
    """What the joined classes need: they are made as they are raised, so also when unpickled."""

    def __init__(self, message: str) -> None:
        """Keep the message; the SDK's own constructors want a request, which there is none of."""
        Exception.__init__(cast("Exception", self), message)

    def __reduce__(self) -> tuple[object, ...]:
        """By the classes it was made of."""
        error = cast("FreeLLMError", self)
        ours, shape = type(self).__bases__[1:3]
        return _restored, (ours, shape, str(error), vars(error).copy())


@cache
def _joined(bases: tuple[type, ...]) -> type[FreeLLMError]:
    shape = bases[2]
    named = {"__module__": __name__, "__doc__": shape.__doc__}
    return cast("type[FreeLLMError]", type(shape.__name__, bases, named))


def _restored(
    ours: type[FreeLLMError], shape: type[OpenAIError], message: str, state: dict[str, Any]
) -> FreeLLMError:
    error = of_both(ours, shape)(message)
    vars(error).update(state)
    return error


def _shape_of(error: FreeLLMError) -> type[APIError]:
    if not isinstance(error, NoRouteAnswered):
        fits = (shape for ours, shape in _SHAPES if isinstance(error, ours))
        return next(fits, APIError)
    faults = [attempt.kind for attempt in error.attempts if attempt.kind is not None]
    if error.is_out_of_time and 2 * faults.count(_SILENT) > len(faults):
        return APITimeoutError
    kinds = frozenset(faults)
    kinds = kinds or error.resting  # nobody was asked: all are resting
    if not kinds:  # or none can serve this
        return BadRequestError if error.next_ready_at is None else RateLimitError
    return next((shape for told_by, shape in _BY_HOPE if told_by & kinds), InternalServerError)


def _code_of(error: FreeLLMError) -> str:
    if isinstance(error, ContextOverflow):
        return "context_length_exceeded"
    for attempt in reversed(error.attempts):
        if attempt.kind is not None:
            return attempt.kind
    resting: frozenset[str] = getattr(error, "resting", frozenset())
    told = (word for told_by, _ in _BY_HOPE for word in sorted(told_by & resting))
    return next(told, "invalid_request")


def _body_of(error: FreeLLMError) -> dict[str, Any]:
    attempts = [attempt.to_dict() for attempt in error.attempts]
    return {"message": str(error), "attempts": attempts}


def _headers_of(error: FreeLLMError) -> dict[str, str]:
    ready_at = error.next_ready_at if isinstance(error, NoRouteAnswered) else None
    if ready_at is None:
        return {}
    return {"retry-after": f"{max(0.0, ready_at - SYSTEM_CLOCK.utc()):.0f}"}
