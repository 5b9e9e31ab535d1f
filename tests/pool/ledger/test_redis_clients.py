"""Redis asked from loops and threads: each loop has its own connections, the counts are one."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr

from freelm_integrations.pool.ledger.address import Address, read_address
from freelm_integrations.pool.ledger.claim import Granted
from freelm_integrations.pool.ledger.homes import Homes
from tests.pool.ledger.claims import MIDDAY, claim, draw
from tests.pool.ledger.conftest import fresh_prefix

LIMIT = 40


@pytest.fixture
def homes(redis_server):
    """Both clients of one address."""
    made = Homes(Address("redis", url=redis_server.url))
    for one in (made.blocking, made.native):
        one._home._phrases._prefix = "test:" + fresh_prefix()
    made.native._home._phrases = made.blocking._home._phrases
    yield made
    made.blocking.close()


def one() -> object:
    return claim(draw(limit=LIMIT))


async def take_many(ledger, times: int) -> int:
    try:
        answers = await asyncio.gather(*[ledger.take(one(), MIDDAY) for _ in range(times)])
        return sum(isinstance(answer, Granted) for answer in answers)
    finally:
        await ledger.aclose()


def test_loops_and_threads_share_the_count(homes):
    """One loop after another, loops beside each other, and threads."""
    first = asyncio.run(take_many(homes.native, 10))
    with ThreadPoolExecutor(4) as threads:
        loops = threads.map(lambda _: asyncio.run(take_many(homes.native, 10)), range(2))
        calls = threads.map(lambda _: homes.blocking.take(one(), MIDDAY), range(20))
        granted = first + sum(loops) + sum(isinstance(answer, Granted) for answer in calls)

    assert granted == LIMIT
    assert not isinstance(homes.blocking.take(one(), MIDDAY), Granted)


def test_no_secret_is_shown(homes):
    """Not by any part of it."""
    ledger = Homes(Address("redis", url=SecretStr("redis://u:hunter2@127.0.0.1:1/0")))

    for part in (ledger, ledger.blocking, ledger.native, ledger.blocking._home):
        assert "hunter2" not in repr(part)
        assert "hunter2" not in str(vars(part))


def test_memory_has_no_ledger():
    """The pool alone counts, at no cost."""
    homes = Homes(read_address("memory"))

    assert (homes.blocking, homes.native) == (None, None)
