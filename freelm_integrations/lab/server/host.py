"""The one daemon thread in which a lab's loop runs, with a listening socket for each provider."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import TYPE_CHECKING

from freelm_integrations.lab.server.connection import Answerer, Connection, reset

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Host:
    """Listens for several providers; starts and stops from any thread."""

    def __init__(self, desks: Mapping[str, tuple[Answerer, Callable[[], bool]]]) -> None:
        """Take for each name what answers, and what says whether to reset a connection."""
        self._desks = desks
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._sockets: dict[str, socket.socket] = {}

    def start(self) -> Mapping[str, int]:
        """Begin to listen; the port of each name."""
        for name in self._desks:
            self._sockets[name] = _listening()
        ports = {name: int(sock.getsockname()[1]) for name, sock in self._sockets.items()}
        self._thread = threading.Thread(target=self._run, name="freelm-lab", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._stop is None:
            raise RuntimeError(
                "the lab's loop did not start: see the traceback of thread freelm-lab"
            )
        return ports

    def close(self) -> None:
        """Stop listening, end every connection and the thread. Twice does no harm."""
        thread, self._thread = self._thread, None
        if thread is None or self._loop is None or self._stop is None:
            return
        with contextlib.suppress(RuntimeError):  # the loop ended by itself
            self._loop.call_soon_threadsafe(self._stop.set)
        thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        servers = [await self._listen(name, sock) for name, sock in self._sockets.items()]
        self._ready.set()
        await self._stop.wait()
        for server in servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for server in servers:
            await server.wait_closed()

    async def _listen(self, name: str, sock: socket.socket) -> asyncio.Server:
        answerer, refuses = self._desks[name]

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if refuses():
                reset(writer)
                return
            task = asyncio.ensure_future(Connection(reader, writer, answerer).serve())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return await asyncio.start_server(accept, sock=sock)


def _listening() -> socket.socket:
    # Named in full, or asyncio leaves the delay of small packets on.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.bind(("127.0.0.1", 0))
    sock.listen(512)
    return sock
