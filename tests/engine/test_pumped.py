"""Exchanges by a given client: read by threads that come back, and stop when nobody listens."""

from __future__ import annotations

import gc
import os
import threading
import weakref

import pytest

from freelm_integrations.engine import pumps
from freelm_integrations.engine.pumped import BACKLOG, PumpedExchanges
from freelm_integrations.engine.steps import ELAPSED, Attempt, Broken, Chunk, End, Opened

WAIT = 5.0


def an_attempt():
    return Attempt("POST", "http://owl.example/v1", {}, b"{}", None, timeout=WAIT)


class Said:
    """An answer of so many pieces; counts what is read of it, and hangs at its end if it is to."""

    def __init__(self, pieces, *, hangs=False):
        self.status, self.headers = 200, {}
        self.left, self.read_so_far = pieces, 0
        self.is_closed = threading.Event()
        self.goes_on = threading.Event()
        if not hangs:
            self.goes_on.set()

    def read(self):
        if self.left == 0:
            self.goes_on.wait(WAIT)
            return b""
        self.left -= 1
        self.read_so_far += 1
        return b"x"

    def close(self):
        self.is_closed.set()


def test_replies_come_in_order():
    """Headers, pieces, end."""
    exchanges = PumpedExchanges(lambda _: Said(3))
    exchanges.launch(an_attempt())
    heard = [exchanges.wait(WAIT) for _ in range(5)]
    exchanges.close()

    assert [type(reply) for reply in heard] == [Opened, Chunk, Chunk, Chunk, End]


def test_a_slow_consumer_has_a_short_backlog():
    """The socket is left alone until there is room, and then all of it comes."""
    said = Said(10 * BACKLOG)
    exchanges = PumpedExchanges(lambda _: said)
    exchanges.launch(an_attempt())
    heard = [exchanges.wait(WAIT)]
    while not exchanges._open[heard[0].attempt]._is_stalled:
        assert not said.is_closed.is_set()
    read_ahead = said.read_so_far
    while not isinstance(heard[-1], End):
        heard.append(exchanges.wait(WAIT))
    exchanges.close()

    assert read_ahead <= BACKLOG + 1
    assert len(heard) == 10 * BACKLOG + 2


def test_who_is_cancelled_while_stalled_goes_home():
    """It waits for room that nobody is going to make."""
    said = Said(10 * BACKLOG)
    exchanges = PumpedExchanges(lambda _: said)
    attempt = an_attempt()
    exchanges.launch(attempt)
    while not exchanges._open[attempt]._is_stalled:
        assert not said.is_closed.is_set()
    exchanges.cancel(attempt)

    assert said.is_closed.wait(WAIT)
    assert exchanges.wait(0.01) is ELAPSED


def test_a_cancelled_exchange_says_no_more():
    """Nor does what it had said before count; another is heard."""
    hanging, speaking = Said(3, hangs=True), Said(1)
    answers = [hanging, speaking]
    exchanges = PumpedExchanges(lambda _: answers.pop(0))
    first, second = an_attempt(), an_attempt()
    exchanges.launch(first)
    assert isinstance(exchanges.wait(WAIT), Opened)
    exchanges.cancel(first)
    exchanges.launch(second)
    heard = [exchanges.wait(WAIT) for _ in range(3)]
    hanging.goes_on.set()

    assert {reply.attempt for reply in heard} == {second}
    assert hanging.is_closed.wait(WAIT)


def test_an_abandoned_listener_is_collected_and_cancels():
    """The thread that reads for it does not keep it alive."""
    said = Said(10 * BACKLOG)
    exchanges = PumpedExchanges(lambda _: said)
    exchanges.launch(an_attempt())
    gone = weakref.ref(exchanges)
    weakref.finalize(exchanges, next(iter(exchanges._open.values())).cancel)
    del exchanges
    gc.collect()

    assert gone() is None
    assert said.is_closed.wait(WAIT)


def test_whatever_is_raised_is_told():
    """Or it would be waited for."""

    def send(_):
        raise ZeroDivisionError

    exchanges = PumpedExchanges(send)
    exchanges.launch(an_attempt())
    reply = exchanges.wait(WAIT)

    assert isinstance(reply, Broken)
    assert isinstance(reply.error, ZeroDivisionError)


# ---------------------------------------------------------------------- threads


def finished(work=lambda: None):
    """Run it on a pump and wait until that is parked again; its thread."""
    done, ran_on = threading.Event(), []

    def run():
        work()
        ran_on.append(threading.current_thread())
        done.set()

    pumps.run(run)
    assert done.wait(WAIT)
    return ran_on[0]


def test_a_thread_serves_again():
    """One after another needs one, not many."""
    threads = set()
    for _ in range(50):
        threads.add(finished())
        while not pumps._parked:
            pass

    assert len(threads) <= 2


def test_a_thread_nobody_needs_ends(monkeypatch):
    """After a while."""
    monkeypatch.setattr(pumps, "PARKED_FOR", 0.01)
    monkeypatch.setattr(pumps, "_parked", [])
    thread = finished()
    thread.join(WAIT)

    assert not thread.is_alive()
    assert pumps._parked == []


def test_a_parked_thread_keeps_nothing_alive():
    """Not the call it served last."""

    class Call:
        def run(self):
            pass

    call = Call()
    gone = weakref.ref(call)
    thread = finished(call.run)
    del call
    finished()

    assert thread.is_alive()
    assert gone() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_has_threads_of_its_own():
    """Those of its parent are not there."""
    finished()
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if not pumps._parked and finished().is_alive() else 1)
        finally:
            os._exit(2)

    assert os.waitpid(child, 0)[1] == 0
