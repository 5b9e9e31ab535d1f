"""Google's terms: its models, its limits, its words for a refusal. As of November 2026."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.lab.catalog import LabModel, chat, decoy, embedder
from freelm_integrations.lab.limits import DAY, LabLimit
from freelm_integrations.lab.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ARGUMENT = "INVALID_ARGUMENT"

_EXHAUSTED = "RESOURCE_EXHAUSTED"

_QUOTA_TEXT = (
    "You exceeded your current quota, please check your plan and billing details. For more "
    "information on this "
    "error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.\n* Quota exceeded for "
    "metric: {metric}, "
    "limit: {limit}, model: {model}\nPlease retry in {wait}s."
)


def _free(minute: int, day: int, tokens: int) -> tuple[LabLimit, ...]:
    return (
        LabLimit(minute, "requests"),
        LabLimit(day, "requests", DAY, refill="pacific_day"),
        LabLimit(tokens, "tokens"),
    )


_FLASH = _free(10, 20, 250_000)

_LITE = _free(15, 500, 250_000)

_GEMMA = _free(30, 1_500, 15_000)

_NONE = _free(0, 0, 0)

_ABLE = "tools vision reasoning schema"

_GEMINI = {"context": 1_048_576, "output": 65_536}

_OPEN = {"context": 262_144, "output": 32_768}


MODELS: Sequence[LabModel] = (
    chat("gemini-3.5-flash-lite", _ABLE, limits=_LITE, **_GEMINI),
    chat("gemini-3.1-flash-lite", _ABLE, limits=_LITE, **_GEMINI),
    chat("gemini-3.8-flash", _ABLE, limits=_FLASH, **_GEMINI),
    chat("gemini-3.7-flash", _ABLE, limits=_FLASH, **_GEMINI),
    chat("gemini-3.6-flash", _ABLE, limits=_FLASH, **_GEMINI),
    chat("gemini-3.5-flash", _ABLE, limits=_FLASH, **_GEMINI),
    chat("gemini-3-flash-preview", _ABLE, limits=_FLASH, **_GEMINI),
    chat("gemma-4-31b-it", _ABLE, limits=_GEMMA, **_OPEN),
    chat("gemma-4-26b-a4b-it", _ABLE, limits=_GEMMA, **_OPEN),
    chat("gemini-3.1-pro-preview", _ABLE, limits=_NONE, standing="priced", **_GEMINI),
    chat("gemini-2.5-pro", _ABLE, limits=_NONE, standing="priced", **_GEMINI),
    chat("gemini-2.5-flash-lite", _ABLE, standing="retired", **_GEMINI),
    embedder("gemini-embedding-001", 3_072, limits=_free(100, 1_000, 30_000), context=2_048),
    decoy("gemini-2.5-flash-preview-tts"),
    decoy("gemini-3.1-flash-image"),
    decoy("gemini-live-2.5-flash-preview"),
    decoy("imagen-4.0-generate-001"),
    decoy("veo-3.1-generate-preview"),
    decoy("aqa"),
    chat("gemini-2.0-flash", _ABLE, standing="gone", **_GEMINI),
)


REFUSALS: Mapping[str, Refusal] = {
    "no_key": Refusal(
        403,
        "Method doesn't allow unregistered callers (callers without established identity). Please "
        "use API "
        "Key or other form of API consumer identity to call this API.",
        "PERMISSION_DENIED",
    ),
    "no_bearer": Refusal(400, "Missing or invalid Authorization header.", _ARGUMENT),
    "two_keys": Refusal(
        400, "Multiple authentication credentials received. Please pass only one.", _ARGUMENT
    ),
    "unauthorized": Refusal(
        400, "API key not valid. Please pass a valid API key.", _ARGUMENT, "API_KEY_INVALID"
    ),
    "payment_required": Refusal(403, "Your project has been denied access.", "PERMISSION_DENIED"),
    "forbidden_model": Refusal(
        403, "Requests to this API are blocked for {model}.", "PERMISSION_DENIED"
    ),
    "model_gone": Refusal(
        404,
        "models/{model} is not found for API version v1main, or is not supported for "
        "generateContent. Call "
        "ListModels to see the list of available models and their supported methods.",
        "NOT_FOUND",
    ),
    "model_retired": Refusal(
        404, "This model models/{model} is no longer available to new users.", "NOT_FOUND"
    ),
    "priced_model": Refusal(429, _QUOTA_TEXT, _EXHAUSTED, "quota"),
    "no_path": Refusal(404, "Requested entity was not found.", "NOT_FOUND"),
    "malformed": Refusal(400, "{detail}", _ARGUMENT),
    "unsupported": Refusal(
        400,
        'Invalid JSON payload received. Unknown name "{name}": Cannot find field.',
        _ARGUMENT,
        "unknown_name",
    ),
    "empty_content": Refusal(
        400, "Unable to submit request because it must have a text parameter.", _ARGUMENT
    ),
    "wrong_results": Refusal(
        400,
        "Please ensure that the number of function response parts is equal to the number of "
        "function call "
        "parts of the function call turn.",
        _ARGUMENT,
    ),
    "wrong_turn": Refusal(
        400,
        "Please ensure that function call turn comes immediately after a user turn or after a "
        "function "
        "response turn.",
        _ARGUMENT,
    ),
    "no_signature": Refusal(
        400,
        "Function call is missing a thought_signature in functionCall parts. This is required for "
        "tools to "
        "work correctly. Additional data, function call `default_api:{name}`, position {place}.",
        _ARGUMENT,
    ),
    "context_overflow": Refusal(
        400,
        "The input token count ({size}) exceeds the maximum number of tokens allowed ({context}).",
        _ARGUMENT,
    ),
    "too_large": Refusal(400, "Request payload size exceeds the limit: 20971520 bytes.", _ARGUMENT),
    "too_many_inputs": Refusal(
        400,
        "BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch",
        _ARGUMENT,
    ),
    "rate_limited": Refusal(429, _QUOTA_TEXT, _EXHAUSTED, "quota"),
    "daily_quota": Refusal(429, _QUOTA_TEXT, _EXHAUSTED, "quota"),
    "no_allowance": Refusal(429, _QUOTA_TEXT, _EXHAUSTED, "quota"),
    "shared_capacity": Refusal(429, "Resource has been exhausted (e.g. check quota).", _EXHAUSTED),
    "moderated": Refusal(400, "The request was blocked by our safety filters.", _ARGUMENT),
    "server_error": Refusal(500, "An internal error has occurred. Please retry.", "INTERNAL"),
    "overloaded": Refusal(
        503,
        "This model is currently experiencing high demand. Spikes in demand are usually "
        "temporary. Please "
        "try again later.",
        "UNAVAILABLE",
    ),
}
