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

    calls = turn.get("tool_calls", [])
    assert [call["id"] for call in calls] == [reply["tool_call_id"] for reply in answers]
    assert all(json.loads(call["function"]["arguments"]) is not None for call in calls)
    assert turn.get("content") or calls
    shown = FOREIGN & {field for part in (turn, *calls) for field in part}
    assert not shown or name in {row.provider, "google"}


def test_what_its_maker_understands_goes_back_as_it_came():
    """A signature on the very call, reasoning details flat and whole."""
    by_name = {f"{row.provider}/{row.file}": row for row in ANSWERED}
    signed = by_name["google/calls-all-at-index-zero.sse"]
    detailed = by_name["openrouter/reasoning-details.sse"]
    turns = {}
    for row in (signed, detailed):
        message = fold(decoded(row)).to_message()
        request = Request(messages=({"role": "user", "content": "hi"}, message))
        body = json.loads(DECLARED[row.provider].encode(request, row.model))
        turns[row.provider] = body["messages"][1]

    first, second = turns["google"]["tool_calls"]
    assert first["extra_content"] == {"google": {"thought_signature": "c2lnMQ=="}}
    assert "extra_content" not in second
    kept = detailed.expected.extra["openrouter"]["reasoning_details"]
    assert turns["openrouter"]["reasoning_details"] == kept
