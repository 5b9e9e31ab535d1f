"""A conversation stays with the provider that served it while that is well."""

from __future__ import annotations

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
