"""A minute's tokens as providers really count them: the answer's limit is held before it is there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from freelm_integrations import Cerebras, FreeLLM, Groq, Limit
from freelm_integrations.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Iterator

CLASSES = {"cerebras": Cerebras, "groq": Groq}
TOKENS = 6_000
"""Of a minute: one usual answer of Cerebras and a shorter one beside it."""
DEFAULT = 4_096


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Answers take a while, so that several are in the air."""
    with Lab(words="plain", limits=False, providers=CLASSES, latency=0.5) as lab:
        for played in lab:
            played.limit("tokens", TOKENS)
        yield lab


def client(lab: Lab, *names: str, **options: object) -> FreeLLM:
    """One that knows these providers' limit of tokens."""
    providers = [
        CLASSES[name](
            lab[name].keys[0],
            base_url=lab[name].base_url,
            models=[model for model in CLASSES[name].spec.models if model.id in lab[name].models][
                :1
            ],
            limits=(Limit(TOKENS, "tokens"),),
            priority=place,
        )
        for place, name in enumerate(names)
    ]
    terms = {"hedge": False, "share": False, "state": "memory", **options}
    return FreeLLM(providers=providers, **terms)  # type: ignore[arg-type]


def limits_sent(lab: Lab, name: str) -> list[int | None]:
    """The output limits, as they were sent."""
    return [chat.body.get("max_completion_tokens") for chat in lab[name].chats]


def side_by_side(ask: FreeLLM, calls: int) -> list[str]:
    """The answers to so many calls at a time."""
    with ThreadPoolExecutor(calls) as threads:
        return list(threads.map(ask.text, [f"number {place}" for place in range(calls)]))


def statuses(lab: Lab) -> set[int | None]:
    """How requests were answered."""
    return {chat.status for played in lab for chat in played.chats}


def test_the_second_answer_gets_what_the_first_leaves(lab: Lab) -> None:
    """Not what it would have alone: that would be refused."""
    with client(lab, "cerebras") as ask:
        answers = side_by_side(ask, 2)
        first, second = sorted(limits_sent(lab, "cerebras"), key=lambda sent: -(sent or 0))

        assert all(answers)
        assert first == DEFAULT
        assert second is not None
        assert TOKENS - DEFAULT - 200 < second < TOKENS - DEFAULT
        assert statuses(lab) == {200}


def test_what_the_answers_did_not_use_is_there_again(lab: Lab) -> None:
    """One after another each has the usual room."""
    with client(lab, "cerebras") as ask:
        for place in range(4):
            assert ask.text(f"number {place}")

    assert limits_sent(lab, "cerebras") == [DEFAULT] * 4
    assert statuses(lab) == {200}


def test_who_has_room_goes_before_who_has_little(lab: Lab) -> None:
    """The second call goes to the other provider."""
    with client(lab, "cerebras", "groq", strategy="priority") as ask:
        side_by_side(ask, 2)

    assert limits_sent(lab, "cerebras") == [DEFAULT]
    assert limits_sent(lab, "groq") == [None]


def test_a_limit_of_the_callers_waits_for_its_room(lab: Lab) -> None:
    """And is sent as it is."""
    with client(lab, "groq", wait=True, timeout=30) as ask, ThreadPoolExecutor(2) as threads:
        calls = [threads.submit(ask.text, "hi", max_tokens=3_500) for _ in range(2)]
        assert all(call.result() for call in calls)

    assert limits_sent(lab, "groq") == [3_500, 3_500]
    assert statuses(lab) == {200}
