"""What counting costs: a lease and its settlement, alone and through each home of shared counts."""

from __future__ import annotations

import contextlib
import gc
import math
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from freelm_integrations import Limit, OpenAICompatible
from freelm_integrations.chat import Request, Usage
from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.pool.ledger.address import Address, file_address
from freelm_integrations.pool.ledger.homes import Homes
from freelm_integrations.pool.ledger_pool import LedgerPool
from freelm_integrations.pool.pool import Pool, Success
from freelm_integrations.providers.spec import ModelSpec
from freelm_integrations.routing.candidates import Router
from freelm_integrations.routing.strategies import STRATEGIES
from tests.pool.ledger.conftest import RedisServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from freelm_integrations.pool.ledger.claim import News, Settlement
    from freelm_integrations.pool.view import Route
    from tests.benchmarks.measure import Report

LIMITS = (Limit(10**9, "requests", per=60), Limit(10**12, "tokens", per=60))
ASKED = Request(messages=({"role": "user", "content": "Say something about foxes."},))
USED = Usage(50, 10, 60)
ROUNDS = 2_000


class Tray:
    """An outbox that is emptied by hand, so that what telling costs is seen."""

    def __init__(self) -> None:
        self.letters: list[tuple[Settlement, Callable[[News], object]]] = []

    def before_flush(self, add: Callable[[], object]) -> None:
        """It is never flushed."""

    def put(self, settlement: Settlement, heed: Callable[[News], object]) -> None:
        self.letters.append((settlement, heed))


def routes_of(pool: Pool, count: int) -> list[Route]:
    keys = [f"key-{number}" for number in range(max(1, count // 10))]
    models = [f"model-{number}" for number in range(min(10, count))]
    one = OpenAICompatible("bench", "http://127.0.0.1:1/v1", keys, models, limits=LIMITS)
    return [pool.route(one, key, model) for key in one.keys for model in one.models or ()]


def leasing(pool: Pool, routes: list[Route], homes: Homes | None, tray: Tray | None):
    """One lease, confirmed, settled and told; on the next of the routes."""
    turn = 0

    def once() -> None:
        nonlocal turn
        turn = (turn + 1) % len(routes)
        lease = pool.lease(routes[turn], SYSTEM_CLOCK.now(), tokens=100)
        assert lease is not None
        claim = pool.claim(lease, SYSTEM_CLOCK.now())
        if claim is not None and homes is not None and homes.blocking is not None:
            answer = homes.blocking.take(claim, SYSTEM_CLOCK.utc())
            assert pool.confirm(lease, answer, SYSTEM_CLOCK.now())
        pool.settle(lease, Success(0.3), SYSTEM_CLOCK.now(), usage=USED)
        if tray is not None and homes is not None and homes.blocking is not None:
            for settlement, heed in tray.letters:
                heed(homes.blocking.settle(settlement, SYSTEM_CLOCK.utc()))
            tray.letters.clear()

    return once


def micros(run: Callable[[], object], rounds: int = ROUNDS) -> float:
    for _ in range(50):
        run()
    samples = []
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        samples.append(time.perf_counter() - began)
    return statistics.median(samples) * 1e6


@contextlib.contextmanager
def addresses() -> Iterator[dict[str, Address]]:
    with tempfile.TemporaryDirectory() as folder:
        found = {"SQLite": file_address(Path(folder) / "state.db")}
        if shutil.which("redis-server") is None:
            print("  no redis-server here (Debian package redis-server): Redis is left out")
            yield found
            return
        server = RedisServer(Path(folder))
        try:
            yield {**found, "Redis": Address("redis", url=server.url)}
        finally:
            server.stop()


def homes_cost(report: Report) -> None:
    bars = {"SQLite": 250.0}
    with addresses() as found:
        for name, address in found.items():
            homes, tray = Homes(address), Tray()
            pool = LedgerPool(SYSTEM_CLOCK, outbox=tray)
            cost = micros(leasing(pool, routes_of(pool, 1), homes, tray))
            what = f"lease + settle, {name}"
            if name in bars:
                report.bar(what, cost, at_most=bars[name], unit="us")
            else:
                report.fact(what, cost, "us")
                trips = round_trips(pool, homes, tray)
                report.bar(f"{name}: round trips of a lease + settle", trips, at_most=2, unit="")
            assert homes.blocking is not None
            homes.blocking.close()


def round_trips(pool: Pool, homes: Homes, tray: Tray) -> float:
    """Commands the server counts for one lease and its settlement."""
    client = homes.blocking._home._client
    once = leasing(pool, routes_of(pool, 1), homes, tray)
    once()
    before = client.info("commandstats").get("cmdstat_evalsha", {}).get("calls", 0)
    for _ in range(10):
        once()
    after = client.info("commandstats")["cmdstat_evalsha"]["calls"]
    return (after - before) / 10


def choosing(strategy: str, keys: int) -> Callable[[], None]:
    """The best of so many keys' routes for a call, leased and settled."""
    secrets = [f"key-{number}" for number in range(keys)]
    model = ModelSpec("model", limits=LIMITS)
    one = OpenAICompatible("bench", "http://127.0.0.1:1/v1", secrets, [model])
    guards = SimpleNamespace(strategy=strategy, free_only=True, allow_training=True)
    pool, catalogs = Pool(SYSTEM_CLOCK), {one: (model,)}
    router = Router(pool, guards)

    def once() -> None:
        now = SYSTEM_CLOCK.now()
        candidates = router.candidates(ASKED, catalogs)
        view = next(candidates.ready(now))
        lease = pool.lease(view.route, now, tokens=candidates.tokens, output=candidates.output)
        assert lease is not None
        pool.settle(lease, Success(0.3), SYSTEM_CLOCK.now(), usage=USED)

    return once


def choosing_cost(report: Report) -> None:
    for strategy in sorted(STRATEGIES):
        each = {keys: choosing(strategy, keys) for keys in (10, 10_000)}
        costs = dict.fromkeys(each, math.inf)
        for once in each.values():
            micros(once, 200)
        gc.freeze()
        for keys, once in list(each.items()) * 10:
            costs[keys] = min(costs[keys], micros(once, 200))
        what = f"choosing included, {strategy}: 10,000 keys / 10"
        report.bar(what, costs[10_000] / costs[10], at_most=2)


def run(report: Report) -> None:
    costs = {}
    for count in (10, 10_000):
        pool = Pool(SYSTEM_CLOCK)
        costs[count] = micros(leasing(pool, routes_of(pool, count), None, None), 10_000)
    report.bar("lease + settle, memory", costs[10], at_most=15, unit="us")
    report.bar("the same among 10,000 routes / 10", costs[10_000] / costs[10], at_most=2)
    choosing_cost(report)
    homes_cost(report)
