"""Whatever happens in whatever order, from however many threads, the pool's promises hold."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from freelm_integrations.chat import Usage
from freelm_integrations.pool.pool import Abandoned, Pool, Success
from freelm_integrations.providers.spec import DAY, Limit
from freelm_integrations.wire.faults import FAULT_KINDS, Fault
from freelm_integrations.wire.refusals.hints import Reading
from tests.fakes import FakeClock
from tests.pool.making import ModelSpec, provider, routes_of

SCOPES = (None, "call", "route", "model", "key", "account", "provider")
LIMITS = (
    Limit(4, per=60),
    Limit(2000, "tokens", per=60),
    Limit(20, per=DAY, resets="pacific_day"),
)
OWN = (Limit(3, per=60), Limit(500, "output_tokens", per=30))

amounts = st.one_of(st.none(), st.floats(0, 3000))
outcomes = st.one_of(
    st.builds(Success, st.one_of(st.none(), st.floats(0, 60))),
    st.builds(Abandoned, st.one_of(st.none(), st.floats(0, 60))),
    st.builds(
        Fault,
        kind=st.sampled_from(FAULT_KINDS),
        scope=st.sampled_from(SCOPES),
        retry_after=st.one_of(st.none(), st.just(0.0), st.floats(0.01, 100)),
    ),
)
usages = st.one_of(
    st.none(), st.builds(Usage, st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 6000))
)
readings = st.lists(
    st.builds(
        Reading,
        unit=st.sampled_from(("requests", "tokens", "output_tokens")),
        per=st.sampled_from((30.0, 60.0, DAY)),
        limit=amounts,
        remaining=amounts,
        resets_after=amounts,
    ),
    max_size=3,
)


class PoolMachine(RuleBasedStateMachine):
    """Leases are taken, settled and forgotten about in any order while time jumps forward."""

    @initialize()
    def begin(self):
        self.clock = FakeClock()
        self.pool = Pool(self.clock)
        models = (ModelSpec("owl", limits=OWN), ModelSpec("elk"))
        self.providers = [
            provider("apart", keys=2, models=models, limits=LIMITS),
            provider("joint", keys=2, models=models, limits=LIMITS, account="one"),
        ]
        self.routes = routes_of(self.pool, *self.providers)
        self.open = []

    @property
    def now(self):
        return self.clock.now()

    @rule(seconds=st.one_of(st.floats(0, 10), st.floats(0, 100_000)))
    def time_passes(self, seconds):
        self.clock.move(seconds)

    @rule(place=st.integers(0, 7), tokens=st.integers(0, 4000), share=st.floats(0, 1))
    def lease(self, place, tokens, share):
        route = self.routes[place]
        output = int(tokens * share)
        (view,) = self.pool.views((route,), self.now, tokens=tokens, output=output)
        before = self.used()
        lease = self.pool.lease(route, self.now, tokens=tokens, output=output)
        assert (lease is not None) is (view.ready_at <= self.now)
        if lease is None:
            assert self.used() == before
            return
        for window, _, took, _ in lease.taken:
            assert 0 <= took <= window.amount
            assert window.used(self.now) <= window.amount + 1e-6
        self.open.append(lease)

    @rule(data=st.data(), outcome=outcomes, usage=usages, readings=readings)
    def settle(self, data, outcome, usage, readings):
        if not self.open:
            return
        lease = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        cooled = self.pool.settle(lease, outcome, self.now, usage=usage, readings=readings)
        assert lease.is_settled
        if cooled is not None:
            assert isinstance(outcome, Fault)
            assert cooled.cools_for > 0
            assert self.pool.rests(lease.route, self.now) is not None

    def used(self):
        return [
            window.used(self.now)
            for home in self.pool._register.providers.values()
            for account in home.accounts.values()
            for quota in account.quotas.values()
            for window in quota.windows
        ]

    @invariant()
    def windows_stay_within_bounds(self):
        for row in self.pool.snapshot(self.now, self.providers):
            for window in row.windows:
                assert 0 <= window.remaining <= window.limit
        assert all(used >= 0 for used in self.used())

    @invariant()
    def open_counts_are_those_of_open_leases(self):
        for lease in self.open:
            assert not lease.is_settled
        flying = sum(view.in_flight for view in self.pool.views(self.routes, self.now))
        assert flying == len(self.open)
        held = {}
        for lease in self.open:
            for window, *_ in lease.taken:
                held[window] = held.get(window, 0) + 1
        assert all(window.open == count for window, count in held.items())

    @invariant()
    def no_key_has_two_probes(self):
        probed = [lease.route.key.fingerprint for lease in self.open if lease.is_probe]
        assert len(probed) == len(set(probed))

    @invariant()
    def kept_views_say_what_fresh_ones_would(self):
        kept = self.pool.views(self.routes, self.now)
        for home in self.pool._register.providers.values():
            home.version += 1
        assert self.pool.views(self.routes, self.now) == kept


PoolMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
TestPoolByChance = PoolMachine.TestCase


def test_threads_never_take_more_than_the_limit_nor_lose_a_count():
    """Eight threads at one window: as many leases as it has, and every one comes back."""
    pool = Pool(FakeClock())
    (route,) = routes_of(
        pool, provider(limits=(Limit(500, per=60), Limit(10**9, "tokens", per=60)))
    )
    start = threading.Barrier(8)

    def work(_):
        start.wait()
        leases = [pool.lease(route, 0.0, tokens=10) for _ in range(200)]
        return [lease for lease in leases if lease is not None]

    with ThreadPoolExecutor(8) as threads:
        leases = [lease for some in threads.map(work, range(8)) for lease in some]
        assert len(leases) == 500
        outcome = Fault(kind="unreachable")
        list(threads.map(lambda lease: pool.settle(lease, outcome, 0.0), leases))

    (row,) = pool.snapshot(0.0)
    assert row.in_flight == 0
    assert [window.remaining for window in row.windows] == [500, 10**9]


def test_threads_share_one_probe():
    """Eight threads meet a half-open breaker: one gets through."""
    pool = Pool(FakeClock(chance=0.0))
    (route,) = routes_of(pool, provider())
    for _ in range(3):
        pool.settle(pool.lease(route, 0.0), Fault(kind="timeout"), 0.0)
    start = threading.Barrier(8)

    def work(_):
        start.wait()
        return pool.lease(route, 100.0)

    with ThreadPoolExecutor(8) as threads:
        leases = list(threads.map(work, range(8)))

    assert sum(lease is not None for lease in leases) == 1


def test_one_lease_settled_by_many_threads_is_settled_once():
    """All but one are told so."""
    pool = Pool(FakeClock())
    (route,) = routes_of(pool, provider(limits=(Limit(5, per=60),)))
    lease = pool.lease(route, 0.0)
    start = threading.Barrier(8)

    def work(_):
        start.wait()
        try:
            pool.settle(lease, Fault(kind="unreachable"), 0.0)
        except RuntimeError:
            return 1
        return 0

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(work, range(8))) == 7
    assert pool.snapshot(0.0)[0].windows[0].remaining == 5
