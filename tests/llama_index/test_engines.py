"""Query engines, routers, chat engines and evaluators, on the lab, while providers fail."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from llama_index.core import SummaryIndex, VectorStoreIndex
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.evaluation import (
    AnswerRelevancyEvaluator,
    BatchEvalRunner,
    ContextRelevancyEvaluator,
    CorrectnessEvaluator,
    FaithfulnessEvaluator,
    GuidelineEvaluator,
    PairwiseComparisonEvaluator,
    RelevancyEvaluator,
)
from llama_index.core.query_engine import RouterQueryEngine, SubQuestionQueryEngine
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.response_synthesizers import ResponseMode
from llama_index.core.selectors import (
    LLMMultiSelector,
    LLMSingleSelector,
    PydanticMultiSelector,
    PydanticSingleSelector,
)
from pydantic import BaseModel

from freelm_integrations.llama_index import LlamaIndexFreeLLM
from tests.llama_index.library import QUESTION, answered_by, index, memory_for, query_tools

if TYPE_CHECKING:
    from freelm_integrations.lab import Lab

# Core still uses what it and pydantic have deprecated.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:asyncio_module:DeprecationWarning"),
]

WITHOUT_MODEL = {ResponseMode.NO_TEXT, ResponseMode.CONTEXT_ONLY}
MODES = sorted(set(ResponseMode) - WITHOUT_MODEL)
WHOLE_ONLY = {ResponseMode.ACCUMULATE, ResponseMode.COMPACT_ACCUMULATE}
"""What core does not stream: it says so itself."""

kinds = pytest.mark.parametrize("kind", [SummaryIndex, VectorStoreIndex])


@kinds
@pytest.mark.parametrize("mode", MODES)
async def test_query_engines_answer_in_every_mode(
    lab: Lab, llm: LlamaIndexFreeLLM, kind: Any, mode: ResponseMode
) -> None:
    """Blocking and asyncio."""
    engine = index(kind).as_query_engine(llm=llm, response_mode=mode)

    assert str(engine.query(QUESTION))
    assert str(await engine.aquery(QUESTION))
    assert answered_by(lab)


@kinds
@pytest.mark.parametrize("mode", [mode for mode in MODES if mode not in WHOLE_ONLY])
async def test_streaming_query_engines_answer_in_every_mode(
    llm: LlamaIndexFreeLLM, kind: Any, mode: ResponseMode
) -> None:
    """Piece by piece, to the end."""
    engine = index(kind).as_query_engine(llm=llm, streaming=True, response_mode=mode)

    assert len(list(engine.query(QUESTION).response_gen)) > 1
    answer = await engine.aquery(QUESTION)
    assert len([piece async for piece in answer.async_response_gen()]) > 1


@pytest.mark.parametrize("mode", ["tree_summarize", "accumulate", "compact_accumulate"])
async def test_a_burst_on_a_second_event_loop_answers(llm: LlamaIndexFreeLLM, mode: str) -> None:
    """`use_async=True` starts a loop in a thread; then the first one goes on."""
    engine = index(SummaryIndex).as_query_engine(llm=llm, response_mode=mode, use_async=True)

    assert (await llm.acomplete("hi")).text
    assert str(engine.query(QUESTION))
    assert (await llm.acomplete("hi")).text


class Sea(BaseModel):
    """Where a river ends."""

    name: str


async def test_a_query_engine_gives_objects(llm: LlamaIndexFreeLLM) -> None:
    """By its `output_cls`, and by a model that gives nothing else."""
    engine = index(VectorStoreIndex).as_query_engine(llm=llm, output_cls=Sea)
    by_model = index(VectorStoreIndex).as_query_engine(llm=llm.as_structured_llm(Sea))

    assert engine.query(QUESTION).response.name
    assert (await engine.aquery(QUESTION)).response.name
    assert isinstance(by_model.query(QUESTION).response, Sea)


@pytest.mark.parametrize(
    "mode", ["simple", "context", "condense_question", "condense_plus_context"]
)
async def test_chat_engines_hold_a_conversation(llm: LlamaIndexFreeLLM, mode: str) -> None:
    """Four turns, whole and streamed, blocking and asyncio, all of them remembered."""
    if mode == "simple":
        engine: Any = SimpleChatEngine.from_defaults(llm=llm, memory=memory_for(llm))
    else:
        engine = index(VectorStoreIndex).as_chat_engine(
            chat_mode=mode, llm=llm, memory=memory_for(llm)
        )

    first = engine.chat(QUESTION)
    second = "".join(engine.stream_chat("And the Rhine?").response_gen)
    third = await engine.achat("And then?")
    streamed = await engine.astream_chat("And after that?")
    fourth = "".join([piece async for piece in streamed.async_response_gen()])

    assert str(first)
    assert second
    assert str(third)
    assert fourth
    told = [message.content for message in engine.chat_history if message.role == "assistant"]
    assert told == [str(first), second, str(third), fourth]


@pytest.mark.parametrize(
    "selector",
    [LLMSingleSelector, LLMMultiSelector, PydanticSingleSelector, PydanticMultiSelector, None],
)
async def test_a_router_chooses(llm: LlamaIndexFreeLLM, selector: Any) -> None:
    """By text or by tool; unasked it takes the model for one that can call tools."""
    made = None if selector is None else selector.from_defaults(llm=llm)
    engine = RouterQueryEngine.from_defaults(query_tools(llm), llm=llm, selector=made)

    answer = engine.query(QUESTION)
    again = await engine.aquery(QUESTION)

    assert str(answer)
    assert answer.metadata["selector_result"].selections
    assert str(again)


@pytest.mark.parametrize("use_async", [True, False])
async def test_a_question_is_answered_by_its_parts(llm: LlamaIndexFreeLLM, use_async: bool) -> None:
    """Each of them at a query engine."""
    engine = SubQuestionQueryEngine.from_defaults(
        query_tools(llm),
        question_gen=LLMQuestionGenerator.from_defaults(llm=llm),
        llm=llm,
        verbose=False,
        use_async=use_async,
    )

    answer = engine.query("Compare the Danube and the Rhine.")

    assert str(answer)
    assert any("Sub question" in node.text for node in answer.source_nodes)
    assert str(await engine.aquery("Compare the Danube and the Rhine."))


GIVEN: dict[str, Any] = {
    "query": QUESTION,
    "response": "In the Black Sea.",
    "contexts": ["The Danube ends in the Black Sea."],
}


@pytest.mark.parametrize(
    ("evaluator", "more"),
    [
        (FaithfulnessEvaluator, {}),
        (RelevancyEvaluator, {}),
        (CorrectnessEvaluator, {"reference": "The Black Sea."}),
        (AnswerRelevancyEvaluator, {}),
        (ContextRelevancyEvaluator, {}),
        (GuidelineEvaluator, {}),
        (PairwiseComparisonEvaluator, {"second_response": "In the North Sea."}),
    ],
)
def test_evaluators_run_in_their_own_loop(
    llm: LlamaIndexFreeLLM, evaluator: Any, more: dict[str, str]
) -> None:
    """And the model goes on afterwards, in ours."""
    result = evaluator(llm=llm).evaluate(**GIVEN, **more)

    assert result.feedback
    assert not result.invalid_result
    assert asyncio.run(llm.acomplete("hi")).text


@pytest.mark.parametrize(
    ("evaluator", "more"),
    [
        (FaithfulnessEvaluator, {}),
        (RelevancyEvaluator, {}),
        (CorrectnessEvaluator, {"reference": "It ends in the Black Sea."}),
    ],
)
@pytest.mark.parametrize(
    ("response", "is_right"),
    [("It ends in the Black Sea.", True), ("Elephants drink all of it up.", False)],
)
def test_verdicts_tell_right_from_wrong(
    lab: Lab, evaluator: Any, more: dict[str, str], response: str, is_right: bool
) -> None:
    """The lab reads both texts, so that an evaluation shown on it means something."""
    given = {**GIVEN, "response": response}

    assert evaluator(llm=LlamaIndexFreeLLM()).evaluate(**given, **more).passing is is_right


async def test_many_evaluations_at_once(llm: LlamaIndexFreeLLM) -> None:
    """As many as there are workers."""
    runner = BatchEvalRunner(
        {"faithful": FaithfulnessEvaluator(llm=llm), "relevant": RelevancyEvaluator(llm=llm)},
        workers=8,
    )

    results = await runner.aevaluate_response_strs(
        queries=[QUESTION] * 6,
        response_strs=["In the Black Sea."] * 6,
        contexts_list=[GIVEN["contexts"]] * 6,
    )

    assert [len(rows) for rows in results.values()] == [6, 6]
    assert all(row.feedback for rows in results.values() for row in rows)
