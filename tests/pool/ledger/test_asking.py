"""The desk: what one claim brings along, others do not ask for."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace

from freelm_integrations.pool.ledger.asking import Desk
from freelm_integrations.pool.ledger.memory import MemoryLedger
from freelm_integrations.pool.ledger_pool import LedgerPool
from freelm_integrations.pool.pool import Success
from freelm_integrations.providers.spec import Limit
from tests.fakes import FakeClock
from tests.pool.making import only_route, provider
from tests.reliability.leaks import until
from tests.turns import turns

MANY = 12


class Tray:
    """An outbox that nothing leaves."""

    is_empty = True

    def before_flush(self, add) -> None: ...

    def put(self, settlement, heed) -> None: ...


class Ledgers:
    """One ledger, asked from threads and from a loop; its answers may be held up."""

    def __init__(self) -> None:
        self.ledger = MemoryLedger()
        self.claims: list = []
        self.is_held = False
        self.let_go_here = threading.Event()
        self.let_go = asyncio.Event()

    def take(self, claim, utc):
        self.claims.append(claim)
        if self.is_held:
            self.let_go_here.wait(10)
        return self.ledger.take(claim, utc)

    async def take_on_loop(self, claim, utc):
        self.claims.append(claim)
        if self.is_held:
            await self.let_go.wait()
        return self.ledger.take(claim, utc)


class Stage:
    """A pool that was in a hurry half a second ago, and its desk."""

    def __init__(self, limit: float) -> None:
        self.clock, self.ledgers = FakeClock(), Ledgers()
        homes = SimpleNamespace(
            blocking=SimpleNamespace(take=self.ledgers.take),
            native=SimpleNamespace(take=self.ledgers.take_on_loop),
            outbox=None,
        )
        self.desk = Desk(homes, self.clock)
        self.pool = LedgerPool(self.clock, outbox=Tray())
        self.route = only_route(self.pool, provider(limits=(Limit(limit),)))
        self.leases: list = []
        self.joined = 0
        for _ in range(MANY):
            self.pool.settle(self.lease_here(), Success(0.1), self.clock.now())
        self.clock.move(0.5)
        self.ledgers.claims.clear()
        self.leases.clear()
        self.joined = 0

    def claim(self):
        lease = self.pool.lease(self.route, self.clock.now())
        claim = self.pool.claim(lease, self.clock.now())
        self.joined += claim is not None and claim.joins is not None
        return lease, claim

    def lease_here(self):
        lease, claim = self.claim()
        while claim is not None:
            answer = self.desk.ask(claim)
            if answer is not None:
                assert self.pool.confirm(lease, answer, self.clock.now())
                break
            claim = self.pool.claim(lease, self.clock.now())
        self.leases.append(lease)
        return lease

    async def lease_on_loop(self):
        lease, claim = self.claim()
        while claim is not None:
            answer = await self.desk.ask_on_loop(claim)
            if answer is not None:
                assert self.pool.confirm(lease, answer, self.clock.now())
                break
            claim = self.pool.claim(lease, self.clock.now())
        self.leases.append(lease)


async def set_off(limit: float = 100_000):
    """Many at once, and the first answer held up."""
    stage = Stage(limit)
    stage.ledgers.is_held = True
    tasks = [asyncio.ensure_future(stage.lease_on_loop()) for _ in range(MANY)]
    await turns(4)
    return stage, tasks


def test_on_a_loop_one_claim_is_asked_for_all_that_it_is_enough_for():
    async def main() -> None:
        stage, tasks = await set_off()
        assert (len(stage.ledgers.claims), stage.joined, stage.leases) == (1, MANY - 1, [])

        stage.ledgers.let_go.set()
        await asyncio.gather(*tasks)

        assert (len(stage.ledgers.claims), len(stage.leases)) == (1, MANY)

    asyncio.run(main())


def test_in_threads_one_claim_is_asked_for_all_that_it_is_enough_for():
    stage = Stage(100_000)
    stage.ledgers.is_held = True
    threads = [threading.Thread(target=stage.lease_here) for _ in range(MANY)]
    threads[0].start()
    until(lambda: stage.ledgers.claims)
    for thread in threads[1:]:
        thread.start()
    until(lambda: stage.joined == MANY - 1)
    assert (len(stage.ledgers.claims), stage.leases) == (1, [])

    stage.ledgers.let_go_here.set()
    for thread in threads:
        thread.join()

    assert (len(stage.ledgers.claims), len(stage.leases)) == (1, MANY)


def test_whoever_is_cancelled_while_it_asks_leaves_the_others_to_ask_themselves():
    async def main() -> None:
        stage, tasks = await set_off()

        tasks[0].cancel()
        await turns(4)
        stage.ledgers.let_go.set()
        await asyncio.gather(*tasks, return_exceptions=True)

        assert len(stage.leases) == MANY - 1

    asyncio.run(main())


def test_where_little_is_left_everybody_asks_for_itself():
    async def main() -> None:
        stage, tasks = await set_off(100)
        assert (len(stage.ledgers.claims), stage.joined) == (MANY, 0)
        stage.ledgers.let_go.set()
        await asyncio.gather(*tasks)

    asyncio.run(main())
