"""A batch knows how its calls stand; its calls wait behind all others, and as long as need be."""

from __future__ import annotations

import contextvars
import math
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from freelm_integrations import ConfigError, NoRouteAnswered, batching
from freelm_integrations.batches.bar import Bar, span, words
from freelm_integrations.batches.batch import USUAL_TOKENS, Batch, Member, Standing, current_batch
from freelm_integrations.events import AttemptStarted, CallCompleted, CallWaiting
from freelm_integrations.providers.spec import Limit
from tests.engine.flying import ANSWER, Air, Sky, chunk, end, opened, refused
from tests.fakes import FakeClock
from tests.pool.making import provider

AT = {"call": 1, "at": 0.0}
WHO = {"provider": "groq", "model": "owl", "key": "1a2b3c4d"}
STARTED = AttemptStarted(**AT, **WHO, attempt=1)
WAITING = CallWaiting(**AT, ready_after=3.0, place=1)
DONE = CallCompleted(**AT, **WHO, attempts=1, ms=1.0, prompt_tokens=100, completion_tokens=50)


def play(batch, *events):
    """One call of it, as its events tell."""
    member = Member(batch)

    def deltas():
        for event in events:
            member(event)
            yield None

    return member.followed(deltas())


def test_calls_belong_to_the_batch_they_are_made_in():
    """And to none outside of it; a batch within another is one of its own."""
    assert current_batch() is None
    with batching() as outer:
        assert current_batch() is outer
        with batching() as inner:
            assert current_batch() is inner
        assert current_batch() is outer
    assert current_batch() is None


def test_threads_made_by_hand_belong_to_none_but_with_the_context():
    """As everywhere with context variables."""
    with batching() as batch, ThreadPoolExecutor(1) as threads:
        context = contextvars.copy_context()

        assert threads.submit(current_batch).result() is None
        assert threads.submit(context.run, current_batch).result() is batch


def test_how_the_calls_stand_is_known_at_any_time():
    """Waiting, in the air, answered and by whom, failed."""
    batch = Batch(5, wait=True, patience=1.0)
    waits, flies = play(batch, WAITING, STARTED, DONE), play(batch, STARTED, DONE)
    next(waits), next(flies)
    list(play(batch, STARTED, DONE))
    list(play(batch, STARTED))

    assert batch.standing() == Standing(5, 1, 1, 1, 1, {"groq": 1}, 150)
    assert (batch.standing().ended, batch.standing().tokens_each) == (2, 150)
    list(waits), list(flies)
    assert batch.standing() == Standing(5, 3, 1, 0, 0, {"groq": 3}, 450)


def test_a_call_that_is_left_while_it_waits_waits_no_more():
    """Cancelled, or closed early."""
    batch = Batch(None, wait=True, patience=1.0)
    call = play(batch, WAITING, STARTED)
    next(call)
    call.close()

    assert batch.standing() == Standing(1, 0, 1, 0, 0, {}, 0)


def test_the_total_is_what_is_expected_or_what_has_begun():
    """Whichever is more; those who join tell how many they are."""
    batch = Batch(None, wait=True, patience=1.0)
    assert batch.standing().total == 0
    list(play(batch, STARTED, DONE))
    batch.expect(10)

    assert batch.standing().total == 11


@pytest.mark.parametrize(
    ("total", "ended", "left", "expected"), [(10, 0, 40.0, (10, 1_000)), (10, 4, 7.0, (6, 150))]
)
def test_the_time_left_is_planned_for_what_has_not_set_off(total, ended, left, expected):
    """Of as many tokens each as those before have used."""
    batch, asked = Batch(total, wait=True, patience=1.0), []
    for _ in range(ended):
        list(play(batch, STARTED, DONE))
    assert batch.time_left() is None
    batch.forecast = lambda calls, tokens: asked.append((calls, tokens)) or left

    assert batch.time_left() == left
    assert asked == [expected]
    assert USUAL_TOKENS == 1_000


@pytest.mark.parametrize(
    "wrong", [{"total": -1}, {"total": True}, {"total": "many"}, {"patience": 0}, {"patience": "x"}]
)
def test_what_makes_no_sense_is_refused(wrong):
    """Before anything is asked."""
    with pytest.raises(ConfigError), batching(**wrong):
        pytest.fail("should not begin")


# ---------------------------------------------------------------------- waiting


def test_a_call_of_a_batch_outlasts_its_timeout_while_it_waits_for_a_window():
    """The next opening is near; others have taken those before."""
    sky = Sky(
        provider("a", limits=(Limit(1, "requests", per=50),)), timeout=60, patience=100, wait=True
    )
    Air(sky).hears(0, *ANSWER)
    air = Air(sky)
    for _ in range(3):
        sky.clock.move(50.3)
        route = sky.pool.route(*_only(sky))
        lease = sky.pool.lease(route, sky.clock.now(), tokens=1)
        assert lease is not None
        air.silence(0.001)
    air.silence(60)

    assert len(air.attempts) == 1
    air.hears(0, *ANSWER)
    assert air.answer.text == "hello"


def _only(sky):
    (one,) = sky.catalogs
    return one, one.keys[0], one.models[0]


def test_it_gives_up_where_the_next_opening_is_too_far():
    """As on a day's window that is used up; the error says when it opens."""
    sky = Sky(provider("a", limits=(Limit(1, "requests", per=7_200),)), patience=600, wait=True)
    Air(sky).hears(0, *ANSWER)

    with pytest.raises(NoRouteAnswered) as told:
        Air(sky)
    assert told.value.next_ready_at - sky.clock.utc() > 7_000


def test_what_it_waits_for_its_turn_is_not_taken_from_the_time_for_its_answer():
    """Its attempt may be as silent as any."""
    sky = Sky(
        provider("a", limits=(Limit(1, "requests", per=50),)), timeout=30, patience=100, wait=True
    )
    Air(sky).hears(0, *ANSWER)
    air = Air(sky).silence(51)
    air.hears(0, opened()).silence(25)
    air.hears(0, chunk(b'{"choices": [{"message": {"content": "late"}}]}'), end)

    assert air.answer.text == "late"


def test_a_batch_that_waits_in_vain_for_answers_ends_by_its_attempts():
    """Faults count as ever."""
    sky = Sky(provider("a"), timeout=60, patience=600, wait=True, max_attempts=3)
    air = Air(sky)
    for number in range(2):
        air.hears(number, refused(429, retry_after="5")).silence(20)
    with pytest.raises(NoRouteAnswered):
        air.hears(2, refused(429, retry_after="5"))


def test_a_call_of_a_batch_falls_in_behind_those_that_wait():
    """It does not take what opens just as it comes; the one that waited does."""
    limits = (Limit(1, "requests", per=50),)
    sky = Sky(provider("a", limits=limits), timeout=60, wait=True)
    Air(sky).hears(0, *ANSWER)
    waits = Air(sky)
    sky.terms = type(sky.terms)(timeout=60, wait=True, patience=100)
    sky.clock.move(50.3)
    late = Air(sky)
    assert late.attempts == []

    waits.silence(0.001)
    assert len(waits.attempts) == 1


# ---------------------------------------------------------------------- the bar


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (6.2, "0:07"), (200, "3:20"), (3_723, "1:02:03")]
)
def test_a_length_of_time_is_shown_as_by_a_clock(seconds, shown):
    """Rounded up."""
    assert span(seconds) == shown


@pytest.mark.parametrize(
    ("standing", "left", "shown"),
    [
        (
            Standing(9, 3, 0, 2, 1, {"groq": 2, "nim": 1}, 9),
            63.0,
            "1:03 to go, 2 waiting, groq 2, nim 1",
        ),
        (Standing(9, 3, 1, 0, 1, {"groq": 3}, 9), None, "1 failed, groq 3"),
        (Standing(9, 0, 0, 9, 0, {}, 0), math.inf, "more than today's allowance, 9 waiting"),
        (Standing(3, 3, 0, 0, 0, {"nim": 3}, 9), 0.0, "nim 3"),
        (Standing(0, 0, 0, 0, 0, {}, 0), None, ""),
    ],
)
def test_beside_the_bar_stands_what_matters(standing, left, shown):
    """What is nothing is left out."""
    assert words(standing, left) == shown


def test_the_bar_shows_the_end(capsys):
    """On standard error, as tqdm does."""
    batch = Batch(2, wait=True, patience=1.0)
    with Bar(batch, ascii=True, dynamic_ncols=False, ncols=80):
        list(play(batch, STARTED, DONE))
        list(play(batch, STARTED, DONE))

    shown = capsys.readouterr().err
    assert "100%" in shown
    assert "2/2" in shown
    assert "groq 2" in shown


def test_without_a_plan_the_time_left_is_reckoned_from_the_pace():
    """None as long as there is none."""
    clock, batch = FakeClock(), Batch(4, wait=True, patience=1.0)
    with Bar(batch, clock, disable=True) as bar:
        assert bar._time_left(batch.standing()) is None
        list(play(batch, STARTED, DONE))
        clock.move(10)

        assert bar._time_left(batch.standing()) == 30


def test_without_tqdm_it_is_said_how_to_get_it(monkeypatch):
    """And nothing is asked."""
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with (
        pytest.raises(ImportError, match=r"freelm-integrations\[progress\]"),
        batching(progress=True),
    ):
        pytest.fail("should not begin")
