"""Google AI Studio: Gemini and Gemma over the OpenAI-shaped surface of the Gemini API."""

from dataclasses import replace

from freelm_integrations.providers.spec import (
    DAY,
    EFFORTS,
    EmbedderSpec,
    Limit,
    ModelSpec,
    ProviderSpec,
    Tier,
)
from freelm_integrations.wire.openai import ChatCompletions
from freelm_integrations.wire.requests.schemas import SchemaRules

# Deprecations page, 2026-10. What is asked for later is answered by another model without a word
# (2.5), or still listed and refused.
_ENDS = {
    "gemini-2.0-": "2026-06-01",
    "gemini-2.5-flash": "2026-12-01",
    "gemini-2.5-pro": "2026-12-01",
    "gemini-3.1-flash-lite": "2027-05-07",
}


# All current Geminis are alike in size and skill (ai.google.dev models, 2026-09). They know PDF and
# video as well, but this surface documents no part for either.
_ALIKE = ModelSpec(
    "gemini-",
    tags=("tools", "vision", "audio", "json_schema", "reasoning"),
    context=1_048_576,
    output=65_536,
)
# Open weights; here it always thinks, inside its answer (sheet of 2026-11).
_GEMMA = ModelSpec(
    "gemma-4-", tags=("tools", "vision", "reasoning"), context=262_144, output=32_768
)


def _gemini(model: str, tag: str, *, free: bool = True, thinks: bool = True) -> ModelSpec:
    tags = tuple(one for one in (tag, *_ALIKE.tags) if thinks or one != "reasoning")
    return replace(_ALIKE, id=model, tags=tags, free=free, retires_on=_ENDS.get(model))


def _gemma(model: str, family: str, tag: str) -> ModelSpec:
    return replace(_GEMMA, id=model, tags=(tag, *_GEMMA.tags), family=family)


_TO_HIGH = {"xhigh": "high", "max": "high"}
_FROM_LOW = ("gemini-3.8", "-pro", "-latest")
"""Who has no `minimal` either: 3.8, the Pros, and the names that stand for the newest."""


def _quota(per_minute: int, per_day: int, tokens_per_minute: int) -> tuple[Limit, ...]:
    """A model's free allowance per project; the day ends at midnight in California."""
    return (
        Limit(per_minute, "requests", per=60),
        Limit(tokens_per_minute, "input_tokens", per=60),
        Limit(per_day, "requests", per=DAY, resets="pacific_day"),
    )


# Google publishes none of these: as seen in error bodies and usage pages, 2026-07 to 2026-10.
_FREE = Tier(
    each_model=_quota(5, 20, 250_000),  # the Flash family
    by_model={
        **dict.fromkeys(
            ("gemini-3.1-flash-lite", "gemini-3.5-flash-lite"), _quota(15, 500, 250_000)
        ),
        # Sources differ (up to 30 and 14,400): the lower of each.
        **dict.fromkeys(("gemma-4-26b-a4b-it", "gemma-4-31b-it"), _quota(15, 1_500, 15_000)),
        **dict.fromkeys(("gemini-3.1-pro-preview", "gemini-2.5-pro"), _quota(0, 0, 0)),
        "gemini-embedding-001": _quota(100, 1_000, 30_000),  # each text may count (2026-03)
    },
)

GOOGLE = ProviderSpec(
    name="google",
    title="Google AI Studio",
    base_url="https://generativelanguage.googleapis.com/v1beta/openai",
    key_page="https://aistudio.google.com/apikey",
    key_variables=(
        "GEMINI_API_KEY",
        "GOOGLE_API_KEY",
        "GOOGLE_AI_STUDIO_KEY",
        "FREELM_GOOGLE_KEYS",
    ),
    # AI Studio issues only AQ. keys since 2026-05-28; AIza ones were to end in 2026-09.
    key_prefixes=("AQ.", "AIza"),
    # ai.google.dev/gemini-api/docs/openai, 2026-09, and refusals seen until 2026-10.
    dialect=ChatCompletions(
        # Anything else is a 400, even with its default value.
        allowed=frozenset(
            {
                *("temperature", "top_p", "max_tokens", "max_completion_tokens", "stop"),
                *("parallel_tool_calls", "reasoning_effort", "service_tier"),
            }
        ),
        # Newer ones refuse a request that ends with a model's turn (pipecat, 2026-09).
        continuing=dict.fromkeys(
            ("gemini-2.", "gemini-3-", "gemini-3.1", "gemini-pro-latest"), "plainly"
        ),
        ends_with_user=(
            *("gemini-3.5", "gemini-3.6", "gemini-3.7", "gemini-3.8", "gemini-3.9", "gemini-4"),
            *("flash-latest", "lite-latest", "gemma"),
        ),
        exclusive={"extra_body": "reasoning_effort"},  # the former holds its own settings of it
        # Thinking cannot be switched off but on the 2.5 Flash models.
        efforts={
            **{part: {"none": "low", "minimal": "low", **_TO_HIGH} for part in _FROM_LOW},
            "gemini-2.5": {**_TO_HIGH, "minimal": "low"},
            "gemini": {"none": "minimal", **_TO_HIGH},
            "gemma": dict.fromkeys(EFFORTS),
        },
        less_thinking={
            **{part: {"reasoning_effort": "low"} for part in _FROM_LOW},
            "gemini-2.5": {"reasoning_effort": "none"},
            "gemini": {"reasoning_effort": "minimal"},
        },
        schema=SchemaRules(
            inline=True,
            without=frozenset(
                {
                    *("$schema", "$id", "$ref", "$defs", "definitions", "$comment", "$anchor"),
                    *("additionalProperties", "patternProperties", "unevaluatedProperties"),
                    *("if", "then", "else", "not", "allOf", "oneOf", "const", "examples"),
                    *("exclusiveMinimum", "exclusiveMaximum", "multipleOf", "uniqueItems"),
                    *("prefixItems", "contains", "propertyNames", "dependencies"),
                    *("dependentSchemas", "dependentRequired", "readOnly", "writeOnly"),
                    "deprecated",
                }
            ),
            only=frozenset(
                {
                    *("type", "format", "description", "nullable", "enum", "items", "properties"),
                    *("minItems", "maxItems", "required", "anyOf", "minimum", "maximum"),
                    *("minLength", "maxLength", "pattern"),
                }
            ),
            formats=frozenset({"date-time", "int32", "int64", "float", "double"}),
            plain_types=True,
        ),
        # Calls come after a user or a tool, all system messages make up one instruction, and
        # nothing may be empty.
        system_place="gathered",
        starts_with_user=True,
        alternating=("",),
        empty_content=False,
        strict_tools=False,
        format_with_tools=False,  # a 400 on 2.x
        extra_key="google",
        # The documented stand-in where another model made the call.
        signature={"thought_signature": "skip_thought_signature_validator"},
        signed_models=("gemini-3", "gemini-4", "-latest"),
        think_tags={"gemma": "thought"},  # Gemini's thoughts are flagged, Gemma's are not always
        day_zone="America/Los_Angeles",
        quota_wait=60.0,  # what has no details is shared capacity, or a cap on spending (2026)
    ),
    tiers={"free": _FREE, "paid": Tier()},
    models=(
        _gemini("gemini-3.1-flash-lite", "fast", thinks=False),
        _gemini("gemini-3.5-flash-lite", "fast"),
        _gemma("gemma-4-26b-a4b-it", "gemma-4-26b-a4b", "fast"),
        _gemini("gemini-3.8-flash", "large"),
        _gemini("gemini-3.7-flash", "large"),
        _gemini("gemini-3.6-flash", "large"),
        _gemini("gemini-3.5-flash", "large"),
        _gemini("gemini-3-flash-preview", "large"),
        _gemma("gemma-4-31b-it", "gemma-4-31b", "large"),
        # `limit: 0` on the free tier (error bodies of 2026).
        _gemini("gemini-3.1-pro-preview", "large", free=False),
        _gemini("gemini-2.5-pro", "large", free=False),
    ),
    # Free prompts may be read and used to improve products (Gemini API terms, 2026-09).
    trains=True,
    costly=("-pro",),  # every Pro has `limit: 0` there (error bodies of 2026)
    # Links are fetched unreliably, and a request may have about 20 MB (2026, unconfirmed).
    hardly_beyond={"links": 0, "inline": 20_000_000},
    images=frozenset({"png", "jpeg", "webp", "heic", "heif"}),  # image guide, 2026-09
    retires=_ENDS,
    alike={"gemini-": _ALIKE, "gemma-4-": _GEMMA},
    chat_include=("gemini-", "gemma-"),
    chat_exclude=(
        *("embedding", "tts", "image", "live", "audio", "veo", "imagen", "lyria", "aqa"),
        *("robotics", "computer-use"),
    ),
    # Only 3,072 numbers come normalised, and longer texts are cut (embeddings guide, 2026-11).
    embedders=(
        EmbedderSpec(
            "gemini-embedding-001",
            dimensions=3_072,
            sizes=(1_536, 768),
            family="gemini-embedding-001",
            batch=100,  # "at most 100 requests can be in one batch"
            longest=2_048,
        ),
    ),
)
