"""The home in Redis: for the processes of many machines, one round trip a question.

Rules:
- What is asked and what it means is said in `redis_scripts.py`; the two classes here are twins
  that only carry it, and decide nothing.
- A connection that broke is tried once more, which can count a claim twice but never too little; a
  settlement told twice is recognised.
- Clients of asyncio belong to a loop: each loop has its own.
"""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from freelm_integrations.pool.ledger.fork import on_fork
from freelm_integrations.pool.ledger.ledger import HomeFailed
from freelm_integrations.pool.ledger.redis_scripts import (
    PREFIX,
    Phrases,
    answer,
    script_text,
    seen,
    settled,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import redis
    import redis.asyncio
    from pydantic import SecretStr

    from freelm_integrations.pool.ledger.claim import Answer, Claim, News, Question, Settlement
    from freelm_integrations.pool.ledger.redis_scripts import Request, ScriptName

WAIT_FOR = 1.0
"""Seconds to wait for a connection or an answer: a call may have to wait for so long once."""


class RedisLedger:
    """See `Ledger`. Nothing of the URL but its host is ever shown.

    Raises:
        ImportError: redis-py is missing; names the extra.
    """

    def __init__(self, url: SecretStr, *, prefix: str = PREFIX, wait_for: float = WAIT_FOR) -> None:
        _require_redis()
        self._url = url
        self._wait_for = wait_for
        self._phrases = Phrases(prefix)
        self.begin_anew()
        on_fork(self)

    def begin_anew(self) -> None:
        """Leave the connections to the parent."""
        self._lock = Lock()
        self._client: redis.Redis | None = None
        self._scripts: dict[ScriptName, Callable[..., Any]] = {}

    def take(self, claim: Claim, utc: float) -> Answer:
        """See `Ledger`."""
        return answer(self._run(self._phrases.take(claim, utc)), claim, utc)

    def settle(self, settlement: Settlement, utc: float) -> News:
        """See `Ledger`."""
        return settled(self._run(self._phrases.settle(settlement, utc)), settlement)

    def look(self, question: Question, utc: float) -> News:
        """See `Ledger`."""
        return seen(self._run(self._phrases.look(question, utc)), question)

    def close(self) -> None:
        """See `Ledger`."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None
            self._scripts.clear()

    def _run(self, request: Request) -> object:
        from redis.exceptions import RedisError  # noqa: PLC0415 - comes with the extra

        try:
            return self._script(request.script)(request.keys, request.arguments)
        except (RedisError, OSError) as error:
            raise HomeFailed(_why(error)) from None  # its text may hold the URL

    def _script(self, name: ScriptName) -> Callable[..., Any]:
        script = self._scripts.get(name)
        if script is not None:
            return script
        with self._lock:
            if self._client is None:
                import redis  # noqa: PLC0415 - comes with the extra
                from redis.backoff import NoBackoff  # noqa: PLC0415
                from redis.retry import Retry  # noqa: PLC0415

                self._client = redis.Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
                    self._url.get_secret_value(),
                    socket_timeout=self._wait_for,
                    socket_connect_timeout=self._wait_for,
                    retry=Retry(NoBackoff(), 1, (redis.ConnectionError,)),
                )
            script = self._scripts[name] = self._client.register_script(script_text(name))
            return script


class _LoopsClient:
    """One loop's client, and the scripts known to it."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self.client = client
        self.scripts: dict[ScriptName, Callable[..., Any]] = {}

    def script(self, name: ScriptName) -> Callable[..., Any]:
        if name not in self.scripts:
            self.scripts[name] = self.client.register_script(script_text(name))
        return self.scripts[name]


class AsyncRedisLedger:
    """See `AsyncLedger`. Any number of loops may use it.

    Raises:
        ImportError: redis-py is missing; names the extra.
    """

    def __init__(self, url: SecretStr, *, prefix: str = PREFIX, wait_for: float = WAIT_FOR) -> None:
        _require_redis()
        self._url = url
        self._wait_for = wait_for
        self._phrases = Phrases(prefix)
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, _LoopsClient] = (
            WeakKeyDictionary()
        )

    async def take(self, claim: Claim, utc: float) -> Answer:
        """See `AsyncLedger`."""
        return answer(await self._run(self._phrases.take(claim, utc)), claim, utc)

    async def settle(self, settlement: Settlement, utc: float) -> News:
        """See `AsyncLedger`."""
        return settled(await self._run(self._phrases.settle(settlement, utc)), settlement)

    async def look(self, question: Question, utc: float) -> News:
        """See `AsyncLedger`."""
        return seen(await self._run(self._phrases.look(question, utc)), question)

    async def aclose(self) -> None:
        """See `AsyncLedger`."""
        known = self._clients.pop(asyncio.get_running_loop(), None)
        if known is not None:
            await known.client.aclose()

    async def _run(self, request: Request) -> object:
        from redis.exceptions import RedisError  # noqa: PLC0415 - comes with the extra

        try:
            return await self._mine().script(request.script)(request.keys, request.arguments)
        except (RedisError, OSError) as error:
            raise HomeFailed(_why(error)) from None  # its text may hold the URL

    def _mine(self) -> _LoopsClient:
        loop = asyncio.get_running_loop()
        known = self._clients.get(loop)
        if known is None:
            for old in [old for old in self._clients if old.is_closed()]:
                del self._clients[old]  # an open connection keeps its loop, and so itself, alive
            import redis.asyncio  # noqa: PLC0415 - comes with the extra
            from redis.asyncio.retry import Retry  # noqa: PLC0415
            from redis.backoff import NoBackoff  # noqa: PLC0415

            client = redis.asyncio.Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
                self._url.get_secret_value(),
                socket_timeout=self._wait_for,
                socket_connect_timeout=self._wait_for,
                retry=Retry(NoBackoff(), 1, (redis.ConnectionError,)),
            )
            known = self._clients[loop] = _LoopsClient(client)
        return known


def _why(error: Exception) -> str:
    """What happened, without the server's or the client's own words: those may quote the URL."""
    kinds = [kind.__name__ for kind in type(error).__mro__]
    known = next((_WHY[kind] for kind in kinds if kind in _WHY), None)
    return f"Redis cannot be asked ({known or type(error).__name__})"


_WHY: Mapping[str, str] = {
    "AuthenticationError": "it refuses the user or the password of the address",
    "NoPermissionError": "its user may not run scripts, or not touch keys that begin with freelm",
    "BusyLoadingError": "it is still loading its data",
    "ReadOnlyError": "it is a replica that may only be read",
    "OutOfMemoryError": "its memory is full",
    "MaxConnectionsError": "it takes no more connections",
    "TimeoutError": "it has not answered in time",
    "ConnectionError": "nobody answers at that address",
    "OSError": "nobody answers at that address",
}
"""By redis-py's exceptions, the nearest of an error's kinds first."""


def _require_redis() -> None:
    if find_spec("redis") is None:
        message = "the shared ledger needs the extra: pip install 'freelm-integrations[redis]'"
        raise ImportError(message)
