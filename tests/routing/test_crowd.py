"""Very many routes: what comes first is what sorting all of them would have put first."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from freelm_integrations.chat import Request
from freelm_integrations.pool.pool import Pool, Success
from freelm_integrations.pool.view import Ask
from freelm_integrations.providers.spec import DAY, Limit
from freelm_integrations.routing import candidates as room
from freelm_integrations.routing.candidates import Router
from freelm_integrations.routing.strategies import IN_TURN, STRATEGIES
from freelm_integrations.wire.faults import Fault
from tests.fakes import FakeClock
from tests.pool.making import provider
from tests.pool.test_pool_by_chance import outcomes, readings, usages

LIMITS = (Limit(3, per=60), Limit(2000, "tokens", per=60), Limit(9, per=DAY))
SIZES = (0, 300, 1500, 5000)


def guards(strategy: str) -> SimpleNamespace:
    return SimpleNamespace(strategy=strategy, free_only=True, allow_training=True)


def ask(tokens: int = 0, **more) -> Request:
    params = {} if not tokens else {"max_tokens": tokens}
    messages = ({"role": "user", "content": "hello"},)
    return Request(messages=messages, params=params, **more)


class Both(RuleBasedStateMachine):
    """The same pool seen through both ways, while routes are leased, settled and time goes on."""

    @initialize(strategy=st.sampled_from(sorted(STRATEGIES)))
    def begin(self, strategy):
        self.strategy = strategy
        self.clock = FakeClock()
        self.pool = Pool(self.clock)
        self.homes = (
            provider("a", keys=5, models=("a-one", "a-two"), limits=LIMITS),
            provider("b", keys=3, models=("b-one",), limits=LIMITS, account="one"),
            provider("c", keys=2, models=("c-one",), priority=1),
        )
        self.catalogs = {one: one.models for one in self.homes}
        self.router = Router(self.pool, guards(strategy))
        self.leases = []

    def candidates(self, tokens: int, few: int):
        plain, room.FEW = room.FEW, few
        try:
            self.router._known.plans.clear()
            return self.router.preview(ask(tokens), self.catalogs)
        finally:
            room.FEW = plain

    @rule(place=st.integers(0, 20), tokens=st.sampled_from(SIZES))
    def lease(self, place, tokens):
        views = list(self.candidates(0, 10**9).ready(self.clock.now()))
        if views:
            route = views[place % len(views)].route
            lease = self.pool.lease(route, self.clock.now(), tokens=tokens)
            if lease is not None:
                self.leases.append(lease)

    @precondition(lambda self: self.leases)
    @rule(place=st.integers(0, 20), outcome=outcomes, usage=usages, said=readings)
    def settle(self, place, outcome, usage, said):
        lease = self.leases.pop(place % len(self.leases))
        self.pool.settle(lease, outcome, self.clock.now(), usage=usage, readings=said)

    @rule(seconds=st.sampled_from((0.05, 1.0, 20.0, 70.0, 4_000.0)))
    def wait(self, seconds):
        self.clock.move(seconds)

    @rule(home=st.integers(0, 2))
    def readmit(self, home):
        for key in self.homes[home].keys:
            self.pool.readmit(self.homes[home], key)

    @invariant()
    def they_agree(self):
        now = self.clock.now()
        for tokens in SIZES:
            looked = list(self.candidates(tokens, 10**9).ready(now))
            kept = list(self.candidates(tokens, 0).ready(now))
            if self.strategy in IN_TURN:
                assert sorted(map(id, (view.route for view in looked))) == sorted(
                    map(id, (view.route for view in kept))
                )
            else:
                assert kept == looked
            everyone = self.candidates(tokens, 0).views(now)
            assert len(list(everyone)) == len(list(self.candidates(tokens, 10**9).views(now)))
            first = self.candidates(tokens, 10**9).soonest(now, lambda _: True)
            soon = self.candidates(tokens, 0).soonest(now, lambda _: True)
            assert (first is None) == (soon is None)
            if first is not None and soon is not None:
                assert max(soon.ready_at, now) == max(first.ready_at, now)


TestBoth = Both.TestCase
TestBoth.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking takes minutes
)


@pytest.fixture
def crowd():
    """A thousand keys, each with three requests a minute."""
    clock = FakeClock()
    pool = Pool(clock)
    one = provider("a", keys=1000, models=("m",), limits=(Limit(3, per=60),))
    return clock, pool, one


class Counting:
    """A pool that counts the routes it was asked to look at one by one."""

    def __init__(self, pool: Pool) -> None:
        self.looked = 0
        self._pool = pool

    def __getattr__(self, name):
        return getattr(self._pool, name)

    def views(self, routes, now, *, tokens=0, output=0):
        self.looked += len(routes)
        return self._pool.views(routes, now, tokens=tokens, output=output)


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_a_call_looks_at_few_of_a_thousand_routes(crowd, strategy):
    """Also once most of them are used up."""
    clock, pool, one = crowd
    counting = Counting(pool)
    router = Router(counting, guards(strategy))
    now = clock.now()
    for _ in range(2_990):
        view = next(iter(router.candidates(ask(), {one: one.models}).ready(now)))
        lease = pool.lease(view.route, now)
        assert lease is not None
        pool.settle(lease, Success(0.1), now)

    assert counting.looked == 0
    assert len(list(router.candidates(ask(), {one: one.models}).ready(now))) <= 10


def test_round_robin_goes_through_all_keys_in_turn(crowd):
    """Each call begins at the next one."""
    clock, pool, one = crowd
    router = Router(pool, guards("round_robin"))
    asked = []
    for _ in range(30):
        view = next(iter(router.candidates(ask(), {one: one.models}).ready(clock.now())))
        asked.append(one.keys.index(view.route.key))

    assert asked == list(range(30))


def test_a_model_that_rests_as_a_whole_has_nobody_ready_until_then(crowd):
    """Whatever the key; and all are back at once."""
    clock, pool, one = crowd
    router = Router(pool, guards("quota_aware"))
    now = clock.now()
    view = next(iter(router.candidates(ask(), {one: one.models}).ready(now)))
    lease = pool.lease(view.route, now)
    fault = Fault(kind="overloaded", scope="model", retry_after=30.0)
    pool.settle(lease, fault, now)

    candidates = router.candidates(ask(), {one: one.models})
    assert list(candidates.ready(now)) == []
    assert candidates.soonest(now, lambda _: True).ready_at == now + 30
    clock.move(30)
    assert len(list(candidates.ready(clock.now()))) == 1000


def test_conversations_stay_with_the_account_that_served_them(crowd):
    """And find it without going through the others."""
    clock, pool, one = crowd
    counting = Counting(pool)
    router = Router(counting, guards("quota_aware"))
    served = pool.route(one, one.keys[700], one.models[0])
    router.candidates(ask(affinity="talk"), {one: one.models}).served(served)

    candidates = router.candidates(ask(affinity="talk"), {one: one.models})

    assert next(iter(candidates.ready(clock.now()))).route is served
    assert counting.looked == 1


def test_a_pool_that_forgets_lets_go_of_its_rosters():
    """A roster that nobody asks for any more is told of nothing."""
    pool = Pool(FakeClock())
    one = provider("a", keys=3)

    pool.best(one, one.models[0], len, 0.0, Ask(), count=1)
    accounts = pool._register.providers[one.id].accounts.values()
    quotas = [quota for account in accounts for quota in account.quotas.values()]
    assert all(len(quota.watchers) == 1 for quota in quotas)
    pool.forget()
    assert all(not quota.watchers for quota in quotas)
