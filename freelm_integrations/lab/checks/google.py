"""What Google AI Studio turns down in a chat request before it looks at anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.lab.asked import Asked, calls_of, format_of
from freelm_integrations.lab.loose import Json, fields, items, names, words_of
from freelm_integrations.lab.refusals import Check, Refused, refuse_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNKNOWN = names(
    "store seed random_seed frequency_penalty presence_penalty logit_bias logprobs "
    "top_logprobs prompt_cache_key web_search_options metadata enable_thinking "
    "reasoning include_reasoning reasoning_format top_k min_p safe_prompt plugins "
    "provider transforms chat_template_kwargs guided_json prompt_mode"
)


def _check_messages(asked: Asked) -> Refused | None:
    for message in asked.messages:
        if (
            not words_of(message.get("content"))
            and not items(message.get("content"))
            and not calls_of(message)
        ):
            return Refused("empty_content")
    return _check_order(asked)


def _check_order(asked: Asked) -> Refused | None:
    last = asked.messages[-1]
    if last.get("role") == "assistant" and not asked.model.id.startswith(
        ("gemini-3-", "gemini-3.1-")
    ):
        return Refused(
            "malformed", {"detail": "Requests ending with a model turn are not supported."}
        )
    owed, before = 0, "system"
    for message in asked.messages:
        role = str(message.get("role"))
        if owed > 0 and role != "tool":
            return Refused("wrong_results")
        owed = owed - 1 if role == "tool" else len(calls_of(message))
        if owed < 0:
            return Refused("wrong_results")
        if calls_of(message) and before == "assistant":
            return Refused("wrong_turn")
        before = role
    return Refused("wrong_results") if owed else None


def _check_signatures(asked: Asked) -> Refused | None:
    if not asked.model.id.startswith("gemini-3"):
        return None
    for place, message in enumerate(asked.messages):
        for call in calls_of(message)[:1]:
            if not _signature_of(call):
                name = fields(call.get("function")).get("name")
                return Refused("no_signature", {"name": name, "place": place})
    return None


def _signature_of(call: Json) -> str | None:
    google = fields(fields(call.get("extra_content")).get("google"))
    signature = google.get("thought_signature")
    return signature if isinstance(signature, str) and signature else None


def _check_features(asked: Asked) -> Refused | None:
    effort = asked.body.get("reasoning_effort")
    if effort == "none" and not asked.model.id.startswith(("gemini-2.5-flash", "gemma")):
        return Refused("malformed", {"detail": "Thinking can not be disabled for this model."})
    if asked.body.get("tools") and format_of(asked) != "text" and "-2." in asked.model.id:
        detail = "Function calling with a response mime type: 'application/json' is unsupported"
        return Refused("malformed", {"detail": detail})
    return refuse_fields(asked, _UNKNOWN)


CHECKS: Sequence[Check] = (_check_features, _check_messages, _check_signatures)
