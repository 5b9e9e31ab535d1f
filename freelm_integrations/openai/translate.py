"""Our values as that SDK's objects.

Pieces of a stream are built without validation: they are ours already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, ValidationError

from freelm_integrations.openai.objects import (
    ChatCompletion,
    ChatCompletionChunk,
    ChatCompletionMessage,
    ChatCompletionMessageToolCall,
    Choice,
    ChoiceDelta,
    ChoiceDeltaToolCall,
    ChoiceLogprobs,
    ChunkChoice,
    CompletionTokensDetails,
    CompletionUsage,
    Function,
    PromptTokensDetails,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freelm_integrations.chat import (
        Completion,
        Delta,
        Json,
        Origin,
        ToolCall,
        ToolCallPart,
        Usage,
    )


def plain_messages(messages: Any) -> Any:
    """Messages as dicts: code for that SDK puts the objects of an answer back into its history."""
    if isinstance(messages, BaseModel):
        return messages.model_dump(exclude_none=True)
    if isinstance(messages, (list, tuple)):
        return [plain_messages(one) for one in cast("Sequence[Any]", messages)]
    if isinstance(messages, dict):
        return {name: plain_messages(one) for name, one in cast("dict[str, Any]", messages).items()}
    return messages


def completion_object(completion: Completion, *, created: int) -> ChatCompletion:
    """A whole answer; `created` is epoch seconds."""
    message = ChatCompletionMessage(
        content=completion.text if completion.text or not completion.tool_calls else None,
        tool_calls=[_tool_call(call) for call in completion.tool_calls] or None,
        reasoning=completion.reasoning or None,
    )
    return ChatCompletion(
        id=completion.response_id or f"freelm-{created}",
        choices=[
            Choice(
                message=message,
                finish_reason=completion.finish_reason,
                logprobs=_logprobs(completion.logprobs),
            )
        ],
        created=created,
        model=completion.model,
        usage=usage_object(completion.usage),
        system_fingerprint=_fingerprint(completion.raw),
        freelm={
            "provider": completion.provider,
            "model": completion.model,
            "key": completion.key,
            "attempts": [record.to_dict() for record in completion.attempts],
            "integrity": completion.integrity,
        },
    )


def _logprobs(positions: Sequence[Json]) -> ChoiceLogprobs | None:
    """What the provider told, if it is what that SDK has."""
    try:
        return ChoiceLogprobs.model_validate({"content": list(positions)}) if positions else None
    except ValidationError:
        return None


def _fingerprint(raw: Mapping[str, Any]) -> str | None:
    told: object = raw.get("system_fingerprint")
    return told if isinstance(told, str) else None


def usage_object(usage: Usage | None) -> CompletionUsage | None:
    """The tokens, or None where the provider did not count."""
    if usage is None:
        return None
    return CompletionUsage(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens,
        prompt_tokens_details=PromptTokensDetails(cached_tokens=usage.cached_tokens),
        completion_tokens_details=CompletionTokensDetails(reasoning_tokens=usage.reasoning_tokens),
    )


class Chunker:
    """The deltas of one stream as chunks of one id and model."""

    def __init__(self, *, created: int, include_usage: bool) -> None:
        """Start; `created` is epoch seconds.

        `include_usage` adds that SDK's last chunk without choices.
        """
        self._created = created
        self._include_usage = include_usage
        self._id = f"freelm-{created}"
        self._model = ""
        self._is_first = True

    def chunks(self, delta: Delta) -> list[ChatCompletionChunk]:
        """The chunks that one delta makes: usually one."""
        said: dict[str, Any] = {"content": delta.text or None}
        freelm = None
        if delta.origin is not None:
            freelm = self._introduce(delta.origin)
        if self._is_first:
            self._is_first, said["role"] = False, "assistant"
        if delta.reasoning:
            said["reasoning"] = delta.reasoning
        if delta.tool_calls:
            said["tool_calls"] = [_tool_call_part(part) for part in delta.tool_calls]
        choice = ChunkChoice.model_construct(
            index=0,
            delta=ChoiceDelta.model_construct(**said),
            finish_reason=delta.finish_reason,
            logprobs=_logprobs(delta.logprobs),
        )
        chunks = [self._chunk([choice], freelm=freelm)]
        if delta.usage is not None and self._include_usage:
            chunks.append(self._chunk([], usage=usage_object(delta.usage)))
        return chunks

    def _introduce(self, origin: Origin) -> dict[str, Any]:
        self._id, self._model = origin.response_id or self._id, origin.model
        return {
            "provider": origin.provider,
            "model": origin.model,
            "key": origin.key,
            "attempts": [record.to_dict() for record in origin.attempts],
        }

    def _chunk(
        self,
        choices: list[ChunkChoice],
        *,
        usage: CompletionUsage | None = None,
        freelm: dict[str, Any] | None = None,
    ) -> ChatCompletionChunk:
        return ChatCompletionChunk.model_construct(
            id=self._id,
            choices=choices,
            created=self._created,
            model=self._model,
            usage=usage,
            freelm=freelm,
        )


def _tool_call(call: ToolCall) -> ChatCompletionMessageToolCall:
    function = Function(name=call.name, arguments=call.arguments)
    if call.extra:  # kept beside the call, so that it goes back to its maker with the history
        fields = {"id": call.id, "function": function, "extra_content": dict(call.extra)}
        return ChatCompletionMessageToolCall.model_validate(fields)
    return ChatCompletionMessageToolCall(id=call.id, function=function)


def _tool_call_part(part: ToolCallPart) -> ChoiceDeltaToolCall:
    function = Function.model_construct(name=part.name, arguments=part.arguments)
    is_first = part.id is not None
    return ChoiceDeltaToolCall.model_construct(
        index=part.index, id=part.id, function=function, type="function" if is_first else None
    )
