"""What happens inside a call is told to both callback systems, in the span of that call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Any

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload, LlamaDebugHandler
from llama_index.core.instrumentation.span import active_span_id
from llama_index_instrumentation.dispatcher import instrument_tags

from freelm_integrations import NoRouteAnswered, StreamInterrupted
from freelm_integrations.events import AttemptStarted
from freelm_integrations.llama_index import LlamaIndexFreeLLM
from freelm_integrations.llama_index.events import CallObserver, observer
from tests.llama_index.scripted import KEY, ScriptedLLM, streamed
from tests.turns import turns

if TYPE_CHECKING:
    from freelm_integrations.lab import Lab

HISTORY = [ChatMessage(content="the words of the prompt")]
ENDPOINTS = ["chat", "stream_chat", "achat", "astream_chat"]
endpoints = pytest.mark.parametrize("endpoint", ENDPOINTS)
streaming = pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if "stream" in one])


def call(llm: LlamaIndexFreeLLM, endpoint: str) -> Any:
    """Call it and read it to its end; gives the last response."""
    if not endpoint.startswith("a"):
        found = getattr(llm, endpoint)(HISTORY)
        return list(found)[-1] if isinstance(found, Generator) else found

    async def run() -> Any:
        found = await getattr(llm, endpoint)(HISTORY)
        if not isinstance(found, AsyncGenerator):
            return found
        return [one async for one in found][-1]

    return asyncio.run(run())


def two(lab: Lab, **fields: Any) -> LlamaIndexFreeLLM:
    """A model whose first provider refuses."""
    lab["groq"].fail("rate_limited", times=None)
    return LlamaIndexFreeLLM(providers=["groq", "mistral"], strategy="priority", **fields)


@endpoints
def test_a_failover_is_told_in_the_span_of_its_call(lab: Lab, events: Any, endpoint: str) -> None:
    """In order: asked, failed, switched, answered; streams included."""
    response = call(two(lab), endpoint)

    [start] = events.named("LLMChatStartEvent")
    [failed] = events.named("freelm.attempt_failed")
    [switched] = events.named("freelm.provider_switched")
    [end] = events.named("LLMChatEndEvent")
    assert start.span_id is not None
    assert f".{endpoint}-" in start.span_id
    assert {start.span_id, failed.span_id, switched.span_id, end.span_id} == {start.span_id}
    order = [events.seen.index(event) for event in (start, failed, switched, end)]
    assert order == sorted(order)
    assert (failed.provider, failed.status, failed.kind) == ("groq", 429, "throttled")
    assert (switched.from_provider, switched.to_provider) == ("groq", "mistral")
    assert response.raw["provider"] == "mistral"
    assert end.response.raw == response.raw


@endpoints
def test_exhaustion_is_told_and_drops_the_span(
    lab: Lab, events: Any, spans: Any, endpoint: str
) -> None:
    """Also of a stream: it had not been handed out yet."""
    for provider in lab:
        provider.fail("server_error", times=None)
    llm = LlamaIndexFreeLLM(providers=["groq", "mistral"])

    with pytest.raises(NoRouteAnswered):
        call(llm, endpoint)

    [exhausted] = events.named("freelm.exhausted")
    [start] = events.named("LLMChatStartEvent")
    assert exhausted.span_id == start.span_id
    assert spans.ends(f".{endpoint}-") == ["drop"]


@endpoints
def test_each_attempt_is_a_child_span(lab: Lab, spans: Any, endpoint: str) -> None:
    """The failed one dropped with the reason, the other ended with its answer."""
    call(two(lab), endpoint)

    parent = next(id_ for id_ in spans.parents if f".{endpoint}-" in id_)
    attempts = [id_ for id_, above in spans.parents.items() if above == parent]
    assert [spans.tags[id_]["freelm.provider"] for id_ in attempts] == ["groq", "mistral"]
    assert spans.ends("freelm.attempt") == ["drop", "exit"]
    [error] = [detail for what, _, detail in spans.log if what == "drop"]
    assert "groq 429" in str(error)
    # Core ends the span of a stream as it hands it out, before there is an answer.
    assert spans.log[-1][1] == (attempts[-1] if "stream" in endpoint else parent)
    assert spans.open_spans == {}


def cut(lab: Lab, **fields: Any) -> LlamaIndexFreeLLM:
    """A model whose first provider breaks off in mid-answer."""
    lab["groq"].fail("cut", after=9, times=None)
    return LlamaIndexFreeLLM(providers=["groq", "mistral"], strategy="priority", **fields)


@streaming
def test_a_stream_that_is_carried_on_is_told_in_its_own_span(
    lab: Lab, events: Any, spans: Any, endpoint: str
) -> None:
    """Where the seam is, and who broke off: its span is dropped, though it had begun to answer."""
    response = call(cut(lab), endpoint)

    [start] = events.named("LLMChatStartEvent")
    [failed] = events.named("freelm.attempt_failed")
    [resumed] = events.named("freelm.resumed")
    assert {failed.span_id, resumed.span_id} == {start.span_id}
    assert (failed.provider, failed.kind) == ("groq", "cut")
    assert (resumed.from_provider, resumed.to_provider) == ("groq", "mistral")
    assert [resumed.at_character] == response.raw["freelm"]["seams"]
    assert 0 < resumed.at_character < len(response.message.content)
    assert spans.ends("freelm.attempt") == ["drop", "exit"]
    attempts = [id_ for id_, above in spans.parents.items() if above == start.span_id]
    assert [spans.tags[id_]["freelm.provider"] for id_ in attempts] == ["groq", "mistral"]
    assert spans.open_spans == {}


@streaming
def test_a_stream_that_breaks_for_good_drops_its_attempt(
    lab: Lab, events: Any, spans: Any, endpoint: str
) -> None:
    """With the reason; core's own span ended when the stream was handed out."""
    with pytest.raises(StreamInterrupted):
        call(cut(lab, on_interrupt="raise"), endpoint)

    assert spans.ends("freelm.attempt") == ["drop"]
    assert spans.ends(f".{endpoint}-") == ["exit"]
    assert spans.open_spans == {}
    [told] = events.named("ExceptionEvent")
    assert isinstance(told.exception, StreamInterrupted)


@pytest.mark.parametrize("pieces", [0, 1])
@streaming
def test_a_stream_that_is_let_go_ends_its_attempt(
    lab: Lab, spans: Any, endpoint: str, pieces: int
) -> None:
    """Nobody failed. Read in part or not at all."""
    llm = LlamaIndexFreeLLM(providers=["groq"])

    if endpoint.startswith("a"):
        asyncio.run(leave(llm, pieces))
    else:
        stream = llm.stream_chat(HISTORY)
        for _ in range(pieces):
            next(stream)
        assert len(spans.open_spans) == 1
        stream.close()

    assert spans.ends("freelm.attempt") == ["exit"]
    assert spans.open_spans == {}


async def leave(llm: LlamaIndexFreeLLM, pieces: int, *, closed: bool = True) -> None:
    """Read a little of an answer, and then no more."""
    stream = await llm.astream_chat(HISTORY)
    for _ in range(pieces):
        await anext(stream)
    if closed:
        await stream.aclose()
    del stream
    await turns(20)


@endpoints
def test_who_was_outpaced_is_told_and_blamed_for_nothing(
    lab: Lab, events: Any, spans: Any, endpoint: str
) -> None:
    """Its span ends where a failed one's is dropped, in the span of the call."""
    lab["groq"].fail("hang")
    llm = LlamaIndexFreeLLM(providers=["groq", "mistral"], strategy="priority", hedge=0.05)

    response = call(llm, endpoint)

    [start] = events.named("LLMChatStartEvent")
    [dropped] = events.named("freelm.attempt_dropped")
    assert (dropped.provider, dropped.span_id) == ("groq", start.span_id)
    assert dropped.ms >= 50
    assert events.named("freelm.attempt_failed") == []
    kinds = [(one["provider"], one.get("kind")) for one in response.raw["freelm"]["attempts"]]
    assert sorted(kinds, key=str) == [("groq", "outpaced"), ("mistral", None)]
    assert spans.ends("freelm.attempt") == ["exit", "exit"]
    assert spans.open_spans == {}


def test_the_users_own_tags_stand_beside_ours(lab: Lab, spans: Any) -> None:
    """As they do on the spans of core."""
    with instrument_tags({"tenant": "blue"}):
        call(two(lab), "chat")

    tagged = [tags for id_, tags in spans.tags.items() if id_.startswith("freelm.attempt-")]
    assert [(tags["tenant"], tags["freelm.provider"]) for tags in tagged] == [
        ("blue", "groq"),
        ("blue", "mistral"),
    ]


def test_the_consumers_own_span_is_left_alone(lab: Lab, events: Any) -> None:
    """A stream is read in another span than it was opened in."""
    stream = two(lab).stream_chat(HISTORY)
    token = active_span_id.set("the consumer's")
    try:
        list(stream)
    finally:
        active_span_id.reset(token)

    ours = [event for event in events.seen if event.class_name().startswith("freelm.")]
    assert ours
    assert "the consumer's" not in {event.span_id for event in ours}


@endpoints
def test_no_event_holds_a_key_or_a_prompt(lab: Lab, events: Any, endpoint: str) -> None:
    """Ours; core's own carry the messages by design, but never a key."""
    call(two(lab), endpoint)

    keys = [*lab["groq"].keys, *lab["mistral"].keys]
    for event in events.seen:
        told = str(event.model_dump())
        assert not any(key in told for key in keys)
        if event.class_name().startswith("freelm."):
            assert "words of the prompt" not in told


def test_nobody_listening_costs_nothing(lab: Lab) -> None:
    """The engine is not even observed."""
    assert observer("span") is None


def test_attempts_still_open_are_ended_with_the_call(spans: Any) -> None:
    """An attempt that was cancelled with its call."""
    told = CallObserver("parent")
    told(AttemptStarted(call=1, at=0.0, attempt=1, provider="a", model="b", key="c"))
    told.settle()
    told(AttemptStarted(call=1, at=0.0, attempt=2, provider="a", model="b", key="c"))

    assert spans.ends("freelm.attempt") == ["exit"]
    assert spans.open_spans == {}


@endpoints
def test_the_callback_manager_sees_one_call(lab: Lab, endpoint: str) -> None:
    """With the facts in the response of its end."""
    handler = LlamaDebugHandler(print_trace_on_end=False)

    call(two(lab, callback_manager=CallbackManager([handler])), endpoint)

    [(_, end)] = handler.get_event_pairs(CBEventType.LLM)
    assert end.payload[EventPayload.RESPONSE].raw["freelm"]["provider"] == "mistral"
    start = handler.get_event_pairs(CBEventType.LLM)[0][0]
    assert start.payload[EventPayload.SERIALIZED]["model"] == "auto"


@streaming
def test_the_callback_manager_sees_where_an_answer_was_carried_on(lab: Lab, endpoint: str) -> None:
    """It has no event for it: the facts are in the one that ends the call."""
    handler = LlamaDebugHandler(print_trace_on_end=False)

    call(cut(lab, callback_manager=CallbackManager([handler])), endpoint)

    [(_, end)] = handler.get_event_pairs(CBEventType.LLM)
    facts = end.payload[EventPayload.RESPONSE].raw["freelm"]
    assert (facts["provider"], facts["integrity"]) == ("mistral", "stitched")
    assert len(facts["seams"]) == 1
    assert [one.get("kind") for one in facts["attempts"]] == ["cut", None]


@streaming
def test_the_callback_manager_sees_where_an_answer_broke_off(lab: Lab, endpoint: str) -> None:
    """As the exception, with the text so far."""
    handler = LlamaDebugHandler(print_trace_on_end=False)
    llm = cut(lab, on_interrupt="raise", callback_manager=CallbackManager([handler]))

    with pytest.raises(StreamInterrupted):
        call(llm, endpoint)

    [(_, end)] = handler.get_event_pairs(CBEventType.LLM)
    assert end.payload[EventPayload.EXCEPTION].partial


@pytest.mark.parametrize("pieces", [0, 1])
@pytest.mark.parametrize("closed", [True, False], ids=["closed", "dropped"])
@streaming
def test_what_began_ends_for_the_callback_manager_however_little_was_read(
    lab: Lab, events: Any, endpoint: str, pieces: int, closed: bool
) -> None:
    """Core tells nobody of the end of a stream that was never read: a trace would stay open."""
    handler = LlamaDebugHandler(print_trace_on_end=False)
    llm = LlamaIndexFreeLLM(providers=["groq"], callback_manager=CallbackManager([handler]))

    if endpoint.startswith("a"):
        asyncio.run(leave(llm, pieces, closed=closed))
    else:
        stream = llm.stream_chat(HISTORY)
        for _ in range(pieces):
            next(stream)
        if closed:
            stream.close()
        del stream

    [(_, end)] = handler.get_event_pairs(CBEventType.LLM)
    assert isinstance(end.payload[EventPayload.EXCEPTION], GeneratorExit)
    assert len(events.named("LLMChatStartEvent")) == len(events.named("ExceptionEvent")) == 1


@endpoints
def test_the_callback_manager_sees_a_failure(lab: Lab, endpoint: str) -> None:
    """As the exception, whichever way it was called."""
    lab["groq"].fail("server_error", times=None)
    handler = LlamaDebugHandler(print_trace_on_end=False)
    llm = LlamaIndexFreeLLM(providers=["groq"], callback_manager=CallbackManager([handler]))

    with pytest.raises(NoRouteAnswered):
        call(llm, endpoint)

    [(_, end)] = list(handler.get_event_pairs(CBEventType.LLM))
    assert isinstance(end.payload[EventPayload.EXCEPTION], NoRouteAnswered)


def test_payloads_hold_no_key(events: Any) -> None:
    """Nor what the model is configured with beyond what readers ask for."""
    llm, _ = ScriptedLLM.that_says(streamed("a"))

    list(llm.stream_chat(HISTORY))

    [start] = events.named("LLMChatStartEvent")
    assert start.model_dict["class_name"] == "freelm_llm"
    assert {"model", "temperature", "model_name"} <= start.model_dict.keys()
    assert KEY not in str([event.model_dump() for event in events.seen])


def test_chunks_are_told_as_they_are_read(lab: Lab, events: Any) -> None:
    """With the provider in each, so that a switch can be shown without instrumentation."""
    chunks = list(LlamaIndexFreeLLM(providers=["groq"]).stream_chat(HISTORY))

    told = events.named("LLMChatInProgressEvent")
    assert [event.response for event in told] == chunks
    assert {chunk.raw["provider"] for chunk in chunks} == {"groq"}
