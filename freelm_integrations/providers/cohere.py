"""Cohere: its Command models on a trial key, which is for non-commercial use only."""

from freelm_integrations.providers.spec import (
    EFFORTS,
    MONTH,
    EmbedderSpec,
    Limit,
    ModelSpec,
    ProviderSpec,
    Tier,
)
from freelm_integrations.wire.openai import ChatCompletions
from freelm_integrations.wire.refusals.rulebook import rule

COHERE = ProviderSpec(
    name="cohere",
    title="Cohere",
    base_url="https://api.cohere.ai/compatibility/v1",
    key_page="https://dashboard.cohere.com/api-keys",
    key_variables=("FREELM_COHERE_KEYS",),
    usual_variables=("CO_API_KEY", "COHERE_API_KEY"),
    # docs.cohere.com/docs/compatibility-api, 2026.
    dialect=ChatCompletions(
        renames={"max_completion_tokens": "max_tokens"},
        denied=frozenset(
            {
                *("logprobs", "top_logprobs", "logit_bias", "top_k", "parallel_tool_calls"),
                *("metadata", "store", "prediction", "service_tier", "modalities", "audio"),
            }
        ),
        efforts={
            "": {
                **dict.fromkeys(EFFORTS, "high"),
                **dict.fromkeys(("none", "minimal"), "none"),
            }
        },
        less_thinking={"": {"reasoning_effort": "none"}},
        named_choice=False,  # some tool can be forced, a certain one cannot
        format_with_tools=False,
        # What a 429 speaks of stands in its text alone. Months before minutes: both say "limited".
        fault_rules=(rule("throttled", "account", on=(429,), text=r"/ ?month|per month|monthly"),),
        quota_wait=60.0,
    ),
    # docs.cohere.com rate limits, 2026-08: the month counts calls to all endpoints together, lists
    # of models included, so none is asked for.
    list_path=None,
    tiers={
        "free": Tier(
            shared=(Limit(1_000, "requests", per=MONTH, resets="utc_month"),),
            each_model=(Limit(20, "requests", per=60),),
        ),
        # The newest models keep the month's limit on production keys.
        "paid": Tier(),
    },
    # docs.cohere.com models and a community list of 2026-08; the ids of 2026 have one source.
    models=(
        ModelSpec(
            "north-mini-code-1-0",
            tags=("fast", "tools"),
            context=256_000,
            family="north-mini-code",
        ),
        ModelSpec(
            "command-a-03-2025",
            tags=("large", "tools", "json_schema"),
            context=256_000,
            output=8_000,
            family="command-a",
        ),
        ModelSpec(
            "command-a-vision-07-2025",
            tags=("large", "vision", "json_schema"),
            context=128_000,
            output=8_000,
            family="command-a-vision",
        ),
        ModelSpec(
            "command-a-plus-05-2026",
            tags=("large", "tools", "vision", "json_schema", "reasoning"),
            context=128_000,
            output=64_000,
            family="command-a-plus",
        ),
        ModelSpec(
            "command-a-reasoning-08-2025",
            tags=("large", "tools", "json_schema", "reasoning"),
            context=256_000,
            output=32_000,
            family="command-a-reasoning",
        ),
    ),
    # Used for training unless the account opts out; the commitments for API data leave out free
    # services (cohere.com/data-usage-policy, read 2026-11).
    trains=True,
    # docs.cohere.com embed models, 2026: 96 texts a call. Its other API must be told queries from
    # passages, this one is not (unconfirmed).
    embedders=(EmbedderSpec("embed-v4.0", dimensions=1_536, family="embed-v4.0", batch=96),),
)
