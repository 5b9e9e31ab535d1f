"""Answers as events of the v3 protocol: always in its order, and worth the same as the whole."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from langchain_core.language_models.chat_model_stream import ChatModelStream
from langchain_tests.utils.stream_lifecycle import assert_valid_event_stream

from freelm_integrations.chat import AttemptRecord, Delta, Origin, ToolCallPart, Usage, fold
from freelm_integrations.langchain.answers import GATEWAY
from freelm_integrations.langchain.protocol import EventWriter
from tests.langchain.test_answers import ORIGIN, answers, message_of

SECOND = Origin("google", "m3", "k3", (AttemptRecord("google", "m3", "k3", ms=3.0),), "r2")
END = Delta(finish_reason="stop", usage=Usage(1, 2, cached_tokens=1))


def events_of(deltas: list[Delta]) -> list[Any]:
    writer = EventWriter("lc_run--1")
    return [*(event for delta in deltas for event in writer.write(delta)), *writer.finish()]


def assembled(events: list[Any]) -> Any:
    stream = ChatModelStream()
    for event in events:
        stream.dispatch(event)
    return stream._assemble_message()


def blocks(message: Any) -> list[dict[str, Any]]:
    return [{k: v for k, v in one.items() if k != "index"} for one in message.content]


@given(answers())
def test_any_answer_is_a_proper_run_of_events(deltas: list[Delta]) -> None:
    """Whatever comes in whichever order, and core makes the same message of it as of the whole."""
    events = events_of(deltas)
    whole, streamed = message_of(fold(deltas)), assembled(events)

    assert_valid_event_stream(events)
    assert streamed.text == whole.text
    assert streamed.tool_calls == whole.tool_calls
    assert streamed.additional_kwargs == whole.additional_kwargs
    assert streamed.usage_metadata == whole.usage_metadata
    assert streamed.response_metadata == {**whole.response_metadata, "output_version": "v1"}
    assert streamed.id == "lc_run--1"


def test_the_first_event_names_who_speaks() -> None:
    """The provider is ours for all time, the model the one that answers."""
    first = events_of([Delta("a", origin=ORIGIN), END])[0]

    assert first["event"] == "message-start"
    assert first["metadata"] == {"provider": "freelm", "model": "m2"}


def test_words_before_and_after_a_call_are_blocks_of_their_own() -> None:
    """In the order they were told; a block of words is finished when another begins."""
    call = Delta(tool_calls=(ToolCallPart(0, "c0", "f", "{}"),))
    events = events_of([Delta("a", "hm", origin=ORIGIN), Delta("b"), call, Delta("c"), END])

    assert_valid_event_stream(events)
    assert blocks(assembled(events)) == [
        {"type": "reasoning", "reasoning": "hm"},
        {"type": "text", "text": "ab"},
        {"type": "tool_call", "name": "f", "args": {}, "id": "c0"},
        {"type": "text", "text": "c"},
    ]
    finished = [event["index"] for event in events if event["event"] == "content-block-finish"]
    assert finished == [0, 1, 3, 2]


def test_parts_of_several_calls_may_come_in_turns() -> None:
    """Each stays open until the end."""
    parts = [
        ToolCallPart(0, "c0", "f", '{"a"'),
        ToolCallPart(1, "c1", "g", "{"),
        ToolCallPart(0, arguments=":1}"),
        ToolCallPart(1, arguments="}"),
    ]
    events = events_of([Delta(origin=ORIGIN), *(Delta(tool_calls=(one,)) for one in parts), END])

    assert_valid_event_stream(events)
    calls = [(call["name"], call["args"], call["id"]) for call in assembled(events).tool_calls]
    assert calls == [("f", {"a": 1}, "c0"), ("g", {}, "c1")]


def test_arguments_that_do_not_parse_make_an_invalid_call() -> None:
    """With what was said, for whoever wants to mend it."""
    broken = Delta(tool_calls=(ToolCallPart(0, "c0", "f", '{"a'),), origin=ORIGIN)

    message = assembled(events_of([broken, END]))

    assert message.tool_calls == []
    assert message.invalid_tool_calls[0]["args"] == '{"a'


def test_who_broke_off_while_it_thought_is_not_who_answered() -> None:
    """Its thoughts stay where they were shown, the answer bears the other's name."""
    deltas = [Delta(reasoning="hm", origin=ORIGIN), Delta(reasoning="well", origin=SECOND)]

    message = assembled(events_of([*deltas, Delta("a"), END]))

    assert message.response_metadata["model_name"] == "m3"
    assert message.response_metadata["freelm"]["provider"] == "google"
    assert message.additional_kwargs["reasoning_content"] == "well"
    assert [one["type"] for one in blocks(message)] == ["reasoning", "reasoning", "text"]


def test_a_seam_is_told_at_the_end() -> None:
    """The text goes on in its block."""
    message = assembled(events_of([Delta("a", origin=ORIGIN), Delta("b", origin=SECOND), END]))

    assert blocks(message) == [{"type": "text", "text": "ab"}]
    assert message.response_metadata["freelm"]["seams"] == [1]


def test_an_answer_that_said_nothing_is_a_message_all_the_same() -> None:
    """Start and finish, and nothing between."""
    events = events_of([Delta(finish_reason="stop")])

    assert [event["event"] for event in events] == ["message-start", "message-finish"]
    assert_valid_event_stream(events)


def test_an_image_comes_whole_and_only_its_finish_holds_it() -> None:
    """The data would cross the wire twice otherwise."""
    events = events_of([Delta(images=("data:image/png;base64,QUJD",), origin=ORIGIN), END])

    start, finish = events[1:3]
    assert start["content"] == {"type": "image", "mime_type": "image/png"}
    assert finish["content"] == {"type": "image", "mime_type": "image/png", "base64": "QUJD"}


def test_the_tracer_is_told_the_real_provider() -> None:
    """Under core's own word for it, and in no event."""
    writer = EventWriter("id")
    assert writer.note() == {}

    writer.write(Delta("a", origin=ORIGIN))

    assert writer.note() == {GATEWAY: {"provider": "mistral", "model": "m2"}}
