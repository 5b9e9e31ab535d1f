"""The homes of the ledger, each new and empty; Redis is a real server on a free port."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import subprocess
from itertools import count
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from freelm_integrations.pool.ledger.memory import MemoryLedger
from freelm_integrations.pool.ledger.sqlite import SqliteLedger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from freelm_integrations.pool.ledger.ledger import Ledger
    from freelm_integrations.pool.ledger.redis import AsyncRedisLedger

HOMES = ("memory", "sqlite", "redis", "redis by asyncio")
_PREFIXES = count()


class RedisServer:
    """A server of our own: on loopback, nothing on disk."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> SecretStr:
        return SecretStr(f"redis://127.0.0.1:{self.port}/0")

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", "."]
        self._process = subprocess.Popen(
            ["redis-server", *options, "--daemonize", "no"],
            cwd=self._folder,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if b"Ready to accept connections" in line:
                return
        raise RuntimeError("redis-server ended before it was ready")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None


@pytest.fixture(scope="session")
def redis_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("redis", reason="redis-py is not installed (extra: redis)")
    if shutil.which("redis-server") is None:
        pytest.skip(reason="no redis-server here (Debian package redis-server)")
    return tmp_path_factory.mktemp("redis")


@pytest.fixture(scope="session")
def redis_server(redis_folder: Path) -> Iterator[RedisServer]:
    server = RedisServer(redis_folder)
    yield server
    server.stop()


@pytest.fixture
def mortal_redis(redis_folder: Path) -> Iterator[RedisServer]:
    """A server that a test may stop and start."""
    server = RedisServer(redis_folder)
    yield server
    server.stop()


class Blocking:
    """A ledger of asyncio, asked from a test: the scenarios are the same."""

    def __init__(self, ledger: AsyncRedisLedger) -> None:
        self._ledger = ledger
        self._loop = asyncio.new_event_loop()

    def take(self, claim, utc):
        return self._loop.run_until_complete(self._ledger.take(claim, utc))

    def settle(self, settlement, utc):
        return self._loop.run_until_complete(self._ledger.settle(settlement, utc))

    def look(self, question, utc):
        return self._loop.run_until_complete(self._ledger.look(question, utc))

    def close(self):
        self._loop.run_until_complete(self._ledger.aclose())
        self._loop.close()


def fresh_prefix() -> str:
    return f"test:{next(_PREFIXES)}"


@pytest.fixture
def make_home(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Ledger]]:
    """A new, empty home of a kind, closed after the test."""
    with contextlib.ExitStack() as stack:

        def make(kind: str) -> Ledger:
            ledger = _make(kind, tmp_path, request)
            stack.callback(ledger.close)
            return ledger

        yield make


def _make(kind: str, folder: Path, request: pytest.FixtureRequest) -> Ledger:
    if kind == "memory":
        return MemoryLedger()
    if kind == "sqlite":
        return SqliteLedger(folder / f"{next(_PREFIXES)}" / "state.db")
    server: RedisServer = request.getfixturevalue("redis_server")
    from freelm_integrations.pool.ledger.redis import AsyncRedisLedger, RedisLedger

    if kind == "redis":
        return RedisLedger(server.url, prefix=fresh_prefix())
    return Blocking(AsyncRedisLedger(server.url, prefix=fresh_prefix()))


@pytest.fixture(params=HOMES)
def ledger(request: pytest.FixtureRequest, make_home: Callable[[str], Ledger]) -> Ledger:
    """Each home in turn."""
    return make_home(request.param)
