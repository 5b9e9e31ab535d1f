"""Whoever sends an attempt: the same request goes out, and the same kinds of error come back."""

from __future__ import annotations

import asyncio
import traceback
from contextlib import asynccontextmanager, contextmanager

import httpx
import pytest
from pydantic import SecretStr

from freelm_integrations.engine import blocking, by_aiohttp, by_httpx
from freelm_integrations.engine.sockets import Stock
from freelm_integrations.engine.steps import Attempt, Broken, End, Refused
from tests.engine.scripted import APART, HANG, RESET, head, scripted

KEY = "sk-" + "very-secret" * 3


def attempt_at(server, path="/chat/completions", **more):
    fields = {
        "method": "POST",
        "url": server.base_url + path,
        "headers": {"content-type": "application/json"},
        "body": b'{"x":1}',
        "secret": SecretStr(KEY),
        "timeout": 5.0,
        **more,
    }
    return Attempt(**fields)


@contextmanager
def by_transport():
    with httpx.HTTPTransport() as transport:
        yield by_httpx.sender(transport.handle_request)


@contextmanager
def by_given_client():
    with httpx.Client(auth=("someone", "else"), follow_redirects=True) as client:
        yield by_httpx.through(client)


@asynccontextmanager
async def by_async_transport():
    async with httpx.AsyncHTTPTransport() as transport:
        yield by_httpx.async_sender(transport.handle_async_request)


@asynccontextmanager
async def by_given_async_client():
    async with httpx.AsyncClient(auth=("someone", "else"), follow_redirects=True) as client:
        yield by_httpx.through_async(client)


@asynccontextmanager
async def by_session():
    send, close = by_aiohttp.open_session()
    try:
        yield send
    finally:
        await close()


def at_once(opened):
    def exchange(attempt):
        with opened() as send:
            answer = send(attempt)
            try:
                return answer.status, dict(answer.headers), b"".join(iter(answer.read, b""))
            finally:
                answer.close()

    return exchange


def by_sockets(attempt):
    stock, heard = Stock(), []
    exchanges = blocking.exchanges(stock)
    exchanges.launch(attempt)
    while not (heard and isinstance(heard[-1], (Broken, End, Refused))):
        heard.append(exchanges.wait(5))
    exchanges.close()
    stock.close()
    if isinstance(heard[-1], Broken):
        raise heard[-1].error
    if isinstance(heard[-1], Refused):
        return heard[-1].status, dict(heard[-1].headers), heard[-1].body
    return 200, dict(heard[0].headers), b"".join(chunk.data for chunk in heard[1:-1])


def on_a_loop(opened):
    async def main(attempt):
        async with opened() as send:
            answer = await send(attempt)
            try:
                pieces = []
                while data := await answer.read():
                    pieces.append(data)
                return answer.status, dict(answer.headers), b"".join(pieces)
            finally:
                await answer.aclose()

    return lambda attempt: asyncio.run(main(attempt))


WAYS = {
    "sockets": by_sockets,
    "httpx": at_once(by_transport),
    "httpx client": at_once(by_given_client),
    "async httpx": on_a_loop(by_async_transport),
    "async httpx client": on_a_loop(by_given_async_client),
    "aiohttp": on_a_loop(by_session),
}


@pytest.fixture(params=WAYS.values(), ids=WAYS)
def exchange(request):
    """Sends an attempt and gives back status, headers and body."""
    return request.param


def test_the_request_is_the_attempts_and_nothing_else(exchange):
    """One key, one type of content, no cookie, and nobody's own authentication."""
    with scripted([head(set_cookie="a=b"), b"fine"]) as server:
        status, headers, said = exchange(attempt_at(server))
        (sent,) = server.requests
    lines = sent.partition(b"\r\n\r\n")[0].decode().lower().split("\r\n")
    names = [line.partition(":")[0] for line in lines[1:]]

    assert (status, said) == (200, b"fine")
    assert headers["set-cookie"] == "a=b"
    assert lines[0] == "post /v1/chat/completions http/1.1"
    assert f"authorization: bearer {KEY}" in lines
    assert sent.endswith(b'\r\n\r\n{"x":1}')
    assert sorted(names) == sorted(set(names))
    assert {"host", "content-length", "content-type", "user-agent"} <= set(names)
    assert "cookie" not in names


def test_without_key_and_body_nothing_stands_in_for_them(exchange):
    """As when a keyless server is asked for its models."""
    with scripted([head(), b"{}"]) as server:
        exchange(attempt_at(server, method="GET", body=None, secret=None))
        (sent,) = server.requests

    assert sent.startswith(b"GET ")
    assert b"authorization" not in sent.lower()
    assert sent.endswith(b"\r\n\r\n")


def test_a_redirect_is_an_answer_and_not_followed(exchange):
    """The key would go to where somebody else wants it."""
    with scripted([head("307 Temporary Redirect", location="/elsewhere"), b"over there"]) as server:
        status, headers, said = exchange(attempt_at(server))
        asked = len(server.requests)

    assert (status, headers["location"], said, asked) == (307, "/elsewhere", b"over there", 1)


def shows_key(error):
    """Whether any frame's variable would, as error reporters send them home."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    return KEY in "".join(shown.format())


CHUNKED = head(transfer_encoding="chunked")
WEATHER = [
    pytest.param([RESET], id="reset"),
    pytest.param([], id="closed"),
    pytest.param([b"no HTTP at all\r\n\r\n"], id="no HTTP"),
    pytest.param([head(content_length="50"), b"half"], id="half a body"),
    pytest.param([head(content_encoding="gzip"), b"not packed"], id="not gzip"),
    pytest.param([CHUNKED + b"zz\r\n"], id="a bad chunk"),
    pytest.param([CHUNKED, APART, b"zz\r\nhello\r\n", HANG], id="a bad chunk by itself"),
    pytest.param(
        [CHUNKED + b"5\r\nhello\r\n", APART, b"zz\r\nhello\r\n", HANG], id="a bad chunk later"
    ),
    pytest.param(
        [CHUNKED + b"5\r\nhello\r\n", APART, b"5\r\nhello, world\r\n", HANG], id="too long a chunk"
    ),
    pytest.param([CHUNKED + b"5\r\nhello\r\n", APART], id="no last chunk"),
]


@pytest.mark.parametrize("script", WEATHER)
def test_what_breaks_is_a_built_in_error_that_knows_no_key(exchange, script):
    """Neither in its words, nor in what it grew from, nor in a variable on its way."""
    with scripted(script) as server, pytest.raises(ConnectionError) as raised:
        exchange(attempt_at(server))
    error = raised.value

    assert not isinstance(error, ConnectionRefusedError)
    assert error.__context__ is None
    assert not shows_key(error)


def test_nobody_there_is_a_refused_connection(exchange):
    """So the provider is unreachable, which is no broken answer."""
    with scripted() as gone:
        pass
    with pytest.raises(ConnectionRefusedError):
        exchange(attempt_at(gone))


@pytest.mark.parametrize("way", [name for name in WAYS if "httpx" in name])
def test_the_backstop_of_a_silent_exchange_is_a_timeout(way):
    """Where the driver may not be able to interrupt it; all others are cancelled."""
    with scripted([head(), HANG]) as server, pytest.raises(TimeoutError):
        WAYS[way](attempt_at(server, timeout=0.1))


@pytest.mark.parametrize(
    ("way", "wrong"),
    [("aiohttp", {"method": "NO METHOD"}), ("sockets", {"headers": {"x": "\N{SNOWMAN}"}})],
)
def test_a_bug_shows_no_key(way, wrong):
    """The libraries' frames have the headers among their variables."""
    with scripted() as server, pytest.raises(ValueError, match=r"ethod|codec") as raised:
        WAYS[way](attempt_at(server, **wrong))

    assert not shows_key(raised.value)
