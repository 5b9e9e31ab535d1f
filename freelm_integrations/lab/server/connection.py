"""One client's connection: requests in, replies out, byte by byte, until one of the two leaves."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

import h11

from freelm_integrations.lab.record import Ended, LabRequest
from freelm_integrations.lab.replies import Flow, Mishap, Reply, Whole

if sys.platform != "win32":
    import fcntl
    import termios

_AT_ONCE = 65_536  # bytes read in one go
_MOST_HEADERS = 65_536
_LOOKS, _LOOK_EVERY = 200, 0.005  # seconds
UNREAD_FOR = 0.01
"""Seconds a client is given to read what it was sent before its connection is reset."""


@dataclass(frozen=True)
class Incoming:
    """A request as it came off the wire; header names are in lower case."""

    method: str
    target: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)


# Notes a request at once, and gives its reply when that is due.
Answerer = Callable[[Incoming], tuple[LabRequest, Coroutine[None, None, Reply]]]


class ClientLeft(Exception):
    """The client closed the connection before its answer was complete."""


class Connection:
    """Serves one connection to its end."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answerer: Answerer
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._answerer = answerer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_MOST_HEADERS)
        self._early = b""  # what the client sent while it was still owed an answer

    async def serve(self) -> None:
        """Answer request after request; never raises for what a client does."""
        try:
            with contextlib.suppress(h11.RemoteProtocolError, OSError):
                while await self._exchange():
                    self._http.start_next_cycle()
        finally:
            self._writer.close()

    async def _exchange(self) -> bool:
        """One request and its reply; True if the connection may be used again."""
        incoming = await self._receive()
        if incoming is None:
            return False
        request, replying = self._answerer(incoming)
        request.ended = await self._reply(request, replying)
        reusable = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        return request.ended == "complete" and reusable

    async def _reply(self, request: LabRequest, replying: Coroutine[None, None, Reply]) -> Ended:
        try:
            async with contextlib.aclosing(_Watch(self._reader)) as watch:
                mishap = await self._send(await replying, request)
            self._early += watch.early
        except (OSError, ClientLeft):
            return "client_left"
        except asyncio.CancelledError:  # the lab closes
            request.ended = "cut"
            raise
        if mishap is Mishap.RESET:
            await delivered(self._writer)
            reset(self._writer)
        return "complete" if mishap is None else "cut"

    # -- in -------------------------------------------------------------------------------------

    async def _receive(self) -> Incoming | None:
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                await self._feed()
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return _incoming(head, bytes(body))
            else:
                return None

    async def _feed(self) -> None:
        if self._http.they_are_waiting_for_100_continue:
            self._write(self._http.send(h11.InformationalResponse(status_code=100, headers=[])))
        early, self._early = self._early, b""
        self._http.receive_data(early or await self._reader.read(_AT_ONCE))

    # -- out ------------------------------------------------------------------------------------

    async def _send(self, reply: Reply, request: LabRequest) -> Mishap | None:
        if isinstance(reply, Mishap):
            return await _struck_by(reply)
        request.status = reply.status
        if isinstance(reply, Whole):
            self._write(_whole(self._http, reply))
            await self._writer.drain()
            return None
        self._write(self._http.send(_head(reply)))
        async with contextlib.aclosing(reply.frames) as frames:
            async for frame in frames:
                if isinstance(frame, Mishap):
                    return await _struck_by(frame)
                if frame:
                    self._write(self._http.send(h11.Data(data=frame)))
                    await self._writer.drain()
        self._write(self._http.send(h11.EndOfMessage()))
        await self._writer.drain()
        return None

    def _write(self, data: bytes | None) -> None:
        if data:
            self._writer.write(data)


class _Watch:
    """An eye on the waiting client: interrupts the task it was made in once the client has gone."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self.early = b""
        self._has_left = False
        self._waiting = asyncio.current_task()
        self._watching = asyncio.ensure_future(self._watch(reader))

    async def _watch(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_AT_ONCE):
                self.early += data
        self._has_left = True
        if self._waiting is not None:
            self._waiting.cancel()

    async def aclose(self) -> None:
        """Stop watching. Raises `ClientLeft` in the place of the interruption."""
        self._watching.cancel()
        try:
            await asyncio.wait({self._watching})
        except asyncio.CancelledError:
            if not self._has_left:
                raise
        if self._has_left:
            raise ClientLeft


async def _struck_by(mishap: Mishap) -> Mishap:
    """The mishap; a hang ends only with the task, when the client leaves or the lab closes."""
    if mishap is Mishap.HANG:
        await asyncio.Event().wait()
    return mishap


def _incoming(head: h11.Request, body: bytes) -> Incoming:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
    return Incoming(head.method.decode("ascii"), head.target.decode("latin-1"), headers, body)


def _head(flow: Flow) -> h11.Response:
    headers = [("content-type", flow.content_type), *flow.headers.items()]
    if flow.length is not None:
        headers.append(("content-length", str(flow.length)))
    return h11.Response(status_code=flow.status, headers=headers)


def _whole(http: h11.Connection, reply: Whole) -> bytes:
    length = ("content-length", str(len(reply.body)))
    headers = [("content-type", reply.content_type), *reply.headers.items(), length]
    parts = (
        http.send(h11.Response(status_code=reply.status, headers=headers)),
        http.send(h11.Data(data=reply.body)),
        http.send(h11.EndOfMessage()),
    )
    return b"".join(part for part in parts if part)


async def delivered(writer: asyncio.StreamWriter) -> None:
    """Wait until all that was written has reached the client's machine, a second at most.

    A reset throws away what is still on its way. What has arrived can be read in spite of it on
    Linux; elsewhere it is lost to a client that has not read it after `UNREAD_FOR`.
    """
    raw = writer.get_extra_info("socket")
    for _ in range(_LOOKS):
        if not writer.transport.get_write_buffer_size() and _unacknowledged(raw) == 0:
            break
        await asyncio.sleep(_LOOK_EVERY)
    await asyncio.sleep(UNREAD_FOR)


def _unacknowledged(raw: socket.socket | None) -> int:
    """Bytes that the other side has not confirmed; 0 where the system does not tell."""
    if raw is None or not sys.platform.startswith("linux"):
        return 0
    try:
        told = fcntl.ioctl(raw.fileno(), termios.TIOCOUTQ, b"\0" * 4)
    except OSError:
        return 0
    return int(struct.unpack("i", told)[0])


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST in place of FIN."""
    raw = writer.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
