"""The blocking driver: it waits as long as it was asked to, whatever its exchanges do."""

from __future__ import annotations

import gc
import os
import signal
import socket
import ssl
import subprocess
import threading
from contextlib import closing, suppress
from pathlib import Path

import pytest

from freelm_integrations.chat import fold
from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.engine import blocking, sockets
from freelm_integrations.engine.sockets import Stock
from freelm_integrations.engine.steps import ELAPSED, Attempt, Broken, Chunk, End, Opened, Refused
from tests.engine.flying import ROLE, STOP, says
from tests.engine.scripted import HANG, RESET, head, scripted
from tests.engine.test_drivers import STREAM, World

LAST = (End, Refused, Broken)
LONG = 30.0
"""Seconds that no test may take: the attempt's own limits."""


def attempt_at(base_url, **more):
    fields = {"headers": {}, "body": b"{}", "secret": None, "timeout": LONG, **more}
    return Attempt("POST", base_url + "/chat/completions", **fields)


@pytest.fixture
def stock():
    with closing(Stock()) as stock:
        yield stock


@pytest.fixture
def exchanges(stock):
    with closing(blocking.exchanges(stock)) as exchanges:
        yield exchanges


def drain(exchanges):
    """What is said until one exchange has ended or nothing comes."""
    heard = [exchanges.wait(5)]
    while not isinstance(heard[-1], (*LAST, type(ELAPSED))):
        heard.append(exchanges.wait(5))
    return heard


def open_files():
    return sum(1 for _ in Path("/dev/fd").iterdir())


# ---------------------------------------------------------------------- waiting

SILENCES = {
    "before headers": [HANG],
    "in the headers": [head()[:20], HANG],
    "after headers": [head(), HANG],
    "in a chunk": [head(transfer_encoding="chunked"), b"5\r\nab", HANG],
    "after keep-alives": [head(), *[b": ping\n\n"] * 5, HANG],
}


@pytest.mark.parametrize("script", SILENCES.values(), ids=SILENCES)
def test_a_wait_ends_on_time_whatever_is_silent(exchanges, script):
    """The attempt itself would allow half a minute."""
    with scripted(script) as server:
        exchanges.launch(attempt_at(server.base_url))
        began_at = SYSTEM_CLOCK.now()
        heard = [exchanges.wait(0.05)]
        while heard[-1] is not ELAPSED:
            heard.append(exchanges.wait(0.05))
        took = SYSTEM_CLOCK.now() - began_at
        exchanges.close()

    assert took < LONG / 3
    assert not isinstance(heard[-2:][0], LAST)


def test_a_wait_for_nothing_is_over_before_anything_is_read(exchanges):
    """So that endless chatter cannot keep a machine from looking at its clock."""
    with scripted(STREAM) as server:
        exchanges.launch(attempt_at(server.base_url))
        assert exchanges.wait(0) is ELAPSED
        assert server.requests == []
        assert isinstance(exchanges.wait(5), Opened)


def test_with_nothing_open_a_wait_is_a_pause(exchanges):
    """As when all routes rest."""
    began_at = SYSTEM_CLOCK.now()

    assert exchanges.wait(0.02) is ELAPSED
    assert SYSTEM_CLOCK.now() - began_at > 0.015  # timers may be a little early


def test_a_host_nobody_can_find_in_time_holds_up_no_wait(exchanges, monkeypatch):
    """Looking up a name blocks, so it is done elsewhere."""
    found = threading.Event()
    look_up = socket.getaddrinfo

    def slow(*where, flags=0):
        if not flags:
            found.wait(LONG)
        return look_up(*where, flags=flags)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with scripted(STREAM) as server:
        exchanges.launch(attempt_at(server.base_url.replace("127.0.0.1", "localhost")))
        assert exchanges.wait(0.02) is ELAPSED
        found.set()
        assert isinstance(exchanges.wait(5), Opened)


def test_a_name_that_nobody_has_is_nobody_reached(exchanges):
    """As a connection that is refused."""
    exchanges.launch(attempt_at("http://nobody.invalid/v1"))
    (broken,) = drain(exchanges)

    assert isinstance(broken.error, ConnectionRefusedError)


def test_connecting_has_a_limit_of_its_own(exchanges):
    """A full backlog drops what knocks; nobody is reached then."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        knocking = []
        for _ in range(3):
            one = socket.socket()
            one.setblocking(False)
            with suppress(BlockingIOError):
                one.connect(("127.0.0.1", port))
            knocking.append(one)
        exchanges.launch(attempt_at(f"http://127.0.0.1:{port}/v1", connect_timeout=0.05))
        (broken,) = drain(exchanges)
        for one in knocking:
            one.close()

    assert isinstance(broken, Broken)
    assert isinstance(broken.error, ConnectionRefusedError)
    assert "TimeoutError" in str(broken.error)


# ---------------------------------------------------------------------- side by side


def test_one_thread_hears_several_exchanges_at_once(exchanges):
    """A second one answers while the first hangs, and no thread is started for it."""
    before = threading.active_count()
    with scripted([HANG]) as slow, scripted(STREAM) as quick:
        threads = threading.active_count() - before
        exchanges.launch(attempt_at(slow.base_url))
        assert exchanges.wait(0.02) is ELAPSED
        second = attempt_at(quick.base_url)
        exchanges.launch(second)
        heard = drain(exchanges)
        assert threading.active_count() - before <= threads + 2  # the servers' own

    assert {reply.attempt for reply in heard} == {second}
    assert isinstance(heard[-1], End)


def test_who_always_has_something_to_say_does_not_drown_the_others(exchanges):
    """They are heard by turns."""
    listener = socket.create_server(("127.0.0.1", 0))

    def chatter():
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.recv(65_536)
            connection.sendall(head())
            while True:
                connection.sendall(b": ping\n\n" * 10_000)

    thread = threading.Thread(target=chatter)
    thread.start()
    first = attempt_at(f"http://127.0.0.1:{listener.getsockname()[1]}/v1")
    exchanges.launch(first)
    for _ in range(3):
        assert exchanges.wait(5).attempt is first
    with scripted(STREAM) as quiet:
        exchanges.launch(attempt_at(quiet.base_url))
        began_at = SYSTEM_CLOCK.now()
        while (reply := exchanges.wait(5)).attempt is first:
            assert SYSTEM_CLOCK.now() - began_at < LONG / 3
        exchanges.close()
    thread.join()
    listener.close()

    assert isinstance(reply, Opened)


def test_what_is_cancelled_is_closed_at_once_and_says_no_more(exchanges):
    """The server sees it go, whatever it was at."""
    with scripted([HANG], [head(), HANG]) as server:
        first, second = attempt_at(server.base_url), attempt_at(server.base_url)
        exchanges.launch(first)
        assert exchanges.wait(0.05) is ELAPSED
        exchanges.launch(second)
        assert isinstance(exchanges.wait(5), Opened)
        for one in (first, second):
            exchanges.cancel(one)
            assert server.left.acquire(timeout=5)
        assert exchanges.wait(0.02) is ELAPSED


# ---------------------------------------------------------------------- connections


def answering(*answers):
    """A listener that gives these answers over one connection, and the connections it had."""
    listener = socket.create_server(("127.0.0.1", 0))
    seen = []

    def serve():
        with suppress(OSError):
            left = list(answers)
            while left:
                connection, _ = listener.accept()
                seen.append(connection)
                while left and connection.recv(65_536):
                    connection.sendall(left.pop(0))

    threading.Thread(target=serve, daemon=True).start()
    return listener, seen, f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


FINE = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
LEAVING = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"


@pytest.mark.parametrize(("answer", "connections"), [(FINE, 1), (LEAVING, 2)])
def test_a_connection_serves_again_if_both_sides_want_to(stock, answer, connections):
    """After an answer that was read to its end."""
    listener, seen, url = answering(answer, answer)
    for _ in range(2):
        exchanges = blocking.exchanges(stock)
        exchanges.launch(attempt_at(url))
        assert isinstance(drain(exchanges)[-1], End)
    stock.close()
    listener.close()
    for one in seen:
        one.close()

    assert len(seen) == connections


def test_a_connection_its_server_has_left_is_not_used_again(stock):
    """It would cost the call an attempt."""
    listener, seen, url = answering(FINE, FINE)
    for number in range(2):
        exchanges = blocking.exchanges(stock)
        exchanges.launch(attempt_at(url))
        assert isinstance(drain(exchanges)[-1], End)
        seen[number].shutdown(socket.SHUT_RDWR)
    stock.close()
    listener.close()
    for one in seen:
        one.close()

    assert len(seen) == 2


def test_a_closed_stock_keeps_nothing(stock):
    """What comes back to it is closed."""
    with scripted([FINE, HANG]) as server:
        exchanges = blocking.exchanges(stock)
        exchanges.launch(attempt_at(server.base_url))
        stock.close()
        assert isinstance(drain(exchanges)[-1], End)
        assert server.left.acquire(timeout=5)


def test_idle_connections_that_nobody_takes_are_closed(stock, monkeypatch):
    """Each time one comes back, and not only to the same host."""
    monkeypatch.setattr(sockets, "KEPT_FOR", -1.0)
    with scripted([FINE, HANG], [FINE, HANG]) as server:
        for _ in range(2):
            exchanges = blocking.exchanges(stock)
            exchanges.launch(attempt_at(server.base_url))
            drain(exchanges)
        assert server.left.acquire(timeout=5)


def test_a_big_request_is_sent_whole_to_a_slow_reader(exchanges):
    """Although its buffers fill up on the way."""
    body = os.urandom(8_000_000)
    with scripted([head(), b"fine"]) as server:
        exchanges.launch(attempt_at(server.base_url, body=body))
        heard = drain(exchanges)

    assert isinstance(heard[-1], End)
    assert server.requests[0].endswith(body)


@pytest.mark.parametrize("is_trusted", [True, False])
def test_https_is_spoken_with_those_we_trust(exchanges, is_trusted, tmp_path, monkeypatch):
    """A certificate nobody vouches for is nobody reached."""
    made = tmp_path / "made.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    try:
        subprocess.run(
            [
                *(*command.split(), "-addext", "subjectAltName=DNS:localhost"),
                *("-keyout", str(tmp_path / "key.pem"), "-out", str(made)),
            ],
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(reason="openssl is not there to make a certificate")
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(made, tmp_path / "key.pem")
    if is_trusted:
        trusting = ssl.create_default_context(cafile=str(made))
        monkeypatch.setattr(sockets, "tls", lambda: trusting)
    listener = socket.create_server(("127.0.0.1", 0))
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n" + b"x" * 200_000

    def serve():
        accepted, _ = listener.accept()
        with suppress(OSError), serving.wrap_socket(accepted, server_side=True) as connection:
            connection.recv(65_536)
            connection.sendall(answer)
            connection.recv(1)

    thread = threading.Thread(target=serve)
    thread.start()
    exchanges.launch(attempt_at(f"https://localhost:{listener.getsockname()[1]}/v1"))
    heard = drain(exchanges)
    exchanges._stock.close()
    thread.join()
    listener.close()

    if is_trusted:
        assert sum(len(chunk.data) for chunk in heard[1:-1]) == 200_000
    else:
        assert isinstance(heard[-1].error, ConnectionRefusedError)
        assert "certificate" in str(heard[-1].error)


# ---------------------------------------------------------------------- leaving


def test_leaving_at_any_moment_leaves_nothing_behind(stock):
    """No socket, no thread, no lease: whether it hangs, speaks or has not begun."""
    scripts = [[HANG], [head(), HANG], [head(), ROLE, says("one "), HANG]] * 10
    with scripted(*scripts) as server:
        world = World(server)
        gc.collect()
        files, threads = open_files(), threading.active_count()
        for number in range(30):
            running = blocking.drive(
                world.machine(streaming=True), _Leaving(stock, after=number % 4), print
            )
            with pytest.raises(KeyboardInterrupt):
                list(running)
        for _ in range(30 - 30 // 4 - 1):  # the others never knocked
            server.left.acquire(timeout=5)
        for thread in server._threads:
            thread.join(timeout=5)

        assert open_files() <= files
        assert threading.active_count() <= threads
    assert world.in_flight() == 0


class _Leaving(blocking.SocketExchanges):
    """Somebody presses Ctrl-C in one of the waits."""

    def __init__(self, stock, *, after):
        super().__init__(stock)
        self._left = after

    def wait(self, seconds):
        self._left -= 1
        if self._left < 0:
            raise KeyboardInterrupt
        return super().wait(min(seconds, 0.02))


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no such timer here")
def test_ctrl_c_is_heard_in_a_wait(stock):
    """And the connection is closed on the way out."""

    def press(*_):
        raise KeyboardInterrupt

    with scripted([HANG]) as server:
        running = blocking.drive(
            World(server).machine(streaming=True), blocking.exchanges(stock), print
        )
        before = signal.signal(signal.SIGALRM, press)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        try:
            with pytest.raises(KeyboardInterrupt):
                next(running)
        finally:
            signal.signal(signal.SIGALRM, before)
        assert server.left.acquire(timeout=5)


def test_an_abandoned_stream_is_closed_when_it_is_collected(stock):
    """Also out of a cycle, and without a warning."""
    with scripted([head(), ROLE, says("one "), HANG]) as server:
        world = World(server)
        running = blocking.drive(world.machine(streaming=True), blocking.exchanges(stock), print)
        assert next(running).text == "one "
        holder = [running]
        holder.append(holder)
        del running, holder
        gc.collect()
        assert server.left.acquire(timeout=5)
    assert world.in_flight() == 0


def test_a_slow_consumer_is_no_silent_server(stock):
    """While nobody listens nothing is read, and the time that takes is not the server's."""
    pieces = [says("x" * 1000) for _ in range(3000)]
    with scripted([head(content_type="text/event-stream"), *pieces, STOP]) as server:
        world = World(server, attempt_timeout=0.2)
        running = blocking.drive(world.machine(streaming=True), blocking.exchanges(stock), print)
        deltas = [next(running)]
        threading.Event().wait(0.4)
        deltas += running

    assert len(fold(deltas).text) == 3_000_000


def test_a_reset_after_the_answer_was_heard_does_not_unsay_it(exchanges):
    """What was read before it counts."""
    with scripted([head("400 Bad Request", content_length="2"), b"{}", RESET]) as server:
        exchanges.launch(attempt_at(server.base_url))
        heard = drain(exchanges)

    assert isinstance(heard[-1], (Refused, Broken))
    assert not any(isinstance(reply, Chunk) for reply in heard)
