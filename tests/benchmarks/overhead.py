"""What a call costs on top of the bytes: raw httpx is 1, ChatOpenAI stands beside us."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import tempfile
import time
from typing import TYPE_CHECKING

import httpx
from langchain_core.runnables import RunnableConfig
from langchain_openai import ChatOpenAI

from freelm_integrations import AsyncFreeLLM, FreeLLM, Limit, OpenAICompatible
from freelm_integrations.langchain import ChatFreeLLM, FreeLLMCallbackHandler
from freelm_integrations.pool.ledger.outbox import flush_all
from tests.benchmarks.measure import Report, sampled
from tests.benchmarks.server import CHUNKS, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROMPT = "Say something about foxes."
LIMITS = (Limit(10**9, "requests", per=60), Limit(10**12, "tokens", per=60))


def _provider(name: str, base: str, path: str = "ok", **options: object) -> OpenAICompatible:
    return OpenAICompatible(
        name, f"{base}/{path}", "key", models=["bench"], limits=LIMITS, **options
    )


@contextlib.contextmanager
def shared_counts() -> Iterator[None]:
    """Count in a file, as clients do that are told nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FREELM_STATE"] = f"sqlite:///{folder}/state.db"
        yield
        flush_all()
        del os.environ["FREELM_STATE"]


def calls(base: str, report: Report) -> None:
    body = json.dumps(
        {"model": "bench", "messages": [{"role": "user", "content": PROMPT}]}
    ).encode()
    raw = httpx.Client()
    ours = FreeLLM(providers=[_provider("bench", base)], share=False)
    chain = ChatFreeLLM(providers=[_provider("bench", base)], share=False)
    watched = RunnableConfig(callbacks=[FreeLLMCallbackHandler()])
    openai = ChatOpenAI(model="bench", base_url=f"{base}/ok", api_key="key")
    url, headers = (
        f"{base}/ok/chat/completions",
        {"content-type": "application/json", "authorization": "Bearer key"},
    )
    times = sampled(
        {
            "raw": lambda: raw.post(url, content=body, headers=headers),
            "FreeLLM.chat": lambda: ours.chat(PROMPT),
            "ChatFreeLLM.invoke": lambda: chain.invoke(PROMPT),
            "watched": lambda: chain.invoke(PROMPT, watched),
            "ChatOpenAI.invoke": lambda: openai.invoke(PROMPT),
        }
    )
    report.fact("raw httpx.Client.post", times["raw"] * 1000, "ms")
    report.bar("FreeLLM.chat / raw", times.ratio("FreeLLM.chat", "raw"), at_most=1.25)
    report.bar("ChatFreeLLM.invoke / raw", times.ratio("ChatFreeLLM.invoke", "raw"), at_most=1.6)
    report.bar("the same with a handler / raw", times.ratio("watched", "raw"), at_most=1.6)
    report.fact("ChatOpenAI.invoke / raw", times.ratio("ChatOpenAI.invoke", "raw"))
    report.bar(
        "ChatFreeLLM.invoke / ChatOpenAI.invoke",
        times.ratio("ChatFreeLLM.invoke", "ChatOpenAI.invoke"),
        at_most=0.5,
    )


def failover(base: str, report: Report) -> None:
    """One more provider that refuses, before the one that answers.

    On a pool that never learns (429 with Retry-After: 0).
    """
    raw = httpx.Client()
    url, headers = (
        f"{base}/429/chat/completions",
        {"content-type": "application/json", "authorization": "Bearer key"},
    )
    body = json.dumps(
        {"model": "bench", "messages": [{"role": "user", "content": PROMPT}]}
    ).encode()

    def client(first: str) -> FreeLLM:
        providers = [_provider("good", base, priority=1)]
        if first:
            providers.insert(0, _provider("bad", base, first, priority=0))
        return FreeLLM(providers=providers, share=False, strategy="priority")

    alone, refused, broken = client(""), client("429"), client("500")

    def forgetful(asked: FreeLLM) -> None:
        asked._dispatcher.pool.forget()  # or a breaker would soon leave it out
        asked.chat(PROMPT)

    times = sampled(
        {
            "raw": lambda: raw.post(url, content=body, headers=headers),
            "alone": lambda: alone.chat(PROMPT),
            "429": lambda: refused.chat(PROMPT),
            "alone, forgetful": lambda: forgetful(alone),
            "500": lambda: forgetful(broken),
        },
        rounds=20,
    )
    for name, without in (("429", "alone"), ("500", "alone, forgetful")):
        extra = (times[name] - times[without] - times["raw"]) * 1000
        report.bar(
            f"a provider answering {name} adds, beyond a raw call", extra, at_most=0.5, unit="ms"
        )


def streams(base: str, report: Report) -> None:
    ours = FreeLLM(providers=[_provider("bench", base)], share=False)
    chain = ChatFreeLLM(providers=[_provider("bench", base)], share=False)
    openai = ChatOpenAI(model="bench", base_url=f"{base}/ok", api_key="key", stream_usage=True)
    times = sampled(
        {
            "FreeLLM.stream": lambda: sum(1 for _ in ours.stream(PROMPT)),
            "ChatFreeLLM.stream": lambda: sum(1 for _ in chain.stream(PROMPT)),
            "ChatOpenAI.stream": lambda: sum(1 for _ in openai.stream(PROMPT)),
        },
        rounds=20,
        batch=2,
    )
    for name in ("FreeLLM.stream", "ChatFreeLLM.stream", "ChatOpenAI.stream"):
        report.fact(f"{name}, chunks per second", CHUNKS / times[name], "/s")
    report.bar(
        "ChatFreeLLM.stream / ChatOpenAI.stream, chunks per second",
        times.ratio("ChatOpenAI.stream", "ChatFreeLLM.stream"),
        at_least=5,
    )


def concurrency(base: str, report: Report, *, at_once: int = 64, rounds: int = 32) -> None:
    """64 `ainvoke` at once, over and over, on one loop; with the `[aiohttp]` extra.

    Rounds are compared one by one: a shared machine changes its speed more than we do ours.
    """
    chain = ChatFreeLLM(providers=[_provider("bench", base)], share=False)
    openai = ChatOpenAI(model="bench", base_url=f"{base}/ok", api_key="key")

    async def once(model: object) -> float:
        began = time.perf_counter()
        await asyncio.gather(*(model.ainvoke(PROMPT) for _ in range(at_once)))
        return time.perf_counter() - began

    async def by_turns() -> list[tuple[float, float]]:
        samples = [(await once(chain), await once(openai)) for _ in range(rounds)]
        return samples[2:]  # the first open their connections

    samples = asyncio.run(by_turns())
    for name, place in (("ChatFreeLLM", 0), ("ChatOpenAI", 1)):
        seconds = statistics.median(sample[place] for sample in samples)
        report.fact(f"{name}: 64 ainvoke at once", seconds * 1000, "ms")
    ratio = statistics.median(theirs / ours for ours, theirs in samples)
    report.bar("64 ainvoke at once, ChatOpenAI / ChatFreeLLM", ratio, at_least=5)


def hedging(base: str, report: Report) -> None:
    """What a second route costs that stands ready to be asked beside a slow first one.

    Rounds are compared one by one: a call's spread is many times what is looked for.
    """
    providers = [_provider("first", base), _provider("second", base, priority=1)]
    armed, bare = (FreeLLM(providers=providers, share=False, hedge=on) for on in (True, False))
    extra = _extra_ms(lambda: armed.chat(PROMPT), lambda: bare.chat(PROMPT))
    report.bar("hedging armed adds to a blocking call", extra, at_most=0.1, unit="ms")

    async def on_a_loop() -> float:
        clients = [AsyncFreeLLM(providers=providers, share=False, hedge=on) for on in (True, False)]

        async def seconds(client: AsyncFreeLLM) -> float:
            began = time.perf_counter()
            for _ in range(10):
                await client.chat(PROMPT)
            return (time.perf_counter() - began) / 10

        rounds = [(await seconds(clients[0]), await seconds(clients[1])) for _ in range(60)]
        for client in clients:
            await client.close()
        return statistics.median(one - other for one, other in rounds[3:]) * 1000

    report.bar("and to an asyncio one", asyncio.run(on_a_loop()), at_most=0.1, unit="ms")


def _extra_ms(one: Callable[[], object], other: Callable[[], object]) -> float:
    def seconds(run: Callable[[], object]) -> float:
        began = time.perf_counter()
        for _ in range(10):
            run()
        return (time.perf_counter() - began) / 10

    rounds = [(seconds(one), seconds(other)) for _ in range(60)]
    return statistics.median(first - second for first, second in rounds[3:]) * 1000


def construction(report: Report) -> None:
    times = sampled({"ChatFreeLLM()": lambda: ChatFreeLLM(api_key="gsk_lab")}, rounds=20)
    report.bar("constructing ChatFreeLLM", times["ChatFreeLLM()"] * 1000, at_most=2, unit="ms")


def run(report: Report) -> None:
    with serving() as base, shared_counts():
        calls(base, report)
        failover(base, report)
        streams(base, report)
        concurrency(base, report)
        hedging(base, report)
    construction(report)
