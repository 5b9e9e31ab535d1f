"""Many calls at once: streams of which a tenth are cut, and calls that are cancelled."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freelm_integrations import FreeLLM
from freelm_integrations.chat import Folding
from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.lab.mind.plain import plain_words
from tests.reliability.leaks import in_flight, open_files, tasks, until, until_async
from tests.reliability.stage import PROMPT
from tests.turns import turns

if TYPE_CHECKING:
    from freelm_integrations import AsyncFreeLLM
    from tests.reliability.stage import Stage

ANSWER = "".join(plain_words([{"role": "user", "content": PROMPT}]))
TENTH = 10


@dataclass(frozen=True)
class Wave:
    """What came of many calls at once, in so many seconds."""

    right: int
    stitched: int
    ends: Counter[str]
    """Errors, by their names."""
    seconds: float


@dataclass(frozen=True)
class Left:
    """What there is in this process: objects, megabytes, open files, threads."""

    objects: int
    megabytes: float
    files: int
    threads: int


def crowd(stage: Stage, **options: Any) -> tuple[int, FreeLLM]:
    """A client over two providers of its own, and the key that it has there."""
    key, providers = stage.pair()
    settings = {"share": False, "state": "memory", "strategy": "priority", **options}
    return key, FreeLLM(providers=providers, **settings)


async def streams(stage: Stage, count: int) -> Wave:
    """So many at once, a tenth of them cut by a reset in its midst."""
    key, client = crowd(stage)
    twin = client.to_async()
    stage.lab["groq"].fail("reset", key=key, times=count // TENTH, at=len(ANSWER) // 2)
    began_at = SYSTEM_CLOCK.now()
    ends = await asyncio.gather(*(_read(twin) for _ in range(count)), return_exceptions=True)
    seconds = SYSTEM_CLOCK.now() - began_at
    told = [end.completion() for end in ends if isinstance(end, Folding)]
    wave = Wave(
        right=sum(one.text == ANSWER for one in told),
        stitched=sum(one.integrity == "stitched" for one in told),
        ends=Counter(type(end).__name__ for end in ends if isinstance(end, BaseException)),
        seconds=seconds,
    )
    await _leave(client, twin)
    return wave


async def cancelled(stage: Stage, count: int, *, at_once: int = 100) -> Wave:
    """So many calls to silent providers, each cancelled after some turns of the loop."""
    key, client = crowd(stage, hedge=0.01)
    twin = client.to_async()
    for name in ("groq", "cerebras"):
        stage.lab[name].fail("hang", key=key, times=None)
    ends: Counter[str] = Counter()
    began_at = SYSTEM_CLOCK.now()
    for start in range(0, count, at_once):
        calls = [asyncio.ensure_future(twin.chat(PROMPT)) for _ in range(at_once)]
        await turns(4 * (start // at_once % 40))
        for call in calls:
            call.cancel()
        for end in await asyncio.gather(*calls, return_exceptions=True):
            ends[type(end).__name__] += 1
    seconds = SYSTEM_CLOCK.now() - began_at
    await _leave(client, twin)
    return Wave(0, 0, ends, seconds)


async def _read(client: AsyncFreeLLM) -> Folding:
    folding = Folding()
    async with client.stream_deltas(PROMPT) as deltas:
        async for delta in deltas:
            folding.add(delta)
    return folding


async def _leave(client: FreeLLM, twin: AsyncFreeLLM) -> None:
    """Nothing may be open, nor running, and nobody held responsible for who was cancelled."""
    assert in_flight(client) == 0
    await twin.aclose()
    assert await until_async(lambda: tasks() == 0)


def left(stage: Stage, before: Left | None = None) -> Left:
    """What there is now, or once the lab's side has closed its connections too."""
    for provider in stage.lab:
        provider.heal()
        provider.forget()
    files = _QUIET if before is None else before.files
    until(lambda: open_files() <= files)
    gc.collect()
    return Left(len(gc.get_objects()), _megabytes(), open_files(), threading.active_count())


_QUIET = 40
"""Files that a test run and a lab have open anyhow, about."""
_MEMORY = Path("/proc/self/statm")


def _megabytes() -> float:
    """Of memory in use; 0 where nobody can tell."""
    return int(_MEMORY.read_text().split()[1]) * 4096 / 1e6 if _MEMORY.exists() else 0.0
