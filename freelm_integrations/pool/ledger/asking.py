"""Asking for a claim, from a thread or from an event loop.

A claim that finds a window full while settlements are still on their way may be denied for what is
just being given back: then these are told first, and it is asked for once more.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from freelm_integrations.pool.ledger.claim import Denied
from freelm_integrations.pool.ledger.fork import on_fork

if TYPE_CHECKING:
    from freelm_integrations.clock import Clock
    from freelm_integrations.pool.ledger.claim import Answer, Claim
    from freelm_integrations.pool.ledger.homes import Homes
    from freelm_integrations.pool.ledger.outbox import Outbox

PATIENCE = 0.5
"""Seconds given to what is to be told first."""


class Desk:
    """Safe from any thread and loop; `homes` has ledgers.

    Whoever asks for a claim that another's would bring along waits until that one is answered, and
    is told None then: to look whether there is anything left to ask.
    """

    def __init__(self, homes: Homes, clock: Clock) -> None:
        self._homes = homes
        self._clock = clock
        self.begin_anew()
        on_fork(self)

    def begin_anew(self) -> None:
        """Know of nobody who asks: in a forked child those are its parent's."""
        self._in_threads: dict[str, threading.Event] = {}
        """Set when the claim of that id is answered."""
        self._on_loops: dict[tuple[asyncio.AbstractEventLoop, str], asyncio.Event] = {}

    def ask(self, claim: Claim) -> Answer | None:
        """The answer; asked for in this thread."""
        if claim.joins is not None and (other := self._in_threads.get(claim.joins)) is not None:
            other.wait()
            return None
        answered = self._in_threads[claim.id] = threading.Event()
        try:
            return self._ask(claim)
        finally:
            del self._in_threads[claim.id]
            answered.set()

    def _ask(self, claim: Claim) -> Answer:
        ledger, outbox = self._homes.blocking, self._homes.outbox
        assert ledger is not None
        answer = ledger.take(claim, self._clock.utc())
        if _may_be_premature(answer, outbox) and outbox is not None:
            outbox.flush(PATIENCE)
            answer = ledger.take(claim, self._clock.utc())
        return answer

    async def ask_on_loop(self, claim: Claim) -> Answer | None:
        """The answer; the running loop is not held up."""
        loop = asyncio.get_running_loop()
        if claim.joins is not None:
            other = self._on_loops.get((loop, claim.joins))
            if other is not None:
                await other.wait()
                return None
        asked = loop, claim.id
        answered = self._on_loops[asked] = asyncio.Event()
        try:
            return await self._ask_on_loop(claim)
        finally:
            del self._on_loops[asked]
            answered.set()

    async def _ask_on_loop(self, claim: Claim) -> Answer:
        ledger, outbox = self._homes.native, self._homes.outbox
        assert ledger is not None
        answer = await ledger.take(claim, self._clock.utc())
        if _may_be_premature(answer, outbox) and outbox is not None:
            await asyncio.to_thread(outbox.flush, PATIENCE)
            answer = await ledger.take(claim, self._clock.utc())
        return answer


def _may_be_premature(answer: Answer, outbox: Outbox | None) -> bool:
    return (
        isinstance(answer, Denied)
        and answer.why == "window"
        and outbox is not None
        and not outbox.is_empty
    )
