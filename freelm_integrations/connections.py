"""Who keeps the core clients' connections, and until when: one a process, or one an event loop.

They are opened at the first request, and with them httpx is imported: it takes longer than all of
this package.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
import weakref
from typing import TYPE_CHECKING, Protocol

from freelm_integrations.engine.afterwards import Afterwards, LateTask

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
    from typing import Any, TypeAlias

    import httpx

    from freelm_integrations.chat import Delta
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
        self._afterwards = Afterwards()
        _ALIVE.add(self)

    def begin_anew(self) -> None:
        """For a forked child: a thread that is not there any more may hold the lock."""
        self._lock = threading.Lock()
        self._afterwards = Afterwards()

    def go_on(self, run: Generator[Delta, None, None]) -> None:
        """Go on with a machine that nobody waits for, until it ends or all is closed."""
        self._afterwards.take(run)

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
        self._afterwards.call_off()
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
    Who closes a loop without that, or leaves one open until the interpreter ends, has it done here.
    Those of a client that was dropped unclosed are left for that, or for the next client's first
    request: a task to close them could be cancelled half way, as the loop's end cancels all tasks.
    """

    def __init__(self, given: httpx.AsyncClient | None = None) -> None:
        """Send with the given client, which stays its owner's to close, or with our own."""
        self._given = None if given is None else _through_async(given)
        self._kept: dict[asyncio.AbstractEventLoop, Kept] = {}
        self._late: dict[asyncio.AbstractEventLoop, set[LateTask]] = {}
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

    def go_on(self, run: AsyncGenerator[Delta, None]) -> None:
        """Go on with a machine of the running loop that nobody waits for.

        Until it ends, or the loop does, or all is closed.
        """
        loop = asyncio.get_running_loop()
        _forget_ended_loops(self._late)
        these = self._late.setdefault(loop, set())
        late = LateTask(run, these.discard)
        these.add(late)
        _shut_down_before_closing(loop, late)

    async def aclose(self) -> None:
        """Close the running loop's connections; the next call opens new ones."""
        for late in list(self._late.get(asyncio.get_running_loop(), ())):
            await late.aclose()
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
    _shut_down_before_closing(asyncio.get_running_loop(), keeper)
    return send, keeper


async def _keep(close: Callable[[], Awaitable[None]]) -> Keeper:
    try:
        yield
    finally:
        await close()


class _Closing(Protocol):
    """What is to be closed before its loop is."""

    def aclose(self) -> Awaitable[None]:
        """Close it."""
        ...


_served: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, weakref.WeakSet[_Closing]] = (
    weakref.WeakKeyDictionary()
)
"""What was opened on each loop: not every loop knows its generators (none under nest_asyncio)."""
_TURNS = 8
"""Turns of a loop to let what was being closed be closed; a cut exchange takes about four."""


def _shut_down_before_closing(loop: asyncio.AbstractEventLoop, keeper: _Closing) -> None:
    """Have `loop.close` shut down the loop's generators first, where its owner does not.

    As LlamaIndex, whose blocking methods close a loop of their own with all that is open on it.
    """
    if (known := _served.get(loop)) is not None:
        known.add(keeper)
        return
    _served[loop] = weakref.WeakSet([keeper])
    close, served = loop.close, weakref.ref(loop)

    def close_after_all() -> None:
        try:
            if (ending := served()) is not None:
                _shut_down(ending)
        finally:
            close()

    with contextlib.suppress(AttributeError, TypeError):  # one not written in Python may refuse
        vars(loop)["close"] = close_after_all


def _shut_down(loop: asyncio.AbstractEventLoop) -> None:
    """Close what is open on a loop, unless it cannot be run from here."""
    if loop in _served and not (loop.is_closed() or loop.is_running() or _is_on_a_loop()):
        loop.run_until_complete(_finish(loop))


def _is_on_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _finish(loop: asyncio.AbstractEventLoop) -> None:
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    for keeper in list(_served.get(loop, ())):
        await keeper.aclose()
    await loop.shutdown_asyncgens()


@atexit.register
def _shut_down_what_was_left_open() -> None:
    for loop in list(_served):
        _shut_down(loop)


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
    _served.clear()  # a child that closed them would take them out of its parent's selector
    for connections in list(_ALIVE):
        connections.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
