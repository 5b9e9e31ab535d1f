"""Sending by httpx: with a client that was given, through proxies, or by its bare transport."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import httpx

from freelm_integrations.engine.transport import as_dict, headers_for, words

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from freelm_integrations.engine.steps import Attempt
    from freelm_integrations.engine.transport import AsyncSend, Send

_url = functools.lru_cache(maxsize=1024)(httpx.URL)


def through(client: httpx.Client) -> Send:
    """Send with a client: by its transport, but with our own key and to nowhere else."""
    return sender(functools.partial(client.send, stream=True, auth=None, follow_redirects=False))


def through_async(client: httpx.AsyncClient) -> AsyncSend:
    """The same on an event loop."""
    return async_sender(
        functools.partial(client.send, stream=True, auth=None, follow_redirects=False)
    )


def sender(handle: Callable[[httpx.Request], httpx.Response]) -> Send:
    """Send with what turns a request into a response whose body is unread."""

    def send(attempt: Attempt) -> _Answer:
        try:
            return _Answer(handle(_request_for(attempt)))
        except httpx.RequestError as error:
            failure = _weather(error)
        raise failure  # out of the handler: the error's request would go along as its context

    return send


def async_sender(handle: Callable[[httpx.Request], Awaitable[httpx.Response]]) -> AsyncSend:
    """The same on an event loop."""

    async def send(attempt: Attempt) -> _AsyncAnswer:
        try:
            return _AsyncAnswer(await handle(_request_for(attempt)))
        except httpx.RequestError as error:
            failure = _weather(error)
        raise failure

    return send


class _Answer:
    """A response, read piece by piece."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers = as_dict(response.headers.raw)
        self._response = response
        self._pieces: Iterator[bytes] = (
            iter(response.stream)
            if _is_bare(response) and isinstance(response.stream, httpx.SyncByteStream)
            else response.iter_bytes()
        )

    def read(self) -> bytes:
        try:
            for piece in self._pieces:
                if piece:
                    return piece
        except httpx.RequestError as error:
            failure = _weather(error)
        else:
            return b""
        raise failure

    def close(self) -> None:
        self._response.close()


class _AsyncAnswer:
    """The same on an event loop."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers = as_dict(response.headers.raw)
        self._response = response
        self._pieces: AsyncIterator[bytes] = (
            aiter(response.stream)
            if _is_bare(response) and isinstance(response.stream, httpx.AsyncByteStream)
            else response.aiter_bytes()
        )

    async def read(self) -> bytes:
        try:
            async for piece in self._pieces:
                if piece:
                    return piece
        except httpx.RequestError as error:
            failure = _weather(error)
        else:
            return b""
        raise failure

    async def aclose(self) -> None:
        await self._response.aclose()


def _is_bare(response: httpx.Response) -> bool:
    """Whether there is nothing to unpack: then the transport's own stream is the shorter way."""
    return "content-encoding" not in response.headers


def _request_for(attempt: Attempt) -> httpx.Request:
    url = _url(attempt.url)
    body = attempt.body or b""
    seconds = attempt.timeout
    # A ready stream and all headers: httpx then has nothing to work out, which it does slowly.
    request = httpx.Request(
        attempt.method,
        url,
        stream=httpx.ByteStream(body),
        headers={
            "host": url.netloc.decode("ascii"),
            **headers_for(attempt),
            "content-length": str(len(body)),
        },
        extensions={
            "timeout": {
                "connect": min(attempt.connect_timeout, seconds),
                "read": seconds,
                "write": seconds,
                "pool": seconds,
            }
        },
    )
    request.read()
    return request


def _weather(error: httpx.RequestError) -> OSError:
    """The built-in error of the same meaning."""
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)):
        return ConnectionRefusedError(words(error))
    if isinstance(error, httpx.TimeoutException):
        return TimeoutError(words(error))
    return ConnectionError(words(error))
