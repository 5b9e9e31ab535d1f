"""Processes that share a place take, together, all of a limit and no more."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from freelm_integrations.lab import Lab

ROOT = Path(__file__).parents[2]


def started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.sharing.worker", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("ways", [("blocking",) * 3, ("asyncio",) * 2, ("blocking", "asyncio")])
def test_processes_take_all_of_a_limit_and_no_more(state, ways):
    """The server, which counts by itself, never has to refuse one."""
    with Lab(providers=["groq"], keys_each=2, words="plain") as lab, ExitStack() as stack:
        played = lab["groq"]
        played.limit("requests", 20)
        played.limit("tokens", 100_000)
        place = (played.base_url, ",".join(played.keys), state, "25")
        processes = [stack.enter_context(started(*place, way)) for way in ways]
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        answered = [int(process.stdout.readline()) for process in processes]

    assert sum(answered) == 40
    assert [request.status for request in played.chats] == [200] * 40
