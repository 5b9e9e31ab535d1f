"""The same scenarios over both drivers and every kind of exchange, on real sockets."""

from __future__ import annotations

import asyncio
import gc
from contextlib import aclosing, closing

import httpx
import pytest

from freelm_integrations.chat import Request, fold
from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.engine import aio, blocking, by_aiohttp, by_httpx
from freelm_integrations.engine.failover import failover
from freelm_integrations.engine.flight import Flight, Terms
from freelm_integrations.engine.sockets import Stock
from freelm_integrations.errors import NoRouteAnswered, StreamInterrupted
from freelm_integrations.pool.pool import Pool
from freelm_integrations.providers.provider import OpenAICompatible
from tests.engine.flying import ROLE, STOP, Sky, body, says
from tests.engine.scripted import HANG, RESET, head, scripted

WHOLE = [head(content_type="application/json"), body("hello")]
STREAM = [head(content_type="text/event-stream"), ROLE, says("hel"), says("lo"), STOP]


class World:
    """A machine over scripted servers, on the real clock."""

    def __init__(self, *servers, **terms):
        providers = [
            OpenAICompatible(f"p{number}", server.base_url, "key", ["owl"], priority=number)
            for number, server in enumerate(servers)
        ]
        self.sky = Sky(*providers)
        self.sky.clock = SYSTEM_CLOCK
        self.sky.pool = self.sky.router._pool = Pool(SYSTEM_CLOCK)
        self.terms = Terms(**{"timeout": 20, "attempt_timeout": 10, **terms})

    def machine(self, *, streaming):
        request = Request(messages=({"role": "user", "content": "hi"},), streaming=streaming)
        candidates = self.sky.router.candidates(request, self.sky.catalogs)
        return failover(
            Flight(
                request,
                candidates,
                pool=self.sky.pool,
                clock=SYSTEM_CLOCK,
                terms=self.terms,
                call=1,
            )
        )

    def in_flight(self):
        return sum(row.in_flight for row in self.sky.pool.snapshot(SYSTEM_CLOCK.now()))


def run_sockets(machine, take):
    stock = Stock()
    try:
        return _run(machine, blocking.exchanges(stock), take)
    finally:
        stock.close()


def run_pumped(machine, take):
    with httpx.HTTPTransport() as transport:
        send = by_httpx.sender(transport.handle_request)
        return _run(machine, blocking.exchanges(send), take)


def _run(machine, exchanges, take):
    deltas = []
    with closing(blocking.drive(machine, exchanges, print)) as running:
        for delta in running:
            deltas.append(delta)
            if len(deltas) == take:
                break
    return deltas


def run_tasks(machine, take):
    async def main():
        async with httpx.AsyncHTTPTransport() as transport:
            return await _listen(
                machine, by_httpx.async_sender(transport.handle_async_request), take
            )

    return asyncio.run(main())


def run_aiohttp(machine, take):
    async def main():
        send, close = by_aiohttp.open_session()
        try:
            return await _listen(machine, send, take)
        finally:
            await close()

    return asyncio.run(main())


async def _listen(machine, send, take):
    deltas = []
    async with aclosing(aio.drive(machine, aio.TaskExchanges(send), print)) as running:
        async for delta in running:
            deltas.append(delta)
            if len(deltas) == take:
                break
    assert len(asyncio.all_tasks()) == 1
    return deltas


@pytest.fixture(
    params=[run_sockets, run_pumped, run_tasks, run_aiohttp],
    ids=["sockets", "threads", "tasks", "aiohttp"],
)
def run(request):
    """Runs a machine and gives back its deltas; `take` leaves after so many."""

    def runner(machine, take=None):
        return request.param(machine, take)

    return runner


FAILURES = [
    pytest.param([head("429 Too Many Requests", retry_after="9"), b"{}"], "throttled", id="429"),
    pytest.param([head("500 Internal Server Error"), b"oops"], "server_error", id="500"),
    pytest.param([RESET], "broken", id="reset before headers"),
    pytest.param([], "broken", id="closed before headers"),
    pytest.param([head(content_length="500"), b'{"choi', RESET], "broken", id="reset in the body"),
    pytest.param([HANG], "timeout", id="hang before headers"),
    pytest.param([head(), HANG], "timeout", id="hang after headers"),
    pytest.param([head()], "empty", id="empty body"),
    pytest.param([b"\x00\x01nonsense\r\n\r\n"], "broken", id="no HTTP"),
]


@pytest.mark.parametrize(("failure", "kind"), FAILURES)
@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
def test_a_failure_on_the_wire_is_a_fault_and_the_next_provider_answers(
    run, failure, kind, streaming
):
    """Whatever happens to the first connection, the caller gets the second one's answer."""
    with scripted(failure) as bad, scripted(STREAM if streaming else WHOLE) as good:
        world = World(bad, good, attempt_timeout=0.3 if kind == "timeout" else 10)
        answer = fold(run(world.machine(streaming=streaming)))

    assert answer.text == "hello"
    assert [(record.provider, record.kind) for record in answer.attempts] == [
        ("p0", kind),
        ("p1", None),
    ]
    assert world.in_flight() == 0


def test_a_refused_connection_is_unreachable(run):
    """Nobody listens there any more."""
    with scripted() as gone:
        pass
    with scripted(WHOLE) as good:
        world = World(gone, good)
        answer = fold(run(world.machine(streaming=False)))

    assert answer.attempts[0].kind == "unreachable"


@pytest.mark.parametrize(
    "cut",
    [
        pytest.param([], id="clean close"),
        pytest.param([RESET], id="reset"),
        pytest.param([HANG], id="stall"),
    ],
)
def test_a_cut_stream_never_passes_for_a_whole_one(run, cut):
    """Either its first words were heard, and are on the error, or the other provider answers."""
    half = [head(), ROLE, says("half "), *cut]
    # What begins otherwise carries nothing on, so each may be asked again.
    with scripted(half, half) as bad, scripted(STREAM, STREAM) as other:
        world = World(bad, other, attempt_timeout=0.5)
        try:
            heard = fold(run(world.machine(streaming=True))).text
        except StreamInterrupted as error:
            heard = error.partial

    # A reset may swallow what was not read yet.
    assert heard in {"half ", "hello"}
    assert world.in_flight() == 0


@pytest.mark.parametrize(
    "run", [run_sockets, run_tasks, run_aiohttp], ids=["sockets", "tasks", "aiohttp"]
)
def test_leaving_early_closes_the_connection_and_blames_nobody(run):
    """The server sees the caller go."""
    with scripted([head(), ROLE, says("one "), HANG]) as server:
        world = World(server)
        deltas = run(world.machine(streaming=True), 1)
        has_left = server.left.acquire(timeout=5)

    assert [delta.text for delta in deltas] == ["one "]
    assert has_left
    (row,) = world.sky.pool.snapshot(SYSTEM_CLOCK.now())
    assert (row.in_flight, row.last_fault) == (0, None)


def test_the_deadline_holds_against_a_server_that_only_sends_comments(run):
    """A trickle of keep-alives is silence."""
    pings = [b": ping\n\n"] * 3
    with scripted([head(), *pings, HANG], [head(), *pings, HANG]) as server:
        world = World(server, timeout=0.5)
        began_at = SYSTEM_CLOCK.now()
        with pytest.raises(NoRouteAnswered, match=r"within 0\.5 s"):
            run(world.machine(streaming=True))

    assert SYSTEM_CLOCK.now() - began_at < 3


def test_gzip_is_unpacked(run):
    """A compressed body reads like any other."""
    import gzip

    packed = gzip.compress(body("packed"))
    with scripted([head(content_encoding="gzip"), packed]) as server:
        answer = fold(run(World(server).machine(streaming=False)))

    assert answer.text == "packed"


def test_a_raising_observer_does_not_break_a_call(caplog):
    """It is logged and forgiven."""

    def raising(event):
        raise RuntimeError(event.name)

    with scripted(WHOLE) as server:
        machine = World(server).machine(streaming=False)
        answer = fold(blocking.drive(machine, blocking.exchanges(Stock()), raising))

    assert answer.text == "hello"
    assert "an observer raised" in caplog.text


def test_a_cancelled_task_closes_its_connection_and_settles():
    """CancelledError is nobody's fault."""
    with scripted([head(), ROLE, says("one "), HANG]) as server:
        world = World(server)

        async def main():
            async with httpx.AsyncHTTPTransport() as transport:
                exchanges = aio.TaskExchanges(by_httpx.async_sender(transport.handle_async_request))
                heard = asyncio.Event()

                async def consume():
                    async for _ in aio.drive(world.machine(streaming=True), exchanges, print):
                        heard.set()

                task = asyncio.create_task(consume())
                await heard.wait()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                gc.collect()

        asyncio.run(main())
        assert server.left.acquire(timeout=5)

    (row,) = world.sky.pool.snapshot(SYSTEM_CLOCK.now())
    assert (row.in_flight, row.last_fault) == (0, None)
