"""Four processes on one ledger: nothing is admitted twice, nothing is lost, whoever is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.pool.ledger.claims import look
from tests.pool.ledger.worker import TOOK, USED, open_home

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
WORKERS, KILLS = 4, 20
LEASES = int(os.environ.get("LEDGER_LEASES", "2000"))
"""Of each process; the bar is 10,000."""


@pytest.fixture(params=["sqlite", "redis"])
def where(request, tmp_path) -> Iterator[str]:
    """A home that several processes can open."""
    if request.param == "sqlite":
        return str(tmp_path / "shared" / "state.db")
    return request.getfixturevalue("mortal_redis").url.get_secret_value()


def run(where: str, folder: Path, *, limit: int, kills: int = 0) -> list[int]:
    """Let four work side by side, the first only after so many children of it were killed."""
    workers = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.pool.ledger.worker", where, str(LEASES), str(limit)),
                *(str(folder / f"{number}.log"), str(0 if number else kills)),
            ],
            cwd=ROOT,
        )
        for number in range(WORKERS)
    ]
    return [worker.wait(timeout=300) for worker in workers]


def counted(where: str) -> tuple[float, float]:
    """Requests and tokens as the ledger has them."""
    home = open_home(where)
    requests, tokens = look(home, "rpd", "tpd").counts
    home.close()
    return requests.used, tokens.used


def told(folder: Path, word: str) -> int:
    return sum(log.read_text().split().count(word) for log in folder.glob("*.log"))


def test_four_processes_share_one_limit_to_the_last_request(where, tmp_path):
    """More is asked for than can be had: exactly that is granted, and all of it counted."""
    limit = 3 * LEASES

    assert run(where, tmp_path, limit=limit) == [0] * WORKERS
    assert told(tmp_path, "granted") == limit
    assert counted(where) == (limit, limit * USED)


def test_who_is_killed_over_admits_nothing_and_loses_nobody_elses_count(where, tmp_path):
    """One of the four is killed at random twenty times, and another takes its place."""
    limit = 3 * LEASES

    assert run(where, tmp_path, limit=limit, kills=KILLS) == [0] * WORKERS
    granted, settled = told(tmp_path, "granted"), told(tmp_path, "settled")
    requests, tokens = counted(where)
    assert requests == limit
    assert limit - KILLS <= granted <= limit
    # Every lease counts as what it used, or as what it took where nobody knows.
    unknown = limit - settled
    assert unknown <= KILLS
    assert limit * USED <= tokens <= settled * USED + unknown * TOOK
