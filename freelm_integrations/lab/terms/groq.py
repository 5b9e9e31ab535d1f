"""Groq's terms: its models, its limits, its words for a refusal. As of November 2026."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.lab.catalog import LabModel, chat, decoy
from freelm_integrations.lab.limits import DAY, LabLimit
from freelm_integrations.lab.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_INVALID = "invalid_request_error"

_LIMIT_TEXT = (
    "Rate limit reached for model `{model}` in organization `{org}` service tier `on_demand` on "
    "{axis}: "
    "Limit {limit}, Used {used}, Requested {requested}. Please try again in {wait_go}. "
    "Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing"
)

_COMPOUND = (
    LabLimit(30, "requests"),
    LabLimit(250, "requests", DAY),
    LabLimit(70_000, "tokens"),
)


LIMITS: Sequence[LabLimit] = (
    LabLimit(30, "requests"),
    LabLimit(1_000, "requests", DAY),
    LabLimit(8_000, "tokens"),
    LabLimit(200_000, "tokens", DAY),
)


MODELS: Sequence[LabModel] = (
    chat("openai/gpt-oss-120b", "tools reasoning schema", output=65_536),
    chat("openai/gpt-oss-20b", "tools reasoning schema", output=65_536),
    chat("qwen/qwen3.8-27b", "tools vision reasoning schema", context=131_042),
    chat("qwen/qwen3.6-27b", "tools vision reasoning"),
    chat("groq/compound-mini", output=8_192, limits=_COMPOUND),
    chat("openai/gpt-oss-safeguard-20b", "reasoning", output=65_536),
    decoy("whisper-large-v3-turbo", context=448, output=448),
    decoy("canopylabs/orpheus-v1-english", context=4_000),
    decoy("meta-llama/llama-prompt-guard-2-22m", context=512, output=512),
    chat("llama-3.3-70b-versatile", standing="gone"),
    chat("llama-3.1-8b-instant", standing="gone"),
)


REFUSALS: Mapping[str, Refusal] = {
    "no_key": Refusal(401, "Invalid API Key", _INVALID, "invalid_api_key"),
    "unauthorized": Refusal(401, "Invalid API Key", _INVALID, "invalid_api_key"),
    "payment_required": Refusal(
        402, "Your organization has an unpaid balance.", _INVALID, "billing"
    ),
    "forbidden_model": Refusal(
        403,
        "The model `{model}` is blocked at the organization level. Please have the org admin "
        "enable this "
        "model in the org settings at https://console.groq.com/settings/limits",
        "permissions_error",
        "model_permission_blocked_org",
    ),
    "model_gone": Refusal(
        404,
        "The model `{model}` does not exist or you do not have access to it.",
        _INVALID,
        "model_not_found",
    ),
    "no_path": Refusal(404, "Unknown request URL: {method} {path}.", _INVALID, "unknown_url"),
    "malformed": Refusal(400, "{detail}", _INVALID),
    "unsupported": Refusal(400, "property '{name}' is unsupported", _INVALID),
    "foreign_field": Refusal(
        400,
        "'messages.{place}' : for 'role:assistant' the following must be "
        "satisfied[('messages.{place}' : "
        "property '{name}' is unsupported)]",
        _INVALID,
    ),
    "no_tools": Refusal(400, "tools are not supported with model `{model}`", _INVALID),
    "json_with_tools": Refusal(
        400, "json mode cannot be combined with tool/function calling", _INVALID
    ),
    "loose_schema": Refusal(
        400,
        "invalid JSON schema for response_format: every object needs `additionalProperties:false` "
        "and all "
        "of its properties in `required`",
        _INVALID,
        param="response_format",
    ),
    "tool_use_failed": Refusal(
        400,
        "Failed to call a function. Please adjust your prompt. See 'failed_generation' for more "
        "details.",
        _INVALID,
        "tool_use_failed",
    ),
    "context_overflow": Refusal(
        400,
        "Please reduce the length of the messages or completion.",
        _INVALID,
        "context_length_exceeded",
        "messages",
    ),
    "too_large": Refusal(
        413,
        "Request too large for model `{model}` in organization `{org}` service tier `on_demand` "
        "on {axis}: "
        "Limit {limit}, Requested {requested}, please reduce your message size and try again.",
        "tokens",
        "rate_limit_exceeded",
    ),
    "rate_limited": Refusal(429, _LIMIT_TEXT, "requests", "rate_limit_exceeded"),
    "daily_quota": Refusal(429, _LIMIT_TEXT, "requests", "rate_limit_exceeded"),
    "shared_capacity": Refusal(498, "Flex tier capacity exceeded.", "flex", "capacity_exceeded"),
    "moderated": Refusal(
        400, "The request was refused by our usage policy.", _INVALID, "content_policy"
    ),
    "server_error": Refusal(500, "Internal Server Error", "internal_server_error"),
    "overloaded": Refusal(
        503, "Service Unavailable", "internal_server_error", "service_unavailable"
    ),
}
