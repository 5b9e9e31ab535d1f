"""A conversation goes on after every answer, with the provider that gave it and with any other."""

from __future__ import annotations

import json

import pytest

from freelm_integrations.chat import Request, fold
from freelm_integrations.wire.faults import Fault
from tests.wire.answers import ROWS, Row
from tests.wire.dialects import DECLARED
from tests.wire.test_answers import decoded

ANSWERED = [row for row in ROWS if row.expected.fault is None]
FOREIGN = {"extra_content", "reasoning_details", "reasoning_content", "reasoning"}


@pytest.mark.parametrize("row", ANSWERED, ids=lambda row: f"{row.provider}/{row.file}")
@pytest.mark.parametrize("name", sorted(DECLARED))
def test_an_answer_can_be_sent_back_to_anybody(row: Row, name: str):
    """Calls and results stay pairs; what only its maker understands goes to no one else."""
    said = decoded(row)
    assert not isinstance(said, Fault)
    answer = fold(said)
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": "7"} for call in answer.tool_calls
    ]
    history = ({"role": "user", "content": "hi"}, answer.to_message(), *results)
    body = json.loads(DECLARED[name].encode(Request(messages=history), row.model))
    turn, *answers = body["messages"][1:]
    if answers[-1:] and answers[-1]["role"] == "user":
        answers.pop()  # where nobody else may have the last word

    calls = turn.get("tool_calls", [])
    assert [call["id"] for call in calls] == [reply["tool_call_id"] for reply in answers]
    assert all(json.loads(call["function"]["arguments"]) is not None for call in calls)
    assert turn.get("content") or calls
    assert turn.get("content") is None or isinstance(turn["content"], str) or name == row.provider
    shown = FOREIGN & {field for part in (turn, *calls) for field in part}
    assert not shown or name in {row.provider, "google"}


def sent_back(name: str, *, to: str | None = None, model: str | None = None, text: str = ""):
    """The assistant's turn as it goes to `to` (its maker) after the answer in that sample."""
    row = next(row for row in ANSWERED if f"{row.provider}/{row.file}" == name)
    said = decoded(row)
    assert not isinstance(said, Fault)
    message = fold(said).to_message()
    if text:
        message["content"] = text
    last = {"role": "user", "content": "Go on."}
    request = Request(messages=({"role": "user", "content": "hi"}, message, last))
    dialect = DECLARED[to or row.provider]
    turns = json.loads(dialect.encode(request, model or row.model))["messages"]
    return next(turn for turn in turns if turn["role"] == "assistant"), row.expected.extra


def test_a_signature_goes_back_on_the_very_call():
    """And on no other."""
    turn, _ = sent_back("google/calls-all-at-index-zero.sse")
    first, second = turn["tool_calls"]

    assert first["extra_content"] == {"google": {"thought_signature": "c2lnMQ=="}}
    assert "extra_content" not in second


def test_reasoning_details_go_back_flat_and_whole():
    """Beside the content, as they came."""
    turn, extra = sent_back("openrouter/reasoning-details.sse")

    assert turn["reasoning_details"] == extra["openrouter"]["reasoning_details"]


@pytest.mark.parametrize(
    "name", ["mistral/thinking-list.sse", "mistral/thinking.json"], ids=["stream", "body"]
)
def test_thinking_goes_back_before_the_text(name):
    """As parts of the content, to the same model of Mistral alone."""
    turn, extra = sent_back(name)
    other, _ = sent_back(name, model="ministral-8b-latest")

    assert turn["content"] == [
        *extra["mistral"]["thinking"],
        {"type": "text", "text": "Hoot."},
    ]
    assert set(turn) == {"role", "content"}
    assert other["content"] == "Hoot."
    for elsewhere in DECLARED.keys() - {"mistral"}:
        foreign, _ = sent_back(name, to=elsewhere)
        assert "Owls" not in json.dumps(foreign)


def test_thinking_goes_back_beside_calls():
    """With its signature, and where nothing was said."""
    turn, extra = sent_back("mistral/signed-thinking-then-call.sse")

    assert turn["content"] == extra["mistral"]["thinking"]
    assert turn["tool_calls"][0]["id"] == "abcdefgh1"


def test_a_text_to_go_on_with_is_told_without_its_thinking():
    """Mistral takes a beginning of the answer only as text."""
    message = {
        "role": "assistant",
        "content": "Once",
        "extra_content": {
            "mistral": {"model": "m", "thinking": [{"type": "thinking", "thinking": []}]}
        },
    }
    request = Request(messages=({"role": "user", "content": "hi"}, message))
    last = json.loads(DECLARED["mistral"].encode(request, "m"))["messages"][-1]

    assert last == {"role": "assistant", "content": "Once", "prefix": True}
