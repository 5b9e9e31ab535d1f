"""An answer that is not streamed is one reply, whoever drives the exchange."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from freelm_integrations.engine import aio, blocking, by_aiohttp, by_httpx, transport
from freelm_integrations.engine.sockets import Stock
from freelm_integrations.engine.steps import (
    LAST,
    Attempt,
    Broken,
    Chunk,
    End,
    Opened,
    Refused,
    Whole,
)
from tests.engine.scripted import APART, head, scripted


def by_sockets(attempt):
    stock = Stock()
    try:
        return heard_by(blocking.exchanges(stock), attempt)
    finally:
        stock.close()


def by_threads(attempt):
    with httpx.HTTPTransport() as sending:
        return heard_by(blocking.exchanges(by_httpx.sender(sending.handle_request)), attempt)


def heard_by(exchanges, attempt):
    heard = []
    exchanges.launch(attempt)
    while not (heard and isinstance(heard[-1], LAST)):
        heard.append(exchanges.wait(5))
    exchanges.close()
    return heard


def by_tasks(attempt):
    async def main():
        send, close = by_aiohttp.open_session()
        exchanges, heard = aio.TaskExchanges(send), []
        exchanges.launch(attempt)
        while not (heard and isinstance(heard[-1], LAST)):
            heard.append(await exchanges.wait(5))
        await exchanges.aclose()
        await close()
        return heard

    return asyncio.run(main())


@pytest.fixture(params=[by_sockets, by_threads, by_tasks], ids=["sockets", "threads", "tasks"])
def hear(request):
    return request.param


def attempt_at(server, *, is_streamed=False):
    return Attempt(
        "POST",
        server.base_url + "/chat/completions",
        {},
        b"{}",
        None,
        timeout=5.0,
        is_streamed=is_streamed,
    )


def answer(status="200 OK", length=6):
    return head(status, **{"content-length": str(length)})


def test_what_comes_in_pieces_is_told_once_it_is_whole(hear):
    with scripted([answer(), b"foo", APART, b"bar"]) as server:
        attempt = attempt_at(server)
        (told,) = hear(attempt)

    assert isinstance(told, Whole)
    assert (told.attempt, told.headers["content-length"], told.body) == (attempt, "6", b"foobar")


def test_a_stream_is_told_as_it_comes(hear):
    with scripted([answer(), b"foo", APART, b"bar"]) as server:
        opened, *chunks, last = hear(attempt_at(server, is_streamed=True))

    assert isinstance(opened, Opened)
    assert [chunk.data for chunk in chunks if isinstance(chunk, Chunk)] == [b"foo", b"bar"]
    assert isinstance(last, End)


@pytest.mark.parametrize("is_streamed", [False, True])
def test_any_other_status_is_told_whole(hear, is_streamed):
    with scripted([answer("503 Busy"), b"foo", APART, b"bar"]) as server:
        (told,) = hear(attempt_at(server, is_streamed=is_streamed))

    assert isinstance(told, Refused)
    assert (told.status, told.body) == (503, b"foobar")


def test_what_breaks_off_is_broken(hear):
    with scripted([answer(), b"foo"]) as server:
        (told,) = hear(attempt_at(server))

    assert isinstance(told, Broken)
    assert isinstance(told.error, ConnectionError)


@pytest.mark.parametrize("status", ["200 OK", "429 Too Many"])
def test_a_body_without_end_is_given_up(hear, status, monkeypatch):
    monkeypatch.setattr(transport, "LARGEST", 1_000)
    with scripted([answer(status, 2_000), b"x" * 1_500, APART, b"x" * 500]) as server:
        (told,) = hear(attempt_at(server))

    assert isinstance(told, Broken)
    assert isinstance(told.error, ConnectionError)
    assert "more than 1000 bytes" in str(told.error)
