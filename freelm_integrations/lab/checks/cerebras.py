"""What Cerebras turns down in a chat request before it looks at anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.lab.asked import Asked, calls_of, format_of
from freelm_integrations.lab.loose import Json, fields, items, names
from freelm_integrations.lab.refusals import Check, Refused, refuse_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNKNOWN = names(
    "reasoning store metadata random_seed safe_prompt extra_body plugins provider "
    "transforms top_k min_p include_reasoning disable_reasoning guided_json "
    "chat_template_kwargs prompt_mode n_predict"
)


_BANNED_IN_STRICT = frozenset({"minItems", "maxItems", "pattern", "format"})


def _wrong(detail: str) -> Refused:
    return Refused("malformed", {"detail": detail})


def _check_fields(asked: Asked) -> Refused | None:
    if "max_tokens" in asked.body and "max_completion_tokens" in asked.body:
        return _wrong("max_tokens and max_completion_tokens cannot both be set")
    if asked.body.get("tools") and format_of(asked) != "text":
        return _wrong('"tools" is incompatible with "response_format"')
    if "reasoning_effort" in asked.body and not asked.model.has("reasoning"):
        return _wrong("body.reasoning_effort: this model does not support reasoning_effort")
    return refuse_fields(asked, _UNKNOWN)


def _check_history(asked: Asked) -> Refused | None:
    owed: list[object] = []
    for place, message in enumerate(asked.messages):
        if "reasoning_content" in message:
            return _wrong(
                f"body.messages.{place}.assistant.reasoning_content: property is unsupported"
            )
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in owed:
                return _wrong(f"body.messages.{place}: tool message without a matching tool call")
            owed.remove(message.get("tool_call_id"))
        elif owed:
            return _wrong("an assistant message with tool_calls must be followed by tool messages")
        owed += [call.get("id") for call in calls_of(message)]
    return (
        _wrong("an assistant message with tool_calls must be followed by tool messages")
        if owed
        else None
    )


def _check_parts(asked: Asked) -> Refused | None:
    parts = [fields(part) for message in asked.messages for part in items(message.get("content"))]
    images = [part for part in parts if part.get("type") == "image_url"]
    if images and not asked.model.has("vision"):
        return _wrong("body.messages: content of type image_url is not supported by this model")
    return None


def _check_strict_schema(asked: Asked) -> Refused | None:
    wanted = fields(fields(asked.body.get("response_format")).get("json_schema"))
    fault = _schema_fault(fields(wanted.get("schema"))) if wanted.get("strict") is True else None
    return None if fault is None else _wrong(f"body.response_format.json_schema: {fault}")


def _schema_fault(schema: Json) -> str | None:
    banned = _BANNED_IN_STRICT & set(schema)
    if banned:
        return f"unsupported keyword {min(banned)!r}"
    properties = fields(schema.get("properties"))
    if properties and schema.get("additionalProperties") is not False:
        return "additionalProperties must be false at every level"
    if set(properties) - set(items(schema.get("required"))):
        return "every property must be in required"
    inner = [*properties.values(), schema.get("items"), *fields(schema.get("$defs")).values()]
    inner = [part for part in inner if part]
    return next((fault for part in inner if (fault := _schema_fault(fields(part)))), None)


CHECKS: Sequence[Check] = (_check_fields, _check_history, _check_parts, _check_strict_schema)
