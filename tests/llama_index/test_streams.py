"""Streams have begun when they are handed out, and whatever becomes of them, their connection is closed."""

from __future__ import annotations

import asyncio
import gc
import sys
from typing import TYPE_CHECKING, Any

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.callbacks import CallbackManager, LlamaDebugHandler
from llama_index.core.output_parsers import PydanticOutputParser
from llama_index.core.prompts import PromptTemplate
from pydantic import BaseModel

from freelm_integrations import NoRouteAnswered
from freelm_integrations.chat import Delta, Origin
from freelm_integrations.llama_index import LlamaIndexFreeLLM, streams
from freelm_integrations.llama_index.answers import GrowingAnswer
from tests.reliability.leaks import until_async
from tests.turns import turn, turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from llama_index.core.base.llms.types import ChatResponse

    from freelm_integrations.lab import Lab

HISTORY = [ChatMessage(content="Name a river.")]
TEXTS = ("one ", "two ", "three")


class Deltas:
    """A stream of the core client, in both worlds, that remembers being closed."""

    def __init__(self, *, fails_after: int | None = None) -> None:
        self.asked = 0
        self.closed = 0
        self.ended: list[int] = []
        self._fails_after = fails_after

    def __next__(self) -> Delta:
        self.asked += 1
        if self.asked - 1 == self._fails_after:
            message = "nobody answered"
            raise NoRouteAnswered(message)
        if self.asked > len(TEXTS):
            raise StopIteration
        return Delta(text=TEXTS[self.asked - 1], origin=Origin("a", "b", "c"))

    async def __anext__(self) -> Delta:
        try:
            return next(self)
        except StopIteration:
            raise StopAsyncIteration from None

    def end(self) -> None:
        """Told of the end: notes how often it was closed by then."""
        self.ended.append(self.closed)

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        await turn()
        self.closed += 1


class Sync:
    """The blocking generators."""

    @staticmethod
    async def opened(deltas: Any) -> Any:
        return streams.opened(deltas, GrowingAnswer(), unchanged, deltas.end)

    @staticmethod
    async def guarded(outer: Any, inner: Any) -> Any:
        return streams.guarded(outer, inner)

    @staticmethod
    async def read(stream: Any, count: int = 99) -> list[str]:
        told = []
        for one in stream:
            told.append(one.delta)
            if len(told) == count:
                break
        return told

    @staticmethod
    async def close(stream: Any) -> None:
        stream.close()


class Async:
    """The asyncio generators."""

    @staticmethod
    async def opened(deltas: Any) -> Any:
        return await streams.aopened(deltas, GrowingAnswer(), unchanged, deltas.end)

    @staticmethod
    async def guarded(outer: Any, inner: Any) -> Any:
        return await streams.aguarded(outer, inner)

    @staticmethod
    async def read(stream: Any, count: int = 99) -> list[str]:
        told = []
        async for one in stream:
            told.append(one.delta)
            if len(told) == count:
                break
        return told

    @staticmethod
    async def close(stream: Any) -> None:
        await stream.aclose()


def unchanged(response: ChatResponse) -> ChatResponse:
    return response


both = pytest.mark.parametrize("world", [Sync, Async])


@both
async def test_opening_waits_for_the_first_content_and_no_more(world: Any) -> None:
    """The rest is read as it is asked for."""
    deltas = Deltas()

    stream = await world.opened(deltas)

    assert deltas.asked == 1
    assert deltas.ended == []
    assert await world.read(stream) == list(TEXTS)
    assert (deltas.closed, deltas.ended) == (1, [1])


@both
async def test_a_stream_nobody_can_give_raises_when_opened(world: Any) -> None:
    """Not in the hands of its consumer, who may be another thread."""
    deltas = Deltas(fails_after=0)

    with pytest.raises(NoRouteAnswered):
        await world.opened(deltas)
    assert (deltas.closed, deltas.ended) == (1, [1])


@both
async def test_an_error_on_the_way_closes_and_passes(world: Any) -> None:
    """What was told before stays told."""
    deltas = Deltas(fails_after=2)
    stream = await world.opened(deltas)

    assert await world.read(stream, 2) == ["one ", "two "]
    with pytest.raises(NoRouteAnswered):
        await world.read(stream, 1)
    assert (deltas.closed, deltas.ended) == (1, [1])


@both
@pytest.mark.parametrize("read", [0, 1, 99])
async def test_closing_closes_both_however_much_was_read(world: Any, read: int) -> None:
    """Also what has not been read at all, which no plain generator does."""
    inner_deltas, outer_deltas = Deltas(), Deltas()
    inner = await world.opened(inner_deltas)
    outer = await world.opened(outer_deltas)
    stream = await world.guarded(outer, inner)
    if read:
        await world.read(stream, read)

    await world.close(stream)

    assert (outer_deltas.closed, inner_deltas.closed) == (1, 1)
    assert (outer_deltas.ended, inner_deltas.ended) == ([1], [1])


@both
@pytest.mark.parametrize("read", [0, 1])
async def test_what_is_dropped_is_closed(world: Any, read: int) -> None:
    """By the interpreter at once, or by the event loop soon."""
    deltas = Deltas()
    stream = await world.guarded(await world.opened(Deltas()), await world.opened(deltas))
    if read:
        await world.read(stream, read)

    del stream
    gc.collect()
    await turns(10)

    assert (deltas.closed, deltas.ended) == (1, [1])


def left(lab: Lab) -> list[str]:
    return [request.ended for request in lab["groq"].chats]


def until(condition: Callable[[], bool]) -> bool:
    """Wait for the lab's own thread to notice."""
    return asyncio.run(auntil(condition))


async def auntil(condition: Callable[[], bool]) -> bool:
    """Wait for the lab's own thread to notice."""
    return await until_async(condition)


@pytest.fixture
def slow(lab: Lab) -> Iterator[Lab]:
    """A provider that takes its time, so that a stream can be left in the middle."""
    lab["groq"].pause = 0.02
    return lab


@pytest.mark.parametrize(
    "watched", [False, True], ids=["plain", "with a handler that keeps errors"]
)
def test_a_stream_left_early_hangs_up(slow: Lab, watched: bool) -> None:
    """Core's wrapper alone would keep it open as long as a handler keeps the GeneratorExit."""
    handlers = [LlamaDebugHandler(print_trace_on_end=False)] if watched else []
    llm = LlamaIndexFreeLLM(providers=["groq"], callback_manager=CallbackManager(handlers))

    for _ in llm.stream_chat(HISTORY):
        break

    assert until(lambda: left(slow) == ["client_left"])


@pytest.mark.parametrize(
    "watched", [False, True], ids=["plain", "with a handler that keeps errors"]
)
def test_an_async_stream_closed_early_hangs_up(slow: Lab, watched: bool) -> None:
    """As soon as `aclose` has returned."""
    handlers = [LlamaDebugHandler(print_trace_on_end=False)] if watched else []
    llm = LlamaIndexFreeLLM(providers=["groq"], callback_manager=CallbackManager(handlers))

    async def run() -> None:
        stream = await llm.astream_chat(HISTORY)
        await anext(stream)
        await stream.aclose()

    asyncio.run(run())

    assert until(lambda: left(slow) == ["client_left"])


def test_a_stream_that_is_never_read_hangs_up(slow: Lab) -> None:
    """`LLM.stream` with an output parser opens one and raises."""

    class River(BaseModel):
        name: str

    llm = LlamaIndexFreeLLM(providers=["groq"])
    prompt = PromptTemplate("Name a river.", output_parser=PydanticOutputParser(River))

    with pytest.raises(NotImplementedError):
        llm.stream(prompt)

    assert until(lambda: left(slow) == ["client_left"])


async def test_a_cancelled_call_blames_no_provider(lab: Lab) -> None:
    """The key is as good as before."""
    lab["groq"].latency = 5.0
    llm = LlamaIndexFreeLLM(providers=["groq"])

    for call in (llm.achat(HISTORY), llm.astream_chat(HISTORY)):
        task = asyncio.create_task(call)
        assert await auntil(lambda: "open" in left(lab))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await auntil(lambda: "open" not in left(lab))

    lab["groq"].latency = 0.0
    assert (await llm.achat(HISTORY)).raw["freelm"]["attempts"][0].get("kind") is None


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="counts references")
def test_a_finished_stream_leaves_nothing_behind(lab: Lab) -> None:
    """Neither a connection nor an unfinished generator."""
    llm = LlamaIndexFreeLLM(providers=["groq"])

    chunks = list(llm.stream_chat(HISTORY))

    assert chunks[-1].raw["finish_reason"] == "stop"
    assert until(lambda: left(lab) == ["complete"])
