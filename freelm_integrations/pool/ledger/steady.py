"""A ledger that goes on while its home cannot be asked: with a warning, and nothing else lost.

Rules:
- Each command is a generator that yields what the home is to be asked and is sent its answer, or
  thrown its `HomeFailed`; one driver asks from a thread, the other from a loop. Neither decides.
- While the home is away a claim is granted out of the process's own counts. `share`: out of as much
  of each limit as falls to this one of the workers last seen, so that all together stay within it
  (but for one request at a time, where that is less than one).
- A settlement never raises.
- Without its home a reply brings no counts and no marks: there is nothing to correct by.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from freelm_integrations.errors import LedgerUnavailable
from freelm_integrations.pool.ledger.absence import Absence
from freelm_integrations.pool.ledger.claim import Denied, Granted, News
from freelm_integrations.pool.ledger.ledger import HomeFailed
from freelm_integrations.pool.ledger.memory import MemoryLedger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freelm_integrations.pool.ledger.claim import Answer, Claim, Question, Settlement
    from freelm_integrations.pool.ledger.ledger import AsyncLedger, Ledger

logger = logging.getLogger("freelm_integrations")

Policy = Literal["alone", "share", "raise"]
"""Without the home: trust the pool, keep to a share of each limit, or raise `LedgerUnavailable`."""

_T = TypeVar("_T")
_Command: TypeAlias = Literal["take", "settle", "settle_all", "look"]
_Ask: TypeAlias = "tuple[_Command, Claim | Settlement | Sequence[Settlement] | Question]"
_Asks: TypeAlias = Generator[_Ask, Any, _T]


class Steadiness:
    """What the drivers run, and what they know in common; safe from any thread.

    A pool that is asked from threads and from loops has one for both.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy: Policy = policy
        self._absence = Absence()
        self._own = MemoryLedger()
        """This process's own takings, for its share: kept while the home answers as well."""
        self._workers = 1

    def take(self, claim: Claim, utc: float) -> _Asks[Answer]:
        """Ask for a claim."""
        if self._absence.may_ask(utc):
            try:
                yield from self._repay(utc)
                answer: Answer = yield "take", claim
            except HomeFailed as why:
                self._lost(why, utc)
            else:
                self._found()
                self._workers = answer.news.workers
                if self._policy == "share" and isinstance(answer, Granted):
                    self._own.take(_alone(claim, 1), utc)
                return answer
        return self._meanwhile(claim, utc)

    def settle(self, settlement: Settlement, utc: float) -> _Asks[News]:
        """Tell a settlement."""
        (news,) = yield from self._tell((settlement,), ("settle", settlement), utc)
        return news

    def settle_all(self, settlements: Sequence[Settlement], utc: float) -> _Asks[list[News]]:
        """Tell many at once, in order."""
        return (yield from self._tell(settlements, ("settle_all", settlements), utc))

    def _tell(self, settlements: Sequence[Settlement], ask: _Ask, utc: float) -> _Asks[list[News]]:
        if self._policy == "share":
            for one in settlements:
                self._own.settle(_unheard(one), utc)
        owe: Callable[[Settlement], None] | None = self._absence.settled
        try:
            if self._absence.may_ask(utc):
                yield from self._repay(utc)
                owe = partial(self._absence.untold, utc=utc)
                said: News | list[News] = yield ask
                owe = None
                self._found()
                return said if isinstance(said, list) else [said]
        except HomeFailed as why:
            self._lost(why, utc)
        finally:  # also where the task that asks is cancelled
            if owe is not None:
                for one in settlements:
                    owe(one)
        return [News(seen=one.seen, workers=self._workers) for one in settlements]

    def look(self, question: Question, utc: float) -> _Asks[News]:
        """Ask a question."""
        if self._absence.may_ask(utc):
            try:
                yield from self._repay(utc)
                news: News = yield "look", question
            except HomeFailed as why:
                self._lost(why, utc)
            else:
                self._found()
                return news
        return News(seen=question.seen, workers=self._workers)

    def _repay(self, utc: float) -> Generator[_Ask, Any, None]:
        """Tell the home what it missed."""
        while self._absence.is_owing:
            bills = self._absence.bills(utc)
            try:
                while bills:
                    yield "settle", bills[0]
                    bills.pop(0)
            finally:
                for bill in bills:
                    self._absence.untold(bill, utc)

    def _meanwhile(self, claim: Claim, utc: float) -> Answer:
        if self._policy == "raise":
            message = "the shared quota ledger cannot be reached (policy: raise)"
            raise LedgerUnavailable(message)
        news = News(seen=claim.seen, workers=self._workers)
        if self._policy == "share":
            answer = self._own.take(_alone(claim, self._workers), utc)
            if isinstance(answer, Denied):
                return Denied(answer.ready_at, answer.why, news)
        self._absence.took(claim)
        return Granted(news)

    def _lost(self, why: HomeFailed, utc: float) -> None:
        if self._absence.failed(why, utc):
            logger.warning("%s: %s", why, _GOES_ON[self._policy])

    def _found(self) -> None:
        if self._absence.answered():
            logger.info("the shared quota ledger is back")


class SteadyLedger:
    """See `Ledger`; asks the home in the caller's thread and never raises `HomeFailed`.

    Raises:
        LedgerUnavailable: By `take`, where the home cannot be asked and the policy is `raise`.
    """

    def __init__(self, home: Ledger, steadiness: Steadiness) -> None:
        self._home = home
        self._steady = steadiness

    def take(self, claim: Claim, utc: float) -> Answer:
        """See `Ledger`."""
        return self._drive(self._steady.take(claim, utc), utc)

    def settle(self, settlement: Settlement, utc: float) -> News:
        """See `Ledger`."""
        return self._drive(self._steady.settle(settlement, utc), utc)

    def settle_all(self, settlements: Sequence[Settlement], utc: float) -> list[News]:
        """See `BatchLedger`; one by one where the home knows no other way."""
        if not hasattr(self._home, "settle_all"):
            return [self.settle(settlement, utc) for settlement in settlements]
        return self._drive(self._steady.settle_all(settlements, utc), utc)

    def look(self, question: Question, utc: float) -> News:
        """See `Ledger`."""
        return self._drive(self._steady.look(question, utc), utc)

    def close(self) -> None:
        """See `Ledger`."""
        self._home.close()

    def _drive(self, asks: _Asks[_T], utc: float) -> _T:
        try:
            command, asked = next(asks)
            while True:
                try:
                    reply = getattr(self._home, command)(asked, utc)
                except HomeFailed as why:  # noqa: PERF203 - a few rounds at most
                    command, asked = asks.throw(why)
                else:
                    command, asked = asks.send(reply)
        except StopIteration as end:
            said: _T = end.value
            return said
        finally:
            asks.close()


class AsyncSteadyLedger:
    """See `AsyncLedger`; asks the home from the running loop and never raises `HomeFailed`.

    Raises:
        LedgerUnavailable: By `take`, where the home cannot be asked and the policy is `raise`.
    """

    def __init__(self, home: AsyncLedger, steadiness: Steadiness) -> None:
        self._home = home
        self._steady = steadiness

    async def take(self, claim: Claim, utc: float) -> Answer:
        """See `AsyncLedger`."""
        return await self._drive(self._steady.take(claim, utc), utc)

    async def settle(self, settlement: Settlement, utc: float) -> News:
        """See `AsyncLedger`."""
        return await self._drive(self._steady.settle(settlement, utc), utc)

    async def look(self, question: Question, utc: float) -> News:
        """See `AsyncLedger`."""
        return await self._drive(self._steady.look(question, utc), utc)

    async def aclose(self) -> None:
        """See `AsyncLedger`."""
        await self._home.aclose()

    async def _drive(self, asks: _Asks[_T], utc: float) -> _T:
        try:
            command, asked = next(asks)
            while True:
                try:
                    reply = await getattr(self._home, command)(asked, utc)
                except HomeFailed as why:  # noqa: PERF203 - a few rounds at most
                    command, asked = asks.throw(why)
                else:
                    command, asked = asks.send(reply)
        except StopIteration as end:
            said: _T = end.value
            return said
        finally:
            asks.close()


def _alone(claim: Claim, workers: int) -> Claim:
    """The claim within one worker's share of each limit; marks and probes are the pool's affair."""
    draws = tuple([draw._replace(limit=draw.limit / workers) for draw in claim.draws])
    return replace(claim, draws=draws, subjects=(), probe=None)


def _unheard(settlement: Settlement) -> Settlement:
    """The settlement without what the server said: that counts everybody's takings."""
    own = tuple([one._replace(said=None) for one in settlement.corrections])
    return replace(settlement, corrections=own, marks=())


_GOES_ON: Mapping[Policy, str] = {
    "alone": "going on with the counts of this process alone",
    "share": "going on with this process's share of each limit",
    "raise": "calls that need it are refused",
}
