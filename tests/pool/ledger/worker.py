"""One of several processes that lease from one ledger: `python -m tests.pool.ledger.worker`.

Writes a line to its log for every lease it was granted, once it knows.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from freelm_integrations.pool.ledger.claim import Draw, Granted
from freelm_integrations.pool.ledger.redis import RedisLedger
from freelm_integrations.pool.ledger.sqlite import SqliteLedger
from tests.pool.ledger.claims import MIDDAY, claim, settlement

if TYPE_CHECKING:
    from freelm_integrations.pool.ledger.claim import Answer
    from freelm_integrations.pool.ledger.ledger import Ledger

TOMORROW = MIDDAY + 43_200
TOOK, USED = 10, 7


def open_home(where: str) -> Ledger:
    if where.startswith("redis:"):
        return RedisLedger(SecretStr(where), wait_for=30)
    return SqliteLedger(Path(where), wait_for=30)


def work(ledger: Ledger, *, leases: int, limit: int, log: int) -> bool:
    """Lease so often; whether the last lease was granted."""
    writer = str(os.getpid())
    draws = (Draw("rpd", 1, limit, TOMORROW), Draw("tpd", TOOK, 1e9, TOMORROW))
    answer: Answer | None = None
    for _ in range(leases):
        one = claim(*draws, writer=writer, expires_at=MIDDAY + 60)
        answer = ledger.take(one, MIDDAY)
        if isinstance(answer, Granted):
            os.write(log, b"granted\n")
            closed = settlement(one, answer)
            requests, tokens = closed.corrections
            corrections = (requests, tokens._replace(used=USED))
            ledger.settle(replace(closed, corrections=corrections), MIDDAY)
            os.write(log, b"settled\n")
    return isinstance(answer, Granted)


def die(where: str, *, limit: int, log: int, after: int) -> None:
    """Have a child lease as long as there is something, and kill it after so many lines."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        home = open_home(where)
        while work(home, leases=1, limit=limit, log=writing):
            pass
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as lines:
        for _ in range(after):
            os.write(log, lines.readline())
        os.kill(child, signal.SIGKILL)
        os.write(log, lines.read())
    os.waitpid(child, 0)


if __name__ == "__main__":
    where, leases, limit, path, kills = sys.argv[1:]
    if where.startswith("redis:"):
        import redis  # noqa: F401 - before the forks: it takes longer than their lives
    log = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    dice = random.Random(7)
    for _ in range(int(kills)):
        die(where, limit=int(limit), log=log, after=dice.randrange(1, 60))
    home = open_home(where)
    work(home, leases=int(leases), limit=int(limit), log=log)
    home.close()
