"""The lab's Groq, and clients that share counts through a place, each as if in its own process."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import pytest

from freelm_integrations import AsyncFreeLLM, FreeLLM, Groq
from freelm_integrations.lab import Lab
from tests.pool.ledger.conftest import RedisServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MODEL, OTHER = "openai/gpt-oss-120b", "openai/gpt-oss-20b"


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(providers=["groq"], keys_each=2, words="plain") as running:
        yield running


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    pytest.importorskip("redis", reason="redis-py is not installed (extra: redis)")
    if shutil.which("redis-server") is None:
        pytest.skip(reason="no redis-server here (Debian package redis-server)")
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "redis"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new place, empty."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    server: RedisServer = request.getfixturevalue("redis_server")
    import redis

    url = server.url.get_secret_value()
    with redis.Redis.from_url(url) as client:
        client.flushall()
    return url


class Process:
    """A client with a pool of its own: what another process would be."""

    def __init__(self, lab: Lab, state: str, *, keys: int = 2, **options) -> None:
        played = lab["groq"]
        models = options.pop("models", [MODEL])
        limits = options.pop("limits", None)
        self.provider = Groq(
            list(played.keys)[:keys], base_url=played.base_url, models=models, limits=limits
        )
        options = {"strategy": "priority", "hedge": False, **options}
        self.client = FreeLLM(providers=[self.provider], state=state, share=False, **options)

    @property
    def pool(self):
        return self.client._dispatcher.pool

    def chat(self, *, loop: bool = False, **params):
        """An answer, asked for in this thread or on an event loop."""
        if not loop:
            return self.client.chat("hi", **params)

        async def ask():
            client: AsyncFreeLLM = self.client.to_async()
            answer = await client.chat("hi", **params)
            await client.close()
            return answer

        return asyncio.run(ask())

    def told(self) -> None:
        """Wait until all is told that is on its way."""
        assert self.client._dispatcher.place.homes.outbox.flush()

    def health(self, key: int = 0):
        return self.client.health()[key]


@pytest.fixture
def process(lab: Lab, state: str) -> Iterator[Callable[..., Process]]:
    made: list[Process] = []

    def make(**options) -> Process:
        one = Process(lab, state, **options)
        made.append(one)
        return one

    yield make
    for one in made:
        one.told()
        one.client.close()
