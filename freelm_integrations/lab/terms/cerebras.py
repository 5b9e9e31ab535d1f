"""Cerebras's terms: its models, its limits, its words for a refusal. As of November 2026."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.lab.catalog import LabModel, chat
from freelm_integrations.lab.limits import DAY, HOUR, LabLimit
from freelm_integrations.lab.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_INVALID = "invalid_request_error"

_FORMAT = "wrong_api_format"


LIMITS: Sequence[LabLimit] = (
    LabLimit(5, "requests"),
    LabLimit(150, "requests", HOUR),
    LabLimit(2_400, "requests", DAY),
    LabLimit(30_000, "tokens"),
    LabLimit(1_000_000, "tokens", HOUR),
    LabLimit(1_000_000, "tokens", DAY),
)


MODELS: Sequence[LabModel] = (
    chat("gpt-oss-120b", "tools reasoning", context=65_536, output=40_960),
    chat("qwen-3.8-27b", "tools reasoning", context=65_536, output=32_768),
    chat("gemma-4-31b", "tools vision", standing="gone"),
    chat("llama3.1-8b", standing="gone"),
)


REFUSALS: Mapping[str, Refusal] = {
    "no_key": Refusal(401, "Wrong API Key", _INVALID, "wrong_api_key", "api_key"),
    "unauthorized": Refusal(401, "Wrong API Key", _INVALID, "wrong_api_key", "api_key"),
    "payment_required": Refusal(
        402,
        "Payment required to access this resource. Please visit your billing tab.",
        "payment_required_error",
        "payment_required",
        "quota",
    ),
    "forbidden_model": Refusal(
        403, "You do not have permission to use {model}.", "forbidden_error", "forbidden"
    ),
    "model_gone": Refusal(
        404,
        "Model {model} does not exist or you do not have access to it.",
        "not_found_error",
        "model_not_found",
        "model",
    ),
    "no_path": Refusal(
        404, "Unknown request URL: {method} {path}.", "not_found_error", "unknown_url"
    ),
    "malformed": Refusal(400, "{detail}", _INVALID, _FORMAT, "validation_error"),
    "unsupported": Refusal(
        400,
        "body.{name}: property '{name}' is unsupported",
        _INVALID,
        _FORMAT,
        "validation_error",
    ),
    "context_overflow": Refusal(
        400,
        "Please reduce the length of the messages or completion. Current length is {size} while "
        "limit is {context}",
        _INVALID,
        "context_length_exceeded",
        "messages",
    ),
    "too_large": Refusal(413, "Request body too large.", _INVALID, "request_too_large"),
    "rate_limited": Refusal(
        429,
        "{Unit} per {window} limit exceeded - too many {unit} processed.",
        "too_many_requests_error",
        "request_quota_exceeded",
        "quota",
    ),
    "tokens_limited": Refusal(
        429,
        "{Unit} per {window} limit exceeded - too many {unit} processed.",
        "too_many_tokens_error",
        "token_quota_exceeded",
        "quota",
    ),
    "shared_capacity": Refusal(
        429,
        "We're experiencing high traffic right now! Please try again soon.",
        "too_many_requests_error",
        "queue_exceeded",
        "queue",
    ),
    "moderated": Refusal(
        400, "The request was refused by our usage policy.", _INVALID, "content_policy"
    ),
    "server_error": Refusal(500, "Encountered a server error, please try again.", "server_error"),
    "overloaded": Refusal(
        503, "Service unavailable, please try again.", "server_error", "unavailable"
    ),
}
