"""A lab with a key for every cell, and a loop in a thread of its own for the cells that await."""

from __future__ import annotations

import asyncio
import itertools
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freelm_integrations import Cerebras, Groq, Mistral
from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.lab import Lab
from tests.reliability.fronts import FRONTS

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import TypeVar

    from freelm_integrations.providers.provider import Provider
    from tests.reliability.faults import Fault
    from tests.reliability.fronts import Front, Told

    T = TypeVar("T")

KEYS = 600
PROMPT = "Tell me about tides"
CLASSES = {"groq": Groq, "cerebras": Cerebras, "mistral": Mistral}


@dataclass(frozen=True)
class Cell:
    """One way to call while one thing goes wrong. `is_warm`: the first provider's pace is known."""

    fault: str
    front: str
    is_async: bool
    is_streamed: bool
    is_warm: bool = True

    def __str__(self) -> str:
        """As it stands in a test's name."""
        way = "async" if self.is_async else "sync"
        mode = "stream" if self.is_streamed else "whole"
        return f"{self.fault}, {self.front} {way} {mode}{'' if self.is_warm else ' cold'}"


@dataclass(frozen=True)
class Played:
    """What came of a cell, and how long that took (s)."""

    told: Told
    seconds: float


class Stage:
    """One lab without limits for all cells; each has keys of its own there, so a pool of its own."""

    def __init__(self) -> None:
        self.lab = Lab(words="plain", limits=False, providers=CLASSES, keys_each=KEYS).start()
        self._keys = itertools.count()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="cells")
        self._thread.start()
        self._threads = ThreadPoolExecutor(64, thread_name_prefix="cell")

    def pair(self, second: str = "cerebras", key: int | None = None) -> tuple[int, list[Provider]]:
        """Groq before another, with a key nobody else has, and which that is."""
        key = next(self._keys) if key is None else key
        return key, [self.provider("groq", key), self.provider(second, key, priority=1)]

    def provider(self, name: str, key: int, priority: int = 0) -> Provider:
        """A played provider with one of its keys and its first model."""
        played = self.lab[name]
        made: Provider = CLASSES[name](
            played.keys[key],
            base_url=played.base_url,
            models=[played.models[0]],
            priority=priority,
            limits=(),
        )
        return made

    def await_(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run it on the loop of the stage."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def prepare(self, cell: Cell, fault: Fault) -> Callable[[], Future[Played]]:
        """Make the front end, let it answer once if its pace is to be known, and break things."""
        key, providers = self.pair()
        front = FRONTS[cell.front](providers, share=False, state="memory", strategy="priority")
        if cell.is_warm:
            self._start(cell, front).result(30.0)
        fault.strike(self.lab["groq"], key)
        return lambda: self._start(cell, front, is_last=True)

    def _start(self, cell: Cell, front: Front, *, is_last: bool = False) -> Future[Played]:
        if cell.is_async:
            return self.await_(_aplay(cell, front, is_last=is_last))
        return self._threads.submit(_play, cell, front, is_last=is_last)

    def close(self) -> None:
        """Let all go."""
        self._threads.shutdown()
        self.await_(self.loop.shutdown_asyncgens()).result(5.0)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()
        self.lab.close()


def _play(cell: Cell, front: Front, *, is_last: bool) -> Played:
    began_at = SYSTEM_CLOCK.now()
    told = (front.streamed if cell.is_streamed else front.whole)(PROMPT)
    seconds = SYSTEM_CLOCK.now() - began_at
    if is_last:
        front.close()
    return Played(told, seconds)


async def _aplay(cell: Cell, front: Front, *, is_last: bool) -> Played:
    began_at = SYSTEM_CLOCK.now()
    told = await (front.astreamed if cell.is_streamed else front.awhole)(PROMPT)
    seconds = SYSTEM_CLOCK.now() - began_at
    if is_last:
        await front.aclose()
    return Played(told, seconds)
