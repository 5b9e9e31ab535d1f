"""A long agent run while providers die under it: no turn lost, every call with its result."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from freelm_integrations.langchain import ChatFreeLLM, FreeLLMCallbackHandler
from tests.langchain.conftest import FIRST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freelm_integrations.lab import Lab

TURNS = int(os.environ.get("AGENT_TURNS", "100"))
"""The bar is a thousand: `AGENT_TURNS=1000`."""
DEATHS = ("rate_limited", "server_error", "reset_before_headers", "empty_answer", "tool_failed")
"""What cools nobody for long: the run takes seconds, no day of a free tier."""
UNLIMITED = {"groq": "developer", "google": "paid", "mistral": "paid", "cerebras": "paid"}
KEPT = 12
"""Messages of the history that go into the next turn, so that a thousand of them stay small."""


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"It rains in {city}."


def unpaired(messages: Sequence[BaseMessage]) -> set[str]:
    """Ids of calls without exactly one result, and of results without a call."""
    calls = [
        str(call["id"])
        for message in messages
        if isinstance(message, AIMessage)
        for call in (*message.tool_calls, *message.invalid_tool_calls)
    ]
    results = [one.tool_call_id for one in messages if isinstance(one, ToolMessage)]
    called, answered = Counter(calls), Counter(results)
    return {one for one in calls + results if (called[one], answered[one]) != (1, 1)}


def recent(messages: list[BaseMessage]) -> list[BaseMessage]:
    """The last messages from a human turn on: a result is never cut off from its call."""
    start = max(0, len(messages) - KEPT)
    while start and not isinstance(messages[start], HumanMessage):
        start -= 1
    return messages[start:]


@pytest.mark.parametrize("strategy", ["round_robin", "quota_aware"])
def test_an_agent_outlives_its_providers(
    lab: Lab, strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every third turn another provider dies, of something else each time."""
    lab[FIRST].heal()
    for provider in lab:  # no free tier bears that many turns in a few seconds
        monkeypatch.setenv(f"FREELM_{provider.name.upper()}_TIER", UNLIMITED[provider.name])
    counts = FreeLLMCallbackHandler()
    llm = ChatFreeLLM(strategy=strategy, callbacks=[counts], hedge=False)
    agent: Any = create_agent(llm, [get_weather])
    names = [provider.name for provider in lab]
    history: list[BaseMessage] = []
    for turn in range(TURNS):
        if turn % 3 == 0:
            lab[names[turn // 3 % len(names)]].fail(DEATHS[turn // 3 % len(DEATHS)], retry_after=0)
        asked = HumanMessage(f"What is the weather in city {turn}?")
        messages = agent.invoke({"messages": [*recent(history), asked]})["messages"]
        new = messages[messages.index(asked) + 1 :] if asked in messages else messages
        assert unpaired(messages) == set()
        assert isinstance(new[-1], AIMessage)
        assert new[-1].content
        history += [asked, *new]

    assert len([one for one in history if isinstance(one, HumanMessage)]) == TURNS
    assert any(isinstance(one, ToolMessage) for one in history)
    assert unpaired(history) == set()
    assert sum(counts.failures.values()) >= TURNS // 10
    assert len(counts.answers) > 1
