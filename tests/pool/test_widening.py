"""A refusal that many are told is believed of all, so that a call does not pay for it key by key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.pool.pool import Pool, Success
from freelm_integrations.pool.widening import GUESSED_FOR, WITNESSES
from freelm_integrations.providers.provider import NIM
from freelm_integrations.wire.faults import FAULT_KINDS, Fault
from tests.fakes import FakeClock
from tests.pool.making import provider, routes_of

NOW = 1000.0
HOUR = 3600.0


def routed(*, keys=20, models=5, account=None):
    pool = Pool(FakeClock())
    one = provider(keys=keys, models=[f"m{n}" for n in range(models)], account=account)
    return pool, routes_of(pool, one)


def asked_until_all_rest(pool, routes, fault_on, now=NOW):
    """Every route that is asked, in order, until none is ready: one call over one provider."""
    asked = []
    for route in routes:
        lease = pool.lease(route, now)
        if lease is not None:
            asked.append(route)
            pool.settle(lease, fault_on(route), now)
    return asked


@pytest.mark.parametrize(
    ("fault", "attempts"),
    [
        (Fault(kind="forbidden"), 4),
        (Fault(kind="model_gone", scope="model"), 5),
        (Fault(kind="model_gone", scope="route"), 10),
        (Fault(kind="not_on_plan"), 15),
        (Fault(kind="blocked"), 1),
        (Fault(kind="unauthorized"), 20),
    ],
)
def test_the_same_refusal_is_not_paid_for_key_by_key(fault, attempts):
    """Twenty keys with five models: a model that is gone is so for all keys at once."""
    pool, routes = routed()

    assert len(asked_until_all_rest(pool, routes, lambda _: fault)) == attempts


def test_a_model_that_two_accounts_may_not_use_rests_for_all_keys():
    """The other models go on."""
    pool, routes = routed(keys=3, models=2)
    for route in routes[:2]:
        cooled = pool.settle(pool.lease(route, NOW), Fault(kind="forbidden"), NOW)

    assert cooled == ("model", GUESSED_FOR)
    assert pool.rests(routes[2], NOW) == "forbidden"
    assert [pool.rests(route, NOW) for route in routes[3:]] == [None] * 3


def test_a_key_refused_twice_rests_and_the_others_go_on():
    """The first key may not do anything there."""
    pool, routes = routed(keys=2, models=3)
    mine = [route for route in routes if route.key is routes[0].key]
    for route in mine[:2]:
        cooled = pool.settle(pool.lease(route, NOW), Fault(kind="forbidden"), NOW)

    assert cooled == ("account", GUESSED_FOR)
    assert pool.rests(mine[2], NOW) == "forbidden"
    assert not any(pool.rests(route, NOW) for route in routes if route.key is not routes[0].key)


def test_models_missing_from_a_plan_say_nothing_of_the_rest_of_it():
    """Staged access: one model is there and the next is not."""
    pool, routes = routed(keys=1, models=4)
    for route in routes[:3]:
        pool.settle(pool.lease(route, NOW), Fault(kind="not_on_plan"), NOW)

    assert pool.rests(routes[3], NOW) is None


def test_keys_of_one_account_are_one_witness():
    """They are told the same because they are the same."""
    pool, routes = routed(keys=3, models=1, account="acme")
    cooled = pool.settle(pool.lease(routes[0], NOW), Fault(kind="forbidden"), NOW)

    assert cooled is not None
    assert cooled.scope == "route"
    assert [pool.rests(route, NOW) for route in routes] == ["forbidden"] * 3


def test_a_belief_is_dropped_before_what_was_really_said():
    """The third key was never asked: it is, as soon as the guess is over."""
    pool, routes = routed(keys=4, models=1)
    for route in routes[:3]:
        pool.settle(pool.lease(route, NOW), Fault(kind="not_on_plan"), NOW)

    assert pool.rests(routes[3], NOW + GUESSED_FOR - 1) == "not_on_plan"
    assert pool.rests(routes[3], NOW + GUESSED_FOR) is None
    assert pool.rests(routes[0], NOW + GUESSED_FOR) == "not_on_plan"


def test_old_refusals_are_no_witnesses():
    """What has rested out may have been mended."""
    pool, routes = routed(keys=2, models=1)
    pool.settle(pool.lease(routes[0], NOW), Fault(kind="forbidden"), NOW)
    later = NOW + HOUR
    cooled = pool.settle(pool.lease(routes[1], later), Fault(kind="forbidden"), later)

    assert cooled.scope == "route"


def test_a_success_elsewhere_is_not_touched():
    """What answers is believed more than what is guessed of it: it was never told so itself."""
    pool, routes = routed(keys=3, models=2)
    pool.settle(pool.lease(routes[5], NOW), Success(), NOW)
    for route in routes[:2]:
        pool.settle(pool.lease(route, NOW), Fault(kind="forbidden"), NOW)

    assert pool.rests(routes[5], NOW) is None


def test_only_refusals_are_widened():
    """Weather and quotas have scopes of their own."""
    assert set(WITNESSES) <= set(FAULT_KINDS)
    assert set(WITNESSES) == {"forbidden", "not_on_plan", "model_gone"}


@given(
    st.lists(
        st.tuples(
            st.integers(0, 7), st.sampled_from(sorted(WITNESSES)), st.floats(0, 2 * GUESSED_FOR)
        ),
        max_size=30,
    )
)
def test_whatever_is_refused_everything_comes_back(events):
    """No belief outlives the longest rest of what was said, and none is for ever."""
    pool, routes = routed(keys=4, models=2)
    now = NOW
    for place, kind, passed in events:
        now += passed
        if (lease := pool.lease(routes[place], now)) is not None:
            pool.settle(lease, Fault(kind=kind), now)

    assert not any(pool.rests(route, now + 24 * HOUR + GUESSED_FOR) for route in routes)


def nim(*, keys=2, models=4):
    pool = Pool(FakeClock())
    secrets = [f"nvapi-{number}" for number in range(keys)]
    return pool, routes_of(pool, NIM(secrets, models=[f"acme/m{n}" for n in range(models)]))


def test_an_account_rests_when_several_of_its_models_say_no_more_than_too_many():
    """NIM tells no limits: the third such model means the account, and no other."""
    pool, routes = nim()
    mine = [route for route in routes if route.key is routes[0].key]
    bare = Fault(kind="throttled", status=429)
    cooled = [pool.settle(pool.lease(route, NOW), bare, NOW) for route in mine[:3]]

    assert cooled == [("route", 15.0), ("route", 15.0), ("account", 15.0)]
    assert pool.rests(mine[3], NOW) == "throttled"
    assert not any(pool.rests(route, NOW) for route in routes if route.key is not routes[0].key)


def test_quotas_that_tell_their_wait_are_each_a_models_own():
    """And so are those of providers that tell them model by model."""
    told = Fault(kind="throttled", status=429, retry_after=5.0)
    for (pool, routes), fault in ((nim(), told), (routed(), Fault(kind="throttled"))):
        mine = [route for route in routes if route.key is routes[0].key]
        for route in mine[:3]:
            pool.settle(pool.lease(route, NOW), fault, NOW)

        assert pool.rests(mine[3], NOW) is None
