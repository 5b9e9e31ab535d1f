"""What the core client answers, as LangChain's messages; chunk by chunk it adds up to the same."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.chat import (
    AttemptRecord,
    Completion,
    Delta,
    Origin,
    ToolCall,
    ToolCallPart,
    Usage,
    fold,
)
from freelm_integrations.langchain.answers import GATEWAY, to_result, to_usage
from freelm_integrations.langchain.chunks import ChunkWriter

FAILED = AttemptRecord("groq", "m1", "k1", kind="throttled", status=429, ms=3.0)
SPOKE = AttemptRecord("mistral", "m2", "k2", ms=5.0)
SIGNED = {"google": {"thought_signature": "s"}}
ORIGIN = Origin("mistral", "m2", "k2", (FAILED, SPOKE), "r1")


def message_of(completion: Completion) -> Any:
    return to_result(completion).generations[0].message


def chunks_of(deltas: list[Delta], *, whole_at_end: bool = False) -> list[Any]:
    writer = ChunkWriter(whole_at_end=whole_at_end)
    return [*(chunk for delta in deltas for chunk in writer.write(delta)), writer.finish()]


def added(chunks: list[Any]) -> Any:
    return reduce(add, [chunk.message for chunk in chunks])


def test_a_completion_tells_who_answered_and_what_failed_before() -> None:
    """`model_provider` is ours for all time; the real provider stands in our own entry."""
    completion = fold([Delta("hi", origin=ORIGIN), Delta(finish_reason="length")])

    assert message_of(completion).response_metadata == {
        "model_name": "m2",
        "model_provider": "freelm",
        "finish_reason": "length",
        "freelm": {
            "provider": "mistral",
            "model": "m2",
            "key": "k2",
            "attempts": [FAILED.to_dict(), SPOKE.to_dict()],
            "integrity": "complete",
        },
    }


def test_the_tracer_is_told_the_real_provider() -> None:
    """Through core's gateway entry, which it keeps out of the message."""
    note = to_result(fold([Delta("hi", origin=ORIGIN)])).generations[0].generation_info

    assert GATEWAY is not None
    assert note == {GATEWAY: {"provider": "mistral", "model": "m2"}}


@pytest.mark.parametrize(
    ("arguments", "args", "invalid"),
    [
        ('{"a": 1}', {"a": 1}, None),
        ("", {}, None),
        ('{"a": "line\nbreak"}', {"a": "line\nbreak"}, None),
        ('{"a": ', None, '{"a": '),
        ("[1]", None, "[1]"),
    ],
)
def test_arguments_that_are_no_object_make_an_invalid_call(
    arguments: str, args: dict[str, Any] | None, invalid: str | None
) -> None:
    """The model is shown what it wrote, instead of the user an exception."""
    call = ToolCall("c1", "f", arguments)

    message = message_of(Completion(tool_calls=(call,)))

    assert [one["args"] for one in message.tool_calls] == ([] if args is None else [args])
    assert [one["args"] for one in message.invalid_tool_calls] == ([invalid] if invalid else [])


def test_a_call_without_an_id_is_given_one() -> None:
    """A tool's result could not name it otherwise."""
    message = message_of(Completion(tool_calls=(ToolCall("", "f", "{}"),)))

    assert message.tool_calls[0]["id"]


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        (Usage(5, 6, 11), {"input_tokens": 5, "output_tokens": 6, "total_tokens": 11}),
        (Usage(5, 6), {"input_tokens": 5, "output_tokens": 6, "total_tokens": 11}),
        (
            Usage(5, 6, 11, reasoning_tokens=0, cached_tokens=2),
            {
                "input_tokens": 5,
                "output_tokens": 6,
                "total_tokens": 11,
                "input_token_details": {"cache_read": 2},
                "output_token_details": {"reasoning": 0},
            },
        ),
    ],
)
def test_a_detail_nobody_told_is_left_out_and_zero_is_zero(usage: Usage, counted: Any) -> None:
    """None is unknown, zero is zero."""
    assert to_usage(usage) == counted


PARTS = st.one_of(
    st.builds(lambda text: Delta(text=text), st.text(min_size=1, max_size=5)),
    st.builds(lambda text: Delta(reasoning=text), st.text(min_size=1, max_size=5)),
    st.builds(
        lambda text, reasoning: Delta(text=text, reasoning=reasoning),
        st.text(max_size=3),
        st.text(max_size=3),
    ),
)


@st.composite
def answers(draw: st.DrawFn) -> list[Delta]:
    opening = draw(st.sampled_from([Delta(origin=ORIGIN), Delta("hi", origin=ORIGIN)]))
    calls = [
        Delta(
            tool_calls=(
                ToolCallPart(n, f"c{n}", "f", '{"a"', SIGNED),
                ToolCallPart(n, None, None, ":1}"),
            )
        )
        for n in range(2)
    ]
    usage = Usage(5, draw(st.integers(0, 9)), cached_tokens=1)
    repeated = [Delta(usage=Usage(5, 1))] * draw(st.integers(0, 2))
    last = Delta(finish_reason=draw(st.sampled_from(["stop", "tool_calls"])), usage=usage)
    said = draw(st.lists(PARTS, max_size=6))
    return [opening, *(calls if draw(st.booleans()) else []), *said, *repeated, last]


@given(answers(), st.booleans())
def test_chunks_add_up_to_the_folded_answer(deltas: list[Delta], whole_at_end: bool) -> None:
    """Whatever came in whichever pieces, streamed and whole answers are the same message."""
    whole, streamed = message_of(fold(deltas)), added(chunks_of(deltas, whole_at_end=whole_at_end))

    assert streamed.content == whole.content
    assert streamed.tool_calls == whole.tool_calls
    assert streamed.additional_kwargs == whole.additional_kwargs
    assert streamed.usage_metadata == whole.usage_metadata
    assert streamed.response_metadata == whole.response_metadata
    assert streamed.chunk_position == "last"


@given(answers())
def test_each_chunk_has_one_concern(deltas: list[Delta]) -> None:
    """Core's block translators mistake chunks with text and a call in one."""
    for chunk in chunks_of(deltas):
        message = chunk.message
        said = [message.content, message.additional_kwargs.get("reasoning_content")]
        assert sum(map(bool, [*said, message.tool_call_chunks])) <= 1


def test_who_speaks_is_said_on_the_first_chunk_and_how_it_ended_on_the_last() -> None:
    """Core joins strings: told twice, a name would come out doubled."""
    chunks = chunks_of(
        [
            Delta(origin=ORIGIN),
            Delta("a"),
            Delta("b"),
            Delta(finish_reason="stop", usage=Usage(1, 2)),
        ]
    )

    first, second, last = (chunk.message.response_metadata for chunk in chunks)
    assert first["model_name"] == "m2"
    assert "attempts" not in first["freelm"]
    assert last["freelm"]["attempts"] == [FAILED.to_dict(), SPOKE.to_dict()]
    assert second == {"model_provider": "freelm"}
    assert last["finish_reason"] == "stop"
    assert "model_name" not in last


def test_chunks_share_nothing_that_can_be_changed() -> None:
    """They are copied from one template, and users do write into what they are given."""
    one, other = chunks_of([Delta("a"), Delta("b")])[:2]

    one.message.additional_kwargs["mine"] = 1
    one.message.response_metadata["mine"] = 1
    one.message.tool_calls.append({"name": "f", "args": {}, "id": "c"})
    one.message.id = "mine"

    assert other.message.additional_kwargs == {}
    assert other.message.response_metadata == {"model_provider": "freelm"}
    assert other.message.tool_calls == []
    assert other.message.id is None


@pytest.mark.parametrize("whole_at_end", [False, True])
def test_a_carried_on_stream_tells_its_seam(whole_at_end: bool) -> None:
    """The first speaker keeps its name; who took over, and after what, is added at the end."""
    cut = AttemptRecord("mistral", "m2", "k2", kind="cut", ms=9.0)
    carried = AttemptRecord("google", "m3", "k3", ms=3.0)
    second = Origin("google", "m3", "k3", (FAILED, cut, carried), "r2")
    deltas = [Delta("a", origin=ORIGIN), Delta("b", origin=second), Delta(finish_reason="stop")]

    metadata = added(chunks_of(deltas, whole_at_end=whole_at_end)).response_metadata

    assert metadata["model_name"] == "m2"
    assert metadata["freelm"] == {
        "provider": "mistral",
        "model": "m2",
        "key": "k2",
        "attempts": [FAILED.to_dict(), cut.to_dict(), carried.to_dict()],
        "integrity": "stitched",
        "seams": [1],
        "resumed": [{"provider": "google", "model": "m3", "key": "k3"}],
    }


def test_who_broke_off_while_it_thought_is_not_who_answered() -> None:
    """Nothing of the answer was seen of it; its name would be joined to the other's."""
    second = Origin("google", "m3", "k3", (FAILED, SPOKE), "r2")
    deltas = [
        Delta(reasoning="hm", origin=ORIGIN),
        Delta(reasoning="well", origin=second),
        Delta("a"),
        Delta(finish_reason="stop"),
    ]

    metadata = added(chunks_of(deltas)).response_metadata

    assert metadata["model_name"] == "m3"
    assert metadata["freelm"]["provider"] == "google"
    assert metadata["freelm"]["integrity"] == "complete"


def test_an_answer_that_said_nothing_is_still_one_chunk() -> None:
    """Core takes a stream without chunks for an error."""
    assert len(chunks_of([Delta(origin=ORIGIN), Delta(finish_reason="stop")])) == 1
