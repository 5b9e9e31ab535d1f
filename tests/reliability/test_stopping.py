"""Callers who leave, in every way there is, in the midst of hedged and resumed calls.

Each time: leases settled, connections closed, nobody blamed for it, no warning, nothing left running.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from freelm_integrations import FreeLLM
from tests.reliability.fronts import FRONTS
from tests.reliability.leaks import blamed, in_flight, nothing_left, tasks, until, until_async
from tests.reliability.stage import PROMPT
from tests.turns import turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from tests.reliability.stage import Stage

    Faults: TypeAlias = dict[str, dict[str, dict[str, Any]]]

HEDGE = 0.05
"""Seconds before a second attempt, so that tests of two in the air need not wait long."""


class Scene:
    """A client over two providers of its own, and what goes wrong at them."""

    def __init__(self, stage: Stage, faults: dict[str, dict[str, Any]], **options: Any) -> None:
        self.key, self.providers = stage.pair()
        self._lab = stage.lab
        for name, fault in faults.items():
            self._lab[name].fail(key=self.key, times=None, **fault)
        options = {"hedge": HEDGE, "share": False, "state": "memory", **options}
        self.client = FreeLLM(providers=self.providers, strategy="priority", **options)
        self.twin = self.client.to_async()

    def asked(self, name: str) -> int:
        """How many requests with this key have reached that provider."""
        return sum(one.key == self.key for one in self._lab[name].chats)

    def has_asked(self, name: str, times: int) -> bool:
        """Whether so many have."""
        return self.asked(name) >= times

    def is_left(self) -> bool:
        """Whether no request with this key is being answered any more."""
        chats = [one for provider in self.providers for one in self._lab[provider.name].chats]
        return all(one.ended != "open" for one in chats if one.key == self.key)


SCENES: Faults = {
    "silent": {"groq": {"kind": "hang"}, "cerebras": {"kind": "hang"}},
    "silent after headers": {
        "groq": {"kind": "hang_after_headers"},
        "cerebras": {"kind": "hang_after_headers"},
    },
    "stalled": {"groq": {"kind": "stall", "after": 8}, "cerebras": {"kind": "hang"}},
    "kept alive": {
        "groq": {"kind": "keepalives", "after": 0},
        "cerebras": {"kind": "keepalives", "after": 0},
    },
}
SPEAKING: Faults = {
    "first": {},
    "hedge": {"groq": {"kind": "hang"}},
    "resumed": {"groq": {"kind": "reset", "after": 8}, "cerebras": {"kind": "stall", "after": 30}},
}
"""Scenes in which text comes; who speaks."""


def _speaking(stage: Stage, name: str) -> Scene:
    return Scene(stage, SPEAKING[name])


# ---------------------------------------------------------------------- leaving a stream


def _break(scene: Scene) -> None:
    for _ in scene.client.stream(PROMPT):
        break
    gc.collect()


def _close(scene: Scene) -> None:
    stream = scene.client.stream_deltas(PROMPT)
    next(stream)
    stream.close()


def _with(scene: Scene) -> None:
    with scene.client.stream_deltas(PROMPT) as stream:
        next(iter(stream))


def _raise(scene: Scene) -> None:
    def fail() -> None:
        with scene.client.stream_deltas(PROMPT) as stream:
            for _ in stream:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()


def _drop(scene: Scene) -> None:
    stream = scene.client.stream(PROMPT)
    next(stream)
    del stream
    gc.collect()


def _cycle(scene: Scene) -> None:
    stream: Any = scene.client.stream_deltas(PROMPT)
    held = [stream]
    held.append(held)
    next(stream)
    del stream, held
    gc.collect()


@pytest.mark.parametrize("leave", [_break, _close, _with, _raise, _drop, _cycle])
@pytest.mark.parametrize("who", SPEAKING)
def test_who_leaves_a_blocking_stream_leaves_nothing_behind(
    stage: Stage, who: str, leave: Callable[[Scene], None]
) -> None:
    """The server sees the connection close at once."""
    scene = _speaking(stage, who)
    with nothing_left():
        leave(scene)

        assert in_flight(scene.client) == 0
        assert until(scene.is_left)
        scene.client.close()
    assert set(blamed(scene.client)) <= ({"groq"} if who == "resumed" else set())


async def _abreak(scene: Scene) -> None:
    async for _ in scene.twin.stream(PROMPT):
        break
    gc.collect()


async def _aclose(scene: Scene) -> None:
    stream = scene.twin.stream_deltas(PROMPT)
    await anext(stream)
    await stream.aclose()


async def _araise(scene: Scene) -> None:
    async def fail() -> None:
        async with scene.twin.stream_deltas(PROMPT) as stream:
            async for _ in stream:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()


async def _adrop(scene: Scene) -> None:
    stream = scene.twin.stream_deltas(PROMPT)
    await anext(stream)
    del stream
    gc.collect()


@pytest.mark.parametrize("leave", [_abreak, _aclose, _araise, _adrop])
@pytest.mark.parametrize("who", SPEAKING)
async def test_who_leaves_an_async_stream_leaves_nothing_behind(
    stage: Stage, who: str, leave: Callable[[Scene], Any]
) -> None:
    """Also who only drops it: the loop closes what is collected."""
    scene = _speaking(stage, who)
    await leave(scene)

    assert await until_async(lambda: in_flight(scene.client) == 0)
    assert await until_async(scene.is_left)
    await scene.twin.aclose()
    assert await until_async(lambda: tasks() == 0)
    assert set(blamed(scene.client)) <= ({"groq"} if who == "resumed" else set())


@pytest.mark.parametrize("who", SPEAKING)
def test_a_loop_that_ends_takes_streams_left_in_their_midst_with_it(stage: Stage, who: str) -> None:
    """Nothing is said of tasks destroyed while pending, again and again."""
    scene = _speaking(stage, who)

    async def leave() -> Any:
        stream = scene.twin.stream_deltas(PROMPT)
        await anext(stream)
        return stream

    with nothing_left():
        for _ in range(3):
            left = asyncio.run(leave())
            assert in_flight(scene.client) == 0
            del left
            gc.collect()
        assert until(scene.is_left)


async def _first_of(stream: Any) -> None:
    async for _ in stream:
        return


@pytest.mark.parametrize("front", ["langchain", "llama_index"])
@pytest.mark.parametrize("who", SPEAKING)
def test_who_leaves_a_stream_of_a_front_end_leaves_nothing_behind(
    stage: Stage, who: str, front: str
) -> None:
    """Blocking and awaited, by `break` and by letting go."""
    scene = _speaking(stage, who)
    options: dict[str, Any] = {"hedge": HEDGE, "share": False, "state": "memory"}
    made: Any = FRONTS[front](scene.providers, strategy="priority", **options)
    llm = made.llm
    core = llm.engine.blocking() if front == "langchain" else llm.client

    async def leave() -> None:
        if front == "langchain":
            await _first_of(llm.astream(PROMPT))
        else:
            await _first_of(await llm.astream_complete(PROMPT))
        await llm.aclose()

    with nothing_left():
        for _ in llm.stream(PROMPT) if front == "langchain" else llm.stream_complete(PROMPT):
            break
        gc.collect()
        assert in_flight(core) == 0
        asyncio.run(leave())
        gc.collect()
        assert in_flight(core) == 0
        assert until(scene.is_left)
        llm.close()


# ---------------------------------------------------------------------- cancelling


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
async def test_a_call_may_be_cancelled_wherever_it_waits(
    stage: Stage, name: str, streaming: bool
) -> None:
    """After any number of turns of the loop: with nothing sent, one in the air, or two."""
    scene = Scene(stage, SCENES[name])

    async def call() -> object:
        if not streaming:
            return await scene.twin.chat(PROMPT)
        return [delta async for delta in scene.twin.stream_deltas(PROMPT)]

    for count in [*range(30), None]:
        task = asyncio.ensure_future(call())
        if count is None:
            asked = scene.asked("cerebras") + 1
            assert await until_async(partial(scene.has_asked, "cerebras", asked))
        else:
            await turns(count)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert in_flight(scene.client) == 0

    assert await until_async(scene.is_left)
    await scene.twin.aclose()
    assert await until_async(lambda: tasks() == 0)
    assert blamed(scene.client) == []


async def test_a_time_limit_of_the_callers_own_is_kept(stage: Stage) -> None:
    """`asyncio.timeout` and `wait_for` cancel, and get their TimeoutError."""
    scene = Scene(stage, SCENES["silent"])
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(scene.twin.chat(PROMPT), 0.15)

    assert scene.asked("cerebras") == 1
    assert in_flight(scene.client) == 0
    assert await until_async(scene.is_left)
    await scene.twin.aclose()


async def test_a_group_of_calls_is_cancelled_as_one(stage: Stage) -> None:
    """A hundred with two attempts each in the air."""
    scene = Scene(stage, SCENES["silent"])
    calls = [asyncio.ensure_future(scene.twin.chat(PROMPT)) for _ in range(100)]
    assert await until_async(lambda: scene.asked("cerebras") >= 10)
    for call in calls:
        call.cancel()
    ends = await asyncio.gather(*calls, return_exceptions=True)

    assert {type(end) for end in ends} == {asyncio.CancelledError}
    assert in_flight(scene.client) == 0
    assert await until_async(scene.is_left)
    await scene.twin.aclose()
    assert await until_async(lambda: tasks() == 0)
    assert blamed(scene.client) == []


# ---------------------------------------------------------------------- interrupting


@pytest.fixture
def control_c() -> Iterator[None]:
    """Let it raise, also where the suite runs in the background, with the signal ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals go to a process only here")
@pytest.mark.usefixtures("control_c")
@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
def test_control_c_ends_a_blocking_call_that_waits(
    stage: Stage, name: str, streaming: bool
) -> None:
    """With two attempts in the air; the next call is answered."""
    scene = Scene(stage, SCENES[name])
    caller = threading.get_ident()

    def press() -> None:
        until(lambda: scene.asked("cerebras") > 0)
        signal.pthread_kill(caller, signal.SIGINT)

    with nothing_left():
        pressing = threading.Thread(target=press)
        pressing.start()
        with pytest.raises(KeyboardInterrupt):
            list(scene.client.stream(PROMPT)) if streaming else scene.client.chat(PROMPT)
        pressing.join()

        assert in_flight(scene.client) == 0
        assert until(scene.is_left)
        assert blamed(scene.client) == []
        stage.lab["cerebras"].heal()
        scene.client.close()


# ---------------------------------------------------------------------- forking


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("who", SPEAKING)
def test_a_fork_in_the_midst_of_a_stream_leaves_it_to_the_parent(stage: Stage, who: str) -> None:
    """The child may drop its copy of it and make calls of its own; the parent reads on."""
    scene = Scene(stage, SPEAKING[who])
    stream = scene.client.stream_deltas(PROMPT)
    begun = next(stream)
    child = os.fork()
    if child == 0:
        try:
            stream.close()
            os._exit(0 if in_flight(scene.client) == 0 else 3)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0

    more = next(stream)
    assert begun.has_content
    assert more.has_content
    stream.close()
    assert in_flight(scene.client) == 0
    scene.client.close()
