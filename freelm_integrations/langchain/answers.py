"""What the core client answers -> LangChain messages, whole.

`chunks.py` and `protocol.py` do the same piece by piece.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from langchain_core.messages import AIMessage
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.messages.tool import invalid_tool_call, tool_call
from langchain_core.outputs import ChatGeneration, ChatResult

from freelm_integrations.langchain.content import PROVIDER, REFUSAL, image_block
from freelm_integrations.langchain.messages import EXTRA, REASONING

if TYPE_CHECKING:
    from freelm_integrations.chat import Completion, Json, Usage


def to_result(completion: Completion) -> ChatResult:
    """A completion as the one generation of a chat result."""
    served = gateway_note(completion.provider, completion.model)
    return ChatResult(
        generations=[ChatGeneration(message=to_message(completion), generation_info=served)]
    )


def to_message(completion: Completion) -> AIMessage:
    """A completion as an AI message; calls whose arguments are no JSON object are invalid ones."""
    message = AIMessage(
        content=_content(completion),
        additional_kwargs=_kept(completion),
        response_metadata={
            "model_name": completion.model,
            "model_provider": PROVIDER,
            "finish_reason": completion.finish_reason,
            "freelm": {
                "provider": completion.provider,
                "model": completion.model,
                "key": completion.key,
                "attempts": [attempt.to_dict() for attempt in completion.attempts],
                "integrity": completion.integrity,
                **({"seams": list(completion.seams)} if completion.seams else {}),
            },
            **({"logprobs": {"content": list(completion.logprobs)}} if completion.logprobs else {}),
        },
        usage_metadata=None if completion.usage is None else to_usage(completion.usage),
    )
    for call in completion.tool_calls:
        _add_call(message, call.id or new_call_id(), call.name, call.arguments)
    return message


def _content(completion: Completion) -> str | list[str | Json]:
    """Text alone as text, images in blocks behind it; what is a refusal stands elsewhere."""
    said = "" if completion.refused else completion.text
    if not completion.images:
        return said
    return [*([said] if said else []), *map(image_block, completion.images)]


def _kept(completion: Completion) -> Json:
    kept: Json = {}
    if completion.reasoning:
        kept[REASONING] = completion.reasoning
    if completion.refused:
        kept[REFUSAL] = completion.text
    extra: Json = {} if not completion.extra else {"message": dict(completion.extra)}
    if calls := {call.id: dict(call.extra) for call in completion.tool_calls if call.extra}:
        extra["calls"] = calls
    if extra:
        kept[EXTRA] = extra
    return kept


def _add_call(message: AIMessage, call_id: str, name: str, arguments: str) -> None:
    read = read_arguments(arguments)
    if isinstance(read, str):
        invalid = invalid_tool_call(name=name, args=arguments, id=call_id, error=read)
        message.invalid_tool_calls.append(invalid)
    else:
        message.tool_calls.append(tool_call(name=name, args=read, id=call_id))


def read_arguments(arguments: str) -> Json | str:
    """A call's arguments, or why they are none: they must be a JSON object."""
    try:
        parsed: object = json.loads(arguments or "{}", strict=False)
    except ValueError as error:
        return str(error)
    return cast("Json", parsed) if isinstance(parsed, dict) else "not a JSON object"


def new_call_id() -> str:
    """An id for a call that came without one."""
    return f"call_{uuid4().hex[:24]}"


def to_usage(usage: Usage) -> UsageMetadata:
    """Token counts; a detail the provider did not tell is left out, one it told as zero is zero."""
    counted = UsageMetadata(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens or usage.prompt_tokens + usage.completion_tokens,
    )
    if usage.cached_tokens is not None:
        counted["input_token_details"] = InputTokenDetails(cache_read=usage.cached_tokens)
    if usage.reasoning_tokens is not None:
        counted["output_token_details"] = OutputTokenDetails(reasoning=usage.reasoning_tokens)
    return counted


def _gateway_key() -> str | None:
    """Core's own name for it; private there, so without it the metadata of the answer must do."""
    try:
        module = import_module("langchain_core.utils._gateway")
    except ImportError:  # pragma: no cover - langchain-core before 1.5
        return None
    return getattr(module, "GATEWAY_METADATA_RESPONSE_KEY", None)


GATEWAY = _gateway_key()


def gateway_note(provider: str, model: str) -> Json | None:
    """What tells core's tracer which provider and model really served a run."""
    return None if GATEWAY is None else {GATEWAY: {"provider": provider, "model": model}}
