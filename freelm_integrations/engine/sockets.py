"""Connections of the blocking driver: sockets that never block, and a stock of idle ones.

What would have to wait yields a `Need` instead and is gone on with when that is met. So one thread
has any number of exchanges open, waits for all of them exactly as long as it wants to, and leaves
one by closing it: no thread has to be handed anything, or to be interrupted.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import threading
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import h11

from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.engine import pumps
from freelm_integrations.engine.transport import KEPT, KEPT_FOR, tls, words

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any, TypeAlias

    Waits: TypeAlias = "Generator[Need, None, T]"

T = TypeVar("T")
READ_SIZE = 65_536
READ, WRITE = 1, 2


class Need(NamedTuple):
    """To be gone on with when the socket can be read (READ) or written to (WRITE).

    After `seconds`, if there is such a limit, a TimeoutError is thrown in instead.
    """

    socket: socket.socket
    event: int
    seconds: float | None = None


class Origin(NamedTuple):
    """Whom a connection is to."""

    scheme: str
    host: str
    port: int


class Connection:
    """One connection and what HTTP/1.1 has to remember of it; used by one exchange at a time."""

    __slots__ = ("http", "is_left", "kept_until", "origin", "socket")

    def __init__(self, origin: Origin, opened: socket.socket) -> None:
        """Over an open socket that does not block."""
        self.origin = origin
        self.socket = opened
        self.http = h11.Connection(h11.CLIENT)
        self.is_left = False
        self.kept_until = 0.0

    def send(self, data: bytes) -> Waits[None]:
        """Send it all, or what the server takes: its answer may be there all the same."""
        left = memoryview(data)
        try:
            while left:
                sent = yield from _when_let(self.socket, partial(self.socket.send, left), WRITE)
                left = left[sent:]
        except (BrokenPipeError, ConnectionResetError):
            return

    def receive(self) -> Waits[None]:
        """Take in the next bytes; ConnectionError if the server leaves without an answer."""
        data = yield from _when_let(self.socket, partial(self.socket.recv, READ_SIZE), READ)
        self.is_left = not data
        if not data and self.http.their_state is h11.SEND_RESPONSE:
            raise ConnectionError("the server left without an answer")
        self.http.receive_data(data)

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()


class Stock:
    """Idle connections, for any thread to take."""

    def __init__(self) -> None:
        """Empty."""
        self._idle: dict[Origin, list[Connection]] = {}
        self._lock = threading.Lock()
        self._is_closed = False

    def take(self, origin: Origin) -> Connection | None:
        """One that its server has not left, the last used first; None if there is none."""
        while True:
            with self._lock:
                idle = self._idle.get(origin)
                connection = idle.pop() if idle else None
            if connection is None:
                return None
            if connection.kept_until > SYSTEM_CLOCK.now() and not _has_news(connection.socket):
                return connection
            connection.close()

    def put(self, connection: Connection) -> None:
        """Keep it if it can serve again, and close what nobody took for long."""
        http = connection.http
        if connection.is_left or not (http.our_state is http.their_state is h11.DONE):
            connection.close()
            return
        http.start_next_cycle()
        now = SYSTEM_CLOCK.now()
        connection.kept_until = now + KEPT_FOR
        with self._lock:
            surplus = [connection] if self._is_closed else self._keep(connection, now)
        for one in surplus:
            one.close()

    def _keep(self, connection: Connection, now: float) -> list[Connection]:
        self._idle.setdefault(connection.origin, []).append(connection)
        surplus: list[Connection] = []
        for idle in self._idle.values():  # the oldest stand first
            while idle and (idle[0].kept_until <= now or len(idle) > KEPT):
                surplus.append(idle.pop(0))
        return surplus

    def close(self) -> None:
        """Close what is idle; what is in use is closed when it comes back."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, {}
        for connections in idle.values():
            for connection in connections:
                connection.close()


def connect(origin: Origin, seconds: float) -> Waits[Connection]:
    """Open a connection; ConnectionRefusedError if nobody is reached.

    `seconds` are for each of its parts: to look up the host, for an address, for TLS.
    """
    try:
        failure: OSError | None = None
        for address in (yield from _look_up(origin, seconds)):
            try:
                opened = yield from _reach(address, seconds)
                break
            except OSError as error:
                failure = error
        else:
            raise failure or ConnectionRefusedError("the host has no address")
        if origin.scheme == "https":
            opened = yield from _secure(opened, origin.host, seconds)
        return Connection(origin, opened)
    except OSError as error:
        raise ConnectionRefusedError(words(error)) from None


def _look_up(origin: Origin, seconds: float) -> Waits[list[Any]]:
    """The addresses of a host; a name is looked up in another thread, as that blocks."""
    where = (origin.host, origin.port, 0, socket.SOCK_STREAM)
    try:
        return socket.getaddrinfo(*where, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        pass
    found: list[list[Any] | OSError] = []
    here, there = socket.socketpair()

    def look_up() -> None:
        with there:  # closed, it can be read at the other end
            try:
                found.append(socket.getaddrinfo(*where))
            except (OSError, UnicodeError) as error:
                found.append(OSError(words(error)))

    with here:
        pumps.run(look_up)
        yield Need(here, READ, seconds)
    if isinstance(found[0], OSError):
        raise found[0]
    return found[0]


def _reach(address: Any, seconds: float) -> Waits[socket.socket]:
    family, kind, protocol, _, where = address
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setblocking(False)  # noqa: FBT003 - its name says it
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            opened.connect(where)
        except BlockingIOError:
            yield Need(opened, WRITE, seconds)
            if code := opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(code, os.strerror(code)) from None
    except BaseException:
        opened.close()
        raise
    return opened


def _secure(opened: socket.socket, host: str, seconds: float) -> Waits[ssl.SSLSocket]:
    with opened:  # empty once it is wrapped
        secured = tls().wrap_socket(opened, server_hostname=host, do_handshake_on_connect=False)
    try:
        yield from _when_let(secured, secured.do_handshake, READ, seconds)
    except BaseException:
        secured.close()
        raise
    return secured


def _when_let(
    one: socket.socket, act: Callable[[], T], event: int, seconds: float | None = None
) -> Waits[T]:
    """What the act gives, as soon as the socket lets it; TLS may have to read in order to write."""
    while True:
        try:
            return act()
        except BlockingIOError:
            need = event
        except ssl.SSLWantReadError:
            need = READ
        except ssl.SSLWantWriteError:
            need = WRITE
        yield Need(one, need, seconds)


def _by_poll(needs: list[Need], seconds: float) -> set[int]:
    poll = select.poll()
    for need in needs:
        poll.register(need.socket, select.POLLIN if need.event == READ else select.POLLOUT)
    return {fd for fd, _ in poll.poll(min(seconds, _LONGEST) * 1000)}


def _by_select(needs: list[Need], seconds: float) -> set[int]:
    """Where there is no poll; errors of a connection under way are told apart there."""
    reads = [need.socket for need in needs if need.event == READ]
    writes = [need.socket for need in needs if need.event == WRITE]
    ready = select.select(reads, writes, writes, min(seconds, _LONGEST))
    return {one.fileno() for some in ready for one in some}


_LONGEST = 86_400.0
ready_of: Callable[[list[Need], float], set[int]] = (
    _by_poll if hasattr(select, "poll") else _by_select
)
"""The file numbers of the sockets whose need is met; waits so many seconds for the first."""


def _has_news(idle: socket.socket) -> bool:
    """Whether an idle connection has something to say: that it was closed."""
    return bool(ready_of([Need(idle, READ)], 0.0))
