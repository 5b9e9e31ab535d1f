"""What Groq turns down in a chat request before it looks at anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.lab.asked import Asked, format_of
from freelm_integrations.lab.loose import Json, fields, items, names
from freelm_integrations.lab.refusals import Check, Refused, refuse_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNKNOWN = names(
    "reasoning store metadata logit_bias logprobs top_logprobs top_k min_p random_seed "
    "safe_prompt extra_body plugins provider transforms guided_json "
    "chat_template_kwargs prompt_mode"
)


_ASSISTANT = frozenset({"role", "content", "tool_calls", "name", "reasoning"})


def _check_fields(asked: Asked) -> Refused | None:
    if asked.body.get("n", 1) not in (1, None):
        return Refused("malformed", {"detail": "'n' : number must be at most 1"})
    return refuse_fields(asked, _UNKNOWN)


def _check_history(asked: Asked) -> Refused | None:
    for place, message in enumerate(asked.messages):
        if message.get("role") != "assistant":
            continue
        foreign = next((name for name in message if name not in _ASSISTANT), None)
        if foreign is not None:
            return Refused("foreign_field", {"name": foreign, "place": place})
    return None


def _check_features(asked: Asked) -> Refused | None:
    wants_tools = bool(asked.body.get("tools"))
    if wants_tools and not asked.model.has("tools"):
        return Refused("no_tools")
    if wants_tools and format_of(asked) in ("json_object", "json_schema"):
        return Refused("json_with_tools")
    if asked.body.get("reasoning_effort") == "none" and "gpt-oss" in asked.model.id:
        return Refused(
            "malformed", {"detail": "'reasoning_effort' : value must be one of [low medium high]"}
        )
    return None


def _check_strict_schema(asked: Asked) -> Refused | None:
    wanted = fields(fields(asked.body.get("response_format")).get("json_schema"))
    if format_of(asked) != "json_schema":
        return None
    if not asked.model.has("schema"):
        return Refused(
            "malformed", {"detail": "This model does not support response format `json_schema`"}
        )
    loose = wanted.get("strict") is True and _is_loose(fields(wanted.get("schema")))
    return Refused("loose_schema") if loose else None


def _is_loose(schema: Json) -> bool:
    properties = fields(schema.get("properties"))
    if properties and schema.get("additionalProperties") is not False:
        return True
    if set(properties) - set(items(schema.get("required"))):
        return True
    inner = [*properties.values(), schema.get("items"), *fields(schema.get("$defs")).values()]
    return any(_is_loose(fields(part)) for part in inner if part)


CHECKS: Sequence[Check] = (_check_fields, _check_history, _check_features, _check_strict_schema)
