"""`with_retry` on top of our own attempts."""

from __future__ import annotations

import pickle

import pytest

from freelm_integrations.errors import ConfigError, NoRouteAnswered, RequestRejected
from freelm_integrations.langchain import ChatFreeLLM
from freelm_integrations.langchain.errors import as_model_error
from freelm_integrations.langchain.retries import WorthAnotherTry


@pytest.mark.parametrize(
    ("error", "is_worth_it"),
    [
        (ValueError("a bug, or a parser's"), True),
        (as_model_error(NoRouteAnswered("nobody", resting=["breaker"])), True),
        (as_model_error(NoRouteAnswered("nobody", resting=["retired"])), False),
        (as_model_error(RequestRejected("no")), False),
        (as_model_error(ConfigError("no")), False),
        (KeyboardInterrupt(), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_says_itself_whether_it_is_worth_another_try(
    error: BaseException, is_worth_it: bool
) -> None:
    """What is no model's error is, as by default."""
    assert isinstance(error, WorthAnotherTry) is is_worth_it


def test_a_bound_model_and_one_with_tools_retry_alike() -> None:
    """Bindings ask the model."""
    llm = ChatFreeLLM()
    for retried in (llm.with_retry(), llm.bind(stop=["x"]).with_retry()):
        bound = getattr(retried, "bound", retried)
        types = getattr(retried, "retry_exception_types", None) or bound.retry_exception_types
        assert types == (WorthAnotherTry,)


def test_a_wish_of_the_callers_own_is_kept() -> None:
    """Then it is these and no others."""
    retried = ChatFreeLLM().with_retry(retry_if_exception_type=(KeyError,), stop_after_attempt=2)

    assert retried.retry_exception_types == (KeyError,)  # type: ignore[attr-defined]


def test_the_class_survives_a_pickle() -> None:
    """Chains are sent to workers."""
    assert pickle.loads(pickle.dumps(WorthAnotherTry)) is WorthAnotherTry
