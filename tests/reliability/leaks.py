"""What a call may leave behind: threads, file numbers, tasks and leases, counted before and after."""

from __future__ import annotations

import asyncio
import gc
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from freelm_integrations.clock import SYSTEM_CLOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from freelm_integrations import FreeLLM

_FILES = Path("/proc/self/fd")
PATIENCE = 10.0
"""Seconds in which what was told to end has ended, the lab's own side of it too."""


def open_files() -> int:
    """How many this process has open; 0 where nobody can tell."""
    return len([*_FILES.iterdir()]) if _FILES.is_dir() else 0


def tasks() -> int:
    """How many tasks run beside the one that asks."""
    try:
        return len(asyncio.all_tasks()) - 1
    except RuntimeError:
        return 0


def in_flight(*clients: FreeLLM) -> int:
    """Leases not settled yet."""
    return sum(row["in_flight"] for client in clients for row in client.health())


def blamed(client: FreeLLM) -> list[str]:
    """The keys held responsible for something."""
    return [row["provider"] for row in client.health() if row["last_fault"] is not None]


def until(is_so: Callable[[], bool], *, within: float = PATIENCE) -> bool:
    """Wait for what other threads do; whether it came about."""
    ends_at = SYSTEM_CLOCK.now() + within
    while not is_so():
        if SYSTEM_CLOCK.now() > ends_at:
            return False
        threading.Event().wait(0.002)
    return True


async def until_async(is_so: Callable[[], bool], *, within: float = PATIENCE) -> bool:
    """The same, without holding up the loop."""
    ends_at = SYSTEM_CLOCK.now() + within
    while not is_so():
        if SYSTEM_CLOCK.now() > ends_at:
            return False
        await asyncio.sleep(0.002)
    return True


@contextmanager
def nothing_left() -> Iterator[None]:
    """Fails if there are more threads or open files after than before."""
    gc.collect()
    before = (threading.active_count(), open_files())
    yield
    gc.collect()

    def is_gone() -> bool:
        return threading.active_count() <= before[0] and open_files() <= before[1]

    assert until(is_gone), (before, (threading.active_count(), open_files()), threading.enumerate())
