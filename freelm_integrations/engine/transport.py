"""What both drivers share of httpx: an attempt as a request, a transport error as a built-in."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import httpx

from freelm_integrations.version import VERSION

if TYPE_CHECKING:
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
