"""A day in a second: what is had of the free tiers, by the real engine over a virtual clock.

Callers without end ask providers that count by themselves. The harvest is what was answered, of
what an all-knowing scheduler could have had; wasted is what was refused for its number.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from dataclasses import dataclass, replace
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING

from freelm_integrations.chat import Request
from freelm_integrations.engine.failover import failover
from freelm_integrations.engine.flight import Flight
from freelm_integrations.engine.steps import ELAPSED, Consult, Launch, Wait, advance
from freelm_integrations.engine.terms import Terms
from freelm_integrations.errors import NoRouteAnswered
from freelm_integrations.pool.ledger.memory import MemoryLedger
from freelm_integrations.pool.ledger_pool import LedgerPool
from freelm_integrations.pool.pool import Pool
from freelm_integrations.providers.provider import OpenAICompatible
from freelm_integrations.providers.spec import DAY, Limit, ModelSpec
from freelm_integrations.routing.candidates import Router
from tests.benchmarks.upstream import MIDDAY, Harvest, Upstream
from tests.benchmarks.upstream import Terms as Grants

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from freelm_integrations.engine.steps import Attempt
    from tests.benchmarks.measure import Report

LATENCY = 0.4
ASKED = Request(
    messages=({"role": "user", "content": "hi"},), params={"max_tokens": 200}, streaming=False
)


class VirtualClock:
    """Time that jumps to the next thing that happens."""

    def __init__(self) -> None:
        self.at = 0.0
        self._dice = itertools.cycle([0.1, 0.7, 0.4, 0.9, 0.2])

    def now(self) -> float:
        return self.at

    def utc(self) -> float:
        return MIDDAY + self.at

    def chance(self) -> float:
        return next(self._dice)


@dataclass(frozen=True)
class Field:
    """A provider: what it grants each model of each account, and what the engine is told."""

    name: str
    keys: int
    models: int
    true: tuple[Limit, ...]
    told: tuple[Limit, ...] | None = None
    says: bool = True
    """Whether its 429s name the seconds to wait."""
    accounts: str | None = None

    @property
    def house(self) -> tuple[OpenAICompatible, Grants]:
        limits = self.true if self.told is None else self.told
        ids = [f"{self.name}-m{number}" for number in range(self.models)]
        provider = OpenAICompatible(
            self.name,
            f"https://{self.name}.example/v1",
            [f"{self.name}-{number}" for number in range(self.keys)],
            [ModelSpec(one, limits=limits) for one in ids],
            account=self.accounts,
        )
        return provider, Grants(each=dict.fromkeys(ids, self.true), says=self.says)


class World:
    """The providers, some processes that share a ledger, and callers that never stop asking."""

    def __init__(
        self,
        upstream: Upstream,
        *,
        strategy: str = "quota_aware",
        processes: int = 1,
        callers: int = 24,
        calls: float = math.inf,
    ) -> None:
        self.clock = VirtualClock()
        self.upstream = upstream
        self._left = calls
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._ledger = MemoryLedger()
        guards = SimpleNamespace(strategy=strategy, free_only=True, allow_training=True)
        providers = [provider for provider, _ in upstream.houses]
        self._catalogs = {one: one.models or one.spec.models for one in providers}
        self._pools = [
            LedgerPool(self.clock, outbox=self) if processes > 1 else Pool(self.clock)
            for _ in range(processes)
        ]
        self._routers = [Router(pool, guards) for pool in self._pools]
        self._terms = Terms(wait=True, timeout=2 * DAY, hedge=False, max_attempts=10**6)
        for number in range(callers):
            self.after(0.001 * number, partial(self._call, number % processes))

    # -- an outbox that tells a moment later

    def before_flush(self, add: object) -> None:
        """It is never flushed."""

    def put(self, settlement, heed) -> None:
        self.after(0.01, lambda: heed(self._ledger.settle(settlement, self.clock.utc())))

    # -- time

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.clock.at + seconds, next(self._order), act))

    def run(self, seconds: float) -> Harvest:
        while self._due and self._due[0][0] <= seconds:
            self.clock.at, _, act = heapq.heappop(self._due)
            act()
        harvest = self.upstream.harvest
        harvest.possible = self.upstream.possible(seconds)
        return harvest

    # -- a call

    def _call(self, place: int) -> None:
        if self._left <= 0:
            return
        self._left -= 1
        candidates = self._routers[place].candidates(ASKED, self._catalogs, utc=self.clock.utc())
        flight = Flight(
            ASKED, candidates, pool=self._pools[place], clock=self.clock, terms=self._terms
        )
        again = partial(self.after, 0.0, partial(self._call, place))
        _Caller(self, failover(flight), again).go()

    def consult(self, claim):
        return self._ledger.take(claim, self.clock.utc())


class _Caller:
    """One machine, played over the world's clock."""

    def __init__(self, world: World, machine, done: Callable[[], None]) -> None:
        self._world, self._machine, self._done = world, machine, done
        self._heard: deque = deque()
        self._wait = 0

    def go(self, reply=None) -> None:
        try:
            self._go(reply)
        except NoRouteAnswered:
            self._world.after(1.0, self._done)

    def _go(self, reply) -> None:
        while (step := advance(self._machine, reply)) is not None:
            reply = None
            if isinstance(step, Launch):
                self._world.after(LATENCY / 2, partial(self._arrive, step.attempt))
            elif isinstance(step, Consult):
                reply = self._world.consult(step.claim)
            elif isinstance(step, Wait):
                if self._heard:
                    reply = self._heard.popleft()
                    continue
                self._wait += 1
                self._world.after(step.seconds, partial(self._elapsed, self._wait))
                return
        self._done()

    def _arrive(self, attempt: Attempt) -> None:
        replies = self._world.upstream.replies(attempt, self._world.clock.at)
        self._world.after(LATENCY / 2, lambda: self._hear(replies))

    def _hear(self, replies: list) -> None:
        self._heard += replies
        self._wait += 1  # whatever it waited for, this is sooner
        self.go(self._heard.popleft())

    def _elapsed(self, token: int) -> None:
        if token == self._wait:
            self._wait += 1
            self.go(ELAPSED)


def fields() -> list[Field]:
    """Six providers as they are declared: a few limits each, of minutes and of the day."""
    return [
        Field("alder", 1, 3, (Limit(30, per=60), Limit(1_000, per=DAY))),
        Field("birch", 2, 2, (Limit(20, per=60), Limit(200, per=DAY))),
        Field("cedar", 2, 1, (Limit(40, per=60),), accounts="one"),
        Field("elm", 1, 2, (Limit(15, per=60), Limit(500, per=DAY))),
        Field("fir", 1, 1, (Limit(1, per=1), Limit(5_000, per=DAY))),
        Field("gum", 1, 4, (Limit(5, per=60), Limit(100, per=3_600))),
    ]


def misdeclared() -> list[Field]:
    """The same, where two grant less than is declared of them."""
    found = fields()
    found[0] = replace(found[0], told=(Limit(45, per=60), Limit(1_000, per=DAY)))
    found[3] = replace(found[3], told=(Limit(20, per=60), Limit(500, per=DAY)))
    return found


def harvest(
    what: Sequence[Field],
    seconds: float,
    *,
    strategy: str = "quota_aware",
    processes: int = 1,
    callers: int = 24,
) -> Harvest:
    upstream = Upstream([one.house for one in what])
    world = World(upstream, strategy=strategy, processes=processes, callers=callers)
    return world.run(seconds)


def run(report: Report) -> None:
    hour = 3_600.0
    for strategy in ("quota_aware", "priority", "round_robin", "latency"):
        got = harvest(fields(), hour, strategy=strategy)
        is_ours = strategy == "quota_aware"
        least, most = (99.0, 1.0) if is_ours else (None, None)
        report.bar(f"harvest of an hour, {strategy}", got.share * 100, at_least=least, unit="%")
        report.bar("  requests wasted", got.wasted * 100, at_most=most, unit="%")
    got = harvest(fields(), hour, processes=4)
    report.bar("harvest of an hour, four processes", got.share * 100, at_least=99, unit="%")
    report.bar("  requests wasted", got.wasted * 100, at_most=1, unit="%")
    got = harvest(misdeclared(), hour)
    report.bar("harvest of an hour, mis-declared", got.share * 100, at_least=97, unit="%")
    report.bar("  requests wasted", got.wasted * 100, at_most=3, unit="%")
    got = harvest([Field("alder", 1, 3, (Limit(30, per=60),))], 59.0, callers=90)
    report.bar("three models x 30 a minute on one key", got.answered, at_least=90, unit="")
