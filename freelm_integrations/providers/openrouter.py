"""OpenRouter: one door to many hosts; its free models (`:free`) share one small allowance."""

from freelm_integrations.providers.spec import (
    DAY,
    EmbedderSpec,
    Limit,
    ModelSpec,
    ProviderSpec,
    Tier,
)
from freelm_integrations.wire.embeddings import ASYMMETRIC
from freelm_integrations.wire.openai import ChatCompletions

_MINUTE = Limit(20, "requests", per=60)  # openrouter.ai/docs limits, 2026-10; all :free together

OPENROUTER = ProviderSpec(
    name="openrouter",
    title="OpenRouter",
    base_url="https://openrouter.ai/api/v1",
    key_page="https://openrouter.ai/settings/keys",
    key_variables=("OPENROUTER_API_KEY", "FREELM_OPENROUTER_KEYS"),
    key_prefixes=("sk-or-",),
    # openrouter.ai/docs API reference, 2026-08: what a host does not know is dropped silently.
    dialect=ChatCompletions(
        developer_role=True,
        # Some must think: they refuse `none`. Two different efforts in one request are a 400.
        less_thinking={"": {"reasoning": {"effort": "low"}, "reasoning_effort": None}},
        exclusive={"reasoning": "reasoning_effort"},
        # To be sent back as they came, to the same model only: some refuse a turn without them.
        extra_key="openrouter",
        extra_fields=frozenset({"reasoning_details"}),
        stream_options=False,  # usage always comes
        think_tags={"minimax": "think", "": "think"},  # some hosts let it leak
        # Tried in 2026-02: these go on from a trailing assistant message. Newer ones refuse it, and
        # open models begin anew without a word.
        continuing=dict.fromkeys(
            (
                *("claude-3", "claude-opus-4.1", "claude-opus-4.5"),
                *("claude-sonnet-4.5", "claude-haiku-4.5"),
            ),
            "plainly",
        ),
        # The router may land on a safety classifier: those are free models, too (2026-08).
        not_answers={"openrouter/free": ("safe", "unsafe")},
    ),
    # Per account, whatever the key; a UTC day; no token limits (docs, limits page, 2026-10).
    tiers={
        "free": Tier(shared=(_MINUTE, Limit(50, "requests", per=DAY, resets="utc_day"))),
        # Once 10 USD of credit were ever bought; the minute stays as it is.
        "credit": Tier(shared=(_MINUTE, Limit(1000, "requests", per=DAY, resets="utc_day"))),
    },
    # Two community lists of 2026-10 agree on all of these; the free list changes weekly.
    models=(
        ModelSpec(
            "cohere/north-mini-code:free",
            tags=("fast", "tools"),
            context=256_000,
            family="north-mini-code",
        ),
        ModelSpec("apodex/apodex-1.1-mini:free", context=262_144, family="apodex-1.1-mini"),
        ModelSpec(
            "liquid/lfm-2.5-2.6b:free",
            tags=("fast", "small"),
            context=65_536,
            family="lfm-2.5-2.6b",
        ),
        # These two may have ended on 2026-10-31.
        ModelSpec(
            "poolside/laguna-s-2.1:free", tags=("tools",), context=262_144, family="laguna-s-2.1"
        ),
        ModelSpec(
            "poolside/laguna-xs-2.1:free",
            tags=("fast", "tools"),
            context=262_144,
            family="laguna-xs-2.1",
        ),
        ModelSpec(
            "nvidia/nemotron-3.5-lightning:free",
            tags=("fast", "tools", "reasoning"),
            context=1_000_000,
            family="nemotron-3.5-lightning",
        ),
        ModelSpec(
            "google/gemma-4-26b-a4b-it:free",
            tags=("fast", "tools", "vision", "reasoning"),
            context=262_144,
            family="gemma-4-26b-a4b",
        ),
        ModelSpec(
            "google/gemma-4-31b-it:free",
            tags=("large", "tools", "vision", "reasoning"),
            context=262_144,
            family="gemma-4-31b",
        ),
        ModelSpec(
            "nvidia/nemotron-3-super-120b-a12b:free",
            tags=("large", "tools", "reasoning"),
            context=262_144,
            family="nemotron-3-super-120b",
        ),
        ModelSpec(
            "nvidia/nemotron-3-ultra-550b-a55b:free",
            tags=("large", "tools", "reasoning"),
            context=1_000_000,
            family="nemotron-3-ultra-550b",
        ),
        # Picks any free model that fits the request: never stale, but it may pick one that thinks.
        ModelSpec("openrouter/free", tags=("tools", "vision", "reasoning"), context=200_000),
    ),
    # Free hosts may log prompts and train on them (openrouter.ai/docs privacy, 2026-08).
    trains=True,
    # Classifiers are listed as text models (sheet of 2026-11).
    chat_exclude=("content-safety", "guard", "embed", "rerank"),
    free_suffix=":free",
    quota_path="/key",
    at_most={"stops": 4},  # OpenAPI of 2026-08
    # The one that is free (sheet of 2026-11).
    embedders=(
        EmbedderSpec(
            "nvidia/llama-nemotron-embed-vl-1b-v2:free",
            tags=(ASYMMETRIC,),
            dimensions=2_048,
            family="llama-nemotron-embed-vl-1b-v2",
        ),
    ),
)
