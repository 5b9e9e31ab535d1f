"""Cerebras: very fast, but no longer free: since 2026-08-17 a key spends a one-time credit.

It stays for those who have one, as a last resort: asked once no other provider is left to ask.
Without a balance every call is answered 402, which rests the key. `gpt-oss-120b` is on other
providers, too.
"""

from freelm_integrations.providers.spec import (
    DAY,
    Limit,
    ModelSpec,
    ProviderSpec,
    Reserved,
    Tier,
)
from freelm_integrations.wire.openai import ChatCompletions
from freelm_integrations.wire.requests.schemas import SchemaRules

_HOUR = 3600.0

CEREBRAS = ProviderSpec(
    name="cerebras",
    title="Cerebras",
    base_url="https://api.cerebras.ai/v1",
    key_page="https://cloud.cerebras.ai",
    key_variables=("CEREBRAS_API_KEY", "FREELM_CEREBRAS_KEYS"),
    key_prefixes=("csk-",),
    # inference-docs.cerebras.ai, 2026-08 (behaviour version 2); live errors to 2026-09.
    dialect=ChatCompletions(
        renames={"max_tokens": "max_completion_tokens"},
        allowed=frozenset(
            {
                *("temperature", "top_p", "max_tokens", "max_completion_tokens", "stop", "seed"),
                *("user", "logprobs", "top_logprobs", "logit_bias", "service_tier"),
                *("frequency_penalty", "presence_penalty", "parallel_tool_calls"),
                *("reasoning_effort", "reasoning_format"),
            }
        ),
        by_model={"qwen": {"reasoning_format": "parsed"}},
        # Less than what a call without a limit reserves, see below.
        output_default=2_048,
        thinking_default=4_096,
        efforts={
            "gpt-oss": {"none": "low", "minimal": "low", "xhigh": "high", "max": "high"},
            "qwen": {"minimal": "low", "xhigh": "high", "max": "high"},
        },
        less_thinking={
            "gpt-oss": {"reasoning_effort": "low"},
            "qwen": {"reasoning_effort": "none"},
        },
        format_with_tools=False,
        schema=SchemaRules(
            without=frozenset(
                {
                    *("minItems", "maxItems", "uniqueItems", "minLength", "maxLength"),
                    *("pattern", "format", "patternProperties"),
                }
            ),
            closed=True,
        ),
        think_tags={"": "think"},  # models beyond those two may leave it in their answer
        stream_options=False,  # usage rides on the last chunk unasked
    ),
    # inference-docs.cerebras.ai rate limits, 2026-08: up to 16,384 tokens of the limit are held,
    # and all of them where none is named.
    reserves=Reserved(most=16_384, unnamed=16_384),
    # The published bucket; with the cached ones, three times as many pass.
    counts_cached=False,
    throttled_for=(15.0, 60.0),  # of a minute's bucket; a day's says so
    # Buckets that refill steadily, per model and organisation.
    tiers={
        # 5 USD for 30 days once a payment method is saved; limits from live headers, 2026.
        "credit": Tier(
            each_model=(
                Limit(5, "requests", per=60),
                Limit(30_000, "tokens", per=60),
                Limit(150, "requests", per=_HOUR),
                Limit(1_000_000, "tokens", per=_HOUR),
                Limit(2_400, "requests", per=DAY),
                Limit(1_000_000, "tokens", per=DAY),
            )
        ),
        # Accounts of before 2026-08-17, should any live on.
        "free": Tier(
            each_model=(
                Limit(30, "requests", per=60),
                Limit(60_000, "tokens", per=60),
                Limit(14_400, "requests", per=DAY),
            )
        ),
        "paid": Tier(),
    },
    # inference-docs.cerebras.ai, 2026-08, and client lists of 2026-10; 65K of context on credit
    # accounts, twice that on paid ones. Both think first.
    models=(
        ModelSpec(
            "gpt-oss-120b",
            tags=("fast", "large", "tools", "json_schema", "reasoning"),
            context=65_536,
            output=32_768,
            family="gpt-oss-120b",
        ),
        ModelSpec(
            "qwen-3.8-27b",
            tags=("fast", "tools", "json_schema", "reasoning"),
            context=65_536,
            family="qwen3.8-27b",
        ),
    ),
    # The vendor states that prompts are neither kept nor trained on (as of 2026-08).
    trains=False,
    priority=50,  # a credit is not for what free tiers can do; a model of one's own has 100
    images=frozenset({"png", "jpeg"}),  # docs, 2026-08
    at_most={"stops": 4, "links": 0},  # an https image is a 400 (docs, 2026-08)
)
