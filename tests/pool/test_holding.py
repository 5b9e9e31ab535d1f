"""What an answer holds of the token windows before it is there, and how far that can be lowered."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations import NIM, Cerebras, GoogleAIStudio, Groq, Mistral
from freelm_integrations.chat import Usage
from freelm_integrations.pool.holding import LEAST_ROOM, USUAL_OUTPUT, Holding
from freelm_integrations.pool.pool import Pool, Success
from freelm_integrations.pool.window import Window
from freelm_integrations.providers.spec import Limit, ModelSpec
from freelm_integrations.wire.refusals.hints import Reading
from tests.fakes import FakeClock

NOW = 1_000.0
PLAIN, THINKER = ModelSpec("owl"), ModelSpec("sage", tags=("reasoning",))
BRIEF = ModelSpec("wren", tags=("reasoning",), output=600)


def made(provider=Cerebras, model=THINKER, *limits):
    pool = Pool(FakeClock(NOW))
    one = provider("key", models=[model], limits=limits)
    return pool, pool.route(one, one.keys[0], model)


@pytest.mark.parametrize(
    ("provider", "model", "usual"),
    [
        (Cerebras, PLAIN, 2_048),
        (Cerebras, THINKER, 4_096),
        (Cerebras, BRIEF, 600),
        (Groq, PLAIN, USUAL_OUTPUT),
        (Groq, THINKER, USUAL_OUTPUT),
        (GoogleAIStudio, THINKER, USUAL_OUTPUT),
        (Mistral, PLAIN, USUAL_OUTPUT),
        (NIM, THINKER, USUAL_OUTPUT),
    ],
)
def test_an_answer_left_open_holds_what_is_sent_for_it_or_what_is_usual(provider, model, usual):
    """The limit sent by default counts where the provider reserves by it."""
    _, route = made(provider, model)

    assert Holding(route).usual == usual


@pytest.mark.parametrize(
    ("provider", "asked", "held"),
    [(Cerebras, 500, 500), (Cerebras, 30_000, 16_384), (Groq, 30_000, 30_000)],
)
def test_a_limit_of_the_callers_holds_as_much_as_the_provider_counts(provider, asked, held):
    """Cerebras counts 16,384 tokens of it at most."""
    pool, route = made(provider, THINKER, Limit(60_000, "tokens"))
    lease = pool.lease(route, NOW, tokens=100 + asked, output=asked)

    assert lease.taken[0][2] == 100 + held
    assert lease.room is None


@pytest.mark.parametrize(
    ("used", "room"),
    [
        (0, (4_096, False)),
        (5_904, (3_996, True)),
        (9_000, (900, True)),
        (9_388, (512, True)),
    ],
)
def test_a_room_is_what_the_window_can_bear_now(used, room):
    """Here of 10,000 tokens a minute, beside a prompt of 100."""
    pool, route = made(Cerebras, THINKER, Limit(10_000, "tokens"))
    pool.lease(route, NOW, tokens=used, output=0)
    lease = pool.lease(route, NOW, tokens=100, output=None, is_fitted=True)

    assert (lease.room.tokens, lease.room.is_lowered) == room
    assert lease.taken[0][2] == 100 + room[0]


@pytest.mark.parametrize(("model", "least"), [(PLAIN, LEAST_ROOM), (THINKER, 2 * LEAST_ROOM)])
def test_less_than_the_least_is_no_room(model, least):
    """Nor is an answer left open asked for with less than usual unless it is fitted."""
    pool, route = made(Cerebras, model, Limit(10_000, "tokens"))
    pool.lease(route, NOW, tokens=9_900 - least + 1, output=0)

    assert pool.lease(route, NOW, tokens=100, output=None, is_fitted=True) is None
    assert pool.lease(route, NOW, tokens=100, output=None) is None


def test_a_limit_of_the_callers_is_never_lowered():
    """It fits, or it waits."""
    pool, route = made(Cerebras, THINKER, Limit(10_000, "tokens"))
    pool.lease(route, NOW, tokens=8_000, output=0)

    assert pool.lease(route, NOW, tokens=4_100, output=4_000, is_fitted=True) is None


@pytest.mark.parametrize(
    ("prompt", "room", "is_lowered"), [(5_000, 4_096, False), (7_000, 3_000, True)]
)
def test_what_never_fits_is_lowered_whether_it_is_fitted_or_not(prompt, room, is_lowered):
    """A prompt that leaves less than the default of the whole minute."""
    pool, route = made(Cerebras, THINKER, Limit(10_000, "tokens"))
    (view,) = pool.views((route,), NOW, tokens=prompt, output=None)
    lease = pool.lease(route, NOW, tokens=prompt, output=None)

    assert view.ready_at <= NOW
    assert lease.room == (room, is_lowered, True)


def test_answers_that_needed_more_are_given_more_from_then_on():
    """What would be cut short is not worth its tokens; it fades with each shorter one."""
    pool, route = made(Cerebras, THINKER, Limit(10_000, "tokens"))
    first = pool.lease(route, NOW, tokens=100, output=None)
    pool.settle(first, Success(0.1, was_short=True), NOW, usage=Usage(100, 900, 1_000))
    pool.lease(route, NOW, tokens=7_500, output=0)

    assert pool.lease(route, NOW, tokens=100, output=None, is_fitted=True) is None
    for _ in range(3):
        brief = pool.lease(route, NOW, tokens=10, output=0)
        pool.settle(brief, Success(0.1), NOW, usage=Usage(5, 5, 10))
    lease = pool.lease(route, NOW, tokens=100, output=None, is_fitted=True)
    assert 617 <= lease.room.tokens <= 1_400


def test_what_was_not_used_is_given_back():
    """The window counts what was really used."""
    pool, route = made(Cerebras, THINKER, Limit(10_000, "tokens"))
    lease = pool.lease(route, NOW, tokens=100, output=None)
    pool.settle(lease, Success(0.1), NOW, usage=Usage(90, 200, 290))

    assert pool.room(route, NOW, tokens=100).tokens == 4_096
    assert lease.taken[0][0].used(NOW) == 290


def test_a_header_that_counts_what_was_held_is_no_news_once_the_answer_is_there():
    """It was written before: what was not used has been given back since."""
    pool, route = made(Groq, THINKER, Limit(10_000, "tokens"))
    lease = pool.lease(route, NOW, tokens=4_100, output=4_000)
    told = Reading("tokens", 60.0, 10_000, 5_900, 24.6)
    pool.settle(lease, Success(0.1), NOW, usage=Usage(100, 200, 300), readings=(told,))

    assert lease.taken[0][0].used(NOW) == 300


@given(
    amount=st.integers(0, 20_000),
    used=st.integers(0, 20_000),
    prompt=st.integers(0, 20_000),
    longest=st.floats(0, 20_000),
    is_fitted=st.booleans(),
)
def test_a_room_lies_between_the_least_and_the_usual(amount, used, prompt, longest, is_fitted):
    """And a fitted one is never wider."""
    _, route = made(Cerebras, THINKER)
    holding, window = Holding(route), Window(Limit(amount, "tokens"), FakeClock(NOW))
    window.take(NOW, used)
    given_ = {"prompt": prompt, "longest": longest}
    room = holding.room([window], NOW, **given_, is_fitted=is_fitted)
    widest = holding.room([window], NOW, **given_, is_fitted=False)

    assert 2 * LEAST_ROOM <= room.tokens <= widest.tokens <= 4_096
    assert room.is_lowered == (room.tokens < 4_096)
    assert room.is_widest == (room.tokens == widest.tokens)
    if room.is_lowered and is_fitted and room.tokens > max(2 * LEAST_ROOM, math.floor(longest)):
        assert prompt + room.tokens <= max(0, amount - min(used, amount))
