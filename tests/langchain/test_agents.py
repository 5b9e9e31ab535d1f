"""With the rest of LangChain: agents, middleware, fallbacks, graphs, `init_chat_model`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    ContextEditingMiddleware,
    ModelFallbackMiddleware,
    ModelRetryMiddleware,
    SummarizationMiddleware,
)
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain.chat_models import init_chat_model
from langchain_core.exceptions import ModelAuthenticationError
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig  # noqa: TC002 - LangGraph reads the annotation
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import BaseModel

from freelm_integrations.langchain import ChatFreeLLM, register

if TYPE_CHECKING:
    from freelm_integrations.lab import Lab


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"It rains in {city}."


class Report(BaseModel):
    """A report on a city."""

    city: str
    summary: str


def asked(text: str) -> Any:
    return {"messages": [HumanMessage(text)]}


def test_an_agent_calls_its_tool_and_answers(lab: Lab) -> None:
    """Over a pool whose first provider refuses."""
    agent: Any = create_agent(ChatFreeLLM(), [get_weather])

    messages = agent.invoke(asked("What is the weather in Paris?"))["messages"]

    assert any(isinstance(message, ToolMessage) for message in messages)
    assert isinstance(messages[-1], AIMessage)
    assert messages[-1].content


@pytest.mark.parametrize("strategy", [ToolStrategy, ProviderStrategy])
def test_an_agent_gives_a_structured_response(lab: Lab, strategy: Any) -> None:
    """By a tool, or by the provider's own schema."""
    agent: Any = create_agent(ChatFreeLLM(), [], response_format=strategy(Report))

    response = agent.invoke(asked("A report on the city of Oslo"))["structured_response"]

    assert isinstance(response, Report)


class Place(BaseModel):
    """A place."""

    name: str


class City(BaseModel):
    """A city, and what surrounds it."""

    name: str
    size: Literal["small", "large"]
    note: str | None = None
    near: list[Place] = []


@pytest.mark.parametrize(
    "form",
    [City, ToolStrategy(City), ProviderStrategy(City)],
    ids=["class", "tool", "provider"],
)
def test_a_structured_response_may_follow_tools(lab: Lab, form: Any) -> None:
    """Though hardly a provider takes a schema beside tools; a bare class becomes what works."""
    agent: Any = create_agent(ChatFreeLLM(), [get_weather], response_format=form)

    told = agent.invoke(asked("What is the weather in Oslo? Then describe the city."))

    assert isinstance(told["structured_response"], City)
    assert any(isinstance(one, ToolMessage) and "rains" in one.content for one in told["messages"])


async def test_a_graph_streams_one_message(lab: Lab) -> None:
    """LangGraph groups chunks by id; ids of several providers would split the answer."""
    llm = ChatFreeLLM()

    async def speak(state: MessagesState, config: RunnableConfig) -> Any:
        # Python 3.10 does not hand the run on to tasks: it is passed as LangGraph's docs advise.
        return {"messages": [await llm.ainvoke(state["messages"], config)]}

    graph = StateGraph(MessagesState)
    graph.add_node("speak", speak)
    graph.add_edge(START, "speak")
    parts = [
        message async for message, _ in graph.compile().astream(asked("hi"), stream_mode="messages")
    ]

    assert len(parts) > 1
    assert len({part.id for part in parts}) == 1
    await llm.aclose()


def test_dead_keys_are_not_retried_by_middleware(lab: Lab) -> None:
    """It reads `is_retryable`: one rotation, not three."""
    for provider in lab:
        provider.heal()
        provider.fail("unauthorized", times=None)
    retry = ModelRetryMiddleware(max_retries=3, initial_delay=0.0, on_failure="error")
    agent: Any = create_agent(ChatFreeLLM(), [], middleware=[retry])

    with pytest.raises(ModelAuthenticationError):
        agent.invoke(asked("hi"))

    assert [len(provider.chats) for provider in lab] == [1, 1, 1, 1]


def test_middleware_that_reads_the_profile_takes_the_model(lab: Lab) -> None:
    """A fraction of the window needs to know the window."""
    llm = ChatFreeLLM()
    middleware = [
        SummarizationMiddleware(model=llm, trigger=("fraction", 0.8)),
        ContextEditingMiddleware(),
        ModelFallbackMiddleware(ChatFreeLLM()),
    ]
    agent: Any = create_agent(llm, [get_weather], middleware=middleware)

    assert agent.invoke(asked("hi"))["messages"][-1].content


def test_fallbacks_bind_tools_to_every_model(lab: Lab) -> None:
    """The second must be able to call them, too."""
    dead = ChatFreeLLM(providers="groq")
    bound: Any = dead.with_fallbacks([ChatFreeLLM(providers="mistral")]).bind_tools(
        [get_weather], tool_choice="any"
    )

    assert bound.invoke("weather in Paris?").tool_calls[0]["name"] == "get_weather"


def test_init_chat_model_knows_us_once_registered(lab: Lab) -> None:
    """By an explicit call: an import must not change another package."""
    register()

    llm = init_chat_model("freelm:auto", temperature=0)

    assert isinstance(llm, ChatFreeLLM)
    assert llm.invoke("hi").content


def test_history_from_elsewhere_is_taken(lab: Lab) -> None:
    """A conversation begun with another maker's model, in its blocks."""
    history = [
        HumanMessage("What is the weather in Paris?"),
        AIMessage(
            [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {
                    "type": "tool_use",
                    "id": "toolu_1",
                    "name": "get_weather",
                    "input": {"city": "Paris"},
                },
            ],
            tool_calls=[{"name": "get_weather", "args": {"city": "Paris"}, "id": "toolu_1"}],
        ),
        ToolMessage("It rains.", tool_call_id="toolu_1"),
    ]

    assert ChatFreeLLM().bind_tools([get_weather]).invoke(history).content
