"""A conversation stays with the provider that served it while that is well."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.runnables import RunnableLambda

from freelm_integrations.langchain import ChatFreeLLM

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_core.messages import BaseMessage

    from freelm_integrations.lab import Lab

THREAD: Any = {"configurable": {"thread_id": "t-1"}}


def provider_of(message: BaseMessage) -> str:
    return str(message.response_metadata["freelm"]["provider"])


def streamed(llm: Any, config: Any = None, **more: Any) -> BaseMessage:
    whole = None
    for chunk in llm.stream("hi", config, **more):
        whole = chunk if whole is None else whole + chunk
    return whole


def in_node(llm: Any) -> BaseMessage:
    """A model called inside a node that is given the config, but does not hand it on."""
    node = RunnableLambda(lambda _: llm.invoke("hi"))
    return node.invoke("hi", THREAD)


WAYS: dict[str, Callable[[Any], BaseMessage]] = {
    "thread, invoke": lambda llm: llm.invoke("hi", THREAD),
    "thread, stream": lambda llm: streamed(llm, THREAD),
    "thread, node": in_node,
    "call": lambda llm: llm.invoke("hi", affinity="mine"),
    "bound": lambda llm: llm.bind(affinity="mine").invoke("hi"),
    "stream": lambda llm: streamed(llm, affinity="mine"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_conversation_stays_though_the_strategy_goes_round(lab: Lab, way: str) -> None:
    """However it is named."""
    llm = ChatFreeLLM(strategy="round_robin")

    served = {provider_of(WAYS[way](llm)) for _ in range(4)}

    assert len(served) == 1


def test_a_model_made_for_a_conversation_stays_too(lab: Lab) -> None:
    """All its calls are of that conversation."""
    llm = ChatFreeLLM(strategy="round_robin", affinity="mine")

    assert len({provider_of(llm.invoke("hi", THREAD)) for _ in range(4)}) == 1


ECHO = {"title": "echo", "description": "Echo.", "type": "object", "properties": {}}
DERIVED: dict[str, Callable[[ChatFreeLLM], Any]] = {
    "another model": lambda llm: ChatFreeLLM(strategy="round_robin", temperature=0.5),
    "another strategy": lambda llm: ChatFreeLLM(strategy="quota_aware"),
    "with_config": lambda llm: llm.with_config(tags=["t"]),
    "bind_tools": lambda llm: llm.bind_tools([ECHO]),
    "model_copy": lambda llm: llm.model_copy(update={"temperature": 0.1}),
    "deepcopy": copy.deepcopy,
    "pickle": lambda llm: pickle.loads(pickle.dumps(llm)),
    "structured": lambda llm: (
        llm.with_structured_output(ECHO, include_raw=True) | (lambda told: told["raw"])
    ),
}


@pytest.mark.parametrize("derived", DERIVED)
def test_a_conversation_stays_through_several_models_over_the_same_keys(
    lab: Lab, derived: str
) -> None:
    """A graph's nodes each have a model of their own; the conversation is one."""
    first = ChatFreeLLM(strategy="round_robin")
    home = provider_of(first.invoke("hi", THREAD))
    other = DERIVED[derived](first)

    assert {provider_of(other.invoke("hi", THREAD)) for _ in range(3)} == {home}


def test_calls_of_no_conversation_go_round(lab: Lab) -> None:
    """As without any of this."""
    llm = ChatFreeLLM(strategy="round_robin")

    assert len({provider_of(llm.invoke("hi")) for _ in range(4)}) > 1


async def test_a_conversation_that_must_move_does_so_once(lab: Lab) -> None:
    """To whoever answers, and stays there when its first home is well again."""
    llm = ChatFreeLLM(strategy="round_robin")
    home = provider_of(await llm.ainvoke("hi", THREAD))
    lab[home].fail("server_error", times=3)

    moved = [provider_of(await llm.ainvoke("hi", THREAD)) for _ in range(3)]
    await llm.aclose()

    assert len(set(moved)) == 1
    assert moved[0] != home


def test_a_conversation_is_no_part_of_traces_cache_keys_or_requests(lab: Lab) -> None:
    """Two threads that ask the same share a cached answer."""
    llm = ChatFreeLLM()

    llm.invoke("hi", THREAD)

    sent = [chat.body for provider in lab for chat in provider.chats]
    assert not any("affinity" in body for body in sent)
    assert llm._get_llm_string(affinity="a") == llm._get_llm_string()
    assert "affinity" not in llm._get_invocation_params(affinity="a")
