"""Where the minute's tokens are short an answer gets less room; one that is cut for that is mended."""

from __future__ import annotations

import json

import pytest

from freelm_integrations import Cerebras, Groq
from freelm_integrations.errors import NoRouteAnswered
from freelm_integrations.providers.spec import Limit, ModelSpec
from tests.engine.flying import (
    STOP,
    STREAM,
    Air,
    Sky,
    body,
    chunk,
    counts,
    end,
    event,
    opened,
    refused,
    says,
    thinks,
)
from tests.pool.making import provider

THINKER = ModelSpec("sage", tags=("reasoning", "tools"))
CUT = event(finish="length") + b"data: [DONE]\n\n"
LEFT = 1_000
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def tight(cls=Cerebras, left=LEFT, priority=0):
    """A provider of which so many tokens a minute are left once `fill` has been called."""
    return cls("key", models=[THINKER], limits=(Limit(10_000, "tokens"),), priority=priority)


def sky(*providers, left=LEFT, **terms):
    made = Sky(*providers, **{"hedge": False, **terms})
    for one in providers:
        route = made.pool.route(one, one.keys[0], one.models[0])
        if one.spec.reserves is not None:
            made.pool.lease(route, made.clock.now(), tokens=10_000 - left, output=0)
    return made


def limits(air):
    """The output limits that were sent."""
    names = ("max_completion_tokens", "max_tokens")
    sent = [json.loads(attempt.body) for attempt in air.attempts]
    return [next((one[name] for name in names if name in one), None) for one in sent]


def rooms(air):
    return [one.room for one in air.events if one.name == "freelm.attempt_started"]


ANSWER = (opened(), chunk(body("whole")), end)
SHORT = (opened(), chunk(body("sho", "length")), end)


@pytest.mark.parametrize("cls", [Cerebras, Groq])
def test_the_limit_is_lowered_to_what_is_left(cls):
    """And told of, and held: the minute is full."""
    air = Air(sky(tight(cls)))
    air.hears(0, *ANSWER)

    (sent,) = limits(air)
    assert LEFT - 20 < sent < LEFT
    assert rooms(air) == [sent]
    assert air.answer.text == "whole"


def test_where_there_is_room_the_default_is_sent_and_nothing_told():
    """Of a room nobody need know."""
    air = Air(sky(tight(), left=10_000)).hears(0, *ANSWER)

    assert (limits(air), rooms(air)) == ([4_096], [None])


def test_another_route_with_room_comes_first():
    """However its provider stands in the order."""
    air = Air(sky(tight(), provider("b", priority=1)), streaming=False)

    assert air.hosts == ["b"]


@pytest.mark.parametrize("asked", [{"max_tokens": 3_000}, {"max_completion_tokens": 3_000}])
def test_a_limit_of_the_callers_is_never_touched(asked):
    """It waits until there is room for it."""
    with pytest.raises(NoRouteAnswered):
        Air(sky(tight()), params=asked)
    air = Air(sky(tight(), wait=True, timeout=120), params=asked).silence(70)

    assert limits(air) == [3_000]


def test_a_whole_answer_that_is_cut_is_asked_for_elsewhere():
    """Nobody sees the short one; its tokens are counted, and nobody is to blame."""
    here = sky(tight(), provider("b", limits=(Limit(1, "requests", per=5),), priority=1))
    busy = Air(here).hears(0, *ANSWER)
    air = Air(here)
    here.clock.move(6)
    air.hears(0, *SHORT)
    air.hears(1, *ANSWER)

    assert (busy.hosts, air.hosts) == (["b"], ["api", "b"])
    assert (air.answer.text, air.answer.finish_reason) == ("whole", "stop")
    assert [one.kind for one in air.answer.attempts] == ["cramped", None]
    assert here.in_flight() == 1  # what fills the minute


def test_the_same_route_is_asked_again_once_it_can_have_more():
    """With the full default, after the minute."""
    air = Air(sky(tight(), wait=True, timeout=120))
    air.hears(0, *SHORT).silence(65)
    air.hears(1, *ANSWER)

    assert limits(air)[1] == 4_096
    assert air.answer.text == "whole"


def test_where_nobody_has_more_room_the_short_answer_is_given_for_what_it_is():
    """The finish reason tells, and so does the room."""
    air = Air(sky(tight())).hears(0, *SHORT).silence(0.1)

    assert air.wait is None
    assert (air.answer.text, air.answer.finish_reason) == ("sho", "length")
    assert [one.kind for one in air.answer.attempts] == [None]
    assert [one.name for one in air.events][-2:] == ["freelm.committed", "freelm.completed"]


def test_where_the_next_fails_the_short_answer_is_given_after_all():
    """It is better than an error."""
    here = sky(tight(), provider("b", limits=(Limit(1, "requests", per=5),), priority=1))
    Air(here).hears(0, *ANSWER)
    air = Air(here)
    here.clock.move(6)
    air.hears(0, *SHORT)
    air.hears(1, refused(400, "malformed"))
    air.silence(0.1)

    assert air.wait is None
    assert (air.answer.text, air.answer.finish_reason, air.answer.provider) == (
        "sho",
        "length",
        "cerebras",
    )


def test_an_answer_cut_by_the_usual_default_is_given_as_ever():
    """That was no limit of the moment's."""
    air = Air(sky(tight(), provider("b", priority=1), left=10_000)).hears(0, *SHORT)

    assert (air.answer.text, air.answer.finish_reason) == ("sho", "length")
    assert air.wait is None


def test_thinking_that_uses_up_a_lowered_room_goes_elsewhere():
    """Twice the room is not to be had there."""
    here = sky(tight(), provider("b", limits=(Limit(1, "requests", per=5),), priority=1))
    Air(here).hears(0, *ANSWER)
    air = Air(here)
    here.clock.move(6)
    air.hears(0, opened(), chunk(body("", "length")), end)
    air.hears(1, *ANSWER)

    assert air.hosts == ["api", "b"]
    assert air.answer.text == "whole"


def stream_over(here):
    Air(here).hears(0, *ANSWER)
    air = Air(here, streaming=True)
    here.clock.move(6)
    return air


def test_a_stream_that_is_cut_is_carried_on_elsewhere():
    """Its text went out already: another route goes on with it."""
    here = sky(tight(), provider("b", limits=(Limit(1, "requests", per=5),), priority=1))
    air = stream_over(here)
    one = "The tides are the rise and fall of the sea, caused by the moon and"
    air.hears(0, opened(), chunk(says(one)), chunk(counts(10, 20) + CUT))
    air.hears(1, opened(), chunk(says(f"{one} by the sun. That is all.")), chunk(STOP), end)

    assert air.hosts == ["api", "b"]
    assert air.answer.text == one + " by the sun. That is all."
    assert (air.answer.integrity, air.answer.finish_reason) == ("stitched", "stop")
    assert air.wait is None


def test_a_stream_that_nobody_carries_on_ends_as_cut():
    """With its finish reason and its usage."""
    air = Air(sky(tight()), streaming=True)
    air.hears(0, opened(), chunk(says("hel")), chunk(says("lo")), chunk(counts(10, 20) + CUT))
    air.silence(0.1)

    assert air.wait is None
    assert (air.answer.text, air.answer.finish_reason) == ("hello", "length")
    assert air.answer.usage.total_tokens == 30
    assert (air.answer.integrity, len(air.answer.attempts)) == ("complete", 1)


def test_a_stream_of_thinking_that_is_cut_begins_anew_elsewhere():
    """Thinking is no answer."""
    here = sky(tight(), provider("b", limits=(Limit(1, "requests", per=5),), priority=1))
    air = stream_over(here)
    air.hears(0, opened(), chunk(thinks("hmm")), chunk(CUT), end)
    air.hears(1, *STREAM)

    assert air.answer.text == "hello"


@pytest.mark.parametrize(
    ("more", "terms"),
    [
        ({"tools": (TOOL,)}, {}),
        ({"response_format": {"type": "json_object"}}, {}),
        ({}, {"on_interrupt": "raise"}),
    ],
    ids=["tools", "format", "raise"],
)
def test_a_stream_that_could_not_be_carried_on_is_not_given_less(more, terms):
    """It waits for its room instead."""
    with pytest.raises(NoRouteAnswered):
        Air(sky(tight(), **terms), streaming=True, **more)
    air = Air(sky(tight(), wait=True, timeout=120, **terms), streaming=True, **more).silence(70)

    assert limits(air) == [4_096]
