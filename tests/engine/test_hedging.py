"""A second route beside a silent one: when, where, and what becomes of who loses."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from freelm_integrations.engine.steps import Launch, Wait
from freelm_integrations.engine.terms import COLD_HEDGE, Terms
from freelm_integrations.errors import NoRouteAnswered
from freelm_integrations.events import AttemptDropped, ProviderSwitched
from freelm_integrations.pool.lease import Success
from freelm_integrations.providers.spec import Limit
from tests.engine.flying import ANSWER, STREAM, Air, Sky, body, chunk, end, opened, refused
from tests.fakes import play
from tests.pool.making import provider


def three(**terms: object) -> Sky:
    return Sky(*(provider(name, priority=n) for n, name in enumerate("abc")), **terms)


def test_a_silent_attempt_gets_another_provider_beside_it_and_the_first_to_speak_wins():
    """The loser is cancelled, its lease settled, nobody blamed, its slowness remembered."""
    sky = three()
    air = Air(sky)
    assert air.hosts == ["a"]

    air.silence()
    assert air.hosts == ["a", "b"]

    air.silence(0.5).hears(1, *ANSWER)
    assert air.answer.text == "hello"
    assert air.answer.provider == "b"
    assert air.cancelled == [0]
    assert [record.kind for record in air.answer.attempts] == ["outpaced", None]
    assert sky.in_flight() == 0
    by_name = {row.provider.split("@")[0]: row for row in sky.pool.snapshot(sky.clock.now())}
    assert by_name["a"].last_fault is None
    slow = next(iter(sky.flight()._itinerary.candidates.views(sky.clock.now())))
    assert slow.latency == pytest.approx(4.5)


def test_the_first_one_may_still_win():
    """A hedge takes nothing from it."""
    air = Air(three()).silence().hears(0, *ANSWER)

    assert air.answer.provider == "a"
    assert air.cancelled == [1]


def test_a_hedge_is_told_as_a_switch_only_when_it_wins():
    """Observers hear of an attempt that was dropped, and of who answers in its place."""
    won = Air(three()).silence().hears(1, *ANSWER)
    names = [event.name.removeprefix("freelm.") for event in won.events]
    assert names == [
        "attempt_started",
        "attempt_started",
        "attempt_dropped",
        "provider_switched",
        "committed",
        "completed",
    ]
    switched = next(event for event in won.events if isinstance(event, ProviderSwitched))
    assert (switched.from_provider, switched.to_provider) == ("a", "b")
    assert switched.reason == "outpaced"

    lost = Air(three()).silence().hears(0, *ANSWER)
    assert [event for event in lost.events if isinstance(event, AttemptDropped)]
    assert not [event for event in lost.events if isinstance(event, ProviderSwitched)]


@pytest.mark.parametrize(
    ("hedge", "latency", "after"),
    [
        (True, None, 4.0),
        (True, 0.25, 1.5),
        (True, 3.0, 7.0),
        (2.5, None, 2.5),
        (2.5, 0.25, 2.5),
        (1, None, 1.0),
        (False, 0.25, math.inf),
    ],
)
def test_how_long_silence_is_borne_follows_from_the_routes_own_latency(hedge, latency, after):
    """Or it is as fixed as was wished."""
    assert Terms(hedge=hedge).hedge_after(latency) == after

    sky = three(hedge=hedge)
    if latency is not None:
        route = next(iter(sky.flight()._itinerary.candidates.views(sky.clock.now()))).route
        lease = sky.pool.lease(route, sky.clock.now())
        sky.pool.settle(lease, Success(latency), sky.clock.now())
    assert Air(sky, streaming=True).wait == pytest.approx(min(after, 30.0))


def test_a_whole_answer_may_take_longer_than_the_first_word_of_a_stream():
    """The two latencies are kept apart."""
    sky = three()
    route = next(iter(sky.flight()._itinerary.candidates.views(sky.clock.now()))).route
    lease = sky.pool.lease(route, sky.clock.now())
    sky.pool.settle(lease, Success(6.0, is_whole=True), sky.clock.now())

    assert Air(sky, streaming=False).wait == pytest.approx(13.0)
    assert Air(sky, streaming=True).wait == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("limit", "is_asked"),
    [
        (Limit(50, "requests", per=86_400.0, resets="utc_day"), False),
        (Limit(1_000, "requests", per=86_400.0, resets="utc_day"), True),
        (Limit(30, "requests", per=60.0), True),
        (Limit(2, "requests", per=60.0), True),
        (Limit(100, "tokens", per=60.0), True),
    ],
    ids=["scarce day", "ample day", "minute", "small minute", "tokens"],
)
def test_no_scarce_daily_quota_is_spent_on_insurance(limit, is_asked):
    """A quota of calls that comes back tomorrow is for calls that need it."""
    sky = Sky(provider("a", priority=0), provider("b", priority=1, limits=(limit,)))
    air = Air(sky).silence()

    assert air.hosts == (["a", "b"] if is_asked else ["a"])


def test_a_window_that_is_nearly_used_up_is_not_spent_on_insurance():
    """Below three tenths it is kept."""
    limit = Limit(4, "requests", per=60.0)
    other = provider("b", priority=1, limits=(limit,))
    sky = Sky(provider("a", priority=0), other)
    for _ in range(3):
        route = sky.pool.route(other, other.keys[0], other.models[0])
        lease = sky.pool.lease(route, sky.clock.now())
        sky.pool.settle(lease, Success(), sky.clock.now())

    assert Air(sky).silence().hosts == ["a"]


def test_another_key_of_a_silent_provider_is_no_hedge():
    """What is slow is most likely the provider."""
    air = Air(Sky(provider("a", keys=3))).silence()

    assert air.hosts == ["a"]


def test_three_are_in_the_air_at_most():
    """Then they are waited for."""
    sky = Sky(*(provider(name) for name in "abcde"))
    air = Air(sky)
    for _ in range(4):
        air.silence(4.0)

    assert len(air.attempts) == 3


def test_a_hedge_that_fails_at_once_is_followed_by_the_next():
    """The first is still silent; nothing is waited for."""
    air = Air(three()).silence().hears(1, refused(429))

    assert air.hosts == ["a", "b", "c"]
    air.hears(2, *ANSWER)
    assert air.answer.provider == "c"


def test_a_failure_of_the_first_leaves_the_hedge_to_answer():
    """It is under way: no third one is asked."""
    air = Air(three()).silence().hears(0, refused(500))

    assert air.hosts == ["a", "b"]
    air.hears(1, *ANSWER)
    assert [record.kind for record in air.answer.attempts] == ["server_error", None]


def test_hedges_count_among_the_attempts_of_a_call():
    """And when all fall silent the error tells of each."""
    sky = three(max_attempts=2, timeout=50)
    air = Air(sky)
    with pytest.raises(NoRouteAnswered, match="2 attempts"):
        air.silence(100)

    assert air.hosts == ["a", "b"]
    assert sky.in_flight() == 0


def test_keep_alives_do_not_put_off_a_hedge():
    """Only content is an answer."""
    air = Air(three(), streaming=True)
    air.hears(0, opened())
    for _ in range(5):
        air.silence(1.0)
        if len(air.attempts) == 1:
            air.hears(0, chunk(b": keep-alive\n\n"))

    assert air.hosts == ["a", "b"]


def test_a_stream_that_has_begun_is_not_hedged():
    """The first content ends the race."""
    air = Air(three(), streaming=True).silence()
    air.hears(1, *STREAM[:3])
    assert air.cancelled == [0]
    air.hears(1, *STREAM[3:])

    assert air.answer.text == "hello"
    assert air.hosts == ["a", "b"]


def test_what_comes_of_a_loser_after_it_was_dropped_is_ignored():
    """It was on its way."""
    air = Air(three(), streaming=True).silence().hears(1, *STREAM[:3])
    air.hears(0, opened(), chunk(body("late")), end)
    air.hears(1, *STREAM[3:])

    assert air.answer.text == "hello"


def test_without_hedging_one_attempt_follows_the_other():
    """Only once the first has been given up."""
    sky = three(hedge=False)
    steps = play(sky.machine(), sky.clock, [99.0, *ANSWER])

    launched = [step for step in steps if isinstance(step, Launch)]
    assert len(launched) == 2
    assert next(step.seconds for step in steps if isinstance(step, Wait)) == 30.0


def patient(name: str, factor: float, **more: object):
    """A provider whose attempts may be silent for longer."""
    one = provider(name, **more)
    vars(one)["spec"] = replace(one.spec, patience=factor)
    return one


@pytest.mark.parametrize(
    ("providers", "hedge", "silence"),
    [
        ((patient("a", 1.5), provider("b", priority=1)), True, 45.0),
        ((patient("a", 1.5), provider("b", priority=1)), False, 30.0),  # b would wait for it
        ((patient("a", 1.5),), False, 45.0),  # nobody would
        ((patient("a", 9.0),), True, 60.0),  # never past the deadline
        ((provider("a"), patient("b", 9.0, priority=1)), True, 30.0),
    ],
)
def test_who_loads_its_models_first_may_be_silent_for_longer(providers, hedge, silence):
    """As long as nobody else has to wait for it; others go beside it as early as ever."""
    sky = Sky(*providers, hedge=hedge, timeout=60.0, attempt_timeout=30.0)
    flight = sky.flight()
    lease = flight.seek()
    assert lease is not None
    attempt = flight.take_off(lease)
    (leg,) = flight._open.values()
    flight.close()

    assert leg.expires_at - leg.started_at == silence
    assert attempt.timeout >= silence
    assert flight._times.hedge_at - leg.started_at == (COLD_HEDGE if hedge else math.inf)
