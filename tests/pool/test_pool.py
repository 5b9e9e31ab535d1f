"""Leases take, settlements put right, faults rest what they name, and clients over the same keys share all of it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from freelm_integrations.chat import Usage
from freelm_integrations.pool.breaker import BACKOFF, THRESHOLD
from freelm_integrations.pool.pool import Abandoned, Pool, Success
from freelm_integrations.pool.seat import AGAIN
from freelm_integrations.pool.shared import shared_pool
from freelm_integrations.pool.verdicts import VERDICTS
from freelm_integrations.providers.provider import NIM, Cerebras, Groq, Mistral
from freelm_integrations.providers.spec import Limit
from freelm_integrations.wire.faults import FAULT_KINDS, Fault
from freelm_integrations.wire.refusals.hints import Reading
from tests.fakes import FakeClock
from tests.pool.making import ModelSpec, only_route, provider, routes_of

NOW = 1000.0
SERVER = Fault(kind="server_error", status=500)


@pytest.fixture
def pool() -> Pool:
    return Pool(FakeClock(chance=0.0))


def attempt(pool, route, outcome, now=NOW, *, tokens=0, **more):
    """One attempt from lease to settlement."""
    lease = pool.lease(route, now, tokens=tokens)
    assert lease is not None
    return pool.settle(lease, outcome, now, **more)


def two_by_two(pool):
    """Two keys of one provider, two models: owl on both keys, then elk on both."""
    return routes_of(pool, provider(keys=2, models=("owl", "elk")))


# ---------------------------------------------------------------------- who rests

# Which of owl/key0, owl/key1, elk/key0, elk/key1 rest after a fault at the first.
ROUTE, MODEL, KEY, ALL = (0,), (0, 1), (0, 2), (0, 1, 2, 3)


@pytest.mark.parametrize(
    ("fault", "rest", "seconds"),
    [
        (Fault(kind="throttled"), ROUTE, 15.0),
        (Fault(kind="throttled", retry_after=7.0), ROUTE, 7.0),
        (Fault(kind="throttled", scope="key", retry_after=7.0), KEY, 7.0),
        (Fault(kind="throttled", scope="account", retry_after=7.0), (*ROUTE, 2), 7.0),
        (Fault(kind="throttled", scope="model", retry_after=7.0), MODEL, 7.0),
        (Fault(kind="throttled", scope="provider"), ALL, 15.0),
        (Fault(kind="throttled", retry_after=0.0), (), None),
        (Fault(kind="throttled", scope="call", retry_after=9.0), (), None),
        (Fault(kind="overloaded"), MODEL, 30.0),
        (Fault(kind="overloaded", retry_after=2.0), MODEL, 2.0),
        (Fault(kind="unauthorized"), KEY, math.inf),
        (Fault(kind="unpaid"), KEY, 3600.0),
        (Fault(kind="forbidden"), ROUTE, 600.0),
        (Fault(kind="blocked"), ALL, 600.0),
        (Fault(kind="model_gone"), MODEL, 6 * 3600.0),
        (Fault(kind="not_on_plan"), ROUTE, 6 * 3600.0),
        (Fault(kind="server_error", retry_after=20.0, scope="provider"), ALL, 20.0),
        (Fault(kind="server_error"), (), None),
        (Fault(kind="empty"), (), None),
        (Fault(kind="unsupported"), (), None),
        (Fault(kind="tool_failed"), (), None),
        (Fault(kind="bad_parameter"), (), None),
        (Fault(kind="too_large"), (), None),
        (Fault(kind="too_long"), (), None),
        (Fault(kind="moderated"), (), None),
        (Fault(kind="malformed"), (), None),
    ],
)
def test_a_fault_rests_what_it_names_for_as_long_as_it_says(pool, fault, rest, seconds):
    """The fault's scope and retry-after, else the table's; nobody else is touched."""
    routes = two_by_two(pool)
    cooled = attempt(pool, routes[0], fault)

    resting = tuple(place for place, route in enumerate(routes) if pool.rests(route, NOW))
    assert resting == rest
    assert (None if cooled is None else cooled.cools_for) == seconds
    for place in resting:
        assert pool.lease(routes[place], NOW) is None
        assert pool.views((routes[place],), NOW)[0].ready_at == NOW + seconds
    if seconds is not None and seconds < math.inf:
        assert all(pool.lease(route, NOW + seconds) for route in routes)


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_after_any_fault_lease_and_views_agree(pool, kind):
    """What a view calls ready can be leased, and what it calls resting cannot."""
    routes = two_by_two(pool)
    for _ in range(THRESHOLD):
        if lease := pool.lease(routes[0], NOW):
            pool.settle(lease, Fault(kind=kind), NOW)

    for view in pool.views(routes, NOW):
        assert (view.ready_at <= NOW) is (view.resting is None)
        assert (view.resting is None) is (pool.lease(view.route, NOW) is not None)


def test_a_retired_key_stays_out_until_a_person_acts(pool):
    """Time does not bring it back; forgetting does."""
    route = only_route(pool, provider())
    attempt(pool, route, Fault(kind="unauthorized", status=401))
    view = pool.views((route,), NOW + 1e9)[0]
    assert (view.resting, view.ready_at) == ("retired", math.inf)

    pool.forget(route.provider.id)

    assert pool.lease(route, NOW) is not None


def test_repeated_cooldowns_double_and_a_success_starts_them_anew(pool):
    """15, 30, 60 s; after an answer 15 s again."""
    route, now, told = only_route(pool, provider()), NOW, []
    for _ in range(3):
        cooled = attempt(pool, route, Fault(kind="throttled"), now)
        told.append(cooled.cools_for)
        now += cooled.cools_for
    attempt(pool, route, Success(), now)
    told.append(attempt(pool, route, Fault(kind="throttled"), now).cools_for)

    assert told == [15.0, 30.0, 60.0, 15.0]


def test_a_burst_of_refusals_is_one_strike(pool):
    """Ten calls in the air when the quota ran out do not rest it for two hours."""
    route = only_route(pool, provider())
    leases = [pool.lease(route, NOW) for _ in range(10)]
    told = {pool.settle(lease, Fault(kind="throttled"), NOW).cools_for for lease in leases}

    assert told == {15.0}


def test_a_shorter_cooldown_does_not_cut_a_longer_one_short(pool):
    """The later of two moments holds."""
    route = only_route(pool, provider())
    leases = [pool.lease(route, NOW) for _ in range(2)]
    for lease, seconds in zip(leases, (60.0, 5.0), strict=True):
        pool.settle(lease, Fault(kind="throttled", retry_after=seconds), NOW)

    assert pool.ready_at((route,), NOW) == NOW + 60.0


def test_keys_of_one_account_share_what_a_route_was_told(pool):
    """A second key of the same organisation would only be refused as well."""
    first, second = routes_of(pool, provider(keys=2, account="one"))
    attempt(pool, first, Fault(kind="throttled"))

    assert pool.rests(second, NOW) == "throttled"


# ---------------------------------------------------------------------- the breaker


def test_the_breaker_is_the_keys_whatever_the_model(pool):
    """Three faults over two models of one key open it for both; the other key goes on."""
    owl0, owl1, elk0, elk1 = two_by_two(pool)
    told = [attempt(pool, route, SERVER) for route in (owl0, elk0, owl0)]

    assert told[:2] == [None, None]
    assert told[2] == ("key", BACKOFF)
    assert [pool.rests(route, NOW) for route in (owl0, elk0, owl1, elk1)] == [
        "breaker",
        "breaker",
        None,
        None,
    ]


def test_half_open_admits_exactly_one_probe(pool):
    """Everybody else is told to ask again soon, also over another model of the key."""
    owl, elk = routes_of(pool, provider(models=("owl", "elk")))
    for _ in range(THRESHOLD):
        attempt(pool, owl, SERVER)
    now = NOW + BACKOFF
    probe = pool.lease(owl, now)

    assert probe is not None
    assert pool.lease(owl, now) is None
    assert pool.lease(elk, now) is None
    assert now < pool.ready_at((owl, elk), now) <= now + 1.0

    pool.settle(probe, Success(0.2), now)
    assert pool.lease(elk, now) is not None


@pytest.mark.parametrize(
    ("outcome", "is_back"),
    [
        (Success(), True),
        (Fault(kind="malformed"), True),  # a refusal is a sign of life
        (Abandoned(), True),
        (SERVER, False),
    ],
)
def test_how_a_probe_ends_decides(pool, outcome, is_back):
    """Any answer closes it, silence frees the place, a fault opens it for twice as long."""
    route = only_route(pool, provider())
    for _ in range(THRESHOLD):
        attempt(pool, route, SERVER)
    now = NOW + BACKOFF
    cooled = attempt(pool, route, outcome, now)

    assert (pool.lease(route, now) is not None) is is_back
    if not is_back:
        assert cooled == ("key", 2 * BACKOFF)


# ---------------------------------------------------------------------- windows

TOKENS = (Limit(10, per=60), Limit(1000, "tokens", per=60))


def left(pool, route, now=NOW):
    """(requests, tokens) left at the route's account."""
    (row,) = pool.snapshot(now, [route.provider])
    return tuple(window.remaining for window in row.windows)


@pytest.mark.parametrize(
    ("outcome", "usage", "expected"),
    [
        (Success(), Usage(100, 50, 150), (9, 850)),
        (Success(), Usage(100, 50, 0), (9, 850)),  # a provider that forgets to add up
        (Success(), Usage(900, 900, 1800), (9, 0)),
        (Success(), None, (9, 600)),  # nobody said: the estimate stands
        (Abandoned(), None, (9, 600)),
        (SERVER, None, (9, 600)),
        (Fault(kind="throttled"), None, (9, 1000)),
        (Fault(kind="unauthorized"), None, (9, 1000)),
        (Fault(kind="model_gone"), None, (9, 1000)),
        (Fault(kind="too_large"), None, (9, 1000)),
        (Fault(kind="unreachable"), None, (10, 1000)),
        (Fault(kind="cut"), Usage(100, 50, 150), (9, 850)),
    ],
)
def test_a_settlement_corrects_what_the_lease_took(pool, outcome, usage, expected):
    """By the real usage; refused before inference gives tokens back, never sent gives all back."""
    route = only_route(pool, provider(limits=TOKENS))
    attempt(pool, route, outcome, tokens=400, usage=usage)

    assert left(pool, route) == expected


def test_a_lease_takes_from_every_window_or_from_none(pool):
    """Refused for its tokens, it does not cost a request."""
    route = only_route(pool, provider(limits=TOKENS))
    pool.lease(route, NOW, tokens=700)

    assert pool.lease(route, NOW, tokens=400) is None
    assert left(pool, route) == (9, 300)


def test_input_and_output_tokens_are_counted_apart(pool):
    """A lease splits its estimate, the usage says what it was."""
    limits = (Limit(1000, "input_tokens", per=60), Limit(500, "output_tokens", per=60))
    route = only_route(pool, provider(limits=limits))
    lease = pool.lease(route, NOW, tokens=500, output=200)
    assert left(pool, route) == (700, 300)

    pool.settle(lease, Success(), NOW, usage=Usage(250, 100, 350))

    assert left(pool, route) == (750, 400)


@pytest.mark.parametrize(
    ("kind", "left"), [(Groq, 1000 - 100), (Cerebras, 1000 - 100), (Mistral, 1000 - 350)]
)
def test_cached_tokens_count_where_they_do(pool, kind, left):
    """At Groq and Cerebras only what had to be read anew."""
    one = kind("k", models="owl", limits=[Limit(1000, "tokens")])
    usage = Usage(300, 50, 350, cached_tokens=250)
    attempt(pool, only_route(pool, one), Success(), tokens=400, usage=usage)
    (route,) = routes_of(pool, one)

    assert pool.lease(route, NOW, tokens=left) is not None
    assert pool.lease(route, NOW, tokens=left + 1) is None


def test_more_cached_tokens_than_there_were_are_no_refund(pool):
    """Whatever the server says."""
    one = Groq("k", models="owl", limits=[Limit(1000, "tokens")])
    route = only_route(pool, one)
    attempt(pool, route, Success(), tokens=400, usage=Usage(10, 50, 60, cached_tokens=900))

    assert pool.lease(route, NOW, tokens=951) is None


@pytest.mark.parametrize(
    ("kind", "lengths"),
    [
        (Mistral, [2, 4, 8, 16, 32, 60, 60]),
        (Cerebras, [15, 30, 60, 60]),
        (NIM, [15, 30, 60, 120, 240, 480, 960, 1800, 1800]),
    ],
)
def test_a_quota_without_a_wait_rests_as_long_as_is_usual_there(pool, kind, lengths):
    """Each time a little longer, and elsewhere than at NIM never longer than a minute."""
    route, now, rested = only_route(pool, kind("k", models="owl")), NOW, []
    for seconds in lengths:
        cooled = attempt(pool, route, Fault(kind="throttled", status=429), now)
        rested.append(cooled.cools_for)
        now += seconds + 7200  # for its windows to fill

    assert rested == lengths


def test_a_view_is_ready_only_if_the_tokens_fit(pool):
    """Asked with a request's size, a view and a lease say the same."""
    route = only_route(pool, provider(limits=TOKENS))
    pool.settle(pool.lease(route, NOW, tokens=700), Success(), NOW)
    small, large = (pool.views((route,), NOW, tokens=tokens)[0] for tokens in (300, 301))

    assert small.resting is None
    assert large.resting == "window"
    assert NOW + 60 < large.ready_at <= NOW + 60.5
    assert pool.lease(route, large.ready_at, tokens=301) is not None


def test_while_answers_are_under_way_it_is_worth_asking_again_soon(pool):
    """They may leave some of what they hold; what is larger than the whole limit waits for none."""
    route = only_route(pool, provider(limits=TOKENS))
    lease = pool.lease(route, NOW, tokens=700)
    (view,) = pool.views((route,), NOW, tokens=301)

    assert (view.ready_at, view.resting) == (NOW + AGAIN, "window")
    pool.settle(lease, Success(), NOW, usage=Usage(50, 50, 100))
    assert pool.views((route,), NOW, tokens=301)[0].resting is None


def test_headroom_is_the_tightest_windows(pool):
    """7 of 10 requests and 300 of 1000 tokens left: 0.3."""
    route = only_route(pool, provider(limits=TOKENS))
    for tokens in (300, 300, 100):
        pool.lease(route, NOW, tokens=tokens)

    assert pool.views((route,), NOW)[0].headroom == pytest.approx(0.3)


def test_models_have_windows_of_their_own_beside_the_shared_ones(pool):
    """Three models x 30 a minute on one key: 90 of 90, under a shared limit of 80: 80."""
    models = [ModelSpec(name, limits=(Limit(30, per=60),)) for name in "abc"]

    def harvest(one):
        routes = routes_of(pool, one)
        return sum(pool.lease(route, NOW) is not None for route in routes for _ in range(40))

    assert harvest(provider("free", models=models)) == 90
    assert harvest(provider("tight", models=models, limits=(Limit(80, per=60),))) == 80


def test_keys_count_apart_unless_they_share_an_account(pool):
    """Two keys are twice the quota only if they are two accounts."""
    limits = (Limit(3, per=60),)

    def harvest(one):
        routes = routes_of(pool, one)
        return sum(pool.lease(route, NOW) is not None for route in routes for _ in range(5))

    assert harvest(provider("apart", keys=2, limits=limits)) == 6
    assert harvest(provider("joint", keys=2, limits=limits, account="one")) == 3


def test_readings_raise_a_limit_that_was_declared_too_small(pool):
    """The first answer's headers open what a wrong declaration closed."""
    route = only_route(pool, provider(limits=(Limit(1, per=60),)))
    attempt(pool, route, Success(), readings=(Reading("requests", 60, 30, 29),))

    assert left(pool, route) == (29,)
    assert pool.lease(route, NOW) is not None


def test_readings_of_a_window_nobody_declared_make_one(pool):
    """An unknown endpoint's headers are enough not to run into its limit."""
    route = only_route(pool, provider())
    attempt(pool, route, Success(), readings=(Reading("requests", 60, 5, 1, 20.0),))

    assert left(pool, route) == (1,)
    assert pool.lease(route, NOW) is not None
    assert pool.lease(route, NOW) is None
    assert pool.lease(route, NOW + 20.0) is not None


def test_a_reading_finds_its_window_by_unit_length_and_size(pool):
    """Shared and own windows of one length: the one of the limit that was read out is meant."""
    model = ModelSpec("owl", limits=(Limit(20, per=60),))
    route = only_route(pool, provider(models=(model,), limits=(Limit(50, per=60),)))
    attempt(pool, route, Success(), readings=(Reading("requests", 60, 50, 4),))

    assert left(pool, route) == (4, 19)


def test_a_concurrent_answers_reading_gives_nothing_back(pool):
    """Headers written before another lease was taken must not undo that lease."""
    route = only_route(pool, provider(limits=(Limit(10, per=60),)))
    early, late = pool.lease(route, NOW), pool.lease(route, NOW)
    pool.settle(early, Success(), NOW, readings=(Reading("requests", 60, 10, 9),))
    assert left(pool, route) == (8,)

    pool.settle(late, Success(), NOW, readings=(Reading("requests", 60, 10, 8),))
    assert left(pool, route) == (8,)


# ---------------------------------------------------------------------- leases and sharing


def test_settling_twice_is_an_error_and_changes_nothing(pool):
    """The second settlement must not refund a second time."""
    route = only_route(pool, provider(limits=TOKENS))
    lease = pool.lease(route, NOW, tokens=400)
    pool.settle(lease, Fault(kind="unreachable"), NOW)
    with pytest.raises(RuntimeError, match="exactly once"):
        pool.settle(lease, Fault(kind="unreachable"), NOW)

    assert left(pool, route) == (10, 1000)
    assert pool.views((route,), NOW)[0].in_flight == 0


def test_two_clients_over_the_same_keys_share_what_is_known(pool):
    """Provider objects made apart, even with other options, meet in one state."""
    ours, theirs = (provider(limits=(Limit(5, per=60),), priority=n) for n in (0, 9))
    mine, yours = only_route(pool, ours), only_route(pool, theirs)
    for _ in range(5):
        pool.lease(mine, NOW)

    assert mine is not yours
    assert yours.provider.priority == 9
    assert pool.lease(yours, NOW) is None
    assert pool.views((yours,), NOW)[0].in_flight == 5


def test_another_base_url_is_another_provider(pool):
    """The same name and key elsewhere share nothing."""
    here, there = (
        Groq("key", base_url=f"https://{host}.example/v1", models=["owl"])
        for host in ("here", "there")
    )
    attempt(pool, only_route(pool, here), Fault(kind="unauthorized"))

    assert pool.lease(only_route(pool, there), NOW) is not None


def test_a_route_is_one_object_until_its_model_is_declared_anew(pool):
    """A catalog that brings new facts brings a new route over the same state; the old one works on."""
    one = provider(limits=(Limit(2, per=60),))
    model = one.models[0]
    old = pool.route(one, one.keys[0], model)
    assert pool.route(one, one.keys[0], model) is old

    new = pool.route(one, one.keys[0], replace(model, context=8192))

    assert new is not old
    assert new.model.context == 8192
    assert pool.lease(old, NOW)
    assert pool.lease(new, NOW)
    assert pool.lease(old, NOW) is None


def test_many_clients_do_not_make_the_pool_grow(pool):
    """A client made for every request leaves a bounded number of routes behind."""
    made = [only_route(pool, provider()) for _ in range(100)]

    assert len(pool._register.seats) <= 8
    assert pool.lease(made[0], NOW) is not None
    assert len(pool._register.seats) <= 8


def test_latency_is_smoothed_and_slowness_is_remembered(pool):
    """An answer's first content counts; so does silence, where it is longer than known."""
    route = only_route(pool, provider())
    assert pool.views((route,), NOW)[0].latency is None

    seen = []
    for outcome in (Success(1.0), Success(2.0), Abandoned(), Abandoned(0.5), Abandoned(11.3)):
        attempt(pool, route, outcome)
        seen.append(pool.views((route,), NOW)[0].latency)

    assert seen == pytest.approx([1.0, 1.3, 1.3, 1.3, 4.3])


def test_refused_parameters_are_known_to_the_model_on_every_key(pool):
    """Learned once, and told whether it was news."""
    owl0, owl1, elk0, _ = two_by_two(pool)

    assert pool.learn_refused(owl0, "seed") is True
    assert pool.learn_refused(owl1, "seed") is False
    assert pool.refused(owl1) == {"seed"}
    assert pool.refused(elk0) == frozenset()


def test_forgetting_with_leases_open_is_harmless(pool):
    """They are settled as usual; what comes after starts from nothing."""
    route = only_route(pool, provider(limits=(Limit(1, per=60),)))
    lease = pool.lease(route, NOW)
    pool.forget()
    pool.settle(lease, Fault(kind="unauthorized"), NOW)

    assert pool.rests(route, NOW) is None
    assert pool.views((route,), NOW)[0].in_flight == 0


def test_questions_about_other_moments_change_nothing(pool):
    """Asked about tomorrow and then about now, a view says what it said before."""
    route = only_route(pool, provider(limits=(Limit(1, per=60),)))
    attempt(pool, route, Success())
    before = pool.views((route,), NOW)
    later = pool.views((route,), NOW + 86_400)

    assert pool.views((route,), NOW) == before
    assert before[0].resting == "window"
    assert later[0].resting is None


def test_there_is_one_shared_pool():
    """A process has one, whoever asks."""
    assert shared_pool() is shared_pool()


def test_no_pool_text_ever_holds_a_key(pool):
    """Routes, leases, views and snapshots print fingerprints alone."""
    route = only_route(pool, provider())
    lease = pool.lease(route, NOW)
    attempt(pool, route, Fault(kind="unauthorized", message="invalid key"))
    texts = [repr(route), repr(lease), repr(pool.views((route,), NOW)), str(pool.snapshot(NOW))]

    assert route.key.secret.get_secret_value() == "acme-secret-0"
    assert not any("secret-0" in text for text in texts)


def test_every_verdict_that_rests_is_exercised_above():
    """The table and the cases grow together."""
    assert sum(verdict.cools_for > 0 for verdict in VERDICTS.values()) == 7


def test_a_stream_collected_in_the_midst_of_the_pools_work_is_settled(pool: Pool) -> None:
    """A finalizer runs in whichever thread makes the garbage, also one that is in the pool."""
    route = only_route(pool, provider())
    lease = pool.lease(route, NOW)
    ticket = pool.line.join()

    with pool._lock, pool.line._lock:
        pool.settle(lease, Abandoned(), NOW)
        pool.line.leave(ticket)

    assert pool.views((route,), NOW)[0].in_flight == 0
