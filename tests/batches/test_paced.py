"""Hundreds of prompts over tight windows: all answered, in order, at full rate, without a storm."""

from __future__ import annotations

import asyncio
import threading

import pytest

from freelm_integrations import NIM, AsyncFreeLLM, FreeLLM, Groq, Limit, Mistral, batching
from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.lab import Lab
from freelm_integrations.langchain import ChatFreeLLM
from freelm_integrations.llama_index import LlamaIndexFreeLLM
from tests.reliability.leaks import until_async

PROMPTS = 300
WINDOW = 3.0
"""Seconds that stand for a minute."""
LATE = 0.5
"""The share of it by which a request may be late on a busy machine."""
EACH = {"groq": 40, "mistral": 30, "nim": 50}
CLASSES = {"groq": Groq, "mistral": Mistral, "nim": NIM}
LATENCY = 0.05
AT_BEST = (PROMPTS - 1) // sum(EACH.values()) * WINDOW


@pytest.fixture
def lab():
    """Three providers with small windows; a request may be a little late."""
    with Lab(words="plain", limits=False, providers=CLASSES, latency=LATENCY) as lab:
        for name, amount in EACH.items():
            lab[name].limit("requests", amount, per=(1 - LATE) * WINDOW)
        yield lab


@pytest.fixture
def options(lab):
    return {
        "providers": [
            CLASSES[one.name](
                one.keys[0],
                base_url=one.base_url,
                models=[one.models[0]],
                limits=(Limit(EACH[one.name], "requests", per=WINDOW),),
            )
            for one in lab
        ],
        "share": False,
        "state": "memory",
    }


def refused(lab):
    return sum(chat.status == 429 for one in lab for chat in one.chats)


def by_threads(options):
    return [one.text for one in ChatFreeLLM(**options).batch(prompts())]


def by_tasks(options):
    async def run():
        llm = ChatFreeLLM(**options)
        answers = await llm.abatch(prompts())
        await llm.aclose()
        return [one.text for one in answers]

    return asyncio.run(run())


def by_a_chain(options):
    from langchain_core.output_parsers import StrOutputParser
    from langchain_core.prompts import ChatPromptTemplate

    chain = ChatPromptTemplate.from_template("{x}") | ChatFreeLLM(**options) | StrOutputParser()
    return chain.batch([{"x": prompt} for prompt in prompts()])


def as_completed(options):
    found = dict(ChatFreeLLM(**options).batch_as_completed(prompts()))
    return [found[place].text for place in range(PROMPTS)]


def as_completed_on_loop(options):
    async def run():
        llm = ChatFreeLLM(**options)
        found = {place: one async for place, one in llm.abatch_as_completed(prompts())}
        await llm.aclose()
        return [found[place].text for place in range(PROMPTS)]

    return asyncio.run(run())


def gathered(options):
    async def run():
        llm = LlamaIndexFreeLLM(**options)
        with batching():
            return await asyncio.gather(*map(llm.acomplete, prompts()))

    return [one.text for one in asyncio.run(run())]


def prompts():
    return [f"number {place}" for place in range(PROMPTS)]


@pytest.mark.parametrize(
    "ask", [by_threads, by_tasks, by_a_chain, as_completed, as_completed_on_loop, gathered]
)
def test_all_are_answered_in_order_at_full_rate_without_a_storm(lab, options, ask):
    """No more than one in a hundred is refused."""
    began_at = SYSTEM_CLOCK.now()
    answers = ask(options)
    took = SYSTEM_CLOCK.now() - began_at
    sent = sum(len(one.chats) for one in lab)

    with FreeLLM(**{**options, "wait": True}) as alone:
        assert answers[7] == alone.text("number 7")
    assert len(answers) == PROMPTS
    assert all(answers)
    assert refused(lab) <= sent / 100
    assert took < 2 * AT_BEST + WINDOW
    assert {one.name for one in lab if len(one.chats) >= EACH[one.name]} == set(EACH)


async def test_who_asks_for_one_answer_goes_ahead_of_a_batch(lab, options):
    """In the middle of it, with all windows used up: the next opening is theirs."""
    client = AsyncFreeLLM(**options, wait=True)

    with batching() as batch:
        calls = [asyncio.ensure_future(client.text(prompt)) for prompt in prompts()]
    assert await until_async(lambda: batch.standing().waiting >= PROMPTS / 3)
    waiting = batch.standing().waiting
    assert await client.text("urgent")
    assert batch.standing().waiting >= waiting - sum(EACH.values())

    await asyncio.gather(*calls)
    assert batch.standing().answered == PROMPTS
    await client.close()


def test_a_model_that_was_told_not_to_wait_does_not(lab, options):
    """More than fit are refused by ourselves, at once."""
    answers = ChatFreeLLM(**options, wait=False).batch(prompts()[:150], return_exceptions=True)

    assert sum(isinstance(one, Exception) for one in answers) >= 150 - sum(EACH.values())
    assert refused(lab) == 0


def test_what_the_caller_asks_between_the_answers_is_no_part_of_the_batch(lab, options):
    """Its own calls go ahead of what is still waiting."""
    llm = ChatFreeLLM(**options)
    from freelm_integrations.batches.batch import current_batch

    seen = [current_batch() for _ in llm.batch_as_completed(prompts()[:5])]
    assert seen == [None] * 5


def test_a_batch_within_another_joins_it(lab, options):
    """One bar for all of them."""
    llm = ChatFreeLLM(**options)
    with batching() as batch:
        llm.batch(prompts()[:5])
        llm.invoke("alone")

    assert batch.standing().answered == 6
    assert sum(batch.standing().by_provider.values()) == 6


def test_core_decides_how_many_at_a_time_where_it_is_told(lab, options):
    """`max_concurrency` is the caller's."""
    llm, most, now = ChatFreeLLM(**options), 0, 0
    lock = threading.Lock()

    def observe(event):
        nonlocal most, now
        with lock:
            now += {"freelm.attempt_started": 1, "freelm.completed": -1}.get(event.name, 0)
            most = max(most, now)

    llm = ChatFreeLLM(**options, on_event=observe)
    llm.batch(prompts()[:20], {"max_concurrency": 2})

    assert most == 2


def test_the_time_it_takes_is_planned_from_what_is_left(lab, options):
    """What does not fit into this window sets off with the next ones."""
    llm = LlamaIndexFreeLLM(**options)
    with batching(total=PROMPTS) as batch:
        llm.complete("first")

    assert batch.time_left() == pytest.approx(2 * WINDOW, abs=0.1)
