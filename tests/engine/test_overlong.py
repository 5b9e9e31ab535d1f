"""What a call makes of refusals for the length of its prompt."""

from __future__ import annotations

import json

import pytest

from freelm_integrations.engine.steps import Launch
from freelm_integrations.errors import ContextOverflow
from freelm_integrations.providers.provider import Cerebras
from freelm_integrations.providers.spec import ModelSpec
from tests.engine.flying import ANSWER, Sky, refused
from tests.engine.test_flight import completion, hosts
from tests.fakes import play
from tests.pool.making import provider

KEEP = "The number of tokens to keep from the initial prompt is greater than the context length."


def of_about(tokens: int) -> dict:
    return {"messages": ({"role": "user", "content": "word" * tokens},)}


def too_long(window: int, prompt: int, output: int):
    return refused(
        400,
        f"This model's maximum context length is {window} tokens. However, you requested"
        f" {prompt + output} tokens ({prompt} in the messages, {output} in the completion).",
    )


def rooms(steps) -> list[int | None]:
    sent = [json.loads(step.attempt.body) for step in steps if isinstance(step, Launch)]
    return [one.get("max_tokens", one.get("max_completion_tokens")) for one in sent]


def capped() -> Sky:
    """A provider that a limit is sent to by default."""
    one = Cerebras("k" * 30, models=[ModelSpec("m", context=65_536)])
    return Sky(one, provider("b", priority=99))


def test_a_smaller_room_is_asked_for_where_that_mends_it():
    """Once, on the same route."""
    steps = play(capped().machine(), capped().clock, [too_long(8192, 7000, 2048), *ANSWER])

    assert rooms(steps) == [2048, 1192]
    assert [host.split(".")[-1] for host in hosts(steps)] == [hosts(steps)[0].split(".")[-1]] * 2


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"params": {"max_tokens": 2048}}, too_long(8192, 7000, 2048)),
        ({}, too_long(8192, 9000, 2048)),
        ({}, too_long(8192, 8190, 2048)),
        ({}, refused(400, "Please reduce the length", code="context_length_exceeded")),
    ],
    ids=["the caller's own room", "the prompt alone is too long", "next to none", "untold"],
)
def test_elsewhere_the_next_is_asked(more, refusal):
    """What the caller asks for is not made less, and no attempt is spent in vain."""
    sky = capped()

    steps = play(sky.machine(**more), sky.clock, [refusal, *ANSWER])

    assert hosts(steps)[1:] == ["b"]


def test_it_is_asked_for_once_only():
    """A server that goes on refusing is left."""
    sky = capped()
    script = [too_long(8192, 7000, 2048), too_long(8192, 7000, 1192), *ANSWER]

    assert hosts(play(sky.machine(), sky.clock, script))[2:] == ["b"]


def test_a_context_that_was_told_is_gone_by():
    """The next prompt that is too long for it is not sent there; a shorter one is."""
    sky = Sky(provider("a"), provider("b"))

    play(sky.machine(**of_about(9000)), sky.clock, [too_long(8192, 9000, 0), *ANSWER])
    longer = play(sky.machine(**of_about(9100)), sky.clock, ANSWER)
    shorter = play(sky.machine(**of_about(5000)), sky.clock, ANSWER)
    sky.clock.move(3601)
    later = play(sky.machine(**of_about(9100)), sky.clock, ANSWER)

    assert (hosts(longer), hosts(shorter), hosts(later)) == (["b"], ["a"], ["a"])


def test_where_nobody_has_room_that_is_told_without_an_attempt():
    """With whose context it is."""
    sky = Sky(provider("a", keys=2))
    with pytest.raises(ContextOverflow):
        play(sky.machine(**of_about(9000)), sky.clock, [too_long(8192, 9000, 0)])

    with pytest.raises(ContextOverflow, match="context of 8192 tokens, as it told") as caught:
        play(sky.machine(**of_about(9000)), sky.clock, [])

    assert caught.value.attempts == ()


def test_a_refusal_that_cannot_be_true_is_not_believed_at_once():
    """LM Studio says so of short prompts, too; the second time it is believed."""
    sky, other = Sky(provider("a"), provider("b")), Sky(provider("a"), provider("b"))

    steps = play(sky.machine(), sky.clock, [refused(400, KEEP), *ANSWER])
    twice = play(other.machine(), other.clock, [refused(400, KEEP)] * 2 + [*ANSWER])

    assert hosts(steps) == ["a", "a"]
    assert completion(steps).text == "hello"
    assert hosts(twice) == ["a", "a", "b"]


def test_of_a_long_prompt_it_is_believed():
    """The next is asked."""
    sky = Sky(provider("a"), provider("b"))

    steps = play(sky.machine(**of_about(3000)), sky.clock, [refused(400, KEEP), *ANSWER])

    assert hosts(steps) == ["a", "b"]


NO_ROOM = refused(400, "too long", code="context_length_exceeded")


def test_where_nobody_will_hardly_have_room_two_attempts_are_enough():
    """Nothing is told of their contexts, and the prompt is longer than what is usual."""
    sky = Sky(provider("a", models=[f"m{n}" for n in range(9)]), provider("b"))

    with pytest.raises(ContextOverflow) as caught:
        play(sky.machine(**of_about(200_000)), sky.clock, [NO_ROOM] * 2)

    assert len(caught.value.attempts) == 2


def test_what_is_usual_is_asked_for_as_often_as_ever():
    """Each of them may have room."""
    sky = Sky(provider("a", models=[f"m{n}" for n in range(4)]), provider("b"))

    steps = play(sky.machine(**of_about(20_000)), sky.clock, [*[NO_ROOM] * 4, *ANSWER])

    assert len(hosts(steps)) == 5
