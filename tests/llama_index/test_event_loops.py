"""One model, many event loops and threads: no request is made twice, none is lost."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from llama_index.core.async_utils import asyncio_run
from llama_index.core.base.llms.types import ChatMessage

if TYPE_CHECKING:
    from collections.abc import Callable

    from freelm_integrations.lab import Lab
    from freelm_integrations.llama_index import LlamaIndexFreeLLM

HISTORY = [ChatMessage(content="Name a river.")]


@pytest.fixture
def llm(lab: Lab, made: Callable[..., LlamaIndexFreeLLM]) -> LlamaIndexFreeLLM:
    """A model of one provider, so that requests can be counted."""
    return made(providers=["groq"])


async def read(llm: LlamaIndexFreeLLM) -> str:
    return "".join([one.delta or "" async for one in await llm.astream_chat(HISTORY)])


def test_loop_after_loop_asks_once_each(lab: Lab, llm: LlamaIndexFreeLLM) -> None:
    """Connections end with their loop; the next call opens its own."""
    for _ in range(4):
        assert asyncio.run(llm.achat(HISTORY)).message.content
        assert asyncio.run(read(llm))

    assert len(lab["groq"].chats) == 8


async def test_a_loop_in_a_thread_inside_a_running_loop(lab: Lab, llm: LlamaIndexFreeLLM) -> None:
    """What core does for `use_async=True`, extractors and evaluators; as in a notebook."""
    assert (await llm.achat(HISTORY)).message.content
    assert asyncio_run(llm.achat(HISTORY)).message.content
    assert llm.chat(HISTORY).message.content
    assert await read(llm)
    assert asyncio_run(read(llm))
    assert await read(llm)

    assert len(lab["groq"].chats) == 6


def test_threads_with_loops_of_their_own_at_once(lab: Lab, llm: LlamaIndexFreeLLM) -> None:
    """And blocking ones among them."""
    together = threading.Barrier(6)

    def work(number: int) -> str:
        together.wait()
        if number % 2:
            return llm.complete("hi").text
        return asyncio.run(read(llm))

    with ThreadPoolExecutor(6) as pool:
        texts = list(pool.map(work, range(6)))

    assert all(texts)
    assert len(lab["groq"].chats) == 6


async def test_a_stream_may_be_read_in_another_task(llm: LlamaIndexFreeLLM) -> None:
    """Agents open it in one and read it in another."""
    stream = await asyncio.create_task(llm.astream_chat(HISTORY))

    async def rest() -> list[str]:
        return [one.delta or "" async for one in stream]

    assert "".join(await asyncio.create_task(rest()))


def test_a_stream_may_be_read_in_another_thread(llm: LlamaIndexFreeLLM) -> None:
    """Chat engines write the answer from a thread of their own."""
    stream = llm.stream_chat(HISTORY)

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: "".join(one.delta or "" for one in stream)).result()


PROGRAM = """
import asyncio
from freelm_integrations.lab import Lab
from freelm_integrations.llama_index import LlamaIndexFreeLLM
from llama_index.core.async_utils import asyncio_run

lab = Lab(words="plain", limits=False, providers=["groq"]).enter_environ()
llm = LlamaIndexFreeLLM()

async def call():
    return (await llm.acomplete("hi")).text

async def leave():
    async for piece in await llm.astream_complete("hi"):
        return piece

async def inside():
    assert await call() and asyncio_run(call()) and asyncio_run(leave()) and await call()

{work}
print(len(lab["groq"].chats))
lab.close()
"""
AGAIN_AND_AGAIN = """
for _ in range(3):
    asyncio.run(call())
    asyncio.run(inside())
"""
NESTED = """
import nest_asyncio
nest_asyncio.apply()

async def main():
    assert await call() and asyncio.run(call()) and asyncio_run(call())

asyncio.run(main())
asyncio.run(main())
"""
NESTED_LEFT = """
import nest_asyncio
nest_asyncio.apply()

async def main():
    assert await leave() and asyncio.run(leave()) and asyncio_run(leave())

async def begun():
    return await llm.astream_complete("hi")

asyncio.run(main())
asyncio.run(main())
kept = asyncio.run(begun())
"""
NEVER_CLOSED = """
loop = asyncio.new_event_loop()
loop.run_until_complete(call())
loop.run_until_complete(leave())
"""
NOT_SHUT_DOWN = """
for _ in range(3):
    loop = asyncio.new_event_loop()
    loop.run_until_complete(inside())
    loop.close()
"""


@pytest.mark.parametrize(
    ("work", "requests"),
    [
        pytest.param(AGAIN_AND_AGAIN, 15, id="again and again"),
        pytest.param(NESTED, 6, id="nest_asyncio"),
        pytest.param(NESTED_LEFT, 7, id="nest_asyncio, streams left"),
        pytest.param(NEVER_CLOSED, 2, id="never closed"),
        pytest.param(NOT_SHUT_DOWN, 12, id="not shut down"),
    ],
)
def test_a_program_ends_without_a_word(work: str, requests: int) -> None:
    """Neither `Event loop is closed` nor `Unclosed client session`, with every warning shown."""
    ran = subprocess.run(
        [sys.executable, "-W", "default", "-c", PROGRAM.replace("{work}", work)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ran.stderr, ran.stdout.strip()) == ("", str(requests))
