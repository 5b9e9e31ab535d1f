"""The SQLite file asked from an event loop, which it never holds up.

Rules:
- Opening, syncing and waiting for another process's lock are done in a worker thread.
- All else is done in place: a claim takes a twentieth of what handing it to a thread does. For that
  there is a second connection, which gives up at once where the file is locked, and leaves syncing
  to the other.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from freelm_integrations.pool.ledger.ledger import HomeFailed
from freelm_integrations.pool.ledger.sqlite import SqliteLedger

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from freelm_integrations.pool.ledger.claim import Answer, Claim, News, Question, Settlement

_T = TypeVar("_T")
_Asked = TypeVar("_Asked")


class AsyncSqliteLedger:
    """See `AsyncLedger`. `patient` is the same file, for threads."""

    def __init__(self, patient: SqliteLedger, path: Path) -> None:
        self._patient = patient
        self.hasty = SqliteLedger(path, is_hasty=True)

    async def take(self, claim: Claim, utc: float) -> Answer:
        """See `AsyncLedger`."""
        return await self._ask(self.hasty.take, self._patient.take, claim, utc)

    async def settle(self, settlement: Settlement, utc: float) -> News:
        """See `AsyncLedger`."""
        return await self._ask(self.hasty.settle, self._patient.settle, settlement, utc)

    async def look(self, question: Question, utc: float) -> News:
        """See `AsyncLedger`."""
        return await asyncio.to_thread(self._patient.look, question, utc)

    async def aclose(self) -> None:
        """Nothing belongs to a loop: whoever made it closes the file."""

    async def _ask(
        self,
        now: Callable[[_Asked, float], _T],
        soon: Callable[[_Asked, float], _T],
        asked: _Asked,
        utc: float,
    ) -> _T:
        if self.hasty.is_open(utc):
            with suppress(HomeFailed):  # mostly since another process holds the lock just now
                return now(asked, utc)
            return await asyncio.to_thread(soon, asked, utc)
        return await asyncio.to_thread(self._open_and, soon, asked, utc)

    def _open_and(self, soon: Callable[[_Asked, float], _T], asked: _Asked, utc: float) -> _T:
        said = soon(asked, utc)
        with suppress(HomeFailed):
            self.hasty.open(utc)
        return said
