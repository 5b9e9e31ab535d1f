"""Text of a real small model in this process, asked over its own loopback server."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import h11

from freelm_integrations.lab.loose import Json, compact, fields, items, parse, words_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

USUAL_LENGTH = 80  # tokens, so that a demonstration stays quick


def _embedded() -> Any:
    return import_module("freelm_integrations.embedded")


def is_model_there() -> bool:
    """Whether the embedded server and a model for it can be found."""
    try:
        return bool(_embedded().is_available())
    except ImportError:
        return False


class ModelWords:
    """Asks the process-wide embedded server, which is started with the first question."""

    is_stable = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._base_url: str | None = None

    def _start(self) -> str:
        with self._lock:
            if self._base_url is None:
                self._base_url = str(_embedded().shared_server().base_url)
            return self._base_url

    async def pieces(self, messages: list[Json], most: int | None) -> AsyncIterator[str]:
        """The model's own pieces as they come."""
        base_url = await asyncio.to_thread(self._start)
        room = USUAL_LENGTH if most is None else min(most, USUAL_LENGTH)
        asked = compact(
            {"messages": _plain(messages), "max_tokens": room, "stream": True, "temperature": 0}
        )
        async with contextlib.aclosing(_lines(base_url, asked)) as lines:
            async for line in lines:
                said = _said(line)
                if said:
                    yield said

    def close(self) -> None:
        """The server is shared: whoever started it closes it."""


def _plain(messages: list[Json]) -> list[Json]:
    """The conversation as a small model understands it: roles and text only."""
    roles = {"developer": "system", "tool": "user"}
    texts = [(str(message.get("role")), words_of(message.get("content"))) for message in messages]
    return [{"role": roles.get(role, role), "content": text} for role, text in texts if text]


def _said(line: bytes) -> str:
    if not line.startswith(b"data:"):
        return ""
    choices = items(fields(parse(line[5:].strip())).get("choices"))
    delta = fields(fields(choices[0]).get("delta")) if choices else {}
    return words_of(delta.get("content"))


async def _lines(base_url: str, body: bytes) -> AsyncGenerator[bytes, None]:
    """Post a body to the chat path under an address and give the lines of the answer."""
    address = urlsplit(base_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        connection = h11.Connection(h11.CLIENT)
        writer.write(_request(connection, address.path, address.netloc, body))
        rest = b""
        async for data in _body(connection, reader):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                yield line
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _request(connection: h11.Connection, path: str, host: str, body: bytes) -> bytes:
    headers = [
        ("Host", host),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
    ]
    request = h11.Request(method="POST", target=f"{path}/chat/completions", headers=headers)
    sent = [connection.send(event) for event in (request, h11.Data(data=body), h11.EndOfMessage())]
    return b"".join(part for part in sent if part)


async def _body(connection: h11.Connection, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Data):
            yield bytes(event.data)
        elif not isinstance(event, (h11.Response, h11.InformationalResponse)):
            return
