"""Agents and workflows of them, on the lab, while providers fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from llama_index.core.agent.workflow import (
    AgentOutput,
    AgentStream,
    AgentWorkflow,
    CodeActAgent,
    FunctionAgent,
    ReActAgent,
    ToolCallResult,
)
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

from tests.llama_index.library import memory_for

if TYPE_CHECKING:
    from freelm_integrations.lab import Lab
    from freelm_integrations.llama_index import LlamaIndexFreeLLM

# Workflows still use what they have deprecated themselves.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:is_running called from within a step"),
]
TASK = "Use add with a=3 and b=4."


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


ADD = FunctionTool.from_defaults(add)


async def run(agent: Any, llm: LlamaIndexFreeLLM, task: str = TASK) -> tuple[Any, list[Any]]:
    """Its output, and every event of its way there."""
    handler = agent.run(task, memory=memory_for(llm), max_iterations=8)
    seen = [event async for event in handler.stream_events()]
    return await handler, seen


def results(seen: list[Any]) -> list[tuple[str, str]]:
    """Which tools were called, and what they gave."""
    found = [event for event in seen if isinstance(event, ToolCallResult)]
    assert not [event for event in found if event.tool_output.is_error]
    return [(event.tool_name, event.tool_output.content) for event in found]


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_function_agent_calls_its_tool_and_answers(
    lab: Lab, llm: LlamaIndexFreeLLM, streaming: bool
) -> None:
    """The chunks name the provider."""
    output, seen = await run(FunctionAgent(tools=[ADD], llm=llm, streaming=streaming), llm)

    assert str(output)
    assert results(seen) == [("add", "7")]
    if streaming:
        chunks = [event for event in seen if isinstance(event, AgentStream)]
        assert chunks
        assert all(event.raw["provider"] != "groq" for event in chunks)


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_react_agent_acts_and_answers(llm: LlamaIndexFreeLLM, streaming: bool) -> None:
    """In plain text alone."""
    output, seen = await run(ReActAgent(tools=[ADD], llm=llm, streaming=streaming), llm)

    assert str(output)
    assert results(seen) == [("add", "7")]


class Total(BaseModel):
    """What it came to."""

    value: int


async def test_an_agent_ends_in_an_object(llm: LlamaIndexFreeLLM) -> None:
    """One more call, with a tool that must be used."""
    output, _ = await run(FunctionAgent(tools=[ADD], llm=llm, output_cls=Total), llm)

    assert isinstance(output.get_pydantic_model(Total), Total)


async def test_a_code_agent_runs_what_was_written(llm: LlamaIndexFreeLLM) -> None:
    """It takes what is no code for its answer."""
    agent = CodeActAgent(code_execute_fn=lambda code: code, tools=[ADD], llm=llm)

    output, _ = await run(agent, llm)

    assert str(output)


@pytest.mark.parametrize("kind", [FunctionAgent, ReActAgent])
async def test_a_workflow_of_agents_comes_to_an_answer(llm: LlamaIndexFreeLLM, kind: Any) -> None:
    """Two agents over one model, the first may hand over to the second."""
    told = {"llm": llm, "system_prompt": "Be brief."}
    planner = kind(name="planner", description="Plans.", can_handoff_to=["adder"], **told)
    adder = kind(name="adder", description="Adds.", tools=[ADD], **told)

    output, seen = await run(AgentWorkflow([planner, adder], root_agent="planner"), llm)

    assert str(output)
    assert [event for event in seen if isinstance(event, AgentOutput)]
    results(seen)


async def test_a_conversation_goes_on(llm: LlamaIndexFreeLLM) -> None:
    """The tool calls of one turn, made by one provider, are read by another in the next."""
    agent, memory = FunctionAgent(tools=[ADD], llm=llm), memory_for(llm)

    for _ in range(3):
        assert str(await agent.run(TASK, memory=memory))

    roles = [message.role.value for message in memory.get_all()]
    assert roles == ["user", "assistant", "tool", "assistant"] * 3


async def test_predict_and_call_runs_the_tool(llm: LlamaIndexFreeLLM) -> None:
    """Blocking and asyncio."""
    assert llm.predict_and_call([ADD], TASK).response == "7"
    assert (await llm.apredict_and_call([ADD], TASK)).response == "7"
