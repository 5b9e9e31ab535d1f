"""What one process has learned, the next one knows: nothing is burned a second time."""

from __future__ import annotations

import pytest

from freelm_integrations import Limit, NoRouteAnswered
from tests.sharing.conftest import MODEL, OTHER


@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize("fault", ["rate_limited", "model_gone", "overloaded", "forbidden_model"])
def test_what_rests_is_not_asked_by_the_next_process(lab, process, fault, loop):
    """A cooldown is everybody's, told by whoever met it."""
    lab["groq"].fail(fault, times=None, model=MODEL, retry_after=30)
    first = process(models=[MODEL, OTHER], keys=1)
    assert first.chat(loop=loop).model == OTHER
    first.told()
    lab["groq"].heal()
    lab["groq"].forget()

    answer = process(models=[MODEL, OTHER], keys=1).chat(loop=loop)

    assert answer.model == OTHER
    assert [request.model for request in lab["groq"].chats] == [OTHER]


@pytest.mark.parametrize("loop", [False, True])
def test_a_refused_key_is_left_alone_by_the_next_process(lab, process, loop):
    """One 401 is enough for all, and the key stays named in their health."""
    lab["groq"].fail("unauthorized", times=None, key=0)
    first = process()
    first.chat(loop=loop)
    first.told()
    lab["groq"].forget()

    second = process()

    assert [row["state"] for row in second.client.health()] == ["retired", "ready"]
    second.chat(loop=loop)
    assert [request.key for request in lab["groq"].chats] == [1]


def test_a_mended_key_is_used_again_once_it_is_readmitted(lab, process):
    """By the process that is told so, and by others that are running."""
    lab["groq"].fail("unauthorized", times=None, key=0)
    first, second = process(), process()
    first.chat()
    first.told()
    second.chat()
    lab["groq"].heal()
    mark = first.provider.keys[0].fingerprint

    third = process()

    assert third.client.readmit([mark]) == [mark]
    assert third.client.readmit([mark]) == []
    lab["groq"].forget()
    third.chat()
    second.chat()  # it hears of it by this call's claim
    second.chat()
    assert [request.key for request in lab["groq"].chats] == [0, 1, 0]


def test_an_open_breaker_is_open_in_the_next_process_too(lab, process):
    """And only one of all processes probes it."""
    lab["groq"].fail("server_error", times=None, key=0)
    first = process(models=[MODEL])
    for _ in range(4):
        first.chat()
    first.told()
    lab["groq"].forget()

    second = process()
    second.chat()

    assert [request.key for request in lab["groq"].chats] == [1]
    assert second.health(0)["state"] == "open"


def test_a_parameter_that_was_refused_is_left_out_at_once(lab, process):
    """By the next process's first request."""
    first = process(keys=1)
    route = first.pool.route(first.provider, first.provider.keys[0], first.provider.models[0])
    first.pool.learn_refused(route, "temperature")
    first.told()

    process(keys=1).chat(temperature=0.5)

    (request,) = lab["groq"].chats
    assert "temperature" not in request.body


def test_limits_the_server_told_of_are_known_to_the_next_process(lab, process):
    """With what is left of them, and where they are known from."""
    first = process(keys=1, limits=[Limit(5, "requests", per=86_400)])
    first.chat()
    first.told()

    second = process(keys=1, limits=[Limit(5, "requests", per=86_400)])

    def day(one):
        (window,) = [
            window
            for window in one.health()["windows"]
            if (window["unit"], window["per"]) == ("requests", 86_400)
        ]
        return window["limit"], window["source"], window["remaining"]

    assert day(second) == day(first) == (1_000, "header", 999)


def test_spent_windows_are_spent_for_the_next_process(lab, process):
    """It waits for them instead of asking for a 429."""
    limits = [Limit(3, "requests", per=3_600)]
    first = process(keys=1, limits=limits)
    for _ in range(3):
        first.chat()
    first.told()
    lab["groq"].forget()
    second = process(keys=1, limits=limits)

    with pytest.raises(NoRouteAnswered) as caught:
        second.chat()

    assert lab["groq"].chats == []
    assert 3_500 < caught.value.next_ready_at - second.client._dispatcher.clock.utc() < 3_620


def test_capacity_and_explanations_see_what_others_have_used(process):
    """Without a call of one's own."""
    limits = [Limit(10, "requests", per=3_600)]
    first = process(keys=1, limits=limits)
    for _ in range(4):
        first.chat()
    first.told()

    second = process(keys=1, limits=limits)

    (row,) = [row for row in second.client.capacity() if row["per"] == 3_600]
    assert (row["limit"], row["remaining"]) == (10, 6)
    (candidate,) = second.client.explain("hi").candidates
    assert candidate["headroom"] == pytest.approx(0.6)


def test_a_call_that_is_left_is_settled(process):
    """Its request stays counted; its place in the air is free."""
    first = process(keys=1, limits=[Limit(10, "requests", per=3_600)])
    with first.client.stream_deltas("hi") as deltas:
        next(iter(deltas))
    first.told()

    second = process(keys=1, limits=[Limit(10, "requests", per=3_600)])

    assert first.health()["in_flight"] == 0
    (row,) = [row for row in second.client.capacity() if row["per"] == 3_600]
    assert row["remaining"] == 9
