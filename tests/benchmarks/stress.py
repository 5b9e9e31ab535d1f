"""What is left behind: after a thousand streams at once, and after ten thousand cancelled calls."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from freelm_integrations import AsyncFreeLLM, FreeLLM, OpenAICompatible, StreamInterrupted
from tests.benchmarks.overhead import PROMPT, _provider
from tests.benchmarks.server import CHUNKS, serving

if TYPE_CHECKING:
    from tests.benchmarks.measure import Report

AT_ONCE = 1000
CANCELLED = 10_000


def _open_files() -> int:
    gc.collect()
    return sum(1 for _ in Path("/dev/fd").iterdir())


def _memory() -> float:
    """Megabytes this process holds."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096 / 1e6


def streams(base: str, report: Report, *, rounds: int = 4) -> None:
    """A thousand at once on one loop, a tenth of them cut in the middle; over and over."""
    providers = [_provider("cut", base, "cut"), _provider("whole", base, priority=1)]

    async def one(client: AsyncFreeLLM) -> bool:
        pieces = 0
        with suppress(StreamInterrupted):
            async for delta in client.stream_deltas(PROMPT):
                pieces += bool(delta.text)
                if delta.finish_reason == "stop":
                    return pieces >= CHUNKS // 2
        return False

    async def main() -> tuple[int, list[float], int, float]:
        async with AsyncFreeLLM(providers=providers, share=False) as client:
            whole, memory = 0, []
            began = time.perf_counter()
            for _ in range(rounds):
                whole += sum(await asyncio.gather(*(one(client) for _ in range(AT_ONCE))))
                memory.append(_memory())
            took = time.perf_counter() - began
            return whole, memory, len(asyncio.all_tasks()) - 1, took

    files = _open_files()
    whole, memory, tasks, took = asyncio.run(main())
    report.fact(f"{AT_ONCE} streams at once, streams per second", rounds * AT_ONCE / took, "/s")
    report.bar("of them whole, a tenth being cut", whole / rounds / AT_ONCE, at_least=1)
    report.bar(
        "memory after the last round / after the second", memory[-1] / memory[1], at_most=1.1
    )
    report.bar("tasks left", tasks, at_most=0, unit="")
    report.bar("files left open", _open_files() - files, at_most=0, unit="")


def cancelled(base: str, report: Report) -> None:
    """Calls that hang, given up by their task; and blocking streams left at their first word."""
    silent = [OpenAICompatible("hang", f"{base}/hang", "key", models=["bench"])]

    async def main() -> tuple[int, int]:
        async with AsyncFreeLLM(providers=silent, share=False) as client:
            for _ in range(CANCELLED // 100):
                tasks = [asyncio.ensure_future(client.chat(PROMPT)) for _ in range(100)]
                await asyncio.sleep(0.02)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            in_flight = sum(row["in_flight"] for row in await client.health())
            return len(asyncio.all_tasks()) - 1, in_flight

    files, threads = _open_files(), threading.active_count()
    tasks, leases = asyncio.run(main())
    report.bar(f"{CANCELLED} cancelled asyncio calls: tasks left", tasks, at_most=0, unit="")
    report.bar("leases left", leases, at_most=0, unit="")
    with FreeLLM(providers=[_provider("bench", base)], share=False) as client:
        for _ in range(CANCELLED):
            for _ in client.stream(PROMPT):
                break
        leases = sum(row["in_flight"] for row in client.health())
    report.bar(f"{CANCELLED} blocking streams left early: leases left", leases, at_most=0, unit="")
    report.bar("files left open", _open_files() - files, at_most=0, unit="")
    report.bar("threads left", threading.active_count() - threads, at_most=0, unit="")


def run(report: Report) -> None:
    with serving() as base:
        cancelled(base, report)
        streams(base, report)
