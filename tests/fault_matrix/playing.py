"""One cell played: a provider that fails as told, another that answers, and what came of it."""

from __future__ import annotations

import asyncio
import itertools
import threading
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx

from freelm_integrations.client import AsyncFreeLLM, FreeLLM
from freelm_integrations.dispatcher import Dispatcher
from freelm_integrations.events import AttemptFailed, Event, RouteCooled
from freelm_integrations.providers.choice import CLASSES
from freelm_integrations.providers.provider import OpenAICompatible
from freelm_integrations.settings import Settings
from tests.fakes import FakeClock
from tests.fault_matrix.server import Reply, Server

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from freelm_integrations.providers.provider import Provider

KEY = "k" * 32
MODES = [(is_streaming, is_async) for is_streaming in (False, True) for is_async in (False, True)]


class Outcome(NamedTuple):
    """What a call made of a failure.

    `faults` are kind, status and retry-after of each failed attempt, `rests` what rests in the
    end at the failing provider and for how many seconds; a retired key rests for ever. `asked` are
    the place of the key and the model of each failed attempt.
    """

    answered_by: str
    text: str
    faults: list[tuple[str, int | None, float | None]]
    cooled: list[tuple[str, str, float]]
    rests: list[tuple[str, str, float]]
    state: str
    asked: list[tuple[int, str]]


class Stage:
    """The server, the transports and the loop that all cells share."""

    def __init__(self) -> None:
        self.server = Server()
        self._numbers = itertools.count()
        self._http = httpx.Client()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._async_http = self._await(self._open())

    async def _open(self) -> httpx.AsyncClient:
        return httpx.AsyncClient()

    def close(self) -> None:
        """Give everything back."""
        self._http.close()
        self._await(self._async_http.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self.server.shutdown()
        self.server.server_close()

    def play(
        self,
        provider: str,
        reply: Reply,
        *,
        is_streaming: bool = False,
        is_async: bool = False,
        keys: tuple[str, ...] = (KEY,),
        models: tuple[str, ...] = ("owl-1",),
    ) -> Outcome:
        """Ask that provider, which replies so, before one that answers."""
        path = f"/cells/{next(self._numbers)}"
        self.server.cells[path] = reply
        events: list[Event] = []
        failing = _provider(provider, self.server.address(path), keys, models)
        well = OpenAICompatible("well", self.server.address("/well"), KEY, ["owl-2"], priority=9)
        settings = Settings.from_options(
            providers=[failing, well],
            strategy="priority",
            hedge=False,
            share=False,
            state="memory",
            on_event=events.append,
            http_client=self._http,
            http_async_client=self._async_http,
        )
        dispatcher = Dispatcher(settings, FakeClock())
        if is_async:
            asked = _ask_async(AsyncFreeLLM._over(dispatcher), is_streaming=is_streaming)
            answered_by, text = self._await(asked)
        else:
            answered_by, text = _ask(FreeLLM._over(dispatcher), is_streaming=is_streaming)
        return _outcome(dispatcher, events, answered_by, text)

    def _await(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)


def _provider(name: str, base_url: str, keys: tuple[str, ...], models: tuple[str, ...]) -> Provider:
    if name == "local":
        return CLASSES[name](base_url=base_url, models=models, priority=0)
    if name in CLASSES:
        return CLASSES[name](list(keys), base_url=base_url, models=models, priority=0)
    return OpenAICompatible(name, base_url, list(keys), list(models))


def _ask(client: FreeLLM, *, is_streaming: bool) -> tuple[str, str]:
    if not is_streaming:
        completion = client.chat("hi", top_p=0.5)
        return completion.provider, completion.text
    with client.stream_deltas("hi", top_p=0.5) as stream:
        deltas = list(stream)
    origin = next(delta.origin for delta in deltas if delta.origin)
    return origin.provider, "".join(delta.text for delta in deltas)


async def _ask_async(client: AsyncFreeLLM, *, is_streaming: bool) -> tuple[str, str]:
    if not is_streaming:
        completion = await client.chat("hi", top_p=0.5)
        return completion.provider, completion.text
    async with aclosing(client.stream_deltas("hi", top_p=0.5)) as stream:
        deltas = [delta async for delta in stream]
    origin = next(delta.origin for delta in deltas if delta.origin)
    return origin.provider, "".join(delta.text for delta in deltas)


def _outcome(dispatcher: Dispatcher, events: list[Event], answered_by: str, text: str) -> Outcome:
    rows = [row for row in dispatcher.health() if row["provider"] != "well"]
    row, prints = rows[0], [row["fingerprint"] for row in rows]
    return Outcome(
        answered_by,
        text,
        [(it.kind, it.status, it.retry_after) for it in events if isinstance(it, AttemptFailed)],
        [(it.kind, it.scope, it.cools_for) for it in events if isinstance(it, RouteCooled)],
        [(rest["kind"], rest["scope"], rest["seconds"]) for rest in row["cooldowns"]],
        row["state"],
        [(prints.index(it.key), it.model) for it in events if isinstance(it, AttemptFailed)],
    )
