"""The parts of LlamaIndex people build with, on the lab, while providers fail."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from llama_index.core import Document, MockEmbedding, SummaryIndex, VectorStoreIndex
from llama_index.core.agent.workflow import AgentStream, FunctionAgent, ReActAgent, ToolCallResult
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.evaluation import FaithfulnessEvaluator
from llama_index.core.extractors import TitleExtractor
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.node_parser import TokenTextSplitter
from llama_index.core.query_engine import RouterQueryEngine
from llama_index.core.response_synthesizers import ResponseMode
from llama_index.core.selectors import PydanticSingleSelector
from llama_index.core.tools import FunctionTool, QueryEngineTool
from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from freelm_integrations.lab import Lab
    from freelm_integrations.llama_index import LlamaIndexFreeLLM

# Core and its workflows still use what they and pydantic have deprecated.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:is_running called from within a step"),
]

DOCUMENTS = [
    Document(text="The Danube rises in the Black Forest and ends in the Black Sea. " * 20),
    Document(text="The Rhine rises in the Alps and ends in the North Sea. " * 20),
]
SPLITTER = TokenTextSplitter(chunk_size=128, chunk_overlap=0)
QUESTION = "Where does the Danube end?"


@pytest.fixture
def llm(lab: Lab, made: Callable[..., LlamaIndexFreeLLM]) -> LlamaIndexFreeLLM:
    """A model whose first two providers never answer."""
    lab["groq"].fail("rate_limited", times=None)
    lab["google"].fail("overloaded", times=None)
    return made()


def index(kind: Any) -> Any:
    if kind is SummaryIndex:
        return SummaryIndex.from_documents(DOCUMENTS, transformations=[SPLITTER])
    embedding = MockEmbedding(embed_dim=8)
    return VectorStoreIndex.from_documents(
        DOCUMENTS, embed_model=embedding, transformations=[SPLITTER]
    )


def memory_for(llm: LlamaIndexFreeLLM) -> ChatMemoryBuffer:
    """A memory in plain objects: the default one leaves a database open."""
    return ChatMemoryBuffer.from_defaults(llm=llm)


kinds = pytest.mark.parametrize("kind", [SummaryIndex, VectorStoreIndex])


@kinds
@pytest.mark.parametrize(
    "mode",
    [
        ResponseMode.COMPACT,
        ResponseMode.REFINE,
        ResponseMode.TREE_SUMMARIZE,
        ResponseMode.SIMPLE_SUMMARIZE,
        ResponseMode.ACCUMULATE,
    ],
)
async def test_query_engines_answer_in_every_mode(
    llm: LlamaIndexFreeLLM, kind: Any, mode: ResponseMode
) -> None:
    """Blocking and asyncio."""
    engine = index(kind).as_query_engine(llm=llm, response_mode=mode)

    assert str(engine.query(QUESTION))
    assert str(await engine.aquery(QUESTION))


@kinds
async def test_streaming_query_engines_answer(llm: LlamaIndexFreeLLM, kind: Any) -> None:
    """Piece by piece, to the end."""
    engine = index(kind).as_query_engine(llm=llm, streaming=True)

    assert len(list(engine.query(QUESTION).response_gen)) > 1
    answer = await engine.aquery(QUESTION)
    assert len([piece async for piece in answer.async_response_gen()]) > 1


async def test_a_burst_on_a_second_event_loop_answers(llm: LlamaIndexFreeLLM) -> None:
    """`use_async=True` starts a loop in a thread; then the first one goes on."""
    engine = index(SummaryIndex).as_query_engine(
        llm=llm, response_mode="tree_summarize", use_async=True
    )

    assert (await llm.acomplete("hi")).text
    assert str(engine.query(QUESTION))
    assert (await llm.acomplete("hi")).text
    assert str(engine.query(QUESTION))


class Sea(BaseModel):
    """Where a river ends."""

    name: str


async def test_a_query_engine_gives_objects(llm: LlamaIndexFreeLLM) -> None:
    """By its `output_cls`."""
    engine = index(VectorStoreIndex).as_query_engine(llm=llm, output_cls=Sea)

    assert engine.query(QUESTION).response.name
    assert (await engine.aquery(QUESTION)).response.name


@pytest.mark.parametrize(
    "mode", ["simple", "context", "condense_question", "condense_plus_context"]
)
async def test_chat_engines_hold_a_conversation(llm: LlamaIndexFreeLLM, mode: str) -> None:
    """Two turns, streamed and not."""
    if mode == "simple":
        engine: Any = SimpleChatEngine.from_defaults(llm=llm, memory=memory_for(llm))
    else:
        engine = index(VectorStoreIndex).as_chat_engine(
            chat_mode=mode, llm=llm, memory=memory_for(llm)
        )

    first = engine.chat(QUESTION)
    second = "".join(engine.stream_chat("And the Rhine?").response_gen)
    third = await engine.achat("And then?")

    assert str(first)
    assert second
    assert str(third)
    assert len(engine.chat_history) == 6


async def test_a_router_chooses_by_tool(llm: LlamaIndexFreeLLM) -> None:
    """The selector takes the model for one that can call tools."""
    tools = [
        QueryEngineTool.from_defaults(
            index(kind).as_query_engine(llm=llm), name=kind.__name__, description="Rivers."
        )
        for kind in (SummaryIndex, VectorStoreIndex)
    ]
    engine = RouterQueryEngine.from_defaults(
        tools, llm=llm, selector=PydanticSingleSelector.from_defaults(llm=llm)
    )

    assert str(engine.query(QUESTION))


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_function_agent_calls_its_tool_and_answers(
    llm: LlamaIndexFreeLLM, streaming: bool
) -> None:
    """The chunks name the provider."""
    agent = FunctionAgent(tools=[FunctionTool.from_defaults(add)], llm=llm, streaming=streaming)

    handler = agent.run("Use add with a=3 and b=4.", memory=memory_for(llm))
    seen = [event async for event in handler.stream_events()]
    output = await handler

    assert str(output)
    [result] = [event for event in seen if isinstance(event, ToolCallResult)]
    assert result.tool_name == "add"
    assert not result.tool_output.is_error
    if streaming:
        chunks = [event for event in seen if isinstance(event, AgentStream)]
        assert all(event.raw["provider"] not in {"groq", "google"} for event in chunks)


async def test_a_react_agent_comes_to_an_end(llm: LlamaIndexFreeLLM) -> None:
    """Plain text only: it takes what is no thought for its answer."""
    agent = ReActAgent(tools=[FunctionTool.from_defaults(add)], llm=llm)

    assert str(await agent.run("What is 3 plus 4?", memory=memory_for(llm), max_iterations=5))


def test_ingestion_with_an_extractor_counts_no_call_twice(lab: Lab, llm: LlamaIndexFreeLLM) -> None:
    """Sync extractors run loops of their own; nothing is asked again because a connection died."""
    lab.heal()
    pipeline = IngestionPipeline(transformations=[SPLITTER, TitleExtractor(llm=llm, nodes=2)])

    nodes = pipeline.run(documents=DOCUMENTS, show_progress=False)

    assert all(node.metadata["document_title"] for node in nodes)
    asked = [request.status for provider in lab for request in provider.chats]
    assert asked == [200] * 6  # two nodes and one summary for each document


def test_an_evaluator_runs_in_its_own_loop(llm: LlamaIndexFreeLLM) -> None:
    """And the model goes on afterwards, in ours."""
    evaluator = FaithfulnessEvaluator(llm=llm)

    result = evaluator.evaluate(response="The Black Sea.", contexts=["It ends in the Black Sea."])

    assert result.feedback
    assert asyncio.run(llm.acomplete("hi")).text
