"""A stream that breaks off in its midst is carried on by another route, or told as broken."""

from __future__ import annotations

import json

import pytest

from freelm_integrations.errors import NoRouteAnswered, StreamInterrupted
from freelm_integrations.events import ProviderSwitched, Resumed
from freelm_integrations.providers.provider import Mistral
from freelm_integrations.providers.spec import Limit, ModelSpec
from tests.engine.flying import (
    ANSWER,
    ROLE,
    STOP,
    Air,
    Sky,
    broken,
    calls,
    chunk,
    counts,
    end,
    opened,
    refused,
    says,
    thinks,
)
from tests.pool.making import provider

BEGUN = "The quick brown fox jumps over the lazy dog"
REST = " and runs away into the forest, where it meets an owl that knows the way home."
WHOLE = BEGUN + REST
SILENT = b'{"choices": [{"message": {"reasoning_content": "hm"}, "finish_reason": "length"}]}'

CUTS = [
    pytest.param([broken(ConnectionResetError("gone"))], "broken", id="reset"),
    pytest.param([end], "cut", id="clean close"),
    pytest.param([chunk(b'data: {"error": {"message": "oops"}}\n\n')], None, id="error event"),
    pytest.param([chunk(b"data: {nonsense\n\n")], None, id="garbage"),
]


def two(**terms: object) -> Sky:
    return Sky(provider("a", priority=0), provider("b", priority=1), **terms)


def begun(sky: Sky, text: str = BEGUN, **more: object) -> Air:
    """The first provider has said so much, word by word."""
    words = [chunk(says(word)) for word in text.replace(" ", "| ").split("|")]
    return Air(sky, streaming=True, **more).hears(0, opened(), *words)


def go_on(air: Air, number: int = 1, text: str = REST) -> Air:
    """An attempt carries on to the end."""
    words = [chunk(says(word)) for word in text.replace(" ", "| ").split("|") if word]
    return air.hears(number, opened(), *words, chunk(STOP), end)


def wanted(air: Air, number: int) -> str:
    """The words an attempt is told to begin with."""
    return sent(air, number)["messages"][-1]["content"].rpartition("\n")[2]


def sent(air: Air, number: int) -> dict:
    return json.loads(air.attempts[number].body)


@pytest.mark.parametrize(("cut", "kind"), CUTS)
def test_a_cut_stream_is_carried_on_by_another_route(cut, kind):
    """The caller sees one text without a gap, and is told where the seam is."""
    sky = two()
    air = go_on(begun(sky).hears(0, *cut))

    answer = air.answer
    assert answer.text == WHOLE
    assert air.hosts == ["a", "b"]
    assert (answer.integrity, answer.seams) == ("stitched", (len(BEGUN),))
    assert answer.provider == "b"
    assert [record.provider for record in answer.attempts] == ["a", "b"]
    assert answer.attempts[0].kind == kind or kind is None
    assert sky.in_flight() == 0


def test_observers_hear_of_the_cut_the_switch_and_the_seam():
    """In this order, and the call is completed once."""
    air = go_on(begun(two()).hears(0, end))

    names = [event.name.removeprefix("freelm.") for event in air.events]
    assert names == [
        "attempt_started",
        "committed",
        "attempt_failed",
        "provider_switched",
        "attempt_started",
        "resumed",
        "committed",
        "completed",
    ]
    resumed = next(event for event in air.events if isinstance(event, Resumed))
    assert (resumed.from_provider, resumed.to_provider) == ("a", "b")
    assert resumed.at_character == len(BEGUN)
    switched = next(event for event in air.events if isinstance(event, ProviderSwitched))
    assert switched.reason == "cut"


def test_whoever_carries_on_is_told_all_that_was_said():
    """The caller's own messages stand first, unchanged."""
    air = begun(two()).hears(0, end)

    messages = sent(air, 1)["messages"]
    assert messages[0] == {"role": "user", "content": "hi"}
    told = messages[1]["content"], messages[2]["content"].rpartition("\n")[2]
    assert " ".join(told) == BEGUN
    assert [message["role"] for message in messages[1:]] == ["assistant", "user"]


@pytest.mark.parametrize("cap", ["max_tokens", "max_completion_tokens"])
def test_the_callers_cap_holds_for_both_parts_together(cap):
    """What was said already is taken off, about."""
    air = begun(two(), params={cap: 100}).hears(0, end)

    assert sent(air, 0)[cap] == 100
    assert 80 <= sent(air, 1)[cap] < 100


def test_a_stream_may_break_more_than_once():
    """Each time another route takes over."""
    sky = Sky(*(provider(name, priority=n) for n, name in enumerate("abc")))
    air = begun(sky).hears(0, end)
    air.hears(1, opened(), chunk(says(REST[:60])), broken(ConnectionResetError("again")))
    go_on(air, 2, wanted(air, 2) + REST[60:])

    assert air.answer.text == WHOLE
    assert air.answer.integrity == "stitched"
    assert air.answer.seams[0] == len(BEGUN)
    assert [record.provider for record in air.answer.attempts] == ["a", "b", "c"]


def test_usage_adds_up_over_the_parts():
    """As far as each part told it."""
    air = begun(two()).hears(0, chunk(counts(10, 9)), broken(ConnectionResetError("gone")))
    air.hears(1, opened(), chunk(says(REST)), chunk(counts(25, 20)), chunk(STOP), end)

    usage = air.answer.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (35, 29, 64)


@pytest.mark.parametrize(
    "more",
    [
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}},
    ],
    ids=["json", "schema"],
)
def test_an_answer_that_must_fit_a_schema_is_not_carried_on(more):
    """Two halves of two makers' JSON do not make one."""
    sky = two()
    air = begun(sky, **more)
    with pytest.raises(StreamInterrupted) as caught:
        air.hears(0, end)

    assert caught.value.partial == BEGUN
    assert sky.in_flight() == 0


HALF_A_CALL = (opened(), chunk(thinks("hm")), chunk(calls('{"city": "Par')))


@pytest.mark.parametrize(("cut", "kind"), CUTS)
def test_a_tool_call_that_breaks_off_in_its_arguments_begins_anew_elsewhere(cut, kind):
    """It is kept back until its answer is whole, so nothing of it was visible."""
    air = Air(two(), streaming=True).hears(0, *HALF_A_CALL, *cut)
    air.hears(1, opened(), chunk(calls('{"city": ')), chunk(calls('"Rome"}')))
    assert not any(delta.tool_calls for delta in air.deltas)
    air.hears(1, chunk(STOP), end)

    assert [call.arguments for call in air.answer.tool_calls] == ['{"city": "Rome"}']
    assert (air.answer.integrity, air.answer.provider) == ("complete", "b")
    assert sent(air, 1)["messages"] == sent(air, 0)["messages"]
    assert air.sky.in_flight() == 0


def test_every_part_of_a_tool_call_comes_through_in_its_place():
    """With the thinking before it at once, and who speaks told first."""
    air = Air(two(), streaming=True).hears(0, *HALF_A_CALL)
    assert [delta.reasoning for delta in air.deltas] == ["hm"]
    air.hears(0, chunk(calls('is"}')), chunk(counts(3, 4)), chunk(STOP), end)

    parts = [part.arguments for delta in air.deltas for part in delta.tool_calls]
    assert parts == ['{"city": "Par', 'is"}']
    assert air.deltas[0].origin is not None
    assert air.answer.finish_reason == "tool_calls"
    assert air.answer.usage.total_tokens == 7


@pytest.mark.parametrize("more", [{}, {"on_interrupt": "raise"}], ids=["after text", "as wished"])
def test_a_tool_call_is_passed_on_as_it_comes_where_a_cut_is_raised_anyhow(more):
    """There is text beside it already, or its caller wants to see every part."""
    air = Air(two(**more), streaming=True).hears(0, opened())
    if not more:
        air.hears(0, chunk(says("Let me see.")))
    air.hears(0, chunk(calls('{"city": "Par')))
    assert air.deltas[-1].tool_calls[0].arguments == '{"city": "Par'
    with pytest.raises(StreamInterrupted):
        air.hears(0, broken(ConnectionResetError("gone")))


def test_text_after_a_tool_call_brings_it_to_light():
    """From there on a cut is raised."""
    air = Air(two(), streaming=True).hears(
        0, *HALF_A_CALL, chunk(calls('is"}')), chunk(says("So."))
    )

    assert [bool(delta.tool_calls) for delta in air.deltas] == [False, True, True, False]
    with pytest.raises(StreamInterrupted) as caught:
        air.hears(0, end)
    assert caught.value.partial == "So."


@pytest.mark.parametrize("cut", [[broken(ConnectionResetError("gone"))], [end]])
def test_what_breaks_off_while_it_thinks_begins_anew_elsewhere(cut):
    """Nothing of the answer was visible; the thinking that was shown counts for nothing."""
    air = Air(two(), streaming=True).hears(0, opened(), chunk(thinks("let me see")), *cut)
    air.hears(1, opened(), chunk(thinks("well")), chunk(says("Paris")), chunk(STOP), end)

    assert (air.answer.text, air.answer.reasoning) == ("Paris", "well")
    assert (air.answer.integrity, air.answer.seams) == ("complete", ())
    assert sent(air, 1)["messages"] == sent(air, 0)["messages"]


def test_a_wish_to_have_it_raised_is_granted_once_text_was_visible():
    """Before that the call begins anew all the same."""
    with pytest.raises(StreamInterrupted) as caught:
        begun(two(on_interrupt="raise")).hears(0, end)
    assert caught.value.partial == BEGUN

    air = Air(two(on_interrupt="raise"), streaming=True)
    air.hears(0, opened(), chunk(thinks("hm")), end)
    go_on(air, 1, WHOLE)
    assert air.answer.text == WHOLE


def test_a_call_that_is_not_streamed_begins_anew():
    """Nothing was visible."""
    air = Air(two()).hears(0, opened(), chunk(b'{"choices": [{"message": {"content": "hal'))
    air.hears(0, broken(ConnectionResetError("gone")))
    air.hears(1, *ANSWER)

    assert (air.answer.text, air.answer.integrity) == ("hello", "complete")
    assert sent(air, 1)["messages"] == [{"role": "user", "content": "hi"}]


# ---------------------------------------------------------------------- who carries on


def test_the_same_model_elsewhere_is_asked_before_any_other():
    """It is the likeliest to go on in the same words."""
    owl, lark = ModelSpec("owl-a", family="owl"), ModelSpec("lark", family="lark")
    sky = Sky(
        provider("a", priority=0, models=(owl,)),
        provider("b", priority=1, models=(lark,)),
        provider("c", priority=2, models=(ModelSpec("owl-c", family="owl"),)),
    )
    air = begun(sky).hears(0, end)

    assert air.hosts == ["a", "c"]


def test_a_provider_that_truly_continues_is_asked_before_one_that_must_be_told_to():
    """Mistral takes the text as the beginning of its own answer."""
    sky = Sky(
        provider("a", priority=0),
        provider("b", priority=1),
        Mistral("made-up-key-of-mistral", models=("mistral-small-latest",), priority=2),
    )
    air = begun(sky).hears(0, end)

    assert "mistral" in air.attempts[1].url
    last = sent(air, 1)["messages"][-1]
    assert (last["role"], last["prefix"]) == ("assistant", True)
    air.hears(1, opened(), chunk(says(BEGUN)), chunk(says(REST)), chunk(STOP), end)
    assert air.answer.text == WHOLE


def test_one_that_refuses_to_continue_is_told_to_in_words():
    """The same route, asked once more."""
    sky = Sky(
        provider("a", priority=0), Mistral("made-up-key-of-mistral", models=("m",), priority=1)
    )
    air = begun(sky).hears(0, end)
    air.hears(1, refused(400, "Expected last role User or Tool"))

    assert "mistral" in air.attempts[2].url
    assert sent(air, 2)["messages"][-1]["role"] == "user"
    go_on(air, 2)
    assert air.answer.text == WHOLE


def test_a_continuer_with_nothing_to_add_ends_the_answer():
    """All had been said but the end itself."""
    sky = Sky(
        provider("a", priority=0), Mistral("made-up-key-of-mistral", models=("m",), priority=1)
    )
    air = begun(sky, WHOLE).hears(0, end)
    air.hears(1, opened(), chunk(STOP), end)

    assert (air.answer.text, air.answer.finish_reason) == (WHOLE, "stop")


@pytest.mark.parametrize("said", [[], [chunk(ROLE)], [chunk(b": keep-alive\n\n")]])
def test_a_continuer_that_is_cut_before_it_says_anything_has_not_ended_the_answer(said):
    """A body that closes is no word that nothing was missing."""
    sky = Sky(
        provider("a", priority=0), Mistral("made-up-key-of-mistral", models=("m",), priority=1)
    )
    air = begun(sky).hears(0, end)
    air.hears(1, opened(), *said, end).silence()

    assert len(air.attempts) == 3
    assert air.answer.text == BEGUN


def test_one_that_begins_anew_is_not_glued_on_but_the_next_is_asked():
    """And its own text is never seen."""
    sky = Sky(*(provider(name, priority=n) for n, name in enumerate("abc")))
    air = begun(sky).hears(0, end)
    other = (
        "Once upon a time there was a hedgehog in a garden, and it ate all the strawberries that "
        "had been planted in spring by an old gardener who never came back to look after them. " * 2
    )
    air.hears(1, opened(), chunk(says(other)), chunk(STOP))
    go_on(air, 2)

    assert air.answer.text == WHOLE
    assert [record.kind for record in air.answer.attempts] == ["cut", "astray", None]


def test_when_nobody_can_carry_on_the_partial_text_is_raised():
    """With all who were asked."""
    air = begun(two()).hears(0, end)
    air.hears(1, refused(401)).silence()
    assert air.hosts == ["a", "b", "a"]  # the first once more, as it failed in passing
    with pytest.raises(StreamInterrupted) as caught:
        air.hears(2, refused(401))

    assert caught.value.partial == BEGUN
    kinds = [record.kind for record in caught.value.attempts]
    assert kinds == ["cut", "unauthorized", "unauthorized"]


def test_two_providers_that_refuse_to_carry_on_do_not_blame_the_callers_request():
    """It had been answered once."""
    sky = Sky(*(provider(name, priority=n) for n, name in enumerate("abc")))
    air = begun(sky).hears(0, end)
    air.hears(1, refused(400, "bad messages")).hears(2, refused(400, "bad messages")).silence()
    go_on(air, 3)

    assert air.answer.text == WHOLE


# ---------------------------------------------------------------------- stalls


def test_a_stalled_stream_gets_another_beside_it_that_carries_on():
    """Two seconds where it had been steady; the stalled one is dropped when the other speaks."""
    sky = two()
    air = begun(sky)
    assert air.wait == pytest.approx(2.0)

    air.silence()
    assert air.hosts == ["a", "b"]
    go_on(air)

    assert air.answer.text == WHOLE
    assert air.cancelled == [0]
    assert [record.kind for record in air.answer.attempts] == ["timeout", None]


def test_a_stalled_stream_that_goes_on_by_itself_is_kept():
    """The other is dropped, and there is no seam."""
    sky = two()
    air = begun(sky).silence().hears(0, chunk(says(REST)), chunk(STOP), end)

    assert (air.answer.text, air.answer.integrity) == (WHOLE, "complete")
    assert air.cancelled == [1]
    assert air.answer.provider == "a"
    assert sky.in_flight() == 0


def test_a_stream_that_had_paused_before_is_given_longer():
    """Five times its longest pause."""
    air = Air(two(), streaming=True).hears(0, opened())
    for word in ("one", " two", " three", " four"):
        air.hears(0, chunk(says(word))).silence(1.0)

    assert air.wait == pytest.approx(4.0)


@pytest.mark.parametrize(("words", "borne"), [(3, 8.0), (4, 2.0), (9, 2.0)])
def test_words_that_come_all_at_once_tell_as_much_of_a_pace_as_single_ones(words, borne):
    """A quick server, or whoever stands between, puts many into one piece of the body."""
    sky = two()
    air = Air(sky, streaming=True)
    air.hears(0, opened(), chunk(b"".join(says(word + " ") for word in BEGUN.split()[:words])))

    assert air.wait == pytest.approx(borne)


def test_an_answer_that_came_in_one_piece_tells_nothing_of_pauses():
    """The next answer of its route is as unknown as the first."""
    sky = two()
    Air(sky, streaming=True).hears(0, opened(), chunk(says("one") + says(" two") + STOP), end)

    assert Air(sky, streaming=True).hears(0, opened(), chunk(says("one"))).wait == 8.0


def test_how_a_route_has_paused_is_remembered_for_its_next_answer():
    """Before, eight seconds are allowed while little is known."""
    sky = two()
    first = Air(sky, streaming=True).hears(0, opened(), chunk(says("one")))
    assert first.wait == pytest.approx(8.0)
    first.silence(0.5).hears(0, chunk(says(" two")), chunk(STOP), end)

    second = Air(sky, streaming=True).hears(0, opened(), chunk(says("one")))
    assert second.wait == pytest.approx(2.5)


def test_a_stall_that_nobody_can_carry_on_is_borne_for_the_whole_attempt_timeout():
    """Then it is given up, and the only route there is asked once more."""
    sky = Sky(provider("a"), attempt_timeout=30)
    air = begun(sky).silence(2.0)
    assert len(air.attempts) == 1
    assert air.wait == pytest.approx(28.0)

    air.silence(28.0).silence(0.7)
    assert air.cancelled == [0]
    assert air.hosts == ["a", "a"]
    go_on(air)
    assert air.answer.text == WHOLE


def test_a_tool_call_that_stalls_gets_another_beside_it_that_begins_anew():
    """Whichever goes on first is heard; the half call is seen by nobody."""
    sky = two()
    air = Air(sky, streaming=True).hears(0, *HALF_A_CALL)
    assert air.wait == pytest.approx(8.0)
    air.silence()
    assert air.hosts == ["a", "b"]
    air.hears(1, opened(), chunk(calls('{"city": "Rome"}')), chunk(STOP), end)

    assert [call.arguments for call in air.answer.tool_calls] == ['{"city": "Rome"}']
    assert air.cancelled == [0]
    assert sky.in_flight() == 0


def test_a_tool_call_that_others_have_seen_is_not_hurried():
    """Nobody could carry it on."""
    air = Air(two(), streaming=True).hears(0, opened(), chunk(says("So: ")))
    air.hears(0, chunk(calls('{"city": "Par')))

    assert air.wait == pytest.approx(30.0)


def test_without_hedging_a_stalled_stream_is_given_up_before_another_is_asked():
    """One at a time."""
    air = begun(two(hedge=False)).silence()

    assert air.cancelled == [0]
    assert air.hosts == ["a", "b"]
    go_on(air)
    assert air.answer.text == WHOLE


def test_a_stall_and_its_challenger_may_both_break_off():
    """The next is asked, as long as there are any."""
    sky = Sky(*(provider(name, priority=n) for n, name in enumerate("abc")))
    air = begun(sky).silence()
    air.hears(1, refused(503)).hears(0, broken(ConnectionResetError("gone")))
    go_on(air, len(air.attempts) - 1)

    assert air.answer.text == WHOLE


# ---------------------------------------------------------------------- time


def test_the_callers_patience_is_spent_at_seams_and_not_while_text_flows():
    """A stream of minutes may still be carried on; silence in all is bounded by the timeout."""
    sky = two(timeout=20, attempt_timeout=30)
    air = Air(sky, streaming=True).hears(0, opened()).silence(3.0)
    for word in BEGUN.split():
        air.hears(0, chunk(says(word + " ")))
        sky.clock.move(60.0)
    air.hears(0, end).silence(16.9)  # of twenty seconds three were spent before the first word
    assert air.hosts[-1] == "b"

    with pytest.raises(StreamInterrupted):
        air.silence(0.2)


def test_only_thinking_is_asked_for_once_more_with_more_room_then_elsewhere():
    """The same route first."""
    air = Air(two(), streaming=True, params={"max_tokens": 50})
    for number in (0, 1):
        air.hears(number, opened(), chunk(thinks("hm")), chunk(STOP), end)
    air.hears(2, opened(), chunk(says("Paris")), chunk(STOP), end)

    assert air.hosts == ["a", "a", "b"]
    assert [sent(air, number)["max_tokens"] > 50 for number in range(3)] == [False, True, False]
    assert [record.kind for record in air.answer.attempts] == [
        "only_thinking",
        "only_thinking",
        None,
    ]
    assert air.answer.text == "Paris"


def test_it_is_asked_again_even_where_another_has_more_quota_left():
    """Who is best has changed by the first attempt; who is to be asked more kindly has not."""
    limits = (Limit(10, "requests", per=60.0),)
    sky = Sky(provider("a", limits=limits), provider("b", limits=limits), strategy="quota_aware")
    air = Air(sky).hears(0, opened(), chunk(SILENT), end)

    assert air.hosts == ["a", "a"]


def test_only_thinking_everywhere_is_no_answer():
    """Two of each, and the error says so."""
    air = Air(two())
    for number in range(3):
        air.hears(number, opened(), chunk(SILENT), end)
    assert air.hosts == ["a", "a", "b", "b"]

    air.hears(3, opened(), chunk(SILENT)).silence(0.0)
    with pytest.raises(NoRouteAnswered, match="only thought"):
        air.hears(3, end)


def test_who_was_outpaced_may_still_carry_on():
    """A hedge that came too late is nobody's fault, and there may be no other."""
    sky = two()
    air = Air(sky, streaming=True).silence(4.0)
    assert air.hosts == ["a", "b"]
    air.hears(0, opened(), chunk(says(BEGUN)))
    assert air.cancelled == [1]
    air.hears(0, broken(ConnectionResetError("gone"))).silence(0.1)
    go_on(air, 2)

    assert air.hosts == ["a", "b", "b"]
    assert air.answer.text == WHOLE
    assert sky.in_flight() == 0
