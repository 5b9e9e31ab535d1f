"""Fifty callers and a limit that lets in a few at a time: all are served, in order, without a storm."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from freelm_integrations import FreeLLM, Limit, Mistral
from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.lab import Lab
from tests.reliability.leaks import in_flight, tasks, until, until_async
from tests.turns import turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CALLERS = 50
WINDOW = 0.5
"""Seconds."""
EACH = 10
"""Calls a window lets in."""
REST = 2
"""Seconds that a refusal asks for; this provider tells whole ones."""
HARDLY_ANY = 8
"""Who may have set off within the time of an answer, on a busy machine."""


@pytest.fixture
def lab() -> Iterator[Lab]:
    """One provider without limits of its own."""
    with Lab(words="plain", limits=False, providers=("mistral",)) as lab:
        yield lab


def waiting(lab: Lab, *limits: Limit) -> FreeLLM:
    """A client that waits, and is told of these limits."""
    played = lab["mistral"]
    mistral = Mistral(
        played.keys[0], base_url=played.base_url, models=[played.models[0]], limits=limits
    )
    return FreeLLM(providers=[mistral], share=False, state="memory", wait=True, timeout=30.0)


def by_threads(client: FreeLLM) -> list[float]:
    """When each of fifty threads had its answer, in the order they asked (s)."""
    with ThreadPoolExecutor(CALLERS) as threads:
        return list(threads.map(lambda n: _timed(client, n), range(CALLERS)))


def _timed(client: FreeLLM, number: int) -> float:
    assert client.text(f"number {number}")
    return SYSTEM_CLOCK.now()


def by_tasks(client: FreeLLM) -> list[float]:
    """The same of fifty tasks."""
    twin = client.to_async()

    async def timed(number: int) -> float:
        assert await twin.text(f"number {number}")
        return SYSTEM_CLOCK.now()

    async def all_of_them() -> list[float]:
        times = await asyncio.gather(*map(timed, range(CALLERS)))
        await twin.aclose()
        return times

    return asyncio.run(all_of_them())


def refused(lab: Lab) -> int:
    """Requests that were turned away with a 429."""
    return sum(chat.status == 429 for chat in lab["mistral"].chats)


@pytest.mark.parametrize("ask", [by_threads, by_tasks])
def test_a_limit_that_is_known_is_never_run_into(
    lab: Lab, ask: Callable[[FreeLLM], list[float]], measured: Callable[[str], None]
) -> None:
    """Fifty callers, ten at a time, and not one refusal."""
    lab["mistral"].limit("requests", EACH, per=0.9 * WINDOW)  # requests take time to arrive
    with waiting(lab, Limit(EACH, "requests", per=WINDOW)) as client:
        began_at = SYSTEM_CLOCK.now()
        times = ask(client)

        took = max(times) - began_at
        measured(f"50 callers, limit known: {took:.1f} s, {refused(lab)} refused ({ask.__name__})")
        assert len(times) == CALLERS
        assert refused(lab) == 0
        assert in_flight(client) == 0


@pytest.mark.parametrize("ask", [by_threads, by_tasks])
def test_when_a_rest_is_over_few_set_off_before_it_is_known_how_much_is_welcome(
    lab: Lab, ask: Callable[[FreeLLM], list[float]], measured: Callable[[str], None]
) -> None:
    """The first is refused once more: of fifty who wait hardly any has followed by then."""
    played = lab["mistral"]
    played.fail("rate_limited", times=None, retry_after=REST)
    with waiting(lab) as client, ThreadPoolExecutor(1) as aside:
        asking = aside.submit(ask, client)
        assert until(lambda: len(client._dispatcher.pool.line._tickets) == CALLERS)
        played.heal()
        played.fail("rate_limited", times=1, retry_after=REST / 2)
        before = refused(lab)
        assert len(asking.result(30.0)) == CALLERS
        stampede = refused(lab) - before

        measured(f"50 callers after a rest: {stampede} refused again ({ask.__name__})")
        assert stampede <= HARDLY_ANY
        assert in_flight(client) == 0


def test_who_came_first_is_served_first(lab: Lab) -> None:
    """Of tasks, which ask in a known order; a few are overtaken by some who look at a luckier time."""
    lab["mistral"].limit("requests", EACH, per=0.9 * WINDOW)
    with waiting(lab, Limit(EACH, "requests", per=WINDOW)) as client:
        by_tasks(client)

    asked = [str(chat.body["messages"][0]["content"]) for chat in lab["mistral"].chats]
    late = [abs(place - int(text.split()[-1])) for place, text in enumerate(asked)]
    assert max(late) <= 2 * EACH
    assert sum(late) / CALLERS <= EACH / 2


async def test_who_waits_can_be_cancelled(lab: Lab) -> None:
    """And gives up its place; the next goes in its stead."""
    lab["mistral"].fail("rate_limited", times=1, retry_after=0.6)
    with waiting(lab) as client:
        twin = client.to_async()
        first = asyncio.ensure_future(twin.text("first"))
        assert await until_async(lambda: refused(lab) == 1)
        others = [asyncio.ensure_future(twin.text(f"number {n}")) for n in range(5)]
        await turn()
        for one in (first, *others[:3]):
            one.cancel()
        ends = await asyncio.gather(first, *others, return_exceptions=True)

        assert [isinstance(end, str) for end in ends] == [False, False, False, False, True, True]
        assert in_flight(client) == 0
        await twin.aclose()
        assert await until_async(lambda: tasks() == 0)
