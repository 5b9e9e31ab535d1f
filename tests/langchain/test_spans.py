"""Attempts as runs below the model's own, in the trees that tracers keep."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.tracers.base import AsyncBaseTracer
from langchain_core.tracers.context import collect_runs

from freelm_integrations.errors import NoRouteAnswered
from freelm_integrations.langchain import ChatFreeLLM
from tests.langchain.test_callbacks import Handler

if TYPE_CHECKING:
    from langchain_core.tracers.schemas import Run

    from freelm_integrations.lab import Lab

pytestmark = pytest.mark.filterwarnings(
    "ignore::langchain_core._api.beta_decorator.LangChainBetaWarning"
)
WAYS: dict[str, Any] = {
    "invoke": lambda llm: llm.invoke("hi"),
    "stream": lambda llm: list(llm.stream("hi")),
    "v3": lambda llm: llm.stream_events("hi", version="v3").output,
    "batch": lambda llm: llm.batch(["hi"]),
    "ainvoke": lambda llm: _run(llm, llm.ainvoke("hi")),
    "astream": lambda llm: _run(llm, _read(llm)),
}


def model(**more: Any) -> ChatFreeLLM:
    return ChatFreeLLM(strategy="priority", **{"hedge": False, **more})


async def _closing(llm: ChatFreeLLM, call: Any) -> None:
    await call
    await llm.aclose()


def _run(llm: ChatFreeLLM, call: Any) -> None:
    asyncio.run(_closing(llm, call))


async def _read(llm: ChatFreeLLM) -> None:
    async for _ in llm.astream("hi"):
        pass


def told(run: Run) -> list[tuple[Any, ...]]:
    """Each attempt below the run: who, and what came of it."""
    return [
        (
            one.inputs["provider"],
            (one.outputs or {}).get("outcome") or (one.error or "").split("(")[0],
        )
        for one in run.child_runs
    ]


@pytest.mark.parametrize("way", WAYS)
def test_each_attempt_is_a_run_below_the_models(lab: Lab, way: str) -> None:
    """With who was asked, when, and what came of it."""
    with collect_runs() as collected:
        WAYS[way](model())

    (run,) = collected.traced_runs
    assert told(run) == [("groq", "RateLimited"), ("google", "answered")]
    failed, answered = run.child_runs
    assert failed.run_type == "chain"
    assert failed.name.startswith("groq ")
    assert failed.tags == ["freelm.attempt"]
    assert failed.extra["metadata"]["model"] == failed.inputs["model"]
    assert "429" in str(failed.error)
    assert run.start_time <= failed.start_time <= answered.start_time
    assert answered.end_time is not None
    assert answered.outputs
    assert answered.outputs["completion_tokens"] > 0


@pytest.mark.parametrize("way", ["invoke", "stream", "ainvoke", "astream"])
def test_a_call_that_nobody_answers_leaves_no_run_open(lab: Lab, way: str) -> None:
    """Every attempt ends before the model's run does."""
    for provider in lab:
        provider.fail("server_error", times=None)

    with collect_runs() as collected, pytest.raises(NoRouteAnswered):
        WAYS[way](model(max_attempts=3))

    (run,) = collected.traced_runs
    assert len(run.child_runs) == 3
    assert all(one.end_time and one.error for one in run.child_runs)


def test_who_leaves_a_stream_early_leaves_no_run_open(lab: Lab) -> None:
    """The attempt was abandoned, which is nobody's fault."""
    with collect_runs() as collected:
        stream = model().stream("hi")
        next(stream)
        stream.close()

    (run,) = collected.traced_runs
    assert told(run)[-1] == ("google", "abandoned")


def test_who_was_outpaced_did_not_fail(lab: Lab) -> None:
    """A hedge that wins drops the silent one."""
    lab["groq"].heal()
    lab["groq"].fail("hang", times=None)

    with collect_runs() as collected:
        model(hedge=0.05).invoke("hi")

    (run,) = collected.traced_runs
    assert told(run) == [("groq", "outpaced"), ("google", "answered")]


def test_a_stream_carried_on_has_both_that_told_it(lab: Lab) -> None:
    """The one that broke off ends in its fault."""
    lab["groq"].heal()
    lab["groq"].fail("truncated", at=12)

    with collect_runs() as collected:
        list(model().stream("Tell me of the sea."))

    (run,) = collected.traced_runs
    first, second = told(run)
    assert first[0] == "groq"
    assert first[1] not in ("answered", "abandoned")
    assert second[1] == "answered"


class AsyncTree(AsyncBaseTracer):
    """Keeps the root of each tree."""

    def __init__(self) -> None:
        super().__init__()
        self.roots: list[Run] = []

    async def _persist_run(self, run: Run) -> None:
        self.roots.append(run)


async def test_tracers_of_event_loops_are_told_the_same(lab: Lab) -> None:
    """In the order it happened."""
    tree, llm = AsyncTree(), model()

    await llm.ainvoke("hi", {"callbacks": [tree]})
    await llm.aclose()

    assert told(tree.roots[0]) == [("groq", "RateLimited"), ("google", "answered")]


async def test_handlers_and_event_streams_hear_of_one_run(lab: Lab) -> None:
    """To whoever keeps no tree a call is one run, however many attempts it took."""
    starts: list[str] = []

    class Chains(Handler):
        def on_chain_start(self, *args: Any, **kwargs: Any) -> None:
            starts.append("chain")

    llm = model()
    events = [e async for e in llm.astream_events("hi", {"callbacks": [Chains()]}, version="v2")]
    await llm.aclose()

    assert starts == []
    assert not [event for event in events if event["event"].startswith("on_chain")]
