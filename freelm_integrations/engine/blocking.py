"""The blocking driver: carries out a machine's steps in the caller's thread.

Or a thread an exchange.
"""

from __future__ import annotations

import queue
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Protocol

from freelm_integrations.engine.journal import report
from freelm_integrations.engine.steps import (
    ELAPSED,
    Broken,
    Chunk,
    Deliver,
    End,
    Launch,
    Opened,
    Refused,
    Report,
    Wait,
    advance,
)
from freelm_integrations.engine.transport import OK

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from freelm_integrations.chat import Delta
    from freelm_integrations.engine.steps import Attempt, Heard, Reply, Steps
    from freelm_integrations.engine.transport import Answer, Send
    from freelm_integrations.events import Event


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


def drive(
    machine: Steps[object], exchanges: Exchanges, observe: Callable[[Event], object]
) -> Generator[Delta, None, None]:
    """Run the machine, yielding what it delivers.

    Leases are settled before sockets close, whatever ends it.
    """
    reply: Reply | None = None
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
            else:
                exchanges.cancel(step.attempt)


def exchange(send: Send, attempt: Attempt) -> Generator[Heard, None, None]:
    """One exchange told as replies; closing the generator closes the answer."""
    try:
        answer = send(attempt)
        try:
            yield from _read(answer, attempt)
        finally:
            answer.close()
    except (ConnectionError, TimeoutError) as error:
        yield Broken(attempt, error)


def _read(answer: Answer, attempt: Attempt) -> Iterator[Heard]:
    if answer.status != OK:
        body = b"".join(iter(answer.read, b""))
        yield Refused(attempt, answer.status, answer.headers, body)
        return
    yield Opened(attempt, answer.headers)
    for data in iter(answer.read, b""):
        yield Chunk(attempt, data)
    yield End(attempt)


class InlineExchanges:
    """One exchange at a time, read in the caller's thread.

    A read cannot be cut short: a wait may overrun by one read timeout, which is the attempt's own.
    """

    def __init__(self, send: Send) -> None:
        """Send with this."""
        self._send = send
        self._replies: Generator[Heard, None, None] | None = None

    def launch(self, attempt: Attempt) -> None:
        """Take up the exchange; its request is sent by the first wait."""
        self._replies = exchange(self._send, attempt)

    def cancel(self, attempt: Attempt) -> None:  # noqa: ARG002 - there is only one
        """Close the response."""
        self.close()

    def wait(self, seconds: float) -> Reply:
        """The next reply; with nothing open, a pause."""
        if self._replies is None:
            threading.Event().wait(seconds)
            return ELAPSED
        if seconds <= 0:
            return ELAPSED
        return next(self._replies, ELAPSED)

    def close(self) -> None:
        """Close what is open."""
        if self._replies is not None:
            self._replies.close()
            self._replies = None


class ThreadedExchanges:
    """Several exchanges side by side: a pump thread each, feeding one queue.

    A cancelled one cannot be interrupted inside a read: it ends at its next chunk or read timeout,
    in a daemon thread.
    """

    def __init__(self, send: Send) -> None:
        """Send with this."""
        self._send = send
        self._replies: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        self._stops: dict[Attempt, threading.Event] = {}

    def launch(self, attempt: Attempt) -> None:
        """Start a pump."""
        stop = self._stops[attempt] = threading.Event()
        pump = threading.Thread(
            target=self._pump, args=(attempt, stop), name="freelm-exchange", daemon=True
        )
        pump.start()

    def cancel(self, attempt: Attempt) -> None:
        """Tell the pump to stop at its next chunk."""
        stop = self._stops.pop(attempt, None)
        if stop is not None:
            stop.set()

    def wait(self, seconds: float) -> Reply:
        """The next reply of any pump."""
        try:
            return self._replies.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return ELAPSED

    def close(self) -> None:
        """Tell every pump to stop."""
        for attempt in list(self._stops):
            self.cancel(attempt)

    def _pump(self, attempt: Attempt, stop: threading.Event) -> None:
        """Forward every reply, and every exception as one.

        A pump that died silently would be waited for.
        """
        try:
            with closing(exchange(self._send, attempt)) as replies:
                for reply in replies:
                    if stop.is_set():
                        return
                    self._replies.put(reply)
        except BaseException as error:  # noqa: BLE001 - the machine re-raises what is no weather
            self._replies.put(Broken(attempt, error))
