"""Asking for a claim, from a thread or from an event loop.

A claim that finds a window full while settlements are still on their way may be denied for what is
just being given back: then these are told first, and it is asked for once more.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from freelm_integrations.pool.ledger.claim import Denied

if TYPE_CHECKING:
    from freelm_integrations.clock import Clock
    from freelm_integrations.pool.ledger.claim import Answer, Claim
    from freelm_integrations.pool.ledger.homes import Homes
    from freelm_integrations.pool.ledger.outbox import Outbox

PATIENCE = 0.5
"""Seconds given to what is to be told first."""


class Desk:
    """Safe from any thread and loop; `homes` has ledgers."""

    def __init__(self, homes: Homes, clock: Clock) -> None:
        self._homes = homes
        self._clock = clock

    def ask(self, claim: Claim) -> Answer:
        """The answer; asked for in this thread."""
        ledger, outbox = self._homes.blocking, self._homes.outbox
        assert ledger is not None
        answer = ledger.take(claim, self._clock.utc())
        if _may_be_premature(answer, outbox) and outbox is not None:
            outbox.flush(PATIENCE)
            answer = ledger.take(claim, self._clock.utc())
        return answer

    async def ask_on_loop(self, claim: Claim) -> Answer:
        """The answer; the running loop is not held up."""
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
