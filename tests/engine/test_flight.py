"""The failover machine, played by hand: what it asks for when told this and that."""

from __future__ import annotations

import json

import pytest

from freelm_integrations.chat import fold
from freelm_integrations.engine.steps import Cancel, Deliver, Elapsed, Launch, Report, Wait
from freelm_integrations.errors import (
    ContextOverflow,
    NoRouteAnswered,
    RequestRejected,
    StreamInterrupted,
)
from freelm_integrations.events import AttemptFailed, CallCompleted, Exhausted, ProviderSwitched
from freelm_integrations.providers.spec import ModelSpec
from freelm_integrations.wire.faults import Fault
from tests.engine.flying import (
    ANSWER,
    ROLE,
    STOP,
    STREAM,
    Sky,
    body,
    broken,
    chunk,
    end,
    opened,
    refused,
    says,
)
from tests.fakes import play
from tests.pool.making import provider


def hosts(steps) -> list[str]:
    """Who was asked, in order."""
    urls = [step.attempt.url for step in steps if isinstance(step, Launch)]
    return [url.removeprefix("https://").split(".")[0] for url in urls]


def completion(steps):
    return fold(step.delta for step in steps if isinstance(step, Deliver))


def names(steps) -> list[str]:
    return [step.event.name.removeprefix("freelm.") for step in steps if isinstance(step, Report)]


def two(**terms: object) -> Sky:
    return Sky(provider("a", priority=0), provider("b", priority=1), **terms)


FAILURES = [
    pytest.param([refused(429)], "throttled", id="429"),
    pytest.param([refused(503)], "overloaded", id="503"),
    pytest.param([refused(500)], "server_error", id="500"),
    pytest.param([refused(502, "<html>")], "server_error", id="502"),
    pytest.param([refused(401)], "unauthorized", id="401"),
    pytest.param([refused(402)], "unpaid", id="402"),
    pytest.param([refused(404, "model not found", code="model_not_found")], "model_gone", id="404"),
    pytest.param([refused(400, "bad messages")], "malformed", id="400"),
    pytest.param([broken(ConnectionRefusedError("no"))], "unreachable", id="refused connection"),
    pytest.param([broken(ConnectionResetError("gone"))], "broken", id="reset"),
    pytest.param([broken(TimeoutError("slow"))], "timeout", id="transport timeout"),
    pytest.param([opened(), chunk(b'{"error": {"message": "x"}}'), end], None, id="error in a 200"),
    pytest.param([opened(), end], "empty", id="empty body"),
    pytest.param([opened(), chunk(body("")), end], "empty", id="empty answer"),
    pytest.param([opened(), chunk(b"<html>hello</html>"), end], None, id="HTML in a 200"),
    pytest.param([99.0], "timeout", id="silence"),
]


@pytest.mark.parametrize(("failure", "kind"), FAILURES)
@pytest.mark.parametrize("streaming", [False, True])
def test_every_failure_before_the_first_content_goes_on_to_the_next_provider(
    failure, kind, streaming
):
    """The caller sees one whole answer, and whom it took."""
    sky = two(hedge=False)
    steps = play(
        sky.machine(streaming=streaming), sky.clock, [*failure, *(STREAM if streaming else ANSWER)]
    )

    answer = completion(steps)
    assert answer.text == "hello"
    assert hosts(steps) == ["a", "b"]
    assert [record.provider for record in answer.attempts] == ["a", "b"]
    assert answer.attempts[0].kind == kind or kind is None
    assert sky.in_flight() == 0


@pytest.mark.parametrize(
    "refusal",
    [
        refused(404, "model not found", code="model_not_found"),
        refused(403, "you may not"),
        refused(404, "Function 'x': Not found for account 'y'"),
    ],
)
def test_who_may_not_or_has_no_such_model_is_asked_again_after_the_others(refusal):
    """A 403 or a 404 is often about the account: its next model comes after other providers."""
    sky = Sky(
        provider("a", models=("one", "two"), priority=0),
        provider("b", priority=1),
        hedge=False,
    )
    steps = play(sky.machine(), sky.clock, [refusal, refused(503), *ANSWER])

    assert hosts(steps) == ["a", "b", "a"]


def test_a_good_answer_takes_one_attempt_and_names_its_origin():
    """Deltas carry origin first, usage and finish last."""
    sky = two()
    steps = play(sky.machine(streaming=True), sky.clock, STREAM)

    deltas = [step.delta for step in steps if isinstance(step, Deliver)]
    assert deltas[0].origin is not None
    assert [delta.origin for delta in deltas[1:]] == [None] * (len(deltas) - 1)
    assert deltas[-1].finish_reason == "stop"
    assert names(steps) == ["attempt_started", "committed", "completed"]


@pytest.mark.parametrize(("retry_after", "is_ready_in"), [("7", 7.0), ("0", 0.0), ("120", 120.0)])
def test_retry_after_is_believed_and_zero_means_now(retry_after, is_ready_in):
    """The route rests for exactly as long as the server said."""
    sky = two()
    play(sky.machine(), sky.clock, [refused(429, retry_after=retry_after), *ANSWER])

    first = next(iter(sky.flight()._itinerary.candidates.views(sky.clock.now())))
    assert max(0.0, first.ready_at - sky.clock.now()) == pytest.approx(is_ready_in)


def test_a_dead_key_is_never_asked_again():
    """401 retires the key for all calls after."""
    sky = two()
    play(sky.machine(), sky.clock, [refused(401), *ANSWER])
    sky.clock.move(1_000_000)
    steps = play(sky.machine(), sky.clock, ANSWER)

    assert hosts(steps) == ["b"]


def test_an_unknown_model_falls_to_the_providers_next_and_does_not_blame_the_key():
    """404 rests the model alone."""
    sky = Sky(provider("a", models=("old", "new")))
    steps = play(sky.machine(), sky.clock, [refused(404, "model not found"), *ANSWER])

    assert completion(steps).attempts[1].model == "new"
    (row,) = sky.pool.snapshot(sky.clock.now())
    assert row.state == "ready"


def test_the_best_model_of_every_provider_comes_before_any_second_one():
    """Candidates are interleaved."""
    sky = Sky(provider("a", models=("a1", "a2")), provider("b", models=("b1", "b2")))
    wrong = refused(404, "model not found")
    steps = play(sky.machine(), sky.clock, [wrong, wrong, wrong, *ANSWER])

    tried = [record.model for record in completion(steps).attempts]
    assert tried == ["a1", "b1", "a2", "b2"]


def test_keys_of_one_provider_are_rotated_on_429():
    """A throttled key hands over to the next key."""
    sky = Sky(provider("a", keys=3))
    steps = play(sky.machine(), sky.clock, [refused(429), refused(429), *ANSWER])

    assert len({record.key for record in completion(steps).attempts}) == 3


def test_after_an_outage_another_provider_is_asked_before_the_same_ones_other_keys():
    """A server that is down is down for all its keys."""
    sky = Sky(provider("a", keys=2), provider("b"))
    steps = play(sky.machine(), sky.clock, [refused(500), *ANSWER])

    assert hosts(steps) == ["a", "b"]


def test_two_providers_that_call_the_request_malformed_are_believed():
    """The third is not asked, and the error says what they said."""
    sky = Sky(*(provider(name) for name in "abc"))
    with pytest.raises(RequestRejected, match="bad messages") as caught:
        play(sky.machine(), sky.clock, [refused(400, "bad messages")] * 2)

    assert [record.provider for record in caught.value.attempts] == ["a", "b"]
    assert sky.in_flight() == 0


def test_the_only_provider_that_calls_the_request_malformed_is_believed():
    """There is nobody else to ask."""
    sky = Sky(provider("a"))
    with pytest.raises(RequestRejected):
        play(sky.machine(), sky.clock, [refused(400, "bad messages")])


def test_a_lone_provider_is_believed_once_two_of_its_models_agree():
    """One model alone may be peculiar; of two that agree, no third and no other key is asked."""
    sky = Sky(provider("a", keys=3, models=("a1", "a2", "a3")))
    with pytest.raises(RequestRejected) as caught:
        play(sky.machine(), sky.clock, [refused(400, "bad messages")] * 2)
    assert [record.model for record in caught.value.attempts] == ["a1", "a2"]

    steps = play(sky.machine(), sky.clock, [refused(400, "bad messages"), *ANSWER])
    assert hosts(steps) == ["a", "a"]


def test_a_provider_that_rests_cannot_testify_unless_it_is_waited_for():
    """With nobody else to ask now, two models of one provider are enough."""
    blaming = refused(400, "bad messages")
    other = provider("b")
    for wait, script in ((False, [blaming] * 2), (True, [blaming, blaming, 99.0, blaming])):
        sky = Sky(provider("a", models=("a1", "a2")), other, wait=wait)
        route, now = sky.pool.route(other, other.keys[0], other.models[0]), sky.clock.now()
        fault = Fault(kind="throttled", retry_after=9.0)
        sky.pool.settle(sky.pool.lease(route, now), fault, now)
        with pytest.raises(RequestRejected) as caught:
            play(sky.machine(), sky.clock, script)
        assert len(caught.value.attempts) == (3 if wait else 2)


@pytest.mark.parametrize(
    "wrong",
    [
        refused(400, "too long", code="context_length_exceeded"),
        refused(413, "too large"),
        refused(400, "bad messages"),
        refused(400, "this model does not support tools"),
    ],
    ids=["too long", "too large", "malformed", "unsupported"],
)
def test_what_a_model_cannot_serve_it_is_not_asked_with_another_key(wrong):
    """The key changes nothing about it."""
    sky = Sky(provider("a", keys=3, models=("a1", "a2")))
    steps = play(sky.machine(), sky.clock, [wrong, *ANSWER])

    launched = [
        json.loads(step.attempt.body)["model"] for step in steps if isinstance(step, Launch)
    ]
    assert launched == ["a1", "a2"]


def test_a_prompt_too_long_for_all_is_a_context_overflow():
    """Nobody is blamed for it."""
    sky = two()
    wrong = refused(400, "too long", code="context_length_exceeded")
    with pytest.raises(ContextOverflow):
        play(sky.machine(), sky.clock, [wrong, wrong])

    assert all(row.state == "ready" for row in sky.pool.snapshot(sky.clock.now()))


def test_a_prompt_nobody_has_room_for_costs_no_attempt():
    """It is left out before a call is spent."""
    sky = Sky(provider("a", models=[ModelSpec("tiny", context=10)]))
    messages = ({"role": "user", "content": "word " * 500},)
    with pytest.raises(ContextOverflow, match="10 tokens"):
        play(_machine(sky, messages), sky.clock, [])


def _machine(sky, messages):
    from freelm_integrations.chat import Request
    from freelm_integrations.engine.failover import failover
    from freelm_integrations.engine.flight import Flight

    request = Request(messages=messages)
    candidates = sky.router.candidates(request, sky.catalogs)
    return failover(
        Flight(request, candidates, pool=sky.pool, clock=sky.clock, terms=sky.terms, call=1)
    )


def test_when_all_are_resting_the_error_says_who_and_until_when():
    """And nothing is sent."""
    sky = two()
    with pytest.raises(NoRouteAnswered):
        play(sky.machine(), sky.clock, [refused(429, retry_after="30")] * 2)
    with pytest.raises(NoRouteAnswered, match="no route is free") as caught:
        play(sky.machine(), sky.clock, [])

    message = str(caught.value)
    assert "a: " in message
    assert "b: " in message
    assert "rate limit" in message
    assert caught.value.next_ready_at == pytest.approx(sky.clock.utc() + 30)
    assert caught.value.attempts == ()


def test_waiting_goes_on_when_the_first_route_is_back():
    """One wait of the right length, then the call."""
    sky = two(wait=True)
    script = [refused(429, retry_after="30"), refused(429, retry_after="12"), 99.0, *ANSWER]
    steps = play(sky.machine(), sky.clock, script)

    assert completion(steps).text == "hello"
    assert hosts(steps) == ["a", "b", "b"]
    waits = [step.seconds for step in steps if isinstance(step, Wait)]
    assert waits[2] == pytest.approx(12.0)


def test_waiting_does_not_outlast_the_deadline():
    """If nobody comes back in time the error comes at once."""
    sky = two(wait=True, timeout=10)
    with pytest.raises(NoRouteAnswered):
        play(sky.machine(), sky.clock, [refused(429, retry_after="30")] * 2)


def test_a_call_that_may_wait_keeps_attempts_for_those_who_come_back():
    """A quarter of them; a provider not asked yet is asked all the same."""
    sky = Sky(provider("a", keys=9), provider("b"), wait=True, max_attempts=8)
    began_at = sky.clock.now()
    busy, busier = refused(429, retry_after="5"), refused(429, retry_after="9")
    steps = play(sky.machine(), sky.clock, [*[busy] * 4, busier, busy, 99.0, *ANSWER])

    assert hosts(steps) == ["a", "a", "a", "a", "b", "a", "a"]
    assert completion(steps).text == "hello"
    assert sky.clock.now() - began_at == pytest.approx(5.0, abs=0.1)


@pytest.mark.parametrize(
    "terms", [{"wait": False}, {"wait": True, "timeout": 3}], ids=["not waiting", "too short"]
)
def test_no_attempt_is_kept_where_nobody_is_back_in_time(terms):
    """All are spent on routes not tried yet."""
    sky = Sky(provider("a", keys=9), max_attempts=4, **terms)
    began_at = sky.clock.now()
    steps = play(sky.machine(), sky.clock, [*[refused(429, retry_after="5")] * 3, *ANSWER])

    assert hosts(steps) == ["a"] * 4
    assert sky.clock.now() == began_at


def test_a_lone_provider_gets_a_second_try_after_a_passing_fault():
    """After a short jittered pause, and no third."""
    sky = Sky(provider("a"))
    steps = play(sky.machine(), sky.clock, [refused(500), 99.0, *ANSWER])
    assert hosts(steps) == ["a", "a"]

    sky = Sky(provider("a"))
    with pytest.raises(NoRouteAnswered, match="2 attempts"):
        play(sky.machine(), sky.clock, [refused(500), 99.0, refused(500)])


def test_the_attempt_cap_holds():
    """However many routes there are."""
    sky = Sky(provider("a", keys=9), max_attempts=4)
    with pytest.raises(NoRouteAnswered, match="4 attempts, the most one call may make"):
        play(sky.machine(), sky.clock, [refused(429)] * 4)


def test_the_deadline_ends_the_call_and_does_not_blame_a_hurried_attempt():
    """Two attempts of 30 s fit into 40 s only by cutting the second short."""
    sky = two(timeout=40, attempt_timeout=30, hedge=False)
    with pytest.raises(NoRouteAnswered, match="within 40 s") as caught:
        play(sky.machine(), sky.clock, [99.0, 99.0])

    assert [record.kind for record in caught.value.attempts] == ["timeout", "timeout"]
    by_name = {row.provider.split("@")[0]: row for row in sky.pool.snapshot(sky.clock.now())}
    assert by_name["a"].last_fault is not None
    assert by_name["b"].last_fault is None


def test_endless_keep_alives_time_out_all_the_same():
    """Bytes without content are no sign of an answer; the driver is asked not to read any more."""
    sky = two(attempt_timeout=30)

    def alive(seconds):
        def reply(attempt):
            sky.clock.move(seconds)
            return chunk(b": keep-alive\n\n")(attempt)

        return reply

    script = [opened(), alive(20), alive(20), 0.0, *STREAM]
    steps = play(sky.machine(streaming=True), sky.clock, script)

    assert hosts(steps) == ["a", "b"]
    assert [step for step in steps if isinstance(step, Cancel)]
    waits = [step.seconds for step in steps if isinstance(step, Wait)]
    assert waits[3] == 0.0


def test_a_parameter_that_is_refused_is_left_out_at_once_and_for_the_future():
    """The same route is asked again without it; the next call does not send it."""
    sky = Sky(provider("a"))
    complaint = refused(
        400, "property 'top_k' is unsupported", type="invalid_request_error", param="top_k"
    )
    more = {"params": {"top_k": 5}}
    steps = play(sky.machine(**more), sky.clock, [complaint, *ANSWER])
    bodies = [step.attempt.body for step in steps if isinstance(step, Launch)]
    again = play(sky.machine(**more), sky.clock, ANSWER)

    assert b"top_k" in bodies[0]
    assert b"top_k" not in bodies[1]
    assert [b"top_k" in step.attempt.body for step in again if isinstance(step, Launch)] == [False]


CUTS = [
    pytest.param([broken(ConnectionResetError("gone"))], id="reset"),
    pytest.param([end], id="clean close"),
    pytest.param([chunk(b'data: {"error": {"message": "oops"}}\n\n')], id="error event"),
    pytest.param([99.0], id="stall"),
    pytest.param([chunk(b"data: {nonsense\n\n")], id="garbage"),
]


@pytest.mark.parametrize("cut", CUTS)
def test_a_stream_cut_after_its_first_content_raises_with_the_partial_text(cut):
    """Half an answer is never passed off as a whole one, and is not carried on if so wished."""
    sky = two(on_interrupt="raise")
    machine = sky.machine(streaming=True)
    script = [opened(), chunk(ROLE), chunk(says("half an ")), chunk(says("answer")), *cut]
    with pytest.raises(StreamInterrupted, match="broke off after 14") as caught:
        play(machine, sky.clock, script)

    assert caught.value.partial == "half an answer"
    assert caught.value.attempts[-1].kind is not None
    assert sky.in_flight() == 0


def test_a_slow_consumer_is_not_taken_for_a_silent_server():
    """Time spent between two deliveries is the caller's own."""
    sky = two(attempt_timeout=30)
    machine = sky.machine(streaming=True)
    from freelm_integrations.engine.steps import advance

    replies = iter(
        [opened(), chunk(says("a")), chunk(says("b")), chunk(says("c")), chunk(STOP), end]
    )
    attempt, reply, text = None, None, ""
    while (step := advance(machine, reply)) is not None:
        reply = None
        if isinstance(step, Launch):
            attempt = step.attempt
        elif isinstance(step, Deliver):
            text += step.delta.text
            sky.clock.move(500)  # the caller thinks about it
        elif isinstance(step, Wait):
            assert step.seconds > 0
            reply = next(replies)(attempt)

    assert text == "abc"


def test_leaving_early_settles_the_lease_and_blames_nobody():
    """`break` in the caller's loop closes the machine."""
    sky = two()
    machine = sky.machine(streaming=True)
    script = [opened(), chunk(ROLE), chunk(says("hel"))]
    with pytest.raises(StopIteration):  # the script ends: so does this caller
        play(machine, sky.clock, script)
    assert sky.in_flight() == 1
    machine.close()

    assert sky.in_flight() == 0
    assert all(row.last_fault is None for row in sky.pool.snapshot(sky.clock.now()))


def test_a_bug_is_not_an_outage():
    """What is neither a ConnectionError nor a TimeoutError is raised as it is."""
    sky = two()
    with pytest.raises(ZeroDivisionError):
        play(sky.machine(), sky.clock, [broken(ZeroDivisionError("oops"))])
    assert sky.in_flight() == 0


def test_messages_that_are_no_json_are_the_callers_error_and_hold_no_lease():
    """The encoder's own words reach the caller."""
    sky = two()
    with pytest.raises(TypeError, match="JSON"):
        play(_machine(sky, ({"role": "user", "content": "x", "name": object()},)), sky.clock, [])
    assert sky.in_flight() == 0


def test_events_tell_the_story_of_a_failover():
    """Started, failed, cooled, switched, started, committed, completed."""
    sky = two()
    steps = play(sky.machine(), sky.clock, [refused(429, "slow down", retry_after="7"), *ANSWER])
    events = [step.event for step in steps if isinstance(step, Report)]

    assert names(steps) == [
        "attempt_started",
        "attempt_failed",
        "route_cooled",
        "provider_switched",
        "attempt_started",
        "committed",
        "completed",
    ]
    failed = next(event for event in events if isinstance(event, AttemptFailed))
    assert (failed.kind, failed.status, failed.retry_after) == ("throttled", 429, 7.0)
    switched = next(event for event in events if isinstance(event, ProviderSwitched))
    assert (switched.from_provider, switched.to_provider) == ("a", "b")
    completed = next(event for event in events if isinstance(event, CallCompleted))
    assert (completed.attempts, completed.completion_tokens) == (2, 2)


def test_exhaustion_is_an_event_before_it_is_an_error():
    """Observers hear of it although the caller only sees the exception."""
    sky, heard = Sky(provider("a")), []
    machine = sky.machine()
    with pytest.raises(NoRouteAnswered):
        play(_heard_by(machine, heard), sky.clock, [refused(401)])

    assert isinstance(heard[-1], Exhausted)


def _heard_by(machine, heard):
    """The same machine, its events noted as they pass."""
    reply = None
    while True:
        try:
            step = machine.send(reply)
        except StopIteration:
            return
        if isinstance(step, Report):
            heard.append(step.event)
        reply = yield step


def test_news_of_a_dropped_attempt_is_ignored():
    """A reply that was on its way when its attempt was given up changes nothing."""
    sky = two(attempt_timeout=30)
    late = []

    def remember(attempt):
        late.append(attempt)
        return opened()(attempt)

    script = [remember, 99.0, lambda _: chunk(body("late"))(late[0]), *ANSWER]
    steps = play(sky.machine(), sky.clock, script)

    assert completion(steps).text == "hello"


def test_a_pause_that_ends_a_moment_early_still_ends():
    """Timers are not exact; one more short look, and on it goes."""
    sky = Sky(provider("a"))

    def early(_attempt):
        sky.clock.move(0.5999)
        return Elapsed()

    steps = play(sky.machine(), sky.clock, [refused(500), early, 99.0, *ANSWER])
    assert hosts(steps) == ["a", "a"]


def test_a_connection_that_stays_open_after_the_answer_is_not_waited_for():
    """`[DONE]` was said: half a second, then the call is over and a success."""
    sky = two()
    script = [opened(), chunk(says("all")), chunk(STOP), 99.0]
    steps = play(sky.machine(streaming=True), sky.clock, script)

    assert completion(steps).text == "all"
    assert [step.seconds for step in steps if isinstance(step, Wait)][-1] == 0.5
    assert all(row.last_fault is None for row in sky.pool.snapshot(sky.clock.now()))


def test_a_reset_after_the_answer_changes_nothing():
    """What comes after the end is no part of it."""
    sky = two()
    script = [opened(), chunk(says("all")), chunk(STOP), broken(ConnectionResetError("bye"))]
    steps = play(sky.machine(streaming=True), sky.clock, script)

    assert completion(steps).text == "all"
    assert hosts(steps) == ["a"]
