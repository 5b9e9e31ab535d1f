"""Errors under two names: ours, and those that SDK's users catch."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai as sdk
import pytest

from freelm_integrations import (
    ConfigError,
    ContextOverflow,
    FreeLLMError,
    LedgerUnavailable,
    NoRouteAnswered,
    RequestRejected,
    StreamInterrupted,
)
from freelm_integrations import openai as shim
from freelm_integrations.chat import KIND_WORDS, AttemptRecord
from freelm_integrations.errors import MissingKey
from freelm_integrations.openai.errors import as_openai_error

if TYPE_CHECKING:
    from freelm_integrations.lab import Lab

USER = {"role": "user", "content": "Say hello."}
ROOT = Path(__file__).parent.parent.parent


def failed(*kinds: str, **fields: Any) -> NoRouteAnswered:
    attempts = [AttemptRecord("groq", "m", "k", kind=kind, status=418) for kind in kinds]
    return NoRouteAnswered("nobody answered", attempts=attempts, **fields)


CASES: list[tuple[FreeLLMError, str, int | None]] = [
    (failed("throttled", "unauthorized"), "RateLimitError", 429),
    (failed(next_ready_at=2e9), "RateLimitError", 429),
    (failed(), "BadRequestError", 400),
    (failed(resting=["retired", "window"], next_ready_at=2e9), "RateLimitError", 429),
    (failed(resting=["full"]), "RateLimitError", 429),
    (failed(resting=["retired"]), "AuthenticationError", 401),
    (failed(resting=["unpaid", "retired"]), "PermissionDeniedError", 403),
    (failed(resting=["breaker"], next_ready_at=2e9), "InternalServerError", 503),
    (failed(resting=["unreachable", "breaker"]), "APIConnectionError", None),
    (failed("timeout", resting=["window"]), "APITimeoutError", None),
    (failed("overloaded", "timeout"), "InternalServerError", 503),
    (failed("timeout", "unreachable"), "APITimeoutError", None),
    (failed("throttled", "timeout", "timeout"), "RateLimitError", 429),
    (failed("throttled", "timeout", "timeout", is_out_of_time=True), "APITimeoutError", None),
    (failed("throttled", "timeout", is_out_of_time=True), "RateLimitError", 429),
    (failed("throttled", is_out_of_time=True), "RateLimitError", 429),
    (failed(is_out_of_time=True, resting=["window"]), "RateLimitError", 429),
    (failed("unreachable"), "APIConnectionError", None),
    (failed("unauthorized"), "AuthenticationError", 401),
    (failed("unpaid", "unauthorized"), "PermissionDeniedError", 403),
    (failed("model_gone"), "NotFoundError", 404),
    (failed("unsupported"), "BadRequestError", 400),
    (failed("something new"), "InternalServerError", 503),
    (RequestRejected("no"), "BadRequestError", 400),
    (ContextOverflow("long"), "BadRequestError", 400),
    (MissingKey("none"), "AuthenticationError", 401),
    (ConfigError("wrong"), "BadRequestError", 400),
    (StreamInterrupted("cut", partial="hel"), "APIConnectionError", None),
    (LedgerUnavailable("gone"), "APIConnectionError", None),
]


@pytest.mark.parametrize(("error", "name", "status"), CASES, ids=lambda one: type(one).__name__)
def test_an_error_is_one_of_ours_and_one_of_theirs(
    error: FreeLLMError, name: str, status: int | None
) -> None:
    """With everything that it knew."""
    both = as_openai_error(error)

    assert isinstance(both, type(error))
    assert isinstance(both, getattr(shim, name))
    assert isinstance(both, getattr(sdk, name))
    assert type(both).__name__ == name
    assert str(both) == str(error)
    assert both.attempts == error.attempts
    assert getattr(both, "status_code", None) == status
    assert vars(both)["message"] == str(error)
    assert len(vars(both)["body"]["attempts"]) == len(error.attempts)
    assert as_openai_error(both) is both


@pytest.mark.parametrize(("error", "name", "status"), CASES, ids=lambda one: type(one).__name__)
def test_an_error_of_both_goes_through_a_pickle(
    error: FreeLLMError, name: str, status: int | None
) -> None:
    """Worker processes send errors home."""
    both = as_openai_error(error)
    back = pickle.loads(pickle.dumps(both))

    assert type(back) is type(both)
    assert (str(back), vars(back)) == (str(both), vars(both))


def test_every_kind_of_fault_has_a_shape() -> None:
    """None falls through as a bare APIError."""
    for kind in KIND_WORDS:
        assert isinstance(as_openai_error(failed(kind)), shim.APIError)
        assert type(as_openai_error(failed(kind))).__name__ != "APIError"


def test_a_rate_limit_says_when_to_come_back() -> None:
    """Where retrying code looks for it: whole seconds, never negative."""
    both = as_openai_error(failed("throttled", next_ready_at=0.0))

    assert isinstance(both, shim.RateLimitError)
    assert both.response is not None
    assert both.response.headers == {"retry-after": "0"}
    assert both.code == "throttled"


@pytest.mark.parametrize(
    ("resting", "code"),
    [(["retired", "window"], "window"), (["unpaid"], "unpaid"), ([], "invalid_request")],
)
def test_the_code_is_why_nobody_was_asked(resting: list[str], code: str) -> None:
    """The most hopeful reason, as for the class; the request is blamed for nobody's rest."""
    assert vars(as_openai_error(failed(resting=resting)))["code"] == code


def test_a_long_prompt_has_the_code_that_code_looks_for() -> None:
    """`context_length_exceeded`, as that service says it."""
    assert vars(as_openai_error(ContextOverflow("long")))["code"] == "context_length_exceeded"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fault", "name"),
    [("rate_limited", "RateLimitError"), ("overloaded", "InternalServerError")],
)
def test_calls_raise_both(
    client: shim.OpenAI, lab: Lab, fault: Any, name: str, stream: bool
) -> None:
    """Code that only swapped its import goes on catching what it caught."""
    for provider in lab:
        provider.fail(fault, times=None)
    with pytest.raises(getattr(sdk, name)) as raised:
        list(client.chat.completions.create(messages=[USER], stream=stream))

    assert isinstance(raised.value, NoRouteAnswered)
    assert raised.value.attempts


async def test_asyncio_calls_raise_both(lab: Lab) -> None:
    """Also when a stream is read."""
    for provider in lab:
        provider.fail("rate_limited", times=None)
    async with shim.AsyncOpenAI(share=False) as client:
        with pytest.raises(sdk.RateLimitError):
            await client.chat.completions.create(messages=[USER])
        stream = await client.chat.completions.create(messages=[USER], stream=True)
        with pytest.raises(shim.RateLimitError):
            _ = [chunk async for chunk in stream]


def test_without_that_sdk_the_names_are_ours_alone() -> None:
    """It is neither needed nor loaded."""
    code = (
        "import sys; from freelm_integrations.openai import OpenAI, BadRequestError, OpenAIError\n"
        "try: OpenAI(providers='groq').chat.completions.create(messages=[])\n"
        "except BadRequestError as error: print(isinstance(error, OpenAIError))\n"
        "print('openai' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert ran.stdout.split() == ["True", "False"]
