"""Threads for what can only be had by blocking, parked for the next: waking one is quicker.

They are daemons and hold nothing while parked. A forked child starts with none.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PARKED_FOR = 20.0
"""Seconds after which a thread that nobody needed ends."""
NAME = "freelm-exchange"


def run(work: Callable[[], None]) -> None:
    """Do the work, which must not raise, on a thread of its own. Safe from any thread."""
    try:
        pump = _parked.pop()
    except IndexError:
        pump = _Pump()
    pump.take(work)


class _Pump:
    """One thread, woken by a raw lock: nothing wakes faster."""

    def __init__(self) -> None:
        self._work: Callable[[], None] | None = None
        self._wake = threading.Lock()
        self._wake.acquire()
        threading.Thread(target=self._run, name=NAME, daemon=True).start()

    def take(self, work: Callable[[], None]) -> None:
        """Do this; only for who took it out of the parked."""
        self._work = work
        self._wake.release()

    def _run(self) -> None:
        while self._wake.acquire(timeout=PARKED_FOR) or not self._has_retired():
            work, self._work = self._work, None
            if work is not None:
                work()
            del work  # a parked thread keeps nothing alive
            _parked.append(self)

    def _has_retired(self) -> bool:
        try:
            _parked.remove(self)
        except ValueError:  # somebody took it just now
            self._wake.acquire()
            return False
        return True


_parked: list[_Pump] = []
"""The last one parked is the first to be used, so that the others may go."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_parked.clear)
