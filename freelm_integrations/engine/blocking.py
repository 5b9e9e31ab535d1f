"""The blocking driver: carries out a machine's steps, and reads, in the caller's thread.

Its exchanges never wait by themselves, so a wait is for all that are open and as long as was asked.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import closing
from math import inf
from typing import TYPE_CHECKING, Protocol

from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.engine.http1 import exchange
from freelm_integrations.engine.journal import report
from freelm_integrations.engine.pumped import PumpedExchanges
from freelm_integrations.engine.sockets import Need, Stock, ready_of
from freelm_integrations.engine.steps import (
    ELAPSED,
    LAST,
    Consult,
    Deliver,
    Launch,
    Report,
    Wait,
    advance,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from freelm_integrations.chat import Delta
    from freelm_integrations.clock import Clock
    from freelm_integrations.engine.http1 import Told
    from freelm_integrations.engine.steps import Attempt, Heard, Machine, Reply
    from freelm_integrations.engine.transport import Send
    from freelm_integrations.events import Event
    from freelm_integrations.pool.ledger.claim import Answer, Claim


class Exchanges(Protocol):
    """The open exchanges of one machine; closed when it has ended."""

    def launch(self, attempt: Attempt) -> None:
        """Start the exchange."""
        ...

    def cancel(self, attempt: Attempt) -> None:
        """Close it; it replies no more."""
        ...

    def wait(self, seconds: float) -> Reply:
        """The next reply of any, or Elapsed after so long; at once for 0."""
        ...

    def close(self) -> None:
        """Close all that is open."""
        ...


def exchanges(over: Stock | Send) -> Exchanges:
    """Over connections of our own, or by what sends for somebody else's."""
    return SocketExchanges(over) if isinstance(over, Stock) else PumpedExchanges(over)


def drive(
    machine: Machine,
    exchanges: Exchanges,
    observe: Callable[[Event], object],
    consult: Callable[[Claim], Answer | None] | None = None,
) -> Generator[Delta, None, None]:
    """Run the machine, yielding what it delivers; `consult` asks the ledger, where there is one.

    Leases are settled before sockets close, whatever ends it.
    """
    reply: Reply | Answer | None = None
    with closing(exchanges), closing(machine):
        while (step := advance(machine, reply)) is not None:
            reply = None
            if isinstance(step, Wait):
                reply = exchanges.wait(step.seconds)
            elif isinstance(step, Deliver):
                yield step.delta
            elif isinstance(step, Launch):
                exchanges.launch(step.attempt)
            elif isinstance(step, Report):
                report(observe, step.event)
            elif isinstance(step, Consult):
                assert consult is not None, "who shares counts has a ledger"
                reply = consult(step.claim)
            else:
                exchanges.cancel(step.attempt)


class SocketExchanges:
    """Any number of exchanges side by side, in the caller's thread and without another.

    Nothing is read but in `wait`: a slow consumer leaves it to the sockets to hold the server back.
    """

    def __init__(self, stock: Stock, clock: Clock = SYSTEM_CLOCK) -> None:
        """Over connections of this stock."""
        self._stock = stock
        self._clock = clock
        self._open: dict[Attempt, _Exchange] = {}
        self._ready: deque[_Exchange] = deque()

    def launch(self, attempt: Attempt) -> None:
        """Take up the exchange; the next wait begins it."""
        started = self._open[attempt] = _Exchange(attempt, exchange(self._stock, attempt))
        self._ready.append(started)

    def cancel(self, attempt: Attempt) -> None:
        """Close its connection."""
        self._drop(self._open[attempt])

    def wait(self, seconds: float) -> Reply:
        """The next reply of any, or Elapsed after so long; at once for 0."""
        if seconds <= 0:
            return ELAPSED
        if not self._open:
            threading.Event().wait(seconds)
            return ELAPSED
        until = self._clock.now() + seconds
        if len(self._ready) < len(self._open):
            self._look(0.0)  # who always has something to say does not drown the others
        while (reply := self._listen()) is None:
            left = until - self._clock.now()
            if left <= 0:
                return ELAPSED
            self._look(left)
        return reply

    def close(self) -> None:
        """Close all that is open."""
        for one in list(self._open.values()):
            self._drop(one)

    def _listen(self) -> Heard | None:
        """A reply of those that can go on, by turns."""
        while self._ready:
            one = self._ready.popleft()
            heard = one.go_on(self._clock.now)
            if heard is not None:
                if isinstance(heard, LAST):
                    del self._open[one.attempt]
                else:
                    self._ready.append(one)
                return heard
        return None

    def _look(self, seconds: float) -> None:
        """Wait for a need to be met, or to be out of time."""
        waiting = [one for one in self._open.values() if one.need is not None]
        nearest = min(one.until for one in waiting)
        if nearest < inf:
            seconds = max(0.0, min(seconds, nearest - self._clock.now()))
        met = ready_of([one.need for one in waiting if one.need is not None], seconds)
        now = self._clock.now()
        for one in waiting:
            one.is_late = one.until <= now
            if one.is_late or (one.need is not None and one.need.socket.fileno() in met):
                one.need = None
                self._ready.append(one)

    def _drop(self, one: _Exchange) -> None:
        del self._open[one.attempt]
        if one in self._ready:
            self._ready.remove(one)
        one.told.close()


class _Exchange:
    """One exchange, and what it waits for."""

    __slots__ = ("attempt", "is_late", "need", "told", "until")

    def __init__(self, attempt: Attempt, told: Told) -> None:
        self.attempt = attempt
        self.told = told
        self.need: Need | None = None
        self.until = inf
        self.is_late = False

    def go_on(self, now: Callable[[], float]) -> Heard | None:
        """Its next reply; None if it needs something first."""
        heard = self.told.throw(TimeoutError("timed out")) if self.is_late else next(self.told)
        self.is_late = False
        if not isinstance(heard, Need):
            return heard
        self.need = heard
        self.until = inf if heard.seconds is None else now() + heard.seconds
        return None
