"""Cloudflare Workers AI: open models on a daily allowance that is counted in neurons.

Its credential is a pair: an API token with the permission "Workers AI", and the id of the account,
which is part of the address.
"""

from freelm_integrations.providers.spec import (
    DAY,
    EmbedderSpec,
    Limit,
    ModelSpec,
    ProviderSpec,
    Tier,
)
from freelm_integrations.wire.openai import ChatCompletions
from freelm_integrations.wire.refusals.rulebook import rule

ACCOUNT_VARIABLE = "CLOUDFLARE_ACCOUNT_ID"

CLOUDFLARE = ProviderSpec(
    name="cloudflare",
    title="Cloudflare Workers AI",
    base_url="https://api.cloudflare.com/client/v4/accounts/{account_id}/ai/v1",
    key_page="https://dash.cloudflare.com/profile/api-tokens",
    # Not CLOUDFLARE_API_KEY: that is the global key, which is no bearer token.
    key_variables=("FREELM_CLOUDFLARE_KEYS",),
    usual_variables=("CLOUDFLARE_API_TOKEN",),
    # developers.cloudflare.com/workers-ai (errors page of 2026-07-29), and client reports of 2026.
    dialect=ChatCompletions(
        renames={"max_completion_tokens": "max_tokens"},
        # Its own default ends answers after some 256 tokens (one report, 2026).
        output_default=2_048,
        thinking_default=4_096,
        less_thinking={"gpt-oss": {"reasoning_effort": "low"}},
        fault_rules=(
            # General rules know these two behind a 429; a body may hold them without one.
            rule("throttled", "account", words="4006 3036"),
            rule("overloaded", "model", words="3040"),
            rule("not_on_plan", "route", on=(403,), words="5016 5018 3041"),
            rule("forbidden", "key", on=(403,), words="3023"),  # the account is blocked
            rule("model_gone", "model", on=(400, 404), words="5007 3042"),
            # The account id: there is no such account, or it is not this token's (reports of 2026).
            rule("unauthorized", "key", on=(400, 404), words="7000 7003"),
            # The token: not valid, not for this, or not well formed (API reference, 2026).
            rule("unauthorized", "key", on=(400, 401, 403), words="10000 9106 9109 6003 6111"),
        ),
    ),
    tiers={
        # 10,000 neurons a day (pricing page, 2026-08), shared by all of an account's use; over it
        # a call fails and costs nothing. How many tokens they are differs by model: an estimate
        # (2026-11), there so that what is left is seen to shrink. The 429 is what counts.
        "free": Tier(shared=(Limit(400_000, "tokens", per=DAY, resets="utc_day"),)),
        "paid": Tier(),
    },
    # Cloudflare's own list; the one in OpenAI's shape does not exist (API reference, 2026-11).
    list_path="/../models/search?per_page=100&task=Text%20Generation",
    # Left out of the free allowance (pricing page, 2026-08): big new ones, and what follows them.
    costly=("kimi-k2", "kimi-k3", "glm-5", "deepseek-v4"),
    # Community list checked by calls in 2026-08.
    models=(
        ModelSpec(
            "@cf/meta/llama-4-scout-17b-16e-instruct",
            tags=("fast", "tools", "vision"),
            context=131_000,
            family="llama-4-scout-17b-16e",
        ),
        ModelSpec(
            "@cf/mistralai/mistral-small-3.1-24b-instruct",
            tags=("fast", "tools"),
            context=128_000,
            family="mistral-small-3.1-24b",
        ),
        ModelSpec(
            "@cf/meta/llama-3.3-70b-instruct-fp8-fast",
            tags=("large", "tools"),
            context=24_000,
            family="llama-3.3-70b",
        ),
        ModelSpec(
            "@cf/google/gemma-4-26b-a4b-it",
            tags=("fast", "tools", "vision", "reasoning"),
            context=131_072,  # 256K on its page, but refusals say this (2026-04)
            family="gemma-4-26b-a4b",
        ),
        ModelSpec(
            "@cf/zai-org/glm-4.7-flash",
            tags=("fast", "tools", "reasoning"),
            context=131_072,
            family="glm-4.7-flash",
        ),
        ModelSpec(
            "@cf/openai/gpt-oss-120b",
            tags=("large", "tools", "reasoning"),
            context=128_000,
            family="gpt-oss-120b",
        ),
    ),
    # Not without consent, by the data usage page of Workers AI (unconfirmed, 2026-11).
    trains=False,
    embedders=(
        EmbedderSpec(
            "@cf/baai/bge-m3", dimensions=1_024, family="bge-m3", batch=100, longest=8_192
        ),
    ),
)
