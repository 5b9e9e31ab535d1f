"""Settlements on their way to a ledger: told in order, by one thread, off everybody's call path.

Rules:
- What is put here is told as long as the process lives for `FAREWELL` more; what is not stays
  counted as it was claimed, so nothing is ever admitted twice.
- The thread lingers before it tells, so that a busy process tells many at a time, and ends when
  there has been nothing to tell for a while.
- A forked child has an empty one: what its parent has put there is told by the parent.
"""

from __future__ import annotations

import atexit
import logging
import sys
from collections import deque
from threading import Condition, Thread
from typing import TYPE_CHECKING
from weakref import WeakMethod, WeakSet

from freelm_integrations.pool.ledger.fork import on_fork

if TYPE_CHECKING:
    from collections.abc import Callable

    from freelm_integrations.clock import Clock
    from freelm_integrations.pool.ledger.claim import News, Settlement
    from freelm_integrations.pool.ledger.ledger import BatchLedger

    Heed = Callable[[News], object]

LINGER = 0.05
"""Seconds to wait for more before telling."""
AT_ONCE = 32
"""Settlements told together at most: a file's other users wait for as long as that takes."""
IDLE_FOR = 2.0
"""Seconds without anything to tell after which the thread ends."""
FAREWELL = 1.5
"""Seconds a process that ends gives it."""

logger = logging.getLogger("freelm_integrations")
_ALL: WeakSet[Outbox] = WeakSet()


class Outbox:
    """Safe from any thread; `put` never waits for the ledger."""

    def __init__(self, ledger: BatchLedger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._adders: list[WeakMethod[Callable[[], object]]] = []
        self.begin_anew()
        on_fork(self)
        _ALL.add(self)

    def begin_anew(self) -> None:
        """Have nothing to tell, and no thread."""
        self._change = Condition()
        self._letters: deque[tuple[Settlement, Heed]] = deque()
        self._thread: Thread | None = None
        self._is_idle = False
        self._is_hurried = False
        self._is_telling = False

    def before_flush(self, add: Callable[[], object]) -> None:
        """Call this bound method before flushing, while its object lives: it may put more."""
        self._adders = [*[one for one in self._adders if one() is not None], WeakMethod(add)]

    def put(self, settlement: Settlement, heed: Heed) -> None:
        """Have it told soon; `heed` is called with the news, from the outbox's thread."""
        with self._change:
            self._letters.append((settlement, heed))
            if self._thread is None:
                self._start()
            elif self._is_idle:
                self._is_idle = False
                self._change.notify_all()

    @property
    def is_empty(self) -> bool:
        """Whether all has been told."""
        return not (self._letters or self._is_telling)

    def flush(self, within: float = FAREWELL) -> bool:
        """Tell all that is there now, at once; whether that was done in so many seconds."""
        for one in self._adders:
            if (add := one()) is not None:
                add()
        with self._change:
            self._is_hurried = True
            self._change.notify_all()
            done = self._change.wait_for(lambda: self.is_empty, within)
            self._is_hurried = False
            return done

    def _start(self) -> None:
        self._thread = Thread(target=self._work, name="freelm-outbox", daemon=True)
        self._thread.start()
        _at_the_end_of_a_worker()

    def _work(self) -> None:
        while letters := self._collect():
            try:
                settlements = [settlement for settlement, _ in letters]
                told = self._ledger.settle_all(settlements, self._clock.utc())
                for news, (_, heed) in zip(told, letters, strict=True):
                    heed(news)
            except Exception:  # a mistake over some must not keep others from being told
                logger.exception("settlements could not be told to the shared ledger")
            with self._change:
                self._is_telling = False
                self._change.notify_all()

    def _collect(self) -> list[tuple[Settlement, Heed]]:
        """All there is, once there is something; nothing when the thread is to end."""
        with self._change:
            if not self._letters:
                self._is_idle = True
                if not self._change.wait_for(lambda: bool(self._letters), IDLE_FOR):
                    self._thread, self._is_idle = None, False
                    return []
                self._is_idle = False
            self._change.wait_for(lambda: self._is_hurried, LINGER)
            some = min(AT_ONCE, len(self._letters))
            self._is_telling = True
            return [self._letters.popleft() for _ in range(some)]


def flush_all(within: float = FAREWELL) -> None:
    """Tell what is still to be told anywhere."""
    for outbox in list(_ALL):
        outbox.flush(within)


atexit.register(flush_all)


def _at_the_end_of_a_worker() -> None:
    """Flush at the end of a process of `multiprocessing` too: it does not run `atexit`."""
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.Finalize(None, flush_all, exitpriority=0)
