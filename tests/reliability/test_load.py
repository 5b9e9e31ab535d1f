"""Many calls at once: every one of them complete, and nothing left of them after."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from freelm_integrations.engine import transport
from tests.reliability.crowds import ANSWER, TENTH, cancelled, crowd, left, streams
from tests.reliability.leaks import in_flight, nothing_left
from tests.reliability.stage import PROMPT

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from freelm_integrations import FreeLLM
    from tests.reliability.stage import Stage

NOISE = 3_000
"""Objects that come and go in a process with a test run and a lab in it."""


def test_a_thousand_streams_at_once_are_all_complete(
    stage: Stage, measured: Callable[[str], None]
) -> None:
    """A tenth of them is cut and carried on; memory is what it was before."""
    asyncio.run(streams(stage, 100))
    before = left(stage)
    wave = asyncio.run(streams(stage, 1000))
    after = left(stage, before)
    measured(f"1,000 streams, 100 of them cut: {wave.seconds:.1f} s, {before} -> {after}")

    assert (wave.right, wave.stitched, wave.ends) == (1000, 100, Counter())
    assert after.objects <= before.objects + NOISE
    assert (after.files, after.threads) <= (before.files, before.threads)


def test_thousands_of_cancelled_calls_leave_nothing_behind(
    stage: Stage, measured: Callable[[str], None]
) -> None:
    """Cancelled at every turn of a hedged call; the full ten thousand are a benchmark."""
    asyncio.run(cancelled(stage, 200))
    before = left(stage)
    wave = asyncio.run(cancelled(stage, 2000))
    after = left(stage, before)
    measured(f"2,000 cancelled calls: {wave.seconds:.1f} s, {before} -> {after}")

    assert wave.ends == Counter({"CancelledError": 2000})
    assert after.objects <= before.objects + NOISE
    assert (after.files, after.threads) <= (before.files, before.threads)


def test_without_the_quicker_transport_as_well(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By plain httpx."""
    monkeypatch.setattr(transport, "_has_aiohttp", lambda: False)
    before = left(stage)
    wave = asyncio.run(streams(stage, 100))
    ends = asyncio.run(cancelled(stage, 400)).ends
    after = left(stage, before)

    assert (wave.right, wave.stitched, wave.ends) == (100, 10, Counter())
    assert ends == Counter({"CancelledError": 400})
    assert (after.files, after.threads) <= (before.files, before.threads)


def _read(client: FreeLLM) -> str:
    return "".join(client.stream(PROMPT))


def test_blocking_streams_in_many_threads_are_all_complete(stage: Stage) -> None:
    """A tenth of them cut, fifty at a time."""
    key, client = crowd(stage)
    with nothing_left():
        stage.lab["groq"].fail("reset", key=key, times=300 // TENTH, at=len(ANSWER) // 2)
        with ThreadPoolExecutor(50) as threads:
            texts = list(threads.map(_read, [client] * 300))
        client.close()

    assert Counter(texts) == Counter({ANSWER: 300})
    assert in_flight(client) == 0
