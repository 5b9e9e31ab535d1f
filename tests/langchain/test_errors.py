"""Failed calls as LangChain's typed errors, by what its attempts met."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest
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

from freelm_integrations.chat import AttemptRecord
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
from freelm_integrations.langchain import ChatFreeLLM
from freelm_integrations.langchain.errors import OF_THE_MODEL, SOON, as_model_error, attempt_error
from freelm_integrations.wire.faults import FAULT_KINDS

if TYPE_CHECKING:
    from freelm_integrations.lab import Lab


def failed(*kinds: str, **more: float | None) -> NoRouteAnswered:
    attempts = [AttemptRecord("groq", "m", "k", kind=kind, status=429) for kind in kinds]
    return NoRouteAnswered("nobody", attempts=attempts, **more)


@pytest.mark.parametrize(
    ("kinds", "known"),
    [
        (["throttled"], ModelRateLimitError),
        (["throttled", "unauthorized"], ModelRateLimitError),
        (["overloaded"], ModelAPIError),
        (["server_error", "unauthorized"], ModelAPIError),
        (["empty"], ModelAPIError),
        (["tool_failed"], ModelAPIError),
        (["only_thinking"], ModelAPIError),
        (["astray", "cut"], ModelAPIError),
        (["outpaced", "timeout"], ModelTimeoutError),
        (["only_thinking", "unreachable"], ModelConnectionError),
        (["timeout", "unreachable"], ModelTimeoutError),
        (["unreachable"], ModelConnectionError),
        (["unauthorized", "unauthorized"], ModelAuthenticationError),
        (["unpaid"], ModelPermissionDeniedError),
        (["blocked", "unauthorized"], ModelPermissionDeniedError),
        (["model_gone", "not_on_plan"], ModelNotFoundError),
        (["unsupported"], ModelInvalidRequestError),
        (["moderated"], ModelInvalidRequestError),
        ([], ModelInvalidRequestError),
    ],
)
def test_the_most_hopeful_attempt_names_the_error(kinds: list[str], known: type) -> None:
    """A quota met beside a dead key is worth a retry, so it counts as the quota."""
    error = as_model_error(failed(*kinds))

    assert isinstance(error, known)
    assert isinstance(error, NoRouteAnswered)
    is_mended_by_waiting = known.is_retryable and not set(kinds) <= OF_THE_MODEL
    assert error.is_retryable is (is_mended_by_waiting and known is not ModelRateLimitError)


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_every_kind_of_fault_has_an_error(kind: str) -> None:
    """A kind added to the engine later falls under a known class, not under RuntimeError."""
    assert isinstance(as_model_error(failed(kind)), ModelError)
    assert isinstance(attempt_error(kind=kind, message="groq: no"), ModelError)


@pytest.mark.parametrize(
    ("ready_after", "is_retryable"), [(5.0, True), (SOON + 60, False), (None, False)]
)
def test_a_quota_is_retryable_only_if_something_recovers_soon(
    ready_after: float | None, is_retryable: bool
) -> None:
    """Where only daily quotas are left, middleware must not try three rotations more."""
    ready_at = None if ready_after is None else SYSTEM_CLOCK.utc() + ready_after

    error = as_model_error(failed("throttled", next_ready_at=ready_at))

    assert error.is_retryable is is_retryable
    assert error.retry_after == (None if ready_after is None else pytest.approx(ready_after, abs=2))


def test_all_resting_is_a_rate_limit_though_nothing_was_tried() -> None:
    """The cooldowns of earlier calls are quotas still."""
    error = as_model_error(failed(next_ready_at=SYSTEM_CLOCK.utc() + 5))

    assert isinstance(error, ModelRateLimitError)
    assert error.is_retryable


@pytest.mark.parametrize(
    ("resting", "known"),
    [
        (["retired"], ModelAuthenticationError),
        (["unpaid", "retired"], ModelPermissionDeniedError),
        (["model_gone"], ModelNotFoundError),
        (["overloaded"], ModelAPIError),
        (["breaker"], ModelAPIError),
        (["window"], ModelRateLimitError),
        (["full", "retired"], ModelRateLimitError),
    ],
)
def test_what_rests_names_the_error_where_nobody_was_asked(resting: list[str], known: type) -> None:
    """A key found dead by an earlier call is no malformed request in the next."""
    error = as_model_error(NoRouteAnswered("nobody", resting=resting))

    assert isinstance(error, known)


@pytest.mark.parametrize(
    ("kinds", "resting", "known"),
    [
        (["not_on_plan"], ["window", "retired"], ModelRateLimitError),
        (["unauthorized"], ["overloaded"], ModelAPIError),
        (["unauthorized"], ["retired"], ModelAuthenticationError),
        (["server_error"], ["window"], ModelAPIError),
        (["timeout"], ["unpaid"], ModelTimeoutError),
    ],
)
def test_who_rests_is_the_hope_where_those_asked_give_none(
    kinds: list[str], resting: list[str], known: type
) -> None:
    """One dead key does not make a call hopeless while a minute's allowance comes back."""
    attempts = [AttemptRecord("groq", "m", "k", kind=kind, status=400) for kind in kinds]

    assert isinstance(
        as_model_error(NoRouteAnswered("no", attempts=attempts, resting=resting)), known
    )


@pytest.mark.parametrize(
    "kinds", [["empty"], ["tool_failed", "empty"], ["only_thinking"], ["astray", "empty"]]
)
def test_what_models_do_is_not_mended_by_another_rotation(kinds: list[str]) -> None:
    """Every route was asked twice; who retries on top of that only multiplies."""
    error = as_model_error(failed(*kinds, next_ready_at=SYSTEM_CLOCK.utc()))

    assert not error.is_retryable


def test_who_comes_back_tomorrow_is_not_worth_a_retry_whatever_the_reason() -> None:
    """Not of a quota only."""
    ready_at = SYSTEM_CLOCK.utc() + SOON + 60

    assert not as_model_error(failed("overloaded", next_ready_at=ready_at)).is_retryable


@pytest.mark.parametrize(
    ("error", "known", "is_retryable"),
    [
        (RequestRejected("no"), ModelInvalidRequestError, False),
        (ContextOverflow("no"), ContextOverflowError, False),
        (StreamInterrupted("no", partial="so far"), ModelAPIError, True),
        (LedgerUnavailable("no"), ModelConnectionError, True),
        (MissingKey("no"), ModelAuthenticationError, False),
        (ConfigError("no"), ModelInvalidRequestError, False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_other_error_keeps_its_type_and_gains_one(
    error: FreeLLMError, known: type, is_retryable: bool
) -> None:
    """Both families can be caught."""
    translated = as_model_error(error)

    assert isinstance(translated, (known, type(error)))
    assert isinstance(translated, known)
    assert isinstance(translated, type(error))
    assert translated.is_retryable is is_retryable
    assert str(translated) == "no"


def test_the_partial_text_comes_along() -> None:
    """Callers may want to keep what they have."""
    assert as_model_error(StreamInterrupted("no", partial="so far")).partial == "so far"


def test_the_last_refusal_is_there_for_the_trace() -> None:
    """Core copies `.response` into the trace of a failed run."""
    response = as_model_error(failed("unauthorized", "throttled")).response

    assert response.status_code == 429
    assert [attempt["kind"] for attempt in response.json()["attempts"]] == [
        "unauthorized",
        "throttled",
    ]


def test_the_last_refusal_keeps_the_servers_name_for_it(lab: Lab) -> None:
    """Its support asks for it."""
    for provider in lab:
        provider.fail("server_error", times=None)

    with pytest.raises(NoRouteAnswered) as caught:
        ChatFreeLLM(providers="groq").invoke("hi")

    assert caught.value.request_id
    assert caught.value.request_id == caught.value.attempts[-1].request_id


def test_translating_twice_changes_nothing() -> None:
    """Hooks may be nested."""
    error = as_model_error(failed("throttled"))

    assert as_model_error(error) is error


def test_errors_survive_a_pickle() -> None:
    """Worker processes send them home."""
    error = as_model_error(failed("throttled", next_ready_at=SYSTEM_CLOCK.utc() + 5))

    again = pickle.loads(pickle.dumps(error))

    assert type(again) is type(error)
    assert again.attempts == error.attempts
    assert again.is_retryable
