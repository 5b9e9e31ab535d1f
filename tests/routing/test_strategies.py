"""A strategy only orders: the same views come out, best first, and its rule shows."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.pool.view import Route, RouteView
from freelm_integrations.routing.strategies import STRATEGIES
from freelm_integrations.settings import Settings
from tests.pool.making import provider

A, B = provider("a", keys=2), provider("b", keys=3)
LAST = provider("last", priority=100)


def view(one, key=0, *, headroom=1.0, latency=None, in_flight=0):
    route = Route(one, one.keys[key], one.models[0])
    return RouteView(route, -math.inf, headroom, latency, in_flight)


def order(name, views, turn=0):
    """As provider name and place of the key: a0, b2."""
    return [
        f"{v.route.provider.name}{v.route.provider.keys.index(v.route.key)}"
        for v in STRATEGIES[name](views, turn)
    ]


ALL = [view(A, 0), view(A, 1), view(B, 0), view(B, 1), view(B, 2)]


def test_every_strategy_of_the_settings_is_there():
    """The words users may write are the table's keys."""
    for name in STRATEGIES:
        assert Settings.from_options(providers=[A], strategy=name).strategy == name
    assert set(STRATEGIES) == {"priority", "round_robin", "quota_aware", "latency"}


def test_priority_keeps_the_declared_order():
    """Whatever else is known of them."""
    views = [view(A, 0, headroom=0.1, latency=9.0, in_flight=7), *ALL[1:]]

    assert order("priority", views) == ["a0", "a1", "b0", "b1", "b2"]


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        (0, ["a0", "b0", "a1", "b1", "b2"]),
        (1, ["b0", "a0", "b1", "a1", "b2"]),
        (2, ["a1", "b1", "a0", "b2", "b0"]),
        (3, ["b1", "a1", "b2", "a0", "b0"]),
    ],
)
def test_round_robin_goes_round_providers_and_then_keys(turn, expected):
    """Each call starts one provider on; once round, one key on."""
    assert order("round_robin", ALL, turn) == expected


def test_round_robin_starts_everywhere_equally_often():
    """Over a whole turn of providers and keys."""
    starts = [order("round_robin", ALL, turn)[0] for turn in range(12)]

    assert {start: starts.count(start) for start in set(starts)} == {
        "a0": 3,
        "a1": 3,
        "b0": 2,
        "b1": 2,
        "b2": 2,
    }


def test_quota_aware_goes_where_most_is_left():
    """Then to the least busy, then as declared."""
    views = [
        view(A, 0, headroom=0.5),
        view(A, 1, headroom=0.9, in_flight=2),
        view(B, 0, headroom=0.9, in_flight=1),
        view(B, 1, headroom=1.0),
        view(B, 2, headroom=1.0),
    ]

    assert order("quota_aware", views) == ["b1", "b2", "b0", "a1", "a0"]


def test_latency_tries_the_unknown_and_then_goes_by_speed():
    """So every route becomes known; of the unknown the idle ones first."""
    views = [
        view(A, 0, latency=0.9),
        view(A, 1, latency=0.2),
        view(B, 0, in_flight=1),
        view(B, 1),
        view(B, 2, latency=0.2, in_flight=1),
    ]

    assert order("latency", views) == ["b1", "b0", "a1", "b2", "a0"]


@pytest.mark.parametrize("name", sorted(STRATEGIES))
@given(
    facts=st.lists(
        st.tuples(
            st.sampled_from((A, B, LAST)),
            st.floats(0, 1),
            st.none() | st.floats(0, 60),
            st.integers(0, 5),
        )
    ),
    turn=st.integers(0, 10_000),
)
def test_views_are_only_ordered_and_a_last_resort_is_last(name, facts, turn):
    """Nothing is lost or doubled, the priority decides first, and asking twice gives the same."""
    views = [view(one, headroom=h, latency=s, in_flight=n) for one, h, s, n in facts]
    ordered = STRATEGIES[name](views, turn)

    assert sorted(map(id, ordered)) == sorted(map(id, views))
    priorities = [v.route.provider.priority for v in ordered]
    assert priorities == sorted(priorities)
    assert STRATEGIES[name](views, turn) == ordered
