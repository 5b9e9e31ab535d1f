"""Mistral: its own models on a free plan whose numbers are no longer published."""

from freelm_integrations.providers.spec import Limit, ModelSpec, ProviderSpec, Tier
from freelm_integrations.wire.openai import ChatCompletions

_SEES = ("tools", "vision", "json_schema")

MISTRAL = ProviderSpec(
    name="mistral",
    title="Mistral",
    base_url="https://api.mistral.ai/v1",
    key_page="https://console.mistral.ai/api-keys",
    key_variables=("MISTRAL_API_KEY", "FREELM_MISTRAL_KEYS"),
    # Keys are 32 letters and digits without a prefix.
    dialect=ChatCompletions(),
    # One request a second was the last published number (2026-02); 60 requests and 50,000 tokens a
    # minute stood in headers then, per model and organisation. The headers of today correct them.
    tiers={
        "free": Tier(each_model=(Limit(60, "requests", per=60), Limit(50_000, "tokens", per=60))),
        "paid": Tier(),
    },
    # docs.mistral.ai models, 2026-08; the ministrals are what free keys were still served in 2026-10.
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
    # Free prompts may be used for training unless the account opts out (help article 347617, 2026-08).
    trains=True,
    chat_exclude=("embed", "moderation", "ocr", "voxtral", "transcribe", "tts", "labs-"),
)
