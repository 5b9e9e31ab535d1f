"""Connections: made when needed, one set a process or event loop, and none left open."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from freelm_integrations import AsyncFreeLLM, FreeLLM, NoRouteAnswered, OpenAICompatible
from freelm_integrations import connections as module
from freelm_integrations.connections import AsyncConnections, Connections
from freelm_integrations.engine import transport
from freelm_integrations.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ANSWER = {
    "id": "x",
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}}],
}


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(words="plain", limits=False, providers=("groq",)) as lab, lab.environ():
        yield lab


@pytest.fixture(params=[True, False], ids=["aiohttp", "httpx"])
def has_aiohttp(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Both ways an asyncio request may go."""
    monkeypatch.setattr(transport, "_has_aiohttp", lambda: request.param)
    has: bool = request.param
    return has


# ---------------------------------------------------------------------- blocking


def test_one_set_serves_all_threads() -> None:
    """Also when they come all at once."""
    connections = Connections()
    ready = threading.Barrier(8)

    def send(_: int) -> object:
        ready.wait()
        return connections.send()

    with ThreadPoolExecutor(8) as threads:
        sends = list(threads.map(send, range(8)))

    assert len(set(map(id, sends))) == 1
    connections.close()


def test_nothing_is_opened_to_be_closed() -> None:
    """Closing twice, or what was never used, does no harm."""
    connections = Connections()
    connections.close()
    connections.send()
    connections.close()
    connections.close()


def test_a_closed_client_answers_again(lab: Lab) -> None:
    """Over new connections."""
    client = FreeLLM(share=False)
    with client:
        assert client.text("one")
    assert client.text("two")
    client.close()


def test_calls_one_after_another_use_one_connection(lab: Lab, monkeypatch: Any) -> None:
    """Opening one takes longer than a request."""
    opened: list[object] = []
    connect = socket.socket.connect

    def counted(self: socket.socket, address: Any) -> None:
        opened.append(address)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", counted)
    endpoint = OpenAICompatible("acme", lab["groq"].base_url, lab["groq"].keys, lab["groq"].models)
    with FreeLLM(providers=[endpoint], share=False) as client:
        for _ in range(3):
            client.text("hello")
            for _ in client.stream("hello"):
                pass

    assert len(opened) == 1


def test_a_forgotten_client_leaves_no_socket_behind(lab: Lab) -> None:
    """Whoever does not close it has it closed when it goes (a warning would be an error here)."""
    FreeLLM(share=False).text("hello")
    gc.collect()


def test_a_stream_left_early_leaves_no_socket_behind(lab: Lab) -> None:
    """Nor does one that was never read."""
    client = FreeLLM(share=False)
    stream = client.stream_deltas("hello")
    next(iter(stream))
    stream.close()
    client.stream_deltas("hello").close()
    with client.stream_deltas("hello") as unread:
        assert unread
    client.close()
    gc.collect()


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


no_warning = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # of 3.12


def succeeds_in_a_child(work: Callable[[], object]) -> bool:
    """Whether it does what it should in a forked child."""
    child = os.fork()
    if child == 0:  # nothing of the test run may go on in here
        try:
            os._exit(0 if work() else 1)
        finally:
            os._exit(2)
    return os.waitpid(child, 0)[1] == 0


@needs_fork
@no_warning
def test_parent_and_child_do_not_share_a_connection(lab: Lab) -> None:
    """Both go on with the client they had, and get their own answers."""
    with FreeLLM(share=False) as client:
        assert client.text("before")
        assert succeeds_in_a_child(lambda: client.text("in the child"))
        assert client.text("after")


@needs_fork
@no_warning
def test_a_child_makes_its_own_although_a_thread_was_making_them() -> None:
    """That thread, which holds the lock, is not there any more."""
    connections = Connections()
    with connections._lock:
        assert succeeds_in_a_child(connections.send)


@needs_fork
@no_warning
def test_a_child_that_closes_does_not_close_its_parents(lab: Lab) -> None:
    """The sockets are the parent's as well."""
    with FreeLLM(share=False) as client:
        client.text("before")
        assert succeeds_in_a_child(lambda: client.close() is None)
        assert client.text("after")


# ---------------------------------------------------------------------- asyncio


@pytest.mark.usefixtures("has_aiohttp")
def test_one_client_serves_loop_after_loop(lab: Lab) -> None:
    """`asyncio.run` again and again: no socket stays open, and no ended loop is kept."""
    client = AsyncFreeLLM(share=False)
    for _ in range(5):
        assert asyncio.run(client.text("hello"))
        gc.collect()

    assert len(client._connections._kept) == 1


@pytest.mark.usefixtures("has_aiohttp")
def test_a_client_dropped_with_its_loop_leaves_no_socket_behind(lab: Lab) -> None:
    """As in a script that makes one where it needs it."""

    async def main() -> str:
        return "".join([piece async for piece in AsyncFreeLLM(share=False).stream("hello")])

    for _ in range(3):
        assert asyncio.run(main())
        gc.collect()


def run_and_close(work: Callable[[], Any]) -> object:
    """On a loop that is closed as it is, as LlamaIndex's blocking methods do it."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work())
    finally:
        loop.close()


@pytest.mark.usefixtures("has_aiohttp")
@pytest.mark.parametrize("is_cut_short", [False, True])
def test_a_loop_closed_with_all_that_is_open_on_it_leaves_no_socket_behind(
    lab: Lab, caplog: Any, is_cut_short: bool
) -> None:
    """Nor a complaint: neither of a stream that was left in the middle."""
    client = AsyncFreeLLM(share=False)

    async def begin() -> str:
        async for piece in client.stream("hello"):
            return piece
        return ""

    async def whole() -> str:
        return await client.text("hello")

    for _ in range(3):
        assert run_and_close(begin if is_cut_short else whole)
        gc.collect()

    assert caplog.records == []
    assert len(client._connections._kept) == 1


@pytest.mark.usefixtures("has_aiohttp")
async def test_a_loop_closed_from_another_one_is_left_alone(lab: Lab) -> None:
    """Two cannot run in one thread; closing it must not fail for our sake."""
    client, other = AsyncFreeLLM(share=False), asyncio.new_event_loop()
    with ThreadPoolExecutor(1) as thread:
        assert await asyncio.wrap_future(
            thread.submit(other.run_until_complete, client.text("hello"))
        )
        await asyncio.wrap_future(thread.submit(other.run_until_complete, client.aclose()))

    other.close()

    assert other.is_closed()
    assert await client.text("hello")
    await client.aclose()


@pytest.mark.usefixtures("has_aiohttp")
async def test_a_client_for_every_call_does_not_pile_up_connections(lab: Lab) -> None:
    """As in a server that makes one for each of its requests."""
    for _ in range(5):
        await AsyncFreeLLM(share=False).text("hello")
        gc.collect()
    left = module._orphans.get(asyncio.get_running_loop(), [])

    assert len(left) == 1


@pytest.mark.usefixtures("has_aiohttp")
def test_loops_in_several_threads_have_connections_of_their_own(lab: Lab) -> None:
    """Of one client, at the same time."""
    client = AsyncFreeLLM(share=False)

    async def several() -> list[str]:
        return await asyncio.gather(*(client.text("hello") for _ in range(4)))

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: asyncio.run(several()), range(4)))

    assert all(all(some) for some in answers)


@pytest.mark.usefixtures("has_aiohttp")
async def test_a_closed_asyncio_client_answers_again(lab: Lab) -> None:
    """Over new connections, and closes as often as it is told."""
    client = AsyncFreeLLM(share=False)
    async with client:
        assert await client.text("one")
    assert await client.text("two")
    await client.aclose()
    await client.aclose()


@pytest.mark.usefixtures("has_aiohttp")
async def test_a_cancelled_call_leaves_the_client_usable(lab: Lab) -> None:
    """And no socket open."""
    async with AsyncFreeLLM(share=False) as client:
        assert await client.text("first")
        lab["groq"].fail("hang")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.text("second"), 0.2)
        assert await client.text("third")


async def test_many_calls_at_once_do_not_wait_for_each_others_connections(
    lab: Lab, has_aiohttp: bool
) -> None:
    """More than the hundred that such libraries allow unasked; fewer where each is slow to open."""
    calls = 130 if has_aiohttp else 20
    lab["groq"].latency = 0.05
    endpoint = OpenAICompatible("acme", lab["groq"].base_url, lab["groq"].keys, lab["groq"].models)
    async with AsyncFreeLLM(providers=[endpoint], share=False) as client:
        answers = await asyncio.gather(*(client.text("hello") for _ in range(calls)))

    assert len(answers) == calls


NO_HTTP = {
    "nonsense": b"nonsense\r\n\r\n",
    "a bad header": b"HTTP/1.1 200 OK\r\nbad header line\r\n\r\n",
    "a bad length": b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
    "a bad chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    "half a body": b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{",
    "a bad encoding": b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc",
    "nothing": b"",
}


@pytest.fixture
def speaker() -> Iterator[Callable[[bytes], str]]:
    """Gives a base URL where every connection is answered with the same bytes."""
    listener = socket.create_server(("127.0.0.1", 0))
    said: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65_536)
                connection.sendall(said[0])

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()

    def say(words: bytes) -> str:
        said[:] = [words]
        return f"http://127.0.0.1:{listener.getsockname()[1]}/v1"

    yield say
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


@pytest.mark.parametrize("words", NO_HTTP.values(), ids=NO_HTTP)
@pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "asyncio"])
def test_an_answer_that_is_no_http_is_a_failed_attempt(
    words: bytes, is_async: bool, has_aiohttp: bool, speaker: Callable[[bytes], str], lab: Lab
) -> None:
    """The next provider is asked, whichever library read it."""
    if has_aiohttp and not is_async:
        pytest.skip(reason="it has no blocking side")
    broken = OpenAICompatible("broken", speaker(words), models=["m"])
    whole = OpenAICompatible("whole", lab["groq"].base_url, lab["groq"].keys, lab["groq"].models)
    client = FreeLLM(providers=[broken, whole], strategy="priority", share=False)
    asked = asyncio.run(client.to_async().chat("hello")) if is_async else client.chat("hello")
    client.close()

    assert asked.provider == "whole"
    assert asked.attempts[0].provider == "broken"


# ---------------------------------------------------------------------- given clients


def test_a_given_client_sends_every_request_and_stays_open() -> None:
    """It is its owner's to close; ours closing does not."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=ANSWER)

    given = httpx.Client(transport=httpx.MockTransport(answer))
    endpoint = OpenAICompatible("acme", "https://acme.example/v1", "secret", ["m"])
    with FreeLLM(providers=[endpoint], share=False, http_client=given) as client:
        answers = [client.text("hello") for _ in range(3)]

    assert answers == ["hello"] * 3
    assert {str(request.url) for request in seen} == {"https://acme.example/v1/chat/completions"}
    assert not given.is_closed
    given.close()


def test_a_given_asyncio_client_serves_likewise() -> None:
    """On whatever loop its owner keeps it for."""

    async def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=ANSWER)

    async def main() -> None:
        given = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        endpoint = OpenAICompatible("acme", "https://acme.example/v1", "secret", ["m"])
        async with AsyncFreeLLM(
            providers=[endpoint], share=False, http_async_client=given
        ) as client:
            assert await client.text("hello") == "hello"
        assert not given.is_closed
        await given.aclose()

    asyncio.run(main())


def test_a_given_client_that_was_closed_is_a_mistake_and_no_outage() -> None:
    """It is raised as it is, and no provider is blamed."""
    given = httpx.Client()
    given.close()
    endpoint = OpenAICompatible("acme", "https://acme.example/v1", "secret", ["m"])
    client = FreeLLM(providers=[endpoint], share=False, http_client=given)

    with pytest.raises(RuntimeError, match="closed"):
        client.text("hello")
    assert client.health()[0]["state"] == "ready"


def test_what_a_given_client_adds_for_itself_does_not_follow_redirects_or_change_the_key() -> None:
    """A provider that sends a request elsewhere has failed."""
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(307, headers={"location": "https://evil.example/v1"})

    given = httpx.Client(transport=httpx.MockTransport(answer), headers={"authorization": "other"})
    endpoint = OpenAICompatible("acme", "https://acme.example/v1", "secret", ["m"])
    client = FreeLLM(providers=[endpoint], share=False, http_client=given, max_attempts=1)
    with pytest.raises(NoRouteAnswered):
        client.text("hello")

    assert seen == ["https://acme.example/v1/chat/completions"]


def test_where_the_environment_names_a_proxy_a_client_goes_through_it(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lab itself stands in for one: it is sent the whole address."""
    monkeypatch.setenv("http_proxy", lab["groq"].base_url)
    with FreeLLM(share=False, max_attempts=1) as client, pytest.raises(NoRouteAnswered):
        client.text("hello")


async def test_connections_close_with_the_loop_they_belong_to() -> None:
    """Those of another loop are not touched."""
    connections = AsyncConnections()
    here = await connections.send()
    there = await asyncio.to_thread(asyncio.run, connections.send())
    await connections.aclose()

    assert here is not there
    assert asyncio.get_running_loop() not in connections._kept
    await connections.send()
    await connections.aclose()
