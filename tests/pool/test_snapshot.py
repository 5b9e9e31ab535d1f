"""Health and capacity are told from plain rows, one a key."""

from __future__ import annotations

import json

import pytest

from freelm_integrations.chat import KIND_WORDS, fault_words
from freelm_integrations.pool.breaker import THRESHOLD
from freelm_integrations.pool.pool import Pool, Success
from freelm_integrations.providers.spec import DAY, Limit
from freelm_integrations.wire.faults import FAULT_KINDS, Fault
from tests.fakes import FakeClock
from tests.pool.making import ModelSpec, provider, routes_of

NOW = 1000.0


@pytest.fixture
def pool() -> Pool:
    return Pool(FakeClock(chance=0.0))


def fail(pool, route, fault, times=1, now=NOW):
    for _ in range(times):
        pool.settle(pool.lease(route, now), fault, now)


def test_keys_nobody_used_yet_have_a_row_with_their_limits(pool):
    """Health is complete before the first call."""
    one = provider(keys=2, limits=(Limit(30, per=60), Limit(50, per=DAY, resets="utc_day")))
    rows = pool.snapshot(NOW, [one])

    assert [row.fingerprint for row in rows] == [key.fingerprint for key in one.keys]
    assert {row.state for row in rows} == {"ready"}
    assert [(w.limit, w.remaining, w.resets_after) for w in rows[0].windows] == [
        (30, 30, None),
        (50, 50, None),
    ]
    assert not pool._register.providers


@pytest.mark.parametrize(
    ("fault", "times", "state", "ready_after"),
    [
        (Fault(kind="malformed"), 1, "ready", None),
        (Fault(kind="throttled"), 1, "ready", None),  # the model rests, the key does not
        (Fault(kind="throttled", scope="key", retry_after=9), 1, "cooling", 9.0),
        (Fault(kind="blocked"), 1, "cooling", 600.0),
        (Fault(kind="server_error"), THRESHOLD, "open", 5.0),
        (Fault(kind="unauthorized"), 1, "retired", None),
    ],
)
def test_a_keys_state_in_one_word(pool, fault, times, state, ready_after):
    """And when it is back, if time brings it back."""
    one = provider()
    fail(pool, routes_of(pool, one)[0], fault, times)
    (row,) = pool.snapshot(NOW + 0.0, [one])

    assert (row.state, row.ready_after) == (state, ready_after)
    assert row.last_fault is not None
    assert row.last_fault.kind == fault.kind


def test_a_half_open_key_is_called_so(pool):
    """Its backoff is over, its probe is still to come."""
    one = provider()
    fail(pool, routes_of(pool, one)[0], Fault(kind="timeout"), THRESHOLD)

    assert pool.snapshot(NOW + 6.0, [one])[0].state == "half-open"


def test_cooldowns_and_windows_say_which_model(pool):
    """What is shared has no model; what is one model's names it."""
    models = (ModelSpec("owl", limits=(Limit(5, per=60),)), ModelSpec("elk"))
    one = provider(models=models, limits=(Limit(9, per=60),))
    owl, elk = routes_of(pool, one)
    pool.settle(pool.lease(owl, NOW), Success(), NOW)
    fail(pool, elk, Fault(kind="overloaded"))
    (row,) = pool.snapshot(NOW + 10, [one])

    assert [(w.model, w.limit, w.remaining) for w in row.windows] == [
        (None, 9, 7),
        ("owl", 5, 4),
    ]
    assert [(c.scope, c.kind, c.model, c.seconds) for c in row.cooldowns] == [
        ("model", "overloaded", "elk", 20.0)
    ]
    assert row.last_fault is not None
    assert row.last_fault.ago == 10.0


def test_without_providers_every_routed_key_has_a_row(pool):
    """And leases under way are counted."""
    routes = routes_of(pool, provider("a", keys=2), provider("b", models=("owl", "elk")))
    for route in routes:
        pool.lease(route, NOW)
    rows = pool.snapshot(NOW)

    assert [(row.provider.split("@")[0], row.in_flight) for row in rows] == [
        ("a", 1),
        ("a", 1),
        ("b", 2),
    ]


def test_rows_are_json(pool):
    """Whatever state they are in."""
    one = provider(limits=(Limit(9, per=60),))
    (route,) = routes_of(pool, one)
    fail(pool, route, Fault(kind="throttled"))
    text = json.dumps([row.to_dict() for row in pool.snapshot(NOW, [one])], allow_nan=False)

    assert '"throttled"' in text


@pytest.mark.parametrize("reason", ["retired", "window", "breaker", *FAULT_KINDS])
def test_every_reason_to_rest_has_words_for_people(reason):
    """What a view names in one word, errors and explanations say in words."""
    assert reason in KIND_WORDS


def test_a_retired_key_is_said_to_need_a_new_one():
    """Nobody but its owner knows what "retired" means."""
    assert fault_words("retired") == "key refused: needs a new key"
