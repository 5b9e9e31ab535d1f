"""The transports behind the core clients: made at the first request, one a process or event loop.

A request of ours needs nothing of an HTTP client but its transport (no cookies, redirects or
authentication), and skipping the rest saves a fifth of a call. Where the environment names proxies,
or the user gives a client, the client sends.
"""

from __future__ import annotations

import asyncio
import functools
import os
import threading
import weakref
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.request import getproxies

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator

    import httpx

    from freelm_integrations.engine import aio, blocking


@functools.lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """One TLS context for all: loading the certificates takes longer than a request on loopback."""
    return httpx.create_ssl_context()


_ALIVE: weakref.WeakSet[Connections] = weakref.WeakSet()


class Connections:
    """The blocking side. Safe from any thread; a forked child makes its own connections."""

    def __init__(self, given: httpx.Client | None = None) -> None:
        """Send with the given client, which stays its owner's to close, or with one of our own."""
        self._given = None if given is None else functools.partial(given.send, stream=True)
        self._made: tuple[int, blocking.Send, weakref.finalize[..., object]] | None = None
        self._lock = threading.Lock()
        _ALIVE.add(self)

    def begin_anew(self) -> None:
        """For a forked child: a thread that is not there any more may hold the lock."""
        self._lock = threading.Lock()

    def send(self) -> blocking.Send:
        """What sends a request."""
        if self._given is not None:
            return self._given
        made = self._made
        if made is not None and made[0] == os.getpid():
            return made[1]
        with self._lock:
            if self._made is None or self._made[0] != os.getpid():
                self._made = self._make()
            return self._made[1]

    def close(self) -> None:
        """Close what was made here; the next call makes it anew."""
        with self._lock:
            made, self._made = self._made, None
        if made is not None and made[0] == os.getpid():
            made[2]()

    def _make(self) -> tuple[int, blocking.Send, weakref.finalize[..., object]]:
        """With a finalizer: whoever forgets to close leaves no socket behind, at exit either."""
        if getproxies():
            client = httpx.Client(verify=_tls(), limits=LIMITS)
            send = functools.partial(client.send, stream=True)
            return os.getpid(), send, weakref.finalize(self, client.close)
        transport = httpx.HTTPTransport(verify=_tls(), limits=LIMITS)
        return os.getpid(), transport.handle_request, weakref.finalize(self, transport.close)


class AsyncConnections:
    """The asyncio side: a transport for every running event loop, closed with it.

    One bound to a loop that has ended cannot even be closed; so each is kept in an async generator
    of its own loop, which the loop finishes when it shuts its generators down (as `asyncio.run`).
    """

    def __init__(self, given: httpx.AsyncClient | None = None) -> None:
        """Send with the given client, which stays its owner's to close, or with our own."""
        self._given = None if given is None else functools.partial(given.send, stream=True)
        self._kept: dict[
            asyncio.AbstractEventLoop, tuple[aio.Send, AsyncGenerator[None, None]]
        ] = {}

    async def send(self) -> aio.Send:
        """What sends a request from the running loop."""
        if self._given is not None:
            return self._given
        loop = asyncio.get_running_loop()
        kept = self._kept.get(loop)
        if kept is None:
            self._forget_ended_loops()
            send, opened = _make_async()
            keeper = _keep(opened)
            await anext(keeper)
            kept = self._kept[loop] = send, keeper
        return kept[0]

    async def aclose(self) -> None:
        """Close the running loop's connections; the next call opens new ones."""
        kept = self._kept.pop(asyncio.get_running_loop(), None)
        if kept is not None:
            await kept[1].aclose()

    def _forget_ended_loops(self) -> None:
        """Weak references would not do: what is kept for a loop refers to it."""
        for loop in list(self._kept):
            if loop.is_closed():
                self._kept.pop(loop, None)


async def _keep(opened: httpx.AsyncClient | httpx.AsyncBaseTransport) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await opened.aclose()


def _make_async() -> tuple[aio.Send, httpx.AsyncClient | httpx.AsyncBaseTransport]:
    """With the `[aiohttp]` extra its transport, which stays fast with many calls at once."""
    if getproxies():
        client = httpx.AsyncClient(verify=_tls(), limits=LIMITS)
        return functools.partial(client.send, stream=True), client
    if _has_aiohttp():
        return _make_aiohttp()
    transport = httpx.AsyncHTTPTransport(verify=_tls(), limits=LIMITS)
    return transport.handle_async_request, transport


def _make_aiohttp() -> tuple[aio.Send, httpx.AsyncBaseTransport]:
    from aiohttp import (  # noqa: PLC0415 - an optional
        ClientError,
        ClientSession,
        DummyCookieJar,
        TCPConnector,
    )
    from httpx_aiohttp import AiohttpTransport  # noqa: PLC0415 - extra

    # Without a session of our own it would open a hundred connections and no more.
    connector = TCPConnector(limit=0, ssl=_tls(), keepalive_timeout=LIMITS.keepalive_expiry)
    session = ClientSession(connector=connector, cookie_jar=DummyCookieJar())
    transport = AiohttpTransport(verify=_tls(), client=session)

    async def send(request: httpx.Request) -> httpx.Response:
        try:
            return await transport.handle_async_request(request)
        except ClientError as error:  # it knows no word for an answer that is no HTTP
            raise httpx.RemoteProtocolError(str(error), request=request) from None

    return send, transport


@functools.lru_cache(maxsize=1)
def _has_aiohttp() -> bool:
    return find_spec("httpx_aiohttp") is not None and find_spec("aiohttp") is not None


def _after_fork() -> None:
    for connections in list(_ALIVE):
        connections.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
