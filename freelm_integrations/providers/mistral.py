"""Mistral: its own models on a free plan whose numbers are no longer published."""

from freelm_integrations.providers.spec import (
    EFFORTS,
    MONTH,
    EmbedderSpec,
    Limit,
    ModelSpec,
    ProviderSpec,
    Tier,
)
from freelm_integrations.wire.embeddings import EmbeddingRules
from freelm_integrations.wire.openai import ChatCompletions

_ON_OR_OFF = {
    **dict.fromkeys(EFFORTS, "high"),
    **dict.fromkeys(("none", "minimal"), "none"),
}
_SEES = ("tools", "vision", "json_schema")

MISTRAL = ProviderSpec(
    name="mistral",
    title="Mistral",
    base_url="https://api.mistral.ai/v1",
    key_page="https://console.mistral.ai/api-keys",
    key_variables=("MISTRAL_API_KEY", "FREELM_MISTRAL_KEYS"),
    # Keys are 32 letters and digits without a prefix.
    # docs.mistral.ai OpenAPI and validator, 2026-08; live captures to 2026-10.
    dialect=ChatCompletions(
        renames={"seed": "random_seed", "max_completion_tokens": "max_tokens"},
        # The schema is closed at every level: anything else is a 422.
        allowed=frozenset(
            {
                *("temperature", "top_p", "max_tokens", "max_completion_tokens", "stop"),
                *("seed", "random_seed", "presence_penalty", "frequency_penalty"),
                *("parallel_tool_calls", "prediction", "metadata", "safe_prompt"),
                *("prompt_cache_key", "service_tier", "guardrails", "reasoning_effort"),
            }
        ),
        ranges={"temperature": (0.0, 1.5), "top_p": (0.001, 1.0)},
        efforts={
            "mistral-small": _ON_OR_OFF,
            "mistral-medium": _ON_OR_OFF,
            "": dict.fromkeys(EFFORTS),
        },
        less_thinking={
            "mistral-small": {"reasoning_effort": "none"},
            "mistral-medium": {"reasoning_effort": "none"},
        },
        forced_choice="any",
        tool_id="alnum9",
        format_with_tools=False,
        json_word=True,  # endless white space comes back otherwise
        named_roles=frozenset({"tool"}),
        system_place="not_after_answer",
        starts_with_user=True,
        content_beside_calls="empty",
        bridge="OK.",  # a user directly after a tool is refused
        prefix_flag="prefix",
        # It gives the beginning back first (docs of 2026-08, and what Vercel's client strips).
        continuing={"magistral": None, "leanstral": None, "": "after_echo"},
        # Its thinking is to be replayed to it; a flat field for that is a 422.
        extra_key="mistral",
        thinking_parts=True,
        stream_options=False,  # usage rides on the last chunk unasked
        embeddings=EmbeddingRules(size_name="output_dimension"),
    ),
    # One request a second was the last published number (2026-02); 60 requests and 50,000 tokens a
    # minute and 4 million tokens a month stood in headers then, per model and organisation; the
    # month is taken for the calendar's. The headers of today correct them.
    tiers={
        "free": Tier(
            each_model=(
                Limit(60, "requests", per=60),
                Limit(50_000, "tokens", per=60),
                Limit(4_000_000, "tokens", per=MONTH, resets="utc_month"),
            )
        ),
        "paid": Tier(),
    },
    # docs.mistral.ai models, 2026-08; what free keys were still served in 2026-10 comes first.
    models=(
        ModelSpec(
            "ministral-8b-latest", tags=("fast", *_SEES), context=262_144, family="ministral-8b"
        ),
        ModelSpec("ministral-14b-latest", tags=_SEES, context=262_144, family="ministral-14b"),
        ModelSpec(
            "ministral-3b-latest",
            tags=("fast", "small", *_SEES),
            context=262_144,
            family="ministral-3b",
        ),
        ModelSpec("codestral-latest", tags=("tools", "json_schema"), context=131_072),
        # Since 2026-09-29 many free keys have no allowance for the next two.
        ModelSpec("mistral-small-latest", tags=(*_SEES, "reasoning"), context=262_144),
        ModelSpec("mistral-medium-latest", tags=("large", *_SEES, "reasoning"), context=262_144),
        # 403 `tier_not_allowed` on free keys (2026-09).
        ModelSpec("mistral-large-latest", tags=("large", *_SEES), context=262_144, free=False),
    ),
    # Free prompts may train unless the account opts out (help article 347617, 2026-08).
    trains=True,
    costly=("mistral-large",),
    throttled_for=(2.0, 60.0),  # no header tells, and one request a second is let in again (2026)
    hardly_beyond={"inline": 27_000_000},  # some 20 MB an image (docs, 2026-08)
    images=frozenset({"png", "jpeg", "gif", "webp"}),  # docs, 2026-08
    at_most={"tools": 128},  # OpenAPI of 2026-08
    chat_exclude=("embed", "moderation", "ocr", "voxtral", "transcribe", "tts", "labs-"),
    # docs.mistral.ai embeddings, 2026-08; what a batch may hold is what clients keep to (2026-10).
    embedders=(
        EmbedderSpec(
            "mistral-embed",
            dimensions=1_024,
            family="mistral-embed",
            batch=32,
            batch_tokens=16_000,
            longest=8_192,
        ),
        # For code; what it can be asked for is unconfirmed (2026-08).
        EmbedderSpec(
            "codestral-embed",
            dimensions=1_536,
            sizes=(1_024, 768, 512, 256),
            family="codestral-embed",
            batch=32,
            batch_tokens=16_000,
            longest=8_192,
        ),
    ),
)
