"""Kilo Gateway: its `:free` models answer without a key, and some keep what they are asked.

Their upstreams log prompts and may train on them (kilo.ai/docs, 2026-08), NVIDIA's say so outright.
"""

from freelm_integrations.providers.spec import Limit, ModelSpec, ProviderSpec, Tier
from freelm_integrations.wire.openai import ChatCompletions
from freelm_integrations.wire.refusals.rulebook import rule

_HOUR = 3_600.0

KILO = ProviderSpec(
    name="kilo",
    title="Kilo Gateway",
    base_url="https://api.kilo.ai/api/gateway",
    key_page="https://app.kilo.ai/profile",
    key_variables=("FREELM_KILO_KEYS",),
    usual_variables=("KILO_API_KEY", "KILOCODE_API_KEY"),
    needs_key=False,
    # Shaped like OpenRouter (sheet of 2026-11).
    dialect=ChatCompletions(
        developer_role=True,
        less_thinking={"": {"reasoning": {"effort": "low"}, "reasoning_effort": None}},
        exclusive={"reasoning": "reasoning_effort"},
        extra_key="kilo",
        extra_fields=frozenset({"reasoning_details"}),
        stream_options=False,
        think_tags={"minimax": "think", "": "think"},
        not_answers={"": ("safe", "unsafe")},  # a guard model may answer in place of the model
        quota_scope="account",
        fault_rules=(
            rule("unsupported", "route", on=(400,), text=r"response_format|structured output"),
            # A model that has ceased to be free; the others go on answering without a key.
            rule("unpaid", "route", on=(402,)),
            rule("not_on_plan", "route", on=(401,), text=r"sign in|paid.?model"),
        ),
    ),
    # Per address, over all models (kilo.ai/docs/gateway/models-and-providers, 2026).
    tiers={"free": Tier(shared=(Limit(200, "requests", per=_HOUR),))},
    # Each answered a call without a key between 2026-08-19 and 2026-08-21; the pool changes often.
    models=(
        ModelSpec(
            "cohere/north-mini-code:free",
            tags=("fast", "tools"),
            context=256_000,
            output=64_000,
            family="north-mini-code",
        ),
        ModelSpec(
            "stepfun/step-3.7-flash:free",
            tags=("fast", "tools", "vision"),
            context=262_144,
            family="step-3.7-flash",
        ),
        ModelSpec(
            "poolside/laguna-s-2.1:free",
            tags=("tools",),
            context=262_144,
            output=32_000,
            family="laguna-s-2.1",
        ),
        ModelSpec(
            "poolside/laguna-xs-2.1:free",
            tags=("fast", "tools"),
            context=262_144,
            output=32_000,
            family="laguna-xs-2.1",
        ),
        ModelSpec(
            "liquid/lfm-2.5-2.6b:free",
            tags=("fast", "small"),
            context=64_000,
            output=8_000,
            family="lfm-2.5-2.6b",
        ),
        ModelSpec(
            "nvidia/nemotron-3.5-lightning:free",
            tags=("fast", "tools", "reasoning"),
            context=1_000_000,
            output=65_000,
            family="nemotron-3.5-lightning",
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
            output=65_000,
            family="nemotron-3-ultra-550b",
        ),
        # Picks one of the free pool, thinking ones among them.
        ModelSpec("kilo-auto/free", tags=("tools", "reasoning")),
    ),
    trains=True,
    # `openrouter/free` answers "safe" or "unsafe" where it lands on a classifier (2026-08): nothing
    # tells that from an answer, so it is never asked. The others are such classifiers.
    chat_exclude=("openrouter/free", "content-safety", "guard", "embed", "rerank"),
    free_suffix=":free",
)
