"""NVIDIA NIM's terms: its models, its limits, its words for a refusal. As of November 2026."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.lab.catalog import LabModel, chat, decoy, embedder
from freelm_integrations.lab.limits import LabLimit
from freelm_integrations.lab.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LIMITS: Sequence[LabLimit] = (LabLimit(40, "requests"),)


MODELS: Sequence[LabModel] = (
    chat("nvidia/nemotron-3.5-lightning-30b-a3b", "tools reasoning nemotron"),
    chat("nvidia/nemotron-3-super-120b-a12b", "tools reasoning nemotron", context=1_048_576),
    chat("nvidia/nemotron-3-ultra-550b-a55b", "tools reasoning nemotron", context=1_048_576),
    chat("google/gemma-4-31b-it", "tools vision strict_roles", context=262_144),
    chat("stepfun-ai/step-3.7-flash", "tools vllm"),
    chat("poolside/laguna-xs-2.1", "tools vllm"),
    chat("openai/gpt-oss-20b", "tools reasoning vllm"),
    chat("openai/gpt-oss-120b", "tools reasoning vllm"),
    chat("deepseek-ai/deepseek-v4.1-flash", "tools reasoning vllm", context=1_048_576),
    chat("z-ai/glm-5.3", "tools reasoning vllm"),
    chat("minimaxai/minimax-m3", "tools reasoning think_tags"),
    chat("meta/llama-3.3-70b-instruct", "tools single_call vllm"),
    chat("meta/llama-3.1-8b-instruct", "vllm"),
    chat("moonshotai/kimi-k3", "tools reasoning", standing="priced"),
    embedder("nvidia/llama-nemotron-embed-1b-v2", 2_048, "asymmetric", context=8_192),
    embedder("nvidia/nv-embedqa-e5-v5", 1_024, "asymmetric", context=512),
    embedder("nvidia/llama-nemotron-embed-vl-1b-v2", 2_048, "asymmetric", context=8_192),
    embedder("baai/bge-m3", 1_024, context=8_192),
    decoy("nvidia/llama-nemotron-rerank-1b-v2"),
    decoy("nvidia/llama-3.1-nemoguard-8b-content-safety"),
    decoy("nvidia/riva-translate-4b-instruct"),
    decoy("black-forest-labs/flux.1-dev"),
    chat("mistralai/mistral-nemotron", "tools", standing="retired"),
    chat("moonshotai/kimi-k2.6", "tools", standing="gone"),
)


REFUSALS: Mapping[str, Refusal] = {
    "no_key": Refusal(401, "Header of type `authorization` was missing", "gateway"),
    "unauthorized": Refusal(403, "Authorization failed", "gateway"),
    "payment_required": Refusal(
        402, "Account '{org}': Cloud credits expired - Please contact us", "gateway"
    ),
    "forbidden_model": Refusal(
        404, "Function '{function}': Not found for account '{org}'", "gateway"
    ),
    "model_gone": Refusal(
        410,
        "The model '{model}' has reached its end of life on 2026-09-28T00:00:00Z and is no longer "
        "available",
        "gateway",
    ),
    "unknown_model": Refusal(404, "404 page not found", "text"),
    "priced_model": Refusal(404, "Function '{function}': Not found for account '{org}'", "gateway"),
    "no_path": Refusal(404, "404 page not found", "text"),
    "malformed": Refusal(400, "{detail}", "Bad Request", 400),
    "unsupported": Refusal(400, "Unsupported parameter(s): {name}", "Bad Request", 400),
    "extra_input": Refusal(
        400,
        "[{{'type': 'extra_forbidden', 'loc': ('body', '{name}'), 'msg': 'Extra inputs are not "
        "permitted'}}]",
        "BadRequestError",
        400,
    ),
    "no_input_type": Refusal(
        400, "'input_type' parameter is required for asymmetric models", "string"
    ),
    "no_input": Refusal(422, "Field required", "fastapi"),
    "degraded": Refusal(
        400, "Function id '{function}': DEGRADED function cannot be invoked", "detail"
    ),
    "context_overflow": Refusal(
        400,
        "This model's maximum context length is {context} tokens. However, your messages resulted "
        "in {size} "
        "tokens. Please reduce the length of the messages.",
        "BadRequestError",
        400,
    ),
    "too_large": Refusal(
        400,
        "Payload too large, make sure your payload is below 26214400 bytes",
        "invalid_image_format",
        400,
    ),
    "rate_limited": Refusal(429, "", "bare"),
    "daily_quota": Refusal(429, "", "bare"),
    "no_allowance": Refusal(429, "", "bare"),
    "shared_capacity": Refusal(
        503,
        "ResourceExhausted: Worker local total request limit reached (96/96)",
        "Service Unavailable",
        503,
    ),
    "moderated": Refusal(400, "The request was refused by a guard model.", "Bad Request", 400),
    "server_error": Refusal(500, "Inference connection error", "gateway"),
    "overloaded": Refusal(503, "Service temporarily overloaded", "Service Unavailable", 503),
}
