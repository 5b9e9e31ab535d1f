"""The HTTP clients behind the core clients.

Made at the first request, one per process, or one per event loop.
"""

from __future__ import annotations

import asyncio
import functools
import os
import threading
import weakref
from importlib.util import find_spec
from typing import TYPE_CHECKING

import httpx

from freelm_integrations.engine.transport import LIMITS

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator


@functools.lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """One TLS context for all: loading the certificates takes longer than a request on loopback."""
    return httpx.create_ssl_context()


class Connections:
    """The blocking HTTP client. Safe from any thread; a forked child makes its own."""

    def __init__(self, given: httpx.Client | None = None) -> None:
        """Use the given client, which stays its owner's to close, or make one when first asked."""
        self._given = given
        self._made: tuple[int, httpx.Client] | None = None
        self._lock = threading.Lock()

    def client(self) -> httpx.Client:
        """The client to send with."""
        if self._given is not None:
            return self._given
        made = self._made
        if made is not None and made[0] == os.getpid():
            return made[1]
        with self._lock:
            if self._made is None or self._made[0] != os.getpid():
                client = httpx.Client(verify=_tls(), limits=LIMITS)
                self._made = os.getpid(), client
                # Whoever forgets to close leaves no socket behind, at interpreter exit either.
                weakref.finalize(self, client.close)
            return self._made[1]

    def close(self) -> None:
        """Close what was made here; the next call makes a new one."""
        with self._lock:
            made, self._made = self._made, None
        if made is not None and made[0] == os.getpid():
            made[1].close()


class AsyncConnections:
    """An async HTTP client for every running event loop, closed with it.

    A client bound to a loop that has ended cannot even be closed; so each is kept in an async
    generator of its own loop, which the loop finishes when it shuts its generators down (as
    `asyncio.run` does).
    """

    def __init__(self, given: httpx.AsyncClient | None = None) -> None:
        """Use the given client, which stays its owner's to close, or make one for each loop."""
        self._given = given
        self._keepers: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, tuple[httpx.AsyncClient, AsyncGenerator[None, None]]
        ] = weakref.WeakKeyDictionary()

    async def client(self) -> httpx.AsyncClient:
        """The client of the running loop."""
        if self._given is not None:
            return self._given
        loop = asyncio.get_running_loop()
        kept = self._keepers.get(loop)
        if kept is None or kept[0].is_closed:
            client = _new_async_client()
            keeper = _keep(client)
            await anext(keeper)
            kept = self._keepers[loop] = client, keeper
        return kept[0]

    async def aclose(self) -> None:
        """Close the running loop's client; the next call makes a new one."""
        kept = self._keepers.pop(asyncio.get_running_loop(), None)
        if kept is not None:
            await kept[1].aclose()


async def _keep(client: httpx.AsyncClient) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await client.aclose()


def _new_async_client() -> httpx.AsyncClient:
    """With the `[aiohttp]` extra its transport, which stays fast with many calls at once.

    Else plain httpx.
    """
    if _has_aiohttp():
        from httpx_aiohttp import HttpxAiohttpClient  # noqa: PLC0415 - an optional extra

        return HttpxAiohttpClient(verify=_tls(), limits=LIMITS)
    return httpx.AsyncClient(verify=_tls(), limits=LIMITS)


@functools.lru_cache(maxsize=1)
def _has_aiohttp() -> bool:
    return find_spec("httpx_aiohttp") is not None and find_spec("aiohttp") is not None
