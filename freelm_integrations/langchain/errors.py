"""Our errors as LangChain knows them: each class is one of ours and one of core's at once.

`except NoRouteAnswered` and `except ModelRateLimitError` both catch a `RateLimited`; agent
middleware reads `is_retryable` to tell what is worth another try. Which class a failed call gets is
told by the most hopeful of its attempts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_core import exceptions
from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
    ModelTimeoutError,
)

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
    from collections.abc import Mapping

RefusalError: type[ModelError] = getattr(exceptions, "ModelRefusalError", ModelError)
"""Core's own from 1.7.5 on."""
SOON = 600.0
"""Seconds within which a recovery is worth a retry; beyond lie the daily quotas."""
OF_THE_MODEL = frozenset({"astray", "cramped", "empty", "only_thinking", "tool_failed"})
"""What models do that no waiting mends: every route was asked twice by then."""


class FreeLLMModelError(FreeLLMError, ModelError):
    """What all of these share.

    `retry_after` is when a route is expected back, in seconds from when the error was made; None
    for never or unknown. `response` looks like the last HTTP answer (status and message), which
    LangChain copies into the trace of the run; `request_id` is its server's own name for it.
    """

    retry_after: float | None = None
    response: LastAnswer | None = None
    request_id: str | None = None


class NoAnswer(NoRouteAnswered, FreeLLMModelError):
    """No candidate answered; each class below says why."""


class RateLimited(NoAnswer, ModelRateLimitError):
    """Every candidate is over its quota or cooling.

    Retryable if one recovers within `SOON` seconds.
    """


class KeysRejected(NoAnswer, ModelAuthenticationError):
    """No key was accepted anywhere."""


class AccessDenied(NoAnswer, ModelPermissionDeniedError):
    """The keys are valid, but may not do this: no credit, wrong region, not allowed."""


class ModelUnknown(NoAnswer, ModelNotFoundError):
    """The model exists nowhere, or on no plan of these keys."""


class ServiceDown(NoAnswer, ModelAPIError):
    """Providers failed on their side, or sent what is no answer."""


class Unreachable(NoAnswer, ModelConnectionError):
    """No connection could be made, or none that held."""


class TimedOut(NoAnswer, ModelTimeoutError):
    """Nobody answered in time."""


class InvalidRequest(RequestRejected, ModelInvalidRequestError, FreeLLMModelError):
    """The request itself is at fault."""


class RequestUnservable(NoAnswer, ModelInvalidRequestError):
    """No candidate can do what the request asks, however often it is asked."""


class PromptTooLong(ContextOverflow, ContextOverflowError, FreeLLMModelError):
    """The prompt fits no candidate; summarising middleware catches exactly this."""


class AnswerInterrupted(StreamInterrupted, ModelAPIError, FreeLLMModelError):
    """A stream broke after its first content; `partial` is what had been said."""


class AnswerRefused(FreeLLMModelError, RefusalError):  # type: ignore[valid-type,misc]
    """The model will not give the value that was asked for; the message is its own words."""


class LedgerDown(LedgerUnavailable, ModelConnectionError, FreeLLMModelError):
    """The shared quota ledger cannot be reached."""


class UnsendableMessage(ConfigError, ModelInvalidRequestError, FreeLLMModelError):
    """A message holds what no chat endpoint takes; nothing was sent."""


class InvalidOption(ConfigError, ModelInvalidRequestError, FreeLLMModelError):
    """An argument or parameter is wrong; nothing was sent."""


class NoKey(MissingKey, ModelAuthenticationError, FreeLLMModelError):
    """No provider has a key; the message lists the variables looked for and where to get one."""


# The most hopeful first: a call that met a quota and a dead key is worth a retry, so it counts as
# the former.
BY_HOPE: tuple[tuple[frozenset[str], type[NoAnswer]], ...] = (
    (frozenset({"throttled"}), RateLimited),
    (frozenset({"overloaded", "server_error", "cut"}), ServiceDown),
    (frozenset({"timeout", "outpaced"}), TimedOut),
    (frozenset({"unreachable", "broken"}), Unreachable),
    (OF_THE_MODEL, ServiceDown),
    (frozenset({"unpaid", "forbidden", "blocked"}), AccessDenied),
    (frozenset({"unauthorized"}), KeysRejected),
    (frozenset({"model_gone", "not_on_plan"}), ModelUnknown),
)
RESTING: Mapping[str, str] = {
    "breaker": "server_error",
    "full": "throttled",
    "retired": "unauthorized",
    "window": "throttled",
}
"""The fault that a candidate was not asked for, where its rest is not named after one."""
SAME_ERROR: tuple[tuple[type[FreeLLMError], type[FreeLLMError]], ...] = (
    (RequestRejected, InvalidRequest),
    (ContextOverflow, PromptTooLong),
    (StreamInterrupted, AnswerInterrupted),
    (LedgerUnavailable, LedgerDown),
    (MissingKey, NoKey),
    (ConfigError, InvalidOption),
)


@dataclass(frozen=True, slots=True)
class LastAnswer:
    """The last attempt's refusal, in the shape of an HTTP response; holds no header and no key."""

    status_code: int | None
    text: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]

    def json(self) -> Mapping[str, Any]:
        """Its words, and every attempt of the call in order."""
        return self.body


def as_model_error(error: FreeLLMError) -> FreeLLMError:
    """The same error, message and facts as a class LangChain knows; itself if it is one already."""
    if isinstance(error, ModelError):
        return error
    translated = _class_of(error)(str(error), attempts=error.attempts)
    vars(translated).update(vars(error))
    _tell_when(translated)
    _tell_answer(translated)
    return translated


def attempt_error(*, kind: str, message: str) -> ModelError:
    """The error one failed attempt would have been on its own; for retry callbacks."""
    by_kind = next((made for kinds, made in BY_HOPE if kind in kinds), RequestUnservable)
    return by_kind(message or kind)


def _class_of(error: FreeLLMError) -> type[FreeLLMError]:
    if isinstance(error, NoRouteAnswered):
        return _class_by_attempts(error)
    return next((ours for theirs, ours in SAME_ERROR if isinstance(error, theirs)), ServiceDown)


def _class_by_attempts(error: NoRouteAnswered) -> type[NoAnswer]:
    kinds = {attempt.kind for attempt in error.attempts if attempt.kind is not None}
    resting = {RESTING.get(why, why) for why in error.resting}
    if not kinds | resting:
        return RequestUnservable if error.next_ready_at is None else RateLimited
    found = _most_hopeful(kinds)
    # Who was not asked because it rests may answer when it does no more.
    return found if found.is_retryable else _most_hopeful(kinds | resting)


def _most_hopeful(kinds: set[str]) -> type[NoAnswer]:
    return next((made for told, made in BY_HOPE if told & kinds), RequestUnservable)


def _tell_when(error: FreeLLMError) -> None:
    """Set `retry_after`, and `is_retryable` where waiting would take too long to call it that."""
    if not isinstance(error, NoRouteAnswered):
        return
    wait = (
        None if error.next_ready_at is None else max(0.0, error.next_ready_at - SYSTEM_CLOCK.utc())
    )
    vars(error)["retry_after"] = wait
    if isinstance(error, NoAnswer) and error.is_retryable:
        error.is_retryable = _is_worth_waiting(error, wait)


def _is_worth_waiting(error: NoAnswer, wait: float | None) -> bool:
    kinds = {attempt.kind for attempt in error.attempts if attempt.kind is not None}
    if kinds and kinds <= OF_THE_MODEL:
        return False
    return not isinstance(error, RateLimited) if wait is None else wait <= SOON


def _tell_answer(error: FreeLLMError) -> None:
    last = next((one for one in reversed(error.attempts) if one.kind is not None), None)
    if last is None:
        return
    body = {
        "error": {"message": last.message, "kind": last.kind, "provider": last.provider},
        "attempts": [attempt.to_dict() for attempt in error.attempts],
    }
    vars(error)["request_id"] = last.request_id
    vars(error)["response"] = LastAnswer(last.status, last.message, body, {})
