"""Lists that come late, over sockets: they delay nobody and nothing, and are known when they come.

Seconds are tenths here: a call waits a tenth of one, NIM's list takes half of one.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from freelm_integrations import AsyncFreeLLM, FreeLLM
from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.discovery import catalogs
from freelm_integrations.lab import Lab
from tests.reliability.leaks import nothing_left, until, until_async

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE, SLOWNESS = 0.1, 0.5


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogs, "PATIENCE", PATIENCE)


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Groq answers at once, NIM takes its time for everything."""
    with Lab(words="plain", limits=False, providers=("groq", "nim")) as lab, lab.environ():
        lab["nim"].latency = SLOWNESS
        yield lab


def source_of(rows: list[dict[str, Any]], name: str) -> str:
    return str(next(row["source"] for row in rows if row["provider"] == name))


def test_a_call_does_not_wait_and_the_list_is_taken(lab: Lab) -> None:
    """The next client finds it in the file."""
    with FreeLLM(share=False, model="groq/auto") as client:
        began_at = SYSTEM_CLOCK.now()
        client.text("hello")
        took = SYSTEM_CLOCK.now() - began_at
        rows = client.model_lists()
        assert until(lambda: source_of(client.model_lists(), "nim") == "live")
        lists_asked_for = sum(request.path == "models" for request in lab["nim"].requests)

    assert took < SLOWNESS
    assert (source_of(rows, "groq"), source_of(rows, "nim")) == ("live", "builtin")
    assert lists_asked_for == 1
    with FreeLLM(share=False) as another:
        another.models()
        assert source_of(another.model_lists(), "nim") == "cache"


async def test_so_on_an_event_loop(lab: Lab) -> None:
    """Where nothing is held up by it."""
    async with AsyncFreeLLM(share=False, model="groq/auto") as client:
        began_at = SYSTEM_CLOCK.now()
        await client.text("hello")
        took = SYSTEM_CLOCK.now() - began_at
        rows = await client.model_lists()

        blocking = client.to_sync()
        is_taken = await until_async(lambda: source_of(blocking.model_lists(), "nim") == "live")

    assert took < SLOWNESS
    assert source_of(rows, "nim") == "builtin"
    assert is_taken


@pytest.mark.usefixtures("lab")
def test_who_has_time_may_wait_for_it() -> None:
    """As `freellm models --refresh` does."""
    with FreeLLM(share=False) as client:
        client.refresh_models(timeout=10)
        rows = client.model_lists()

    assert source_of(rows, "nim") == "live"


def test_closing_leaves_nothing_behind(lab: Lab) -> None:
    """Whoever closes a client has no list coming in."""
    for provider in lab:
        provider.fail("hang", path="models", times=None)
    with FreeLLM(share=False) as first:
        first.models()
    with nothing_left(), FreeLLM(share=False) as client:
        client.refresh_models()

    assert source_of(client.model_lists(), "nim") == "builtin"


async def test_closing_on_a_loop_leaves_nothing_behind(lab: Lab) -> None:
    """Neither a task nor a connection."""
    lab["nim"].fail("hang", path="models", times=None)
    async with AsyncFreeLLM(share=False) as client:
        await client.models()
        running = len(asyncio.all_tasks())

    assert running > 1
    assert await until_async(lambda: len(asyncio.all_tasks()) == 1)


async def ask_and_leave() -> None:
    client = AsyncFreeLLM(share=False)
    await client.models()


def in_a_loop_that_is_just_closed() -> None:
    loop = asyncio.new_event_loop()
    loop.run_until_complete(ask_and_leave())
    loop.close()


@pytest.mark.parametrize(
    "run",
    [lambda: asyncio.run(ask_and_leave()), in_a_loop_that_is_just_closed],
    ids=["run", "just closed"],
)
def test_a_loop_ends_with_what_is_late_and_nobody_complains(
    lab: Lab, run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Warnings are errors in these tests, and asyncio logs what it has to complain of."""
    lab["nim"].fail("hang", path="models", times=None)
    began_at = SYSTEM_CLOCK.now()
    with caplog.at_level(logging.WARNING):
        run()
        gc.collect()

    assert SYSTEM_CLOCK.now() - began_at < 5
    assert caplog.text == ""


@pytest.mark.parametrize(
    "script",
    [
        "FreeLLM(share=False).models()",
        "asyncio.run(AsyncFreeLLM(share=False).models())",
        "asyncio.new_event_loop().run_until_complete(AsyncFreeLLM(share=False).models())",
    ],
    ids=["blocking", "asyncio", "a loop left open"],
)
def test_an_interpreter_ends_at_once(lab: Lab, script: str) -> None:
    """Without a word."""
    lab["nim"].fail("hang", path="models", times=None)
    began_at = SYSTEM_CLOCK.now()
    ended = subprocess.run(
        [
            *(sys.executable, "-W", "error", "-c"),
            "import asyncio, warnings\n"
            "warnings.filterwarnings('ignore', 'unclosed event loop', ResourceWarning)\n"
            "from freelm_integrations import AsyncFreeLLM, FreeLLM\n" + script,
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert SYSTEM_CLOCK.now() - began_at < 12  # it waits three seconds, not fifteen more


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # of 3.12
def test_a_forked_child_asks_for_what_is_late(lab: Lab) -> None:
    """The thread that would have heard it is its parent's."""
    lab["nim"].fail("hang", path="models")
    client = FreeLLM(share=False)
    client.models()
    lab["nim"].latency = 0.0
    child = os.fork()
    if child == 0:  # no assertion gets out of here: the exit status tells
        client.models()
        os._exit(0 if source_of(client.model_lists(), "nim") == "live" else 1)

    assert os.waitpid(child, 0)[1] == 0
    client.close()
