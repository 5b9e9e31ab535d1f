"""One model in many threads and on several event loops."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from freelm_integrations.langchain import ChatFreeLLM
from tests.reliability.leaks import until_async

if TYPE_CHECKING:
    from freelm_integrations.lab import Lab


def test_threads_share_one_model(lab: Lab) -> None:
    """Every call is answered, by one set of clients made once."""
    llm = ChatFreeLLM()

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda n: llm.invoke(f"number {n}").content, range(24)))

    assert len(answers) == 24
    assert all(answers)


def test_a_batch_keeps_its_order(lab: Lab) -> None:
    """Under a limit on how many run at once."""
    prompts = [f"the word {word}" for word in ("moss", "fern", "pine")]

    answers = ChatFreeLLM().batch(prompts, {"max_concurrency": 2})

    for prompt, answer in zip(prompts, answers, strict=True):
        assert prompt.split()[-1] in str(answer.content)


def test_one_event_loop_after_another(lab: Lab) -> None:
    """A client kept from a closed loop would say that the event loop is closed."""
    llm = ChatFreeLLM()

    async def call() -> object:
        content = (await llm.ainvoke("hi")).content
        pieces = [chunk.text async for chunk in llm.astream("hi")]
        await llm.aclose()
        return content, "".join(pieces)

    assert all(asyncio.run(call()))  # type: ignore[arg-type]
    assert all(asyncio.run(call()))  # type: ignore[arg-type]


def test_event_loops_in_threads_side_by_side(lab: Lab) -> None:
    """Beside blocking calls of the same model."""
    llm = ChatFreeLLM()

    async def calls() -> list[object]:
        answers = await llm.abatch(["a", "b", "c"])
        await llm.aclose()
        return [answer.content for answer in answers]

    with ThreadPoolExecutor(4) as threads:
        loops = [threads.submit(asyncio.run, calls()) for _ in range(3)]
        blocking = threads.submit(llm.invoke, "d")

        assert all(all(loop.result()) for loop in loops)
        assert blocking.result().content


async def test_a_cancelled_call_blames_nobody(lab: Lab) -> None:
    """The provider it was waiting for is asked again by the next call."""
    lab["google"].fail("hang", times=1)
    llm = ChatFreeLLM(strategy="priority", hedge=False)
    call = asyncio.create_task(llm.ainvoke("hi"))
    assert await until_async(lambda: bool(lab["google"].chats))

    call.cancel()
    await asyncio.gather(call, return_exceptions=True)

    assert call.cancelled()
    answer = await llm.ainvoke("hi")
    assert answer.response_metadata["freelm"]["provider"] == "google"
    await llm.aclose()
