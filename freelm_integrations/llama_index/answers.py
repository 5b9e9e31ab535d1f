"""What the core client answers, as LlamaIndex responses.

A whole answer is one response; a stream is a row of them, each a snapshot of the answer so far.

Each response holds
- `message`: thinking, text and tool call blocks in that order; `additional_kwargs` has `tool_calls`
  at most, because memories store it, send it back and print it into prompts;
- `raw`: a JSON-safe dict with `id`, `model` (the id that answered), `provider`, `finish_reason`,
  `usage` (integers, or None) and `freelm` (provider, model, key fingerprint, attempts, integrity);
- where the user's tokenizer counted, `freelm` says `{"usage": "estimated"}`;
- `additional_kwargs`: the token counts and `freelm` again; on a thinking chunk also
  `thinking_delta`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    LogProb,
    MessageRole,
    TextBlock,
    ThinkingBlock,
)

from freelm_integrations.chat import Delta, Origin
from freelm_integrations.errors import NoRouteAnswered, StreamInterrupted
from freelm_integrations.llama_index.messages import EXTRA
from freelm_integrations.llama_index.tools import GrowingCalls, call_blocks, finished_arguments

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from llama_index.core.base.llms.types import ContentBlock

    from freelm_integrations.chat import Completion, FinishReason, Json, Usage
    from freelm_integrations.llama_index.counting import Counter


def chat_response(completion: Completion, counter: Counter | None = None) -> ChatResponse:
    """A whole answer; `counter` counts what its provider did not.

    Raises:
        NoRouteAnswered: a tool call whose arguments are not a JSON object; guessing would run
            tools on invented input.
    """
    try:
        arguments = [finished_arguments(call) for call in completion.tool_calls]
    except ValueError as error:
        raise NoRouteAnswered(str(error), attempts=completion.attempts) from None
    calls = call_blocks(completion.tool_calls, arguments)
    thinking = _thinking(completion.reasoning, completion.usage, completion.extra)
    facts = _facts(
        Origin(completion.provider, completion.model, completion.key, completion.attempts),
        seams=completion.seams,
    )
    usage = completion.usage
    if usage is None and counter is not None:
        usage = counter.usage(completion.text, completion.reasoning, completion.tool_calls)
        facts |= ESTIMATED
    raw = dict(completion.raw)
    raw |= _raw(facts, completion.response_id, completion.finish_reason, usage)
    return ChatResponse(
        message=_message(thinking, completion.text, calls, completion.tool_calls),
        raw=raw,
        logprobs=_likeliest(completion.logprobs),
        additional_kwargs=_counts(usage) | {"freelm": facts},
    )


def completion_response(response: ChatResponse) -> CompletionResponse:
    """The same answer for the completion endpoints."""
    return CompletionResponse(
        text=response.message.content or "",
        additional_kwargs=cast("Json", response.additional_kwargs),  # pyright: ignore[reportUnknownMemberType]
        raw=response.raw,
        logprobs=response.logprobs,
        delta=response.delta,
    )


ESTIMATED: Json = {"usage": "estimated"}
"""Stands among the facts where tokens were counted by the user's own tokenizer."""


class GrowingAnswer:
    """A streamed answer so far; `add` gives snapshots that later deltas leave alone."""

    def __init__(self, counter: Counter | None = None) -> None:
        """Start with nothing said; `counter` counts what its provider did not."""
        self._counter = counter
        self.text = ""
        self._reasoning = ""
        self._calls = GrowingCalls()
        self._extra: Mapping[str, Any] | None = None
        self._facts: Json = {}
        self._origin: Origin | None = None
        self._seams: list[int] = []

    def add(self, delta: Delta) -> ChatResponse:
        """The whole answer up to and including `delta`.

        Raises:
            StreamInterrupted: the answer ended in a tool call whose arguments are no JSON object.
        """
        if delta.origin is not None:
            self._meet(delta.origin)
        self.text += delta.text
        self._reasoning += delta.reasoning
        if delta.extra is not None:
            self._extra = delta.extra
        if delta.tool_calls:
            self._calls.add(delta.tool_calls)
        usage = delta.usage
        if usage is None and self._counter is not None and delta.finish_reason is not None:
            usage = self._counter.usage(self.text, self._reasoning, self._calls.calls())
            self._facts = self._facts | ESTIMATED
        additional = _counts(usage) | {"freelm": self._facts}
        if delta.reasoning:
            additional["thinking_delta"] = delta.reasoning
        return ChatResponse(
            message=self._snapshot(delta),
            raw=_raw(self._facts, self._response_id, delta.finish_reason, usage),
            delta=delta.text,
            logprobs=_likeliest(delta.logprobs),
            additional_kwargs=additional,
        )

    def _meet(self, origin: Origin) -> None:
        """Somebody speaks: the first, one who carries on the text, or one who begins anew."""
        if self.text or self._calls:
            self._seams.append(len(self.text))
        else:
            self._reasoning, self._extra = "", None  # of one who broke off before the answer
        self._facts = _facts(origin, seams=self._seams)
        self._origin = origin

    @property
    def _response_id(self) -> str | None:
        return None if self._origin is None else self._origin.response_id

    def _snapshot(self, delta: Delta) -> ChatMessage:
        thinking = _thinking(self._reasoning, delta.usage, self._extra)
        if not self._calls:
            return _message(thinking, self.text, [], ())
        calls = self._calls.calls()
        arguments: Iterable[str | Json] = [call.arguments for call in calls]
        if delta.finish_reason is not None:
            try:
                arguments = [finished_arguments(call) for call in calls]
            except ValueError as error:
                raise StreamInterrupted(str(error), partial=self.text) from None
        return _message(thinking, self.text, call_blocks(calls, arguments), calls)


def _message(
    thinking: Sequence[ContentBlock],
    text: str,
    blocks: Sequence[ContentBlock],
    calls: Sequence[Any],
) -> ChatMessage:
    spoken = [TextBlock(text=text)] if text or not (thinking or blocks) else []
    return ChatMessage(
        role=MessageRole.ASSISTANT,
        blocks=[*thinking, *spoken, *blocks],
        # Besides the blocks: streamed structured output and chat engines look for calls only here.
        additional_kwargs={"tool_calls": [call.to_wire() for call in calls]} if calls else {},
    )


def _thinking(
    reasoning: str, usage: Usage | None, extra: Mapping[str, Any] | None
) -> list[ContentBlock]:
    if not (reasoning or extra):
        return []
    return [
        ThinkingBlock(
            content=reasoning,  # empty where only its maker can read what it thought
            num_tokens=None if usage is None else usage.reasoning_tokens,
            additional_information={EXTRA: dict(extra)} if extra else {},
        )
    ]


def _facts(origin: Origin, *, seams: Sequence[int]) -> Json:
    where: Json = {"seams": list(seams)} if seams else {}
    return where | {
        "provider": origin.provider,
        "model": origin.model,
        "key": origin.key,
        "attempts": [record.to_dict() for record in origin.attempts],
        "integrity": "stitched" if seams else "complete",
    }


def _raw(
    facts: Json, response_id: str | None, finish_reason: FinishReason | None, usage: Usage | None
) -> Json:
    return {
        "id": response_id,
        "model": facts.get("model"),
        "provider": facts.get("provider"),
        "finish_reason": finish_reason,
        "usage": _counts(usage) or None,
        "freelm": facts,
    }


def _counts(usage: Usage | None) -> Json:
    """Integers only: token counters add these up without looking."""
    if usage is None:
        return {}
    counts: Json = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }
    if usage.reasoning_tokens is not None:
        counts["reasoning_tokens"] = usage.reasoning_tokens
    if usage.cached_tokens is not None:
        counts["cached_tokens"] = usage.cached_tokens
    return counts


def _likeliest(positions: Sequence[Json]) -> list[list[LogProb]] | None:
    """Per position the likeliest tokens."""
    rows: list[list[Json]] = [one.get("top_logprobs") or [one] for one in positions]
    return [[_logprob(entry) for entry in row] for row in rows] or None


def _logprob(entry: Json) -> LogProb:
    return LogProb(
        token=entry.get("token") or "",
        logprob=entry.get("logprob") or 0.0,
        bytes=entry.get("bytes") or [],
    )
