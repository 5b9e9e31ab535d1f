"""Layers that retry on top of ours multiply nothing: requests are counted where they arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelRetryMiddleware
from langchain_core.exceptions import ModelError
from llama_index.core.utils import ErrorToRetry, retry_on_exceptions_with_backoff

from freelm_integrations import FreeLLMError, NoRouteAnswered
from freelm_integrations.langchain import ChatFreeLLM
from freelm_integrations.llama_index import LlamaIndexFreeLLM
from tests.reliability.stage import PROMPT

if TYPE_CHECKING:
    from collections.abc import Callable

    from freelm_integrations.providers.provider import Provider
    from tests.reliability.stage import Stage

    Layer = Callable[[list[Provider]], object]

AT_ONCE: Any = {"max": 0.002, "jitter": 0.0}
OWN: dict[str, Any] = {"share": False, "state": "memory", "strategy": "priority"}


def _by_itself(providers: list[Provider]) -> object:
    return ChatFreeLLM(providers=providers, **OWN).invoke(PROMPT)


def _with_retry(providers: list[Provider]) -> object:
    llm = ChatFreeLLM(providers=providers, **OWN)
    return llm.with_retry(stop_after_attempt=3, exponential_jitter_params=AT_ONCE).invoke(PROMPT)


def _by_middleware(providers: list[Provider]) -> object:
    retry = ModelRetryMiddleware(max_retries=3, initial_delay=0.0, on_failure="error")
    agent: Any = create_agent(ChatFreeLLM(providers=providers, **OWN), [], middleware=[retry])
    return agent.invoke({"messages": [("user", PROMPT)]})


def _by_llama_index(providers: list[Provider]) -> object:
    llm = LlamaIndexFreeLLM(providers=providers, **OWN)
    errors = [ErrorToRetry(NoRouteAnswered)]
    return retry_on_exceptions_with_backoff(
        lambda: llm.complete(PROMPT), errors, max_tries=3, min_backoff_secs=0.0
    )


LAYERS = (_with_retry, _by_middleware, _by_llama_index)
TWO = 2
"""Providers: as many requests if each is asked once."""
ASKED: dict[str, tuple[int, int]] = {
    "rate_limited": (TWO, TWO),
    "daily_quota": (TWO, TWO),
    "overloaded": (TWO, TWO),
    "error_in_200": (TWO, TWO),
    "unauthorized": (TWO, TWO),
    "payment_required": (TWO, TWO),
    "forbidden_model": (TWO, TWO),
    "model_gone": (TWO, TWO),
    "malformed": (TWO, TWO),
    "context_overflow": (TWO, TWO),
    "moderated": (TWO, TWO),
    # Once more after a pause, and a third time until the breaker opens.
    "server_error": (2 * TWO, 3 * TWO),
    "reset_before_headers": (2 * TWO, 3 * TWO),
    "bad_gateway_html": (2 * TWO, 3 * TWO),
    # The same question again, or with more room.
    "empty_answer": (2 * TWO, 2 * TWO),
    "thinking_only": (2 * TWO, 2 * TWO),
}
"""Requests of a call by itself, and at most with three or four of them on top of each other."""


def requests(stage: Stage, kind: str, layer: Layer) -> int:
    """How many requests a call makes in all where both providers fail like that."""
    key, providers = stage.pair()
    for provider in providers:
        stage.lab[provider.name].fail(kind, key=key, times=None)  # type: ignore[arg-type]
    with pytest.raises(FreeLLMError) as caught:
        layer(providers)
    assert layer is _by_llama_index or isinstance(caught.value, ModelError)
    chats = [chat for provider in stage.lab for chat in provider.chats]
    return sum(chat.key == key for chat in chats)


@pytest.mark.parametrize("kind", ASKED)
def test_our_own_attempts_are_all_there_are(stage: Stage, kind: str) -> None:
    """Nothing below retries by itself."""
    assert requests(stage, kind, _by_itself) == ASKED[kind][0]


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("kind", ASKED)
def test_a_layer_that_retries_multiplies_nothing(stage: Stage, kind: str, layer: Layer) -> None:
    """What cannot be mended is not tried again, and what rests is not asked."""
    most = ASKED[kind][1]
    if layer is _by_llama_index and kind in {"empty_answer", "thinking_only"}:
        most *= 3  # it goes by classes only

    assert requests(stage, kind, layer) <= most
