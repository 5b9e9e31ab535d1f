"""Mistral's terms: its models, its limits, its words for a refusal. As of November 2026."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.lab.catalog import LabModel, chat, decoy, embedder
from freelm_integrations.lab.limits import MONTH, LabLimit
from freelm_integrations.lab.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ORDER = "invalid_request_message_order"


LIMITS: Sequence[LabLimit] = (
    LabLimit(60, "requests"),
    LabLimit(50_000, "tokens"),
    LabLimit(4_000_000, "tokens", MONTH),
)


MODELS: Sequence[LabModel] = (
    chat("ministral-14b-latest", "tools vision", context=262_144),
    chat("ministral-8b-latest", "tools vision", context=262_144),
    chat("ministral-3b-latest", "tools vision", context=262_144),
    chat("mistral-small-latest", "tools vision reasoning", context=262_144),
    chat("mistral-medium-latest", "tools vision reasoning", context=262_144),
    chat("codestral-latest", "tools", context=131_072),
    chat("mistral-large-latest", "tools vision", context=262_144, standing="forbidden"),
    embedder("mistral-embed", 1_024, context=8_192),
    embedder("codestral-embed", 1_536, context=8_192),
    decoy("voxtral-mini-transcribe-2507", context=16_384),
    decoy("mistral-moderation-latest", context=8_192),
    decoy("mistral-ocr-latest", context=16_384),
    chat("open-mistral-nemo", "tools", standing="gone"),
)


REFUSALS: Mapping[str, Refusal] = {
    "no_key": Refusal(401, "Unauthorized", "detail"),
    "unauthorized": Refusal(401, "Unauthorized", "detail"),
    "payment_required": Refusal(402, "Payment required.", "payment_required"),
    "forbidden_model": Refusal(
        403, "The model {model} is not available on your plan.", "tier_not_allowed", "1910"
    ),
    "model_gone": Refusal(400, "Invalid model: {model}", "invalid_model", "1500"),
    "no_path": Refusal(404, "no Route matched with those values", "message"),
    "malformed": Refusal(400, "{detail}", "invalid_request_error", "1000"),
    "unsupported": Refusal(422, "{name}", "schema"),
    "wrong_order": Refusal(400, "{detail}", _ORDER, "3230"),
    "empty_turn": Refusal(
        400,
        "Assistant message must have either content or tool_calls, but not none.",
        "invalid_request_assistant_message",
        "3240",
    ),
    "wrong_call": Refusal(400, "{detail}", "invalid_function_call", "3280"),
    "context_overflow": Refusal(
        400,
        "Prompt contains {size} tokens and 0 draft tokens, too large for model with {context} "
        "maximum context length",
        "invalid_request_prompt",
        "3051",
    ),
    "too_large": Refusal(413, "Request size limit exceeded", "message"),
    "rate_limited": Refusal(429, "Rate limit exceeded", "rate_limited", "1300"),
    "daily_quota": Refusal(429, "Rate limit exceeded", "rate_limited", "1300"),
    "no_allowance": Refusal(429, "Rate limit exceeded", "rate_limited", "1300"),
    "shared_capacity": Refusal(
        429,
        "Service tier capacity exceeded for this model.",
        "service_tier_capacity_exceeded",
        "3505",
    ),
    "moderated": Refusal(
        403, "The request was blocked by guardrails.", "guardrail_violation", "1920"
    ),
    "server_error": Refusal(500, "Internal server error", "internal_server_error", "1000"),
    "overloaded": Refusal(503, "Service unavailable.", "service_unavailable", "3505"),
}
