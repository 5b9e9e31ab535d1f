"""Whoever is to be avoided is asked when nobody else is left."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.chat import Request
from freelm_integrations.pool.pool import Pool
from freelm_integrations.routing.candidates import Router
from tests.fakes import FakeClock
from tests.pool.making import provider

NOW = 1000.0
A = provider("a", keys=2, models=("one", "of/two"))
AB = provider("ab", models=("one",))
B = provider("b", models=("one",))
CATALOGS = {one: one.models for one in (A, AB, B)}
NAMES = ("a", "ab", "b", "a/one", "a/of/two", "ab/one", "b/one", "a/gone", "nobody")


def candidates(avoid=(), affinity=None):
    """The candidates of a call, by priority; a conversation was last served by `a/one`."""
    guards = SimpleNamespace(strategy="priority", free_only=True, allow_training=True)
    router = Router(Pool(FakeClock()), guards)
    message = ({"role": "user", "content": "hi"},)
    request = Request(messages=message, affinity=affinity, avoid=tuple(avoid))
    found = router.candidates(request, CATALOGS)
    if affinity is not None:
        found.served(
            next(iter(router.candidates(Request(messages=message), CATALOGS).views(NOW))).route
        )
        found = router.candidates(request, CATALOGS)
    return found


def order(found):
    """Their names, each once."""
    names = (f"{view.route.provider.name}/{view.route.model.id}" for view in found.views(NOW))
    return list(dict.fromkeys(names))


@pytest.mark.parametrize(
    ("avoid", "expected"),
    [
        ((), ["a/one", "ab/one", "b/one", "a/of/two"]),
        (["a/one"], ["ab/one", "b/one", "a/of/two", "a/one"]),
        (["a/of/two"], ["ab/one", "b/one", "a/one", "a/of/two"]),
        (["a"], ["ab/one", "b/one", "a/one", "a/of/two"]),
        (["a/one", "ab/one"], ["b/one", "a/of/two", "a/one", "ab/one"]),
        (["a", "ab", "b"], ["a/one", "ab/one", "b/one", "a/of/two"]),
        (["nobody", "A"], ["a/one", "ab/one", "b/one", "a/of/two"]),
    ],
)
def test_others_come_first_then_other_models_of_the_same_provider(avoid, expected):
    """What is avoided is still asked, last; a name that fits nobody changes nothing."""
    assert order(candidates(avoid)) == expected


def test_a_conversation_leaves_a_home_that_is_to_be_avoided():
    """Its last answer there was of no use."""
    assert order(candidates(affinity="chat 1"))[0] == "a/one"
    assert order(candidates(["a/one"], affinity="chat 1"))[0] == "ab/one"


def test_it_is_told_why_a_candidate_comes_last():
    """As `explain` shows it."""
    found = candidates(["a/one"])
    told = {view.route.provider.name: found.reservation(view.route) for view in found.views(NOW)}

    assert told == {"a": "is to be avoided", "ab": None, "b": None}


@given(st.lists(st.sampled_from(NAMES)))
def test_nobody_is_lost_or_told_twice(avoid):
    """Whoever is avoided."""
    plain = [view.route for view in candidates().views(NOW)]
    routes = [view.route for view in candidates(avoid).views(NOW)]

    def name(route):
        return (route.provider.name, route.model.id, route.key.fingerprint)

    assert sorted(map(name, routes)) == sorted(map(name, plain))
