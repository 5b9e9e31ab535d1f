"""How an attempt is sent, whoever sends it: a driver knows what is here and no HTTP library.

A request of ours needs nothing of an HTTP client but its connections (no cookies, redirects or
authentication), and skipping the rest saves a good part of a call. Where the environment names
proxies, a client sends.

What a sender raises is a built-in: ConnectionRefusedError if nobody was reached, ConnectionError
for what breaks later and TimeoutError are weather; anything else is a bug.
"""

from __future__ import annotations

import functools
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol
from urllib.request import getproxies

import httpx

from freelm_integrations.engine.steps import Refused, Whole
from freelm_integrations.version import VERSION

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from typing import TypeAlias

    from freelm_integrations.engine.sockets import Stock
    from freelm_integrations.engine.steps import Attempt

OK = 200
"""The one status whose body is an answer; a 202, say, only promises one."""
LARGEST = 64 * 2**20
"""Bytes that the body of an answer told as a whole may have."""
KEPT_FOR = 20.0
"""Seconds an idle connection is kept."""
KEPT = 100
"""Idle connections kept. There is no ceiling on open ones: waiting for one would look slow."""
LIMITS = httpx.Limits(
    max_connections=None, max_keepalive_connections=KEPT, keepalive_expiry=KEPT_FOR
)
_STANDING = {
    "accept-encoding": "gzip",  # what others call deflate comes in two kinds
    "user-agent": f"freelm-integrations/{VERSION}",
}


class Answer(Protocol):
    """An answer whose headers are there (names in lower case) and whose body is to be read."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Of a repeated one the last."""
        ...

    def read(self) -> bytes:
        """The next bytes of the body, unpacked, as soon as there are some; none at its end."""
        ...

    def close(self) -> None:
        """Give the connection back, or close it where the body was not read to its end."""
        ...


class AsyncAnswer(Protocol):
    """The same on an event loop."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Of a repeated one the last."""
        ...

    async def read(self) -> bytes:
        """The next bytes of the body, unpacked, as soon as there are some; none at its end."""
        ...

    async def aclose(self) -> None:
        """Give the connection back, or close it where the body was not read to its end."""
        ...


class Body:
    """The body of an answer that is told as a whole."""

    __slots__ = ("_pieces", "_size")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, data: bytes) -> None:
        """Take the next bytes; ConnectionError where there is no end to them."""
        self._pieces.append(data)
        self._size += len(data)
        if self._size > LARGEST:
            raise ConnectionError(f"the answer has more than {LARGEST} bytes")

    def whole(self) -> bytes:
        """All of it."""
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)


def told(attempt: Attempt, status: int, headers: Mapping[str, str], body: Body) -> Whole | Refused:
    """The reply for an answer that is told as a whole."""
    if status == OK:
        return Whole(attempt, headers, body.whole())
    return Refused(attempt, status, headers, body.whole())


Send: TypeAlias = "Callable[[Attempt], Answer]"
AsyncSend: TypeAlias = "Callable[[Attempt], Awaitable[AsyncAnswer]]"


def headers_for(attempt: Attempt) -> dict[str, str]:
    """The headers of an attempt; the key joins them here and nowhere earlier."""
    headers = {**_STANDING, **attempt.headers}
    secret = "" if attempt.secret is None else attempt.secret.get_secret_value()
    if secret:
        headers["authorization"] = "Bearer " + secret
    return headers


def as_dict(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers as they came: a plain dict, as it is looked into often."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw}


def words(error: BaseException) -> str:
    """What a library's error says, without the error itself: its request's headers hold the key."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def open_blocking() -> tuple[Stock | Send, Callable[[], None]]:
    """What exchanges are made over, and what closes all connections. Safe from any thread."""
    from freelm_integrations.engine import by_httpx, sockets  # noqa: PLC0415 - they import this

    if getproxies():
        client = httpx.Client(verify=tls(), limits=LIMITS)
        return by_httpx.through(client), client.close
    stock = sockets.Stock()
    return stock, stock.close


def open_async() -> tuple[AsyncSend, Callable[[], Awaitable[None]]]:
    """The same for the running event loop.

    With the `[aiohttp]` extra by aiohttp itself, which stays fast with many calls at once.
    """
    from freelm_integrations.engine import by_httpx  # noqa: PLC0415 - it imports this module

    if getproxies():
        client = httpx.AsyncClient(verify=tls(), limits=LIMITS)
        return by_httpx.through_async(client), client.aclose
    if _has_aiohttp():
        from freelm_integrations.engine import by_aiohttp  # noqa: PLC0415 - comes with the extra

        return by_aiohttp.open_session()
    transport = httpx.AsyncHTTPTransport(verify=tls(), limits=LIMITS)
    return by_httpx.async_sender(transport.handle_async_request), transport.aclose


@functools.lru_cache(maxsize=1)
def tls() -> ssl.SSLContext:
    """One TLS context for all: loading the certificates takes longer than a request on loopback."""
    return httpx.create_ssl_context()


@functools.lru_cache(maxsize=1)
def _has_aiohttp() -> bool:
    return find_spec("httpx_aiohttp") is not None and find_spec("aiohttp") is not None
