"""OpenRouter's terms: its models, its limits, its words for a refusal. As of November 2026."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.lab.catalog import LabModel, chat, decoy, embedder
from freelm_integrations.lab.limits import DAY, LabLimit
from freelm_integrations.lab.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_RATE = "rate_limit_exceeded"


LIMITS: Sequence[LabLimit] = (
    LabLimit(20, "requests", scope="account"),
    LabLimit(50, "requests", DAY, scope="account", refill="utc_day"),
)


MODELS: Sequence[LabModel] = (
    chat("nvidia/nemotron-3-super-120b-a12b:free", "tools reasoning schema", context=262_144),
    chat("nvidia/nemotron-3.5-lightning:free", "tools reasoning schema", context=1_048_576),
    chat("google/gemma-4-31b-it:free", "tools vision reasoning schema", context=262_144),
    chat("google/gemma-4-26b-a4b-it:free", "tools vision reasoning schema", context=262_144),
    chat("cohere/north-mini-code:free", "tools", context=256_000),
    chat("poolside/laguna-s-2.1:free", "tools", context=262_144),
    chat("liquid/lfm-2.5-2.6b:free", context=65_536),
    chat("openrouter/free", "tools vision schema", context=200_000),
    chat("openai/gpt-oss-120b", "tools reasoning schema", standing="priced"),
    chat(
        "anthropic/claude-sonnet-4.6",
        "tools vision reasoning schema",
        standing="priced",
        context=1_000_000,
    ),
    embedder("nvidia/llama-nemotron-embed-vl-1b-v2:free", 2_048, limits=()),
    decoy("meta-llama/llama-guard-4-12b-content-safety:free"),
    chat("openai/gpt-oss-20b:free", "tools", standing="gone"),
)


REFUSALS: Mapping[str, Refusal] = {
    "no_key": Refusal(401, "No auth credentials found"),
    "unauthorized": Refusal(401, "User not found."),
    "payment_required": Refusal(
        402,
        "This request requires more credits, or fewer max_tokens. You requested up to 16384 "
        "tokens, but can "
        "only afford 0. To increase, visit https://openrouter.ai/settings/credits and add more "
        "credits",
    ),
    "forbidden_model": Refusal(
        404,
        "No endpoints found matching your data policy (Free model training). Configure: "
        "https://openrouter.ai/settings/privacy",
        code="privacy_restricted",
    ),
    "model_gone": Refusal(
        404,
        "The free variant of {model} has ended.",
        code="free_variant_ended",
    ),
    "unknown_model": Refusal(400, "{model} is not a valid model ID", code="model_not_found"),
    "wrong_endpoint": Refusal(400, "{model} is not a chat model", code="wrong_endpoint"),
    "no_endpoint": Refusal(404, "{detail}", code="constraint_filtered"),
    "no_path": Refusal(404, "Not Found"),
    "malformed": Refusal(400, "{detail}", "invalid_request"),
    "context_overflow": Refusal(
        400,
        "This endpoint's maximum context length is {context} tokens. However, you requested about "
        "{size} "
        "tokens ({size} of text input). Please reduce the length of either one, or use the "
        "context-compression "
        "plugin to compress your prompt automatically.",
        "context_length_exceeded",
    ),
    "too_large": Refusal(413, "Request entity too large", "payload_too_large"),
    "rate_limited": Refusal(
        429,
        "Rate limit exceeded: free-models-per-min. ",
        _RATE,
        "openrouter_free_tier_per_minute",
    ),
    "daily_quota": Refusal(
        429,
        "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model "
        "requests per day",
        _RATE,
        "openrouter_free_tier_daily",
    ),
    "shared_capacity": Refusal(
        429, "Provider returned error", _RATE, "upstream_provider_shared_pool"
    ),
    "moderated": Refusal(
        403, "{model} requires moderation on the lab. Your input was flagged", "moderation"
    ),
    "server_error": Refusal(500, "Internal Server Error", "server"),
    "overloaded": Refusal(
        503, "No capacity is left at the providers of {model}", code="temporarily_unavailable"
    ),
}
