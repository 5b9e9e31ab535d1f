"""All that is httpx's but the reading: connections, an attempt as a request, errors as built-ins.

A request of ours needs nothing of an HTTP client but its transport (no cookies, redirects or
authentication), and skipping the rest saves a third of a call. Where the environment names proxies,
a client sends.
"""

from __future__ import annotations

import functools
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.request import getproxies

import httpx

from freelm_integrations.version import VERSION

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

    from freelm_integrations.engine import aio, blocking
    from freelm_integrations.engine.steps import Attempt

LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=20.0)
"""No ceiling on connections: waiting for a free one would look like a slow provider."""

OK = 200
"""The one status whose body is an answer; a 202, say, only promises one."""
_STANDING = {
    "accept-encoding": "gzip, deflate",
    "user-agent": f"freelm-integrations/{VERSION}",
}
_url = functools.lru_cache(maxsize=1024)(httpx.URL)


def request_for(attempt: Attempt) -> httpx.Request:
    """The request of an attempt; the key joins its headers here and nowhere earlier."""
    url = _url(attempt.url)
    body = attempt.body or b""
    headers = {
        "host": url.netloc.decode("ascii"),
        **_STANDING,
        **attempt.headers,
        "content-length": str(len(body)),
    }
    secret = "" if attempt.secret is None else attempt.secret.get_secret_value()
    if secret:
        headers["authorization"] = "Bearer " + secret
    seconds = attempt.timeout
    timeout = {
        "connect": min(attempt.connect_timeout, seconds),
        "read": seconds,
        "write": seconds,
        "pool": seconds,
    }
    # A ready stream and all headers: httpx then has nothing to work out, which it does slowly.
    request = httpx.Request(
        attempt.method,
        url,
        stream=httpx.ByteStream(body),
        headers=headers,
        extensions={"timeout": timeout},
    )
    request.read()
    return request


def headers_of(response: httpx.Response) -> dict[str, str]:
    """A plain dict with lower-case names: looked into often, so not httpx's own."""
    return {
        name.decode("latin-1").lower(): value.decode("latin-1")
        for name, value in response.headers.raw
    }


def weather(error: httpx.RequestError) -> OSError:
    """The built-in error of the same meaning, without the request (whose headers hold the key)."""
    words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, httpx.ConnectTimeout) and isinstance(error.__cause__, ConnectionError):
        return ConnectionError(words)  # httpx-aiohttp's word for a connection lost later on
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)):
        return ConnectionRefusedError(words)
    if isinstance(error, httpx.TimeoutException):
        return TimeoutError(words)
    return ConnectionError(words)


def open_blocking() -> tuple[blocking.Send, Callable[[], None]]:
    """What sends a request, and what closes it all."""
    if getproxies():
        client = httpx.Client(verify=_tls(), limits=LIMITS)
        return functools.partial(client.send, stream=True), client.close
    transport = httpx.HTTPTransport(verify=_tls(), limits=LIMITS)
    return transport.handle_request, transport.close


def open_async() -> tuple[aio.Send, Callable[[], Awaitable[None]]]:
    """The same for the running event loop.

    With the `[aiohttp]` extra by its transport, which stays fast with many calls at once.
    """
    if getproxies():
        client = httpx.AsyncClient(verify=_tls(), limits=LIMITS)
        return functools.partial(client.send, stream=True), client.aclose
    if _has_aiohttp():
        return _open_aiohttp()
    transport = httpx.AsyncHTTPTransport(verify=_tls(), limits=LIMITS)
    return transport.handle_async_request, transport.aclose


def _open_aiohttp() -> tuple[aio.Send, Callable[[], Awaitable[None]]]:
    # Imported here: they come with the extra.
    from aiohttp import (  # noqa: PLC0415
        ClientError,
        ClientSession,
        DummyCookieJar,
        TCPConnector,
    )
    from httpx_aiohttp import AiohttpTransport  # noqa: PLC0415

    # Without a session of our own it would open a hundred connections and no more.
    connector = TCPConnector(limit=0, ssl=_tls(), keepalive_timeout=LIMITS.keepalive_expiry)
    session = ClientSession(connector=connector, cookie_jar=DummyCookieJar())
    transport = AiohttpTransport(verify=_tls(), client=session)

    async def send(request: httpx.Request) -> httpx.Response:
        try:
            return await transport.handle_async_request(request)
        except ClientError as error:  # it knows no word for an answer that is no HTTP
            raise httpx.RemoteProtocolError(str(error)) from None

    return send, transport.aclose


@functools.lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """One TLS context for all: loading the certificates takes longer than a request on loopback."""
    return httpx.create_ssl_context()


@functools.lru_cache(maxsize=1)
def _has_aiohttp() -> bool:
    return find_spec("httpx_aiohttp") is not None and find_spec("aiohttp") is not None
