"""The eight calls on the lab, while its first provider always refuses."""

from __future__ import annotations

import asyncio
import inspect
import json
import textwrap
from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Any

import pytest
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    ThinkingBlock,
)
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.prompts import PromptTemplate
from llama_index.core.rate_limiter import TokenBucketRateLimiter

from freelm_integrations import NoRouteAnswered, RequestRejected, StreamInterrupted
from freelm_integrations.llama_index import LlamaIndexFreeLLM
from tests.llama_index.scripted import ScriptedLLM, called, chunk, said, streamed, streamed_call

if TYPE_CHECKING:
    from freelm_integrations.lab import Lab

HISTORY = [ChatMessage(role="system", content="Be brief."), ChatMessage(content="Name a river.")]
ENDPOINTS = [
    prefix + name
    for prefix in ("", "a")
    for name in ("chat", "complete", "stream_chat", "stream_complete")
]


async def gather(stream: AsyncGenerator[Any, None]) -> list[Any]:
    return [one async for one in stream]


def ask(llm: LlamaIndexFreeLLM, endpoint: str, **kwargs: Any) -> list[Any]:
    """Whatever the endpoint gives, as a list of responses."""
    asked: Any = HISTORY if endpoint.endswith("chat") else "Name a river."
    if not endpoint.startswith("a"):
        found = getattr(llm, endpoint)(asked, **kwargs)
        return list(found) if isinstance(found, Generator) else [found]

    async def run() -> list[Any]:
        found = await getattr(llm, endpoint)(asked, **kwargs)
        return await gather(found) if isinstance(found, AsyncGenerator) else [found]

    return asyncio.run(run())


def text_of(response: ChatResponse | CompletionResponse) -> str:
    return (
        response.text if isinstance(response, CompletionResponse) else response.message.content
    ) or ""


def test_it_is_an_llm_of_core() -> None:
    """As upstream's integrations are tested."""
    assert BaseLLM in LlamaIndexFreeLLM.__mro__


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "fault", ["rate_limited", "server_error", "error_in_200", "reset_before_headers"]
)
def test_every_endpoint_answers_past_a_failing_provider(
    lab: Lab, endpoint: str, fault: Any
) -> None:
    """And says who failed and who answered, with the tokens counted."""
    lab["groq"].fail(fault, times=None)
    llm = LlamaIndexFreeLLM(providers=["groq", "mistral"], strategy="priority", hedge=False)

    responses = ask(llm, endpoint)

    last = responses[-1]
    assert text_of(last)
    if "stream" in endpoint:
        assert len(responses) > 2
        assert "".join(one.delta for one in responses) == text_of(last)
    facts = last.raw["freelm"]
    assert facts["provider"] == last.raw["provider"] == "mistral"
    assert facts["attempts"][0]["provider"] == "groq"
    assert last.additional_kwargs["freelm"] == facts
    assert last.raw["usage"]["completion_tokens"] > 0
    assert json.loads(json.dumps(last.raw)) == last.raw
    assert len(lab["mistral"].chats) == 1


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_token_counters_count_the_providers_own_figures_once(endpoint: str) -> None:
    """One LLM event a call, streamed or not."""
    reply = streamed("a ", "river") if "stream" in endpoint else said("a river")
    counter = TokenCountingHandler(tokenizer=str.split)
    llm, _ = ScriptedLLM.that_says(reply, callback_manager=CallbackManager([counter]))

    ask(llm, endpoint)

    assert len(counter.llm_token_counts) == 1
    assert counter.prompt_llm_token_count == 11
    assert counter.completion_llm_token_count == 7


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_stream_or_answer_without_usage_is_still_counted(endpoint: str) -> None:
    """By the tokenizer, as core does."""
    reply = (
        streamed("a ", "river", usage=None)
        if "stream" in endpoint
        else {**said("a river"), "usage": None}
    )
    counter = TokenCountingHandler(tokenizer=str.split)
    llm, _ = ScriptedLLM.that_says(reply, callback_manager=CallbackManager([counter]))

    ask(llm, endpoint)

    assert counter.completion_llm_token_count > 0


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_history_is_sent_as_written_and_left_alone(endpoint: str) -> None:
    """A completion is one user message; `system_prompt` is added by `predict` only."""
    reply = streamed("a") if "stream" in endpoint else said("a")
    llm, sent = ScriptedLLM.that_says(reply, system_prompt="You are a parrot.")
    before = [message.model_copy(deep=True) for message in HISTORY]

    ask(llm, endpoint)

    roles = [message["role"] for message in sent[0]["messages"]]
    assert roles == (["system", "user"] if endpoint.endswith("chat") else ["user"])
    assert "parrot" not in json.dumps(sent[0]["messages"])
    assert before == HISTORY


async def test_predict_adds_the_system_prompt_once() -> None:
    """In all four ways."""
    replies = [said("a"), streamed("a"), said("a"), streamed("a")]
    llm, sent = ScriptedLLM.that_says(*replies, system_prompt="You are a parrot.")
    prompt = PromptTemplate("Name a {thing}.")

    assert llm.predict(prompt, thing="river") == "a"
    assert "".join(llm.stream(prompt, thing="river")) == "a"
    assert await llm.apredict(prompt, thing="river") == "a"
    assert [token async for token in await llm.astream(prompt, thing="river")] == ["a", ""]
    for body in sent:
        assert [message["content"] for message in body["messages"]] == [
            "You are a parrot.",
            "Name a river.",
        ]


def test_a_completion_goes_through_the_users_own_prompt_function() -> None:
    """Unless it says that it is formatted already."""
    llm, sent = ScriptedLLM.that_says(
        said("a"), said("b"), completion_to_prompt=lambda prompt: f"<{prompt}>"
    )

    llm.complete("hi")
    llm.complete("hi", formatted=True)

    assert [body["messages"][0]["content"] for body in sent] == ["<hi>", "hi"]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_exhaustion_is_one_error_with_a_line_a_provider(lab: Lab, endpoint: str) -> None:
    """Raised by the call itself, streams included; it names the limits, which extractors look for."""
    for provider in lab:
        provider.fail("rate_limited", times=None)
    llm = LlamaIndexFreeLLM(providers=["groq", "mistral"])

    with pytest.raises(NoRouteAnswered) as caught:
        ask(llm, endpoint)

    message = str(caught.value)
    assert "groq" in message
    assert "mistral" in message
    assert "429" in message or "rate limit" in message.lower()
    assert {record.provider for record in caught.value.attempts} == {"groq", "mistral"}


def test_a_rejected_request_is_the_callers() -> None:
    """The only provider says so."""
    llm, _ = ScriptedLLM.that_says(
        (400, {"error": {"message": "messages: too odd", "type": "invalid_request_error"}})
    )

    with pytest.raises(RequestRejected, match="too odd"):
        llm.complete("hi")


@pytest.mark.parametrize("endpoint", ["stream_chat", "astream_chat"])
def test_a_stream_that_breaks_off_raises_with_its_text(endpoint: str) -> None:
    """Never a truncated answer as if it were whole."""
    broken = streamed("one ", "two", finish=None, usage=None)
    failed = {"error": {"message": "boom", "code": 500}}
    llm, _ = ScriptedLLM.that_says([*broken, failed], on_interrupt="raise")

    with pytest.raises(StreamInterrupted) as caught:
        ask(llm, endpoint)

    assert caught.value.partial == "one two"


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_thinking_is_told_apart_from_the_text(field: str) -> None:
    """As a block, and chunk by chunk for agents."""
    thinking = [chunk({field: "h"}), chunk({field: "m"}), *streamed("a")]
    llm, _ = ScriptedLLM.that_says(said("a", **{field: "hm"}), thinking)

    [whole] = ask(llm, "chat")
    chunks = ask(llm, "stream_chat")

    for response in (whole, chunks[-1]):
        assert isinstance(response.message.blocks[0], ThinkingBlock)
        assert response.message.blocks[0].content == "hm"
        assert response.message.content == "a"
    told = [one.additional_kwargs.get("thinking_delta") for one in chunks]
    assert "".join(filter(None, told)) == "hm"


def test_the_rate_limiter_is_taken_once_a_call(lab: Lab) -> None:
    """However many attempts it makes."""

    class Limiter(TokenBucketRateLimiter):
        taken: int = 0

        def acquire(self, num_tokens: int = 0) -> None:
            self.taken += 1

    lab["groq"].fail("server_error", times=None)
    limiter = Limiter(requests_per_minute=1000)
    llm = LlamaIndexFreeLLM(
        providers=["groq", "mistral"], strategy="priority", rate_limiter=limiter
    )

    llm.complete("hi")
    list(llm.stream_complete("hi"))

    assert limiter.taken == 2


def test_a_handler_that_raises_ends_the_call_and_blames_nobody(lab: Lab) -> None:
    """A token budget is the user's own; the provider is asked again by the next call."""

    class Budget(TokenCountingHandler):
        def on_event_end(self, *args: Any, **kwargs: Any) -> None:
            msg = "budget spent"
            raise RuntimeError(msg)

    llm = LlamaIndexFreeLLM(
        providers=["groq"], callback_manager=CallbackManager([Budget(tokenizer=str.split)])
    )
    with pytest.raises(RuntimeError, match="budget spent"):
        llm.complete("hi")

    llm.callback_manager = CallbackManager([])
    assert llm.complete("hi").raw["provider"] == "groq"


def test_a_mutating_consumer_spoils_no_later_chunk() -> None:
    """Core itself writes into the dicts of what it is given."""
    llm, _ = ScriptedLLM.that_says(streamed("a", "b"))

    seen = []
    for response in llm.stream_chat(HISTORY):
        seen.append(dict(response.message.additional_kwargs))
        response.message.additional_kwargs.update(response.additional_kwargs)
        response.message.additional_kwargs["mine"] = 1

    assert seen == [{}] * len(seen)


def test_tool_calls_arrive_whole_and_in_pieces() -> None:
    """In both forms, at the end as an object."""
    llm, _ = ScriptedLLM.that_says(
        called(("add", '{"a": 1}')), streamed_call("add", '{"a"', ": 1}")
    )

    [whole] = ask(llm, "chat")
    chunks = ask(llm, "stream_chat")

    for response in (whole, chunks[-1]):
        assert response.message.blocks[-1].tool_kwargs == {"a": 1}
        listed = response.message.additional_kwargs["tool_calls"]
        assert listed[0]["function"] == {"name": "add", "arguments": '{"a": 1}'}
    assert {one.delta for one in chunks} == {""}


def test_the_example_in_the_docstring_runs(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """Upstream's documentation shows it."""
    example = inspect.getdoc(LlamaIndexFreeLLM).split("```python")[1].split("```")[0]

    exec(textwrap.dedent(example), {})

    assert len(capsys.readouterr().out) > 20
