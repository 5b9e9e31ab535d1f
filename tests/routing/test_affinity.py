"""A conversation stays with the model that served it, while that is well."""

from __future__ import annotations

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.chat import Request
from freelm_integrations.pool.pool import Pool
from freelm_integrations.providers.spec import Limit
from freelm_integrations.routing.affinity import Affinity, Home, at_home, shared_affinity
from freelm_integrations.routing.candidates import Router
from freelm_integrations.wire.faults import Fault
from tests.fakes import FakeClock
from tests.pool.making import provider

NOW = 1000.0
A = provider("a", keys=2, models=("a-one", "a-two"))
B = provider("b", keys=2, models=("b-one",))
CATALOGS = {A: A.models, B: B.models}


class Town:
    """A pool, a router, and calls of conversations."""

    def __init__(self, *providers, strategy="round_robin"):
        self.catalogs = {one: one.models for one in providers} if providers else CATALOGS
        self.pool = Pool(FakeClock())
        self.router = Router(
            self.pool, SimpleNamespace(strategy=strategy, free_only=True, allow_training=True)
        )

    def call(self, affinity=None):
        request = Request(messages=({"role": "user", "content": "hi"},), affinity=affinity)
        return self.router.candidates(request, self.catalogs)

    def serve(self, affinity=None):
        """One call, answered by its first candidate that is ready."""
        candidates = self.call(affinity)
        route = next(view.route for view in candidates.views(NOW) if view.ready_at <= NOW)
        candidates.served(route)
        return route

    def fail(self, route, **fault):
        lease = self.pool.lease(route, NOW)
        assert lease is not None
        self.pool.settle(lease, Fault(**fault), NOW)


def test_calls_of_no_conversation_go_round():
    """As the strategy says."""
    town = Town()

    assert [town.serve().provider.name for _ in range(4)] == ["a", "b", "a", "b"]


def test_calls_of_one_conversation_stay():
    """On one account and model, whatever the strategy would do."""
    town = Town()

    assert len({town.serve("chat 1") for _ in range(6)}) == 1


def test_conversations_do_not_share_their_homes():
    """Each begins where the strategy puts it."""
    town = Town()

    homes = [town.serve("chat 1"), town.serve("chat 2"), town.serve("chat 1"), town.serve("chat 2")]

    assert homes[0] is homes[2]
    assert homes[1] is homes[3]
    assert homes[0].provider is not homes[1].provider


def test_while_its_account_rests_a_conversation_goes_to_another_account_of_the_model():
    """Signatures are understood there; caches are lost."""
    town = Town()
    home = town.serve("chat 1")
    town.fail(home, kind="throttled", scope="key", retry_after=60.0)

    moved = town.serve("chat 1")

    assert moved.model.id == home.model.id
    assert moved.key is not home.key


def test_while_its_model_rests_a_conversation_moves_and_stays_there():
    """It does not go back when the old home is well again."""
    town = Town()
    home = town.serve("chat 1")
    town.fail(home, kind="overloaded", scope="provider", retry_after=1.0)

    moved = town.serve("chat 1")

    assert moved.provider is not home.provider
    later = NOW + 60
    assert next(iter(town.call("chat 1").views(later))).route is moved


def test_every_candidate_is_still_told_once():
    """Home first, and then as if there were none."""
    town = Town(strategy="priority")
    plain = [view.route for view in town.call().views(NOW)]
    town.call("chat 1").served(plain[2])

    routes = [view.route for view in town.call("chat 1").views(NOW)]

    assert routes[0] is plain[2]
    assert sorted(map(id, routes)) == sorted(map(id, plain))


def test_a_last_resort_is_never_a_home():
    """Whoever stands before it is asked again at once."""
    last = provider("last", priority=100)
    town = Town(A, last)
    candidates = town.call("chat 1")
    candidates.served(
        next(view.route for view in candidates.views(NOW) if view.route.provider is last)
    )

    assert next(iter(town.call("chat 1").views(NOW))).route.provider is A


def test_a_home_too_small_for_the_request_is_left():
    """Its limits never let it through."""
    small = provider("small", models=("m",), limits=(Limit(2, "tokens", per=60),))
    town = Town(small, B)
    candidates = town.call("chat 1")
    home = town.pool.route(small, small.keys[0], small.models[0])
    candidates.served(home)

    assert next(iter(town.call("chat 1").views(NOW))).route.provider is B


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 3))), st.integers(1, 4))
def test_only_so_many_conversations_are_remembered(served, kept):
    """The ones that were served last, each where that was."""
    routes = list(Town().call().views(NOW))
    affinity, latest = Affinity(kept), {}
    for name, place in served:
        route = routes[place % len(routes)].route
        affinity.settle(name, route)
        latest.pop(name, None)
        latest[name] = Home(route.provider.id, route.model.id, route.key.account)

    remembered = dict(list(latest.items())[-kept:])
    assert {name: affinity.home(name) for name in latest} == {
        name: remembered.get(name) for name in latest
    }


def test_at_home_are_all_accounts_of_the_model_its_own_first():
    """And no other model of that provider."""
    routes = [view.route for view in Town(strategy="priority").call().views(NOW)]
    own = next(route for route in routes if route.key is B.keys[1])

    found = at_home(routes, Home(B.id, "b-one", own.key.account))

    assert [route.key for route in found] == [B.keys[1], B.keys[0]]


def test_clients_of_one_place_know_the_same_homes():
    """And forget them with the place."""
    place, other = Town(), Town()

    assert shared_affinity(place) is shared_affinity(place)
    assert shared_affinity(place) is not shared_affinity(other)
