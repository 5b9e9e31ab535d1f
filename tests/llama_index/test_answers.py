"""Answers of the core client become LlamaIndex responses, whole and piece by piece."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llama_index.core.base.llms.types import TextBlock, ThinkingBlock, ToolCallBlock
from llama_index.core.callbacks.token_counting import get_tokens_from_response

from freelm_integrations.chat import (
    AttemptRecord,
    Completion,
    Delta,
    Origin,
    ToolCall,
    ToolCallPart,
    Usage,
)
from freelm_integrations.errors import NoRouteAnswered, StreamInterrupted
from freelm_integrations.llama_index.answers import (
    GrowingAnswer,
    chat_response,
    completion_response,
)
from freelm_integrations.llama_index.messages import to_wire

ATTEMPTS = (
    AttemptRecord("groq", "a", "11111111", kind="throttled", status=429),
    AttemptRecord("nim", "b", "22222222"),
)
ORIGIN = Origin("nim", "b", "22222222", ATTEMPTS, "r1")
FACTS = {
    "provider": "nim",
    "model": "b",
    "key": "22222222",
    "attempts": [record.to_dict() for record in ATTEMPTS],
    "integrity": "complete",
}
USAGE = Usage(11, 7, 18)
CALL = ToolCall("x", "add", '{"a": 1}', {"google": {"thought_signature": "s"}})


def completion(**fields: Any) -> Completion:
    told = {"provider": "nim", "model": "b", "key": "22222222", "attempts": ATTEMPTS}
    return Completion(**{**told, "response_id": "r1", "usage": USAGE, **fields})


def test_a_whole_answer_tells_who_gave_it_and_what_it_used() -> None:
    """The facts stand in `raw` and again in `additional_kwargs`, as plain data."""
    response = chat_response(completion(text="hello"))

    assert response.message.blocks == [TextBlock(text="hello")]
    assert response.message.additional_kwargs == {}
    assert json.loads(json.dumps(response.raw)) == {
        "id": "r1",
        "model": "b",
        "provider": "nim",
        "finish_reason": "stop",
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
        "freelm": FACTS,
    }
    assert response.additional_kwargs == {**response.raw["usage"], "freelm": FACTS}
    assert response.delta is None


def test_the_providers_own_body_is_kept_beneath_ours() -> None:
    """What an endpoint told besides (a fingerprint, choices) can be read in `raw`."""
    body = {"system_fingerprint": "fp", "id": "r1", "usage": {"prompt_tokens": None}}

    raw = chat_response(completion(text="hello", raw=body)).raw

    assert raw["system_fingerprint"] == "fp"
    assert raw["usage"] == {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    assert body["usage"] == {"prompt_tokens": None}


@pytest.mark.parametrize(
    ("fields", "kinds"),
    [
        ({"text": "a"}, [TextBlock]),
        ({}, [TextBlock]),
        ({"text": "a", "reasoning": "hm"}, [ThinkingBlock, TextBlock]),
        ({"tool_calls": (CALL,)}, [ToolCallBlock]),
        (
            {"text": "a", "reasoning": "hm", "tool_calls": (CALL, CALL)},
            [ThinkingBlock, TextBlock, ToolCallBlock, ToolCallBlock],
        ),
    ],
)
def test_blocks_come_in_order(fields: dict[str, Any], kinds: list[type]) -> None:
    """Thinking, text, calls; and an empty text where there is nothing."""
    response = chat_response(completion(**fields))

    assert [type(block) for block in response.message.blocks] == kinds


def test_calls_stand_in_both_places() -> None:
    """As blocks, parsed, and as the list that chat engines read, with what only the maker understands."""
    message = chat_response(completion(tool_calls=(CALL,))).message

    assert message.blocks == [
        ToolCallBlock(tool_call_id="x", tool_name="add", tool_kwargs={"a": 1})
    ]
    assert message.additional_kwargs == {"tool_calls": [CALL.to_wire()]}


def test_thinking_is_counted_and_keeps_its_makers_extras() -> None:
    """What must go back with the next request survives in the memory of a chat."""
    extra = {"openrouter": {"reasoning_details": [1]}}
    usage = Usage(1, 2, 3, reasoning_tokens=5, cached_tokens=0)

    response = chat_response(completion(text="a", reasoning="hm", usage=usage, extra=extra))

    assert response.message.blocks[0] == ThinkingBlock(
        content="hm", num_tokens=5, additional_information={"extra_content": extra}
    )
    assert response.raw["usage"]["reasoning_tokens"] == 5
    assert response.raw["usage"]["cached_tokens"] == 0


def test_what_its_maker_alone_can_read_is_kept_without_any_thinking_told() -> None:
    """Encrypted reasoning has no words to show, but must go back all the same."""
    extra = {"openrouter": {"reasoning_details": [{"type": "reasoning.encrypted"}]}}
    kept = ThinkingBlock(content="", additional_information={"extra_content": extra})
    growing = GrowingAnswer()
    first = growing.add(Delta(text="a", extra=extra, origin=Origin("openrouter", "m", "k")))

    assert chat_response(completion(text="a", extra=extra)).message.blocks[0] == kept
    assert first.message.blocks[0] == kept
    assert first.message.content == "a"
    assert to_wire([first.message])[0]["extra_content"] == extra


@pytest.mark.parametrize(
    ("usage", "counted"),
    [(USAGE, (11, 7)), (Usage(0, 0, 0), (0, 0)), (None, (0, 0))],
)
def test_token_counters_read_the_usage(usage: Usage | None, counted: tuple[int, int]) -> None:
    """Integers where there are any, otherwise None and nothing that could be taken for a count."""
    response = chat_response(completion(text="a", usage=usage))

    assert get_tokens_from_response(response) == counted
    assert get_tokens_from_response(completion_response(response)) == counted
    assert (response.raw["usage"] is None) == (usage is None)


@pytest.mark.parametrize("arguments", ['{"a": 1, "b": ', "[1]", '"text"', "null", "not json"])
def test_unfinished_arguments_are_never_guessed(arguments: str) -> None:
    """A tool must not run on invented input: whole answers and streams raise instead."""
    with pytest.raises(NoRouteAnswered, match="'add' are not a JSON object") as caught:
        chat_response(completion(tool_calls=(ToolCall("x", "add", arguments),)))
    assert caught.value.attempts == ATTEMPTS

    answer = GrowingAnswer()
    answer.add(Delta(text="so: ", origin=ORIGIN))
    answer.add(Delta(tool_calls=(ToolCallPart(0, "x", "add", arguments),)))
    with pytest.raises(StreamInterrupted) as interrupted:
        answer.add(Delta(finish_reason="tool_calls"))
    assert interrupted.value.partial == "so: "


def test_no_arguments_are_an_empty_object() -> None:
    """Calls of tools without parameters come with empty text from some models."""
    response = chat_response(completion(tool_calls=(ToolCall("x", "now", ""),)))

    assert response.message.blocks == [ToolCallBlock(tool_call_id="x", tool_name="now")]


def test_logprobs_are_told_where_served() -> None:
    """By position, the likeliest first, with or without alternatives."""
    entry = {"token": "a", "logprob": -0.5, "bytes": [97]}
    other = {"token": "b", "logprob": -1.5, "bytes": None}
    positions = ({**entry, "top_logprobs": [entry, other]}, other)

    told = chat_response(completion(text="ab", logprobs=positions)).logprobs

    assert told is not None
    assert [[one.token for one in row] for row in told] == [["a", "b"], ["b"]]
    assert chat_response(completion(text="ab")).logprobs is None


def test_a_stream_is_a_row_of_snapshots() -> None:
    """Each holds all text so far, and none changes when more comes."""
    answer = GrowingAnswer()
    deltas = [
        Delta(reasoning="hm", origin=ORIGIN),
        Delta(text="hel"),
        Delta(text="lo"),
        Delta(finish_reason="stop", usage=USAGE),
    ]

    seen = [answer.add(delta) for delta in deltas]

    assert [one.delta for one in seen] == ["", "hel", "lo", ""]
    assert [one.message.content for one in seen] == [None, "hel", "hello", "hello"]
    assert seen[0].additional_kwargs["thinking_delta"] == "hm"
    assert "thinking_delta" not in seen[1].additional_kwargs
    assert [one.raw["usage"] is None for one in seen] == [True, True, True, False]
    assert [one.raw["finish_reason"] for one in seen] == [None, None, None, "stop"]
    assert all(one.raw["freelm"] == FACTS and one.raw["id"] == "r1" for one in seen)
    assert get_tokens_from_response(seen[-1]) == (11, 7)


def test_calls_of_a_stream_grow_without_touching_what_was_given() -> None:
    """An agent may keep any snapshot; ids are unique and stay the same."""
    answer = GrowingAnswer()
    parts = [
        ToolCallPart(0, None, "add", ""),
        ToolCallPart(0, None, None, '{"a"'),
        ToolCallPart(1, "y", "sub", "{}"),
        ToolCallPart(0, None, None, ": 1}", {"google": 1}),
    ]

    seen = [answer.add(Delta(tool_calls=(part,))) for part in parts]
    last = answer.add(Delta(finish_reason="tool_calls"))

    def arguments(response: Any) -> list[Any]:
        return [block.tool_kwargs for block in response.message.blocks]

    assert [arguments(one) for one in seen] == [
        [""],
        ['{"a"'],
        ['{"a"', "{}"],
        ['{"a": 1}', "{}"],
    ]
    assert arguments(last) == [{"a": 1}, {}]
    listed = last.message.additional_kwargs["tool_calls"]
    assert listed[0]["extra_content"] == {"google": 1}
    first_id = seen[0].message.blocks[0].tool_call_id
    assert first_id
    assert [one["id"] for one in listed] == [first_id, "y"]


def test_a_stitched_answer_says_so_and_names_the_last_speaker() -> None:
    """The attempts hold both."""
    answer = GrowingAnswer()
    answer.add(Delta(text="one ", origin=Origin("groq", "a", "11111111", ATTEMPTS[:1])))

    last = answer.add(Delta(text="two", origin=ORIGIN))

    assert last.raw["freelm"] == {**FACTS, "integrity": "stitched", "seams": [4]}
    assert last.message.content == "one two"


def test_an_answer_begun_anew_forgets_what_was_thought_before() -> None:
    """Whoever broke off while it thought had answered nothing."""
    answer = GrowingAnswer()
    answer.add(Delta(reasoning="hm", origin=Origin("groq", "a", "11111111", ATTEMPTS[:1])))

    last = answer.add(Delta(reasoning="well", text="two", origin=ORIGIN))

    assert last.raw["freelm"] == FACTS
    assert [block.content for block in last.message.blocks if hasattr(block, "content")] == ["well"]


DELTAS = st.lists(
    st.builds(
        Delta,
        text=st.text(max_size=5),
        reasoning=st.text(max_size=3),
        usage=st.none() | st.just(USAGE),
        origin=st.none() | st.just(ORIGIN),
    ),
    max_size=12,
)


@given(DELTAS)
def test_deltas_always_add_up(deltas: list[Delta]) -> None:
    """Chat engines concatenate deltas and overwrite the message with the sum: it must be the same text."""
    answer = GrowingAnswer()

    seen = [answer.add(delta) for delta in deltas]
    dumped = [one.model_dump_json() for one in seen]

    spoken = ""
    for one in seen:
        spoken += one.delta or ""
        assert (one.message.content or "") == spoken
        json.dumps(one.raw)
    assert [one.model_dump_json() for one in seen] == dumped
