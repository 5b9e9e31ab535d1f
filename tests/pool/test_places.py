"""Where only so many calls are served at once, the others wait for a place, or go elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.pool.pool import Abandoned, Pool, Success
from freelm_integrations.pool.seat import AGAIN
from freelm_integrations.wire.faults import Fault
from tests.fakes import FakeClock
from tests.pool.making import provider, routes_of

NOW = 1000.0
OUTCOMES = [
    Success(0.1),
    Abandoned(),
    Fault(kind="malformed"),
    Fault(kind="overloaded", retry_after=0),
]


def crowded(at_once, *, keys=1, models=("owl", "elk"), account="acme"):
    """A provider whose models serve so many calls of an account at once."""
    one = provider(keys=keys, models=models, account=account)
    vars(one)["allowance"] = replace(one.allowance, at_once=at_once)
    return one


@pytest.fixture
def pool() -> Pool:
    return Pool(FakeClock())


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: type(outcome).__name__)
def test_a_full_route_is_ready_when_one_is_settled(pool, outcome):
    """However it ends; until then it says so, and when to ask again."""
    route, other = routes_of(pool, crowded(1))
    lease = pool.lease(route, NOW)
    view, beside = pool.views((route, other), NOW + 5)

    assert (view.ready_at, view.resting) == (NOW + 5 + AGAIN, "full")
    assert beside.resting is None  # another model has places of its own
    assert pool.lease(route, NOW + 5) is None
    assert pool.lease(other, NOW + 5) is not None
    pool.settle(lease, outcome, NOW + 5)
    assert pool.views((route,), NOW + 5)[0].ready_at <= NOW + 5
    assert pool.lease(route, NOW + 5) is not None


def test_the_keys_of_one_account_share_its_places(pool):
    """And those of two accounts do not."""
    first, second = routes_of(pool, crowded(1, keys=2, models=("owl",)))
    pool.lease(first, NOW)

    assert pool.views((second,), NOW)[0].resting == "full"
    apart = routes_of(Pool(FakeClock()), crowded(1, keys=2, models=("owl",), account=None))
    assert len({route.key.account for route in apart}) == 2


@given(st.integers(1, 4), st.lists(st.booleans(), max_size=40))
def test_never_more_than_its_places_are_in_flight(places, moves):
    """Whatever comes and goes; without a number, any."""
    pool = Pool(FakeClock())
    route = routes_of(pool, crowded(places, models=("owl",)))[0]
    leases = []
    for begins in moves:
        if begins and (lease := pool.lease(route, NOW)) is not None:
            leases.append(lease)
        elif not begins and leases:
            pool.settle(leases.pop(), Success(), NOW)
        assert len(leases) <= places
        assert (pool.views((route,), NOW)[0].ready_at > NOW) is (len(leases) == places)


def test_who_declares_last_is_believed(pool):
    """A client on a paid tier has no such limit."""
    free = crowded(1, models=("owl",))
    pool.lease(routes_of(pool, free)[0], NOW)
    vars(free)["allowance"] = replace(free.allowance, at_once=None)
    other = provider(models=("owl",), account="acme")

    assert pool.lease(routes_of(pool, other)[0], NOW) is not None
