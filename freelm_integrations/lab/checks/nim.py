"""What NVIDIA NIM turns down in a chat request before it looks at anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.lab.loose import fields, names
from freelm_integrations.lab.refusals import Check, Refused, refuse_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freelm_integrations.lab.asked import Asked

_UNKNOWN = names(
    "reasoning prompt_cache_key store tool_stream metadata enable_thinking "
    "service_tier random_seed safe_prompt extra_body plugins provider transforms "
    "include_reasoning reasoning_format prompt_mode web_search_options"
)


def _check_fields(asked: Asked) -> Refused | None:
    unknown = _UNKNOWN if asked.model.has("nemotron") else _UNKNOWN | {"reasoning_budget"}
    names = [name for name in asked.body if name in unknown]
    if names and asked.model.has("vllm"):
        return refuse_fields(asked, names, "extra_input")
    return (
        Refused("unsupported", {"name": ", ".join(f"`{name}`" for name in names)})
        if names
        else None
    )


def _check_features(asked: Asked) -> Refused | None:
    if asked.body.get("tools") and not asked.model.has("tools"):
        detail = (
            '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
        )
        return Refused("malformed", {"detail": detail})
    if asked.body.get("parallel_tool_calls") is True and asked.model.has("single_call"):
        return Refused(
            "malformed", {"detail": "This model only supports single tool-calls at once!"}
        )
    if any(message.get("role") == "developer" for message in asked.messages):
        return Refused("server_error")
    if fields(asked.body.get("reasoning")):
        return Refused("unsupported", {"name": "`reasoning`"})
    return None


def _check_last_role(asked: Asked) -> Refused | None:
    if asked.messages[-1].get("role") in ("user", "tool") or not asked.model.has("strict_roles"):
        return None
    return Refused(
        "malformed",
        {"detail": "Conversation roles must alternate user/assistant/user/assistant/..."},
    )


CHECKS: Sequence[Check] = (_check_fields, _check_features, _check_last_role)
