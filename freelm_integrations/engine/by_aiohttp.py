"""Sending by aiohttp, which comes with the `[aiohttp]` extra.

With many calls at once it takes a tenth of httpx's time, and half of what its transport for httpx
takes.
"""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientPayloadError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    TCPConnector,
)
from yarl import URL

from freelm_integrations.engine.transport import KEPT_FOR, as_dict, headers_for, tls, words

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import ClientResponse

    from freelm_integrations.engine.steps import Attempt
    from freelm_integrations.engine.transport import AsyncSend

_url = functools.lru_cache(maxsize=1024)(URL)
_WEATHER = (ClientError, OSError, asyncio.TimeoutError)  # on 3.10 the last is no OSError


def open_session() -> tuple[AsyncSend, Callable[[], Awaitable[None]]]:
    """What sends an attempt from the running loop, and what closes its connections."""
    # Unasked it would open a hundred connections and no more.
    connector = TCPConnector(limit=0, ssl=tls(), keepalive_timeout=KEPT_FOR)
    session = ClientSession(connector=connector, cookie_jar=DummyCookieJar())

    async def send(attempt: Attempt) -> _Answer:
        try:
            return _Answer(
                await session.request(
                    attempt.method,
                    _url(attempt.url),
                    headers=headers_for(attempt),
                    data=attempt.body or None,
                    allow_redirects=False,
                    timeout=_timeout(attempt.connect_timeout),
                )
            )
        except Exception as error:  # noqa: BLE001 - raised again
            failure = _shown(error)
        raise failure  # out of the handler: the error's request would go along as its context

    return send, session.close


class _Answer:
    """A response; what it says is unpacked by aiohttp."""

    __slots__ = ("_closed", "_response", "headers", "status")

    def __init__(self, response: ClientResponse) -> None:
        self.status = response.status
        self.headers = as_dict(response.raw_headers)
        self._response = response
        self._closed: asyncio.Future[None] | None = None
        connection = response.connection  # none once all of the body is there
        if connection is not None and connection.protocol is not None:
            self._closed = connection.protocol.closed
            if self._closed is None:
                self._on_close(None)
            else:
                self._closed.remove_done_callback(_is_heard)  # one is enough
                self._closed.add_done_callback(_is_heard)
                self._closed.add_done_callback(self._on_close)

    def _on_close(self, _: object) -> None:
        """Tell the body that its connection is gone.

        aiohttp (3.14) closes it over a broken chunk, and leaves who reads the body waiting.
        """
        body = self._response.content
        if not body.is_eof() and body.exception() is None:
            body.set_exception(ClientPayloadError("the body is not framed as HTTP wants it"))

    async def read(self) -> bytes:
        body = self._response.content
        if body.at_eof():
            return b""
        try:
            return await body.readany()
        except _WEATHER as error:
            failure = _shown(error)
        raise failure

    async def aclose(self) -> None:
        if self._closed is not None:  # it is the connection's, which others use later
            self._closed.remove_done_callback(self._on_close)
        self._response.release()


def _is_heard(closed: asyncio.Future[None]) -> None:
    """Look at why a connection was closed: asyncio complains of errors that nobody looked at."""
    if not closed.cancelled():
        closed.exception()


@functools.lru_cache(maxsize=64)
def _timeout(seconds: float) -> ClientTimeout:
    """For connecting alone; a silent exchange is cancelled by the driver."""
    return ClientTimeout(sock_connect=seconds)


def _shown(error: Exception) -> Exception:
    """The built-in error of the same meaning; a bug, without the frames that know the key."""
    if not isinstance(error, _WEATHER):
        return error.with_traceback(None)
    if isinstance(error, (ClientConnectorError, ConnectionTimeoutError)):
        return ConnectionRefusedError(words(error))
    if isinstance(error, (TimeoutError, asyncio.TimeoutError)):
        return TimeoutError(words(error))
    return ConnectionError(words(error))
