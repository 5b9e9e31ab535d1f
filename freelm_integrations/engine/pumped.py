"""Exchanges over connections that are not ours: with a client that was given, or through proxies.

They can only be read by waiting, so each is read in a thread of its own.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from freelm_integrations.engine import pumps
from freelm_integrations.engine.steps import ELAPSED, Broken, Chunk, End, Opened
from freelm_integrations.engine.transport import OK, Body, told

if TYPE_CHECKING:
    from freelm_integrations.engine.steps import Attempt, Heard, Last, Reply
    from freelm_integrations.engine.transport import Answer, Send

BACKLOG = 64
"""Replies read ahead of a slow consumer before the socket is left alone."""


class PumpedExchanges:
    """A parked thread an exchange, all feeding one short backlog.

    A cancelled one replies no more, and ends at its next bytes or its read timeout.
    """

    def __init__(self, send: Send) -> None:
        """Send with this."""
        self._send = send
        self._replies: SimpleQueue[Heard] = SimpleQueue()  # a finalizer may run while it is used
        self._open: dict[Attempt, _Pumped] = {}

    def launch(self, attempt: Attempt) -> None:
        """Start the exchange on a thread of its own."""
        exchange = self._open[attempt] = _Pumped(attempt, self._send, self._replies)
        pumps.run(exchange.pump)

    def cancel(self, attempt: Attempt) -> None:
        """Let it go."""
        self._open.pop(attempt).cancel()

    def wait(self, seconds: float) -> Reply:
        """The next reply of any, or Elapsed after so long; at once for 0."""
        if seconds <= 0:
            return ELAPSED
        try:
            reply = self._replies.get(timeout=seconds)
            while reply.attempt not in self._open:  # it was cancelled since
                reply = self._replies.get(timeout=seconds)
        except Empty:
            return ELAPSED
        for exchange in self._open.values():
            exchange.make_room()
        return reply

    def close(self) -> None:
        """Let all go."""
        while self._open:
            self._open.popitem()[1].cancel()


class _Pumped:
    """One exchange, told as replies from a thread of its own.

    It knows nothing of who listens, so that an abandoned listener is collected and cancels it. A
    finalizer may run in its own thread: there is no lock here that two could want.
    """

    def __init__(self, attempt: Attempt, send: Send, replies: SimpleQueue[Heard]) -> None:
        self._attempt = attempt
        self._send = send
        self._replies = replies
        self._is_cancelled = False
        self._is_stalled = False
        self._room = threading.Lock()
        self._room.acquire()

    def cancel(self) -> None:
        """Say no more."""
        self._is_cancelled = True
        self._go_on()

    def make_room(self) -> None:
        """Let it go on if it stopped for a backlog that is half gone."""
        if self._is_stalled and self._replies.qsize() <= BACKLOG // 2:
            self._go_on()

    def pump(self) -> None:
        """Tell the exchange, whatever comes of it: if it died silently it would be waited for.

        The answer is closed before its end is told, so that nothing is left to do after it.
        """
        try:
            answer = self._send(self._attempt)
            try:
                last = self._read(answer)
            finally:
                answer.close()
        except BaseException as error:  # noqa: BLE001 - the machine re-raises what is no weather
            self._tell(Broken(self._attempt, error))
        else:
            self._tell(last)

    def _read(self, answer: Answer) -> Last:
        """Tell what is read of a stream, and return the last reply; most answers are only that."""
        attempt = self._attempt
        if answer.status != OK or not attempt.is_streamed:
            body = Body()
            for data in iter(answer.read, b""):
                body.add(data)
            return told(attempt, answer.status, answer.headers, body)
        self._tell(Opened(attempt, answer.headers))
        for data in iter(answer.read, b""):
            self._tell(Chunk(attempt, data))
            if self._replies.qsize() >= BACKLOG:
                self._stall()
            if self._is_cancelled:
                break
        return End(attempt)

    def _tell(self, reply: Heard) -> None:
        if not self._is_cancelled:
            self._replies.put(reply)

    def _stall(self) -> None:
        """Leave the socket alone until there is room: a slow consumer is no silent server."""
        self._is_stalled = True  # before looking again, or who makes room might not see it
        while self._replies.qsize() >= BACKLOG and not self._is_cancelled:
            self._room.acquire()
        self._is_stalled = False

    def _go_on(self) -> None:
        with suppress(RuntimeError):  # it was told already
            self._room.release()
