"""Who keeps the core clients' connections, and until when: one a process, or one an event loop.

They are opened at the first request, and with them httpx is imported: it takes longer than all of
this package.
"""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from typing import Any, TypeAlias

    import httpx

    from freelm_integrations.engine.sockets import Stock
    from freelm_integrations.engine.transport import AsyncSend, Send

    Keeper: TypeAlias = AsyncGenerator[None, None]
    Kept: TypeAlias = tuple[AsyncSend, Keeper]

_ALIVE: weakref.WeakSet[Connections] = weakref.WeakSet()


class Connections:
    """The blocking side. Safe from any thread; a forked child makes its own connections."""

    def __init__(self, given: httpx.Client | None = None) -> None:
        """Send with the given client, which stays its owner's to close, or with one of our own."""
        self._given = None if given is None else _through(given)
        self._made: tuple[int, Stock | Send, weakref.finalize[..., object]] | None = None
        self._lock = threading.Lock()
        _ALIVE.add(self)

    def begin_anew(self) -> None:
        """For a forked child: a thread that is not there any more may hold the lock."""
        self._lock = threading.Lock()

    def send(self) -> Stock | Send:
        """What exchanges are made over: idle connections, or what sends with a client."""
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

    def _make(self) -> tuple[int, Stock | Send, weakref.finalize[..., object]]:
        """With a finalizer: whoever forgets to close leaves no socket behind, at exit either."""
        from freelm_integrations.engine import transport  # noqa: PLC0415 - brings httpx

        send, close = transport.open_blocking()
        return os.getpid(), send, weakref.finalize(self, close)


class AsyncConnections:
    """The asyncio side: a transport for every running event loop, closed with it.

    One bound to a loop that has ended cannot even be closed; so each is kept in an async generator
    of its own loop, which the loop finishes when it shuts its generators down (as `asyncio.run`).
    Those of a client that was dropped unclosed are left for that, or for the next client's first
    request: a task to close them could be cancelled half way, as the loop's end cancels all tasks.
    """

    def __init__(self, given: httpx.AsyncClient | None = None) -> None:
        """Send with the given client, which stays its owner's to close, or with our own."""
        self._given = None if given is None else _through_async(given)
        self._kept: dict[asyncio.AbstractEventLoop, Kept] = {}
        weakref.finalize(self, _orphan, self._kept).atexit = False

    async def send(self) -> AsyncSend:
        """What sends a request from the running loop."""
        if self._given is not None:
            return self._given
        loop = asyncio.get_running_loop()
        kept = self._kept.get(loop)
        if kept is None:
            kept = self._kept[loop] = await _open()
            _forget_ended_loops(self._kept)
            await _close_orphans(loop)
        return kept[0]

    async def aclose(self) -> None:
        """Close the running loop's connections; the next call opens new ones."""
        kept = self._kept.pop(asyncio.get_running_loop(), None)
        if kept is not None:
            await kept[1].aclose()


def _through(client: httpx.Client) -> Send:
    from freelm_integrations.engine import by_httpx  # noqa: PLC0415 - brings httpx

    return by_httpx.through(client)


def _through_async(client: httpx.AsyncClient) -> AsyncSend:
    from freelm_integrations.engine import by_httpx  # noqa: PLC0415 - brings httpx

    return by_httpx.through_async(client)


_orphans: dict[asyncio.AbstractEventLoop, list[Keeper]] = {}
"""What dropped clients left open."""


async def _open() -> Kept:
    from freelm_integrations.engine import transport  # noqa: PLC0415 - brings httpx

    send, close = transport.open_async()
    keeper = _keep(close)
    await anext(keeper)
    return send, keeper


async def _keep(close: Callable[[], Awaitable[None]]) -> Keeper:
    try:
        yield
    finally:
        await close()


def _orphan(kept: dict[asyncio.AbstractEventLoop, Kept]) -> None:
    for loop, (_, keeper) in kept.items():
        _orphans.setdefault(loop, []).append(keeper)


async def _close_orphans(loop: asyncio.AbstractEventLoop) -> None:
    _forget_ended_loops(_orphans)
    for keeper in _orphans.pop(loop, ()):
        await keeper.aclose()


def _forget_ended_loops(kept: dict[asyncio.AbstractEventLoop, Any]) -> None:
    """Weak references would not do: what is kept for a loop refers to it."""
    for loop in list(kept):
        if loop.is_closed():
            kept.pop(loop, None)


def _after_fork() -> None:
    for connections in list(_ALIVE):
        connections.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
