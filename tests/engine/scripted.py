"""A server that says what a script says, byte by byte, over real sockets."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HANG = object()
RESET = object()
APART = object()
"""A moment, so that what follows comes by itself."""


class ScriptedServer:
    """Each connection's request takes the next script: bytes to send (APART), then HANG, RESET or a clean close."""

    def __init__(self) -> None:
        self.scripts: list[list[object]] = []
        self.requests: list[bytes] = []
        self.left = threading.Semaphore(0)
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"
        self._threads: list[threading.Thread] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(ConnectionError):  # whoever was asking may have left
            request = b""
            while b"\r\n\r\n" not in request:
                data = connection.recv(65536)
                if not data:
                    return
                request += data
            head, _, body = request.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
            while len(body) < length:
                body += connection.recv(65536)
            self.requests.append(head + b"\r\n\r\n" + body)
            self._play(connection, self.scripts.pop(0))

    def _play(self, connection: socket.socket, script: list[object]) -> None:
        for entry in script:
            if entry is RESET:
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            elif entry is APART:
                self._ended.wait(0.05)
            elif entry is HANG:
                connection.settimeout(20)
                try:
                    while connection.recv(1) and not self._ended.is_set():
                        pass
                except OSError:
                    pass
                self.left.release()
            else:
                connection.sendall(entry)

    def close(self) -> None:
        self._ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the accepting thread
        self._listener.close()


@contextmanager
def scripted(*scripts: list[object]) -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    server.scripts = list(scripts)
    try:
        yield server
    finally:
        server.close()


def head(status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()
