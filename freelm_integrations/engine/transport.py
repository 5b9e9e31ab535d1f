"""What both drivers share of httpx.

An attempt as a request, a transport error as a built-in one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from freelm_integrations.engine.steps import Attempt

LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=20.0)
"""No ceiling on connections: waiting for a free one would look like a slow provider."""


def request_for(client: httpx.Client | httpx.AsyncClient, attempt: Attempt) -> httpx.Request:
    """The request of an attempt; the key joins its headers here and nowhere earlier."""
    headers = dict(attempt.headers)
    secret = "" if attempt.secret is None else attempt.secret.get_secret_value()
    if secret:
        headers["authorization"] = "Bearer " + secret
    return client.build_request(
        attempt.method,
        attempt.url,
        content=attempt.body,
        headers=headers,
        timeout=httpx.Timeout(
            attempt.timeout, connect=min(attempt.connect_timeout, attempt.timeout)
        ),
    )


def weather(error: httpx.RequestError) -> OSError:
    """The built-in error of the same meaning, without the request (whose headers hold the key)."""
    words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)):
        return ConnectionRefusedError(words)
    if isinstance(error, httpx.TimeoutException):
        return TimeoutError(words)
    return ConnectionError(words)
