"""OVHcloud AI Endpoints: open models in the EU, twice a minute for anybody, without a key.

A key raises that to 400 a minute and is paid for by the token: only the variable that is ours is
read, so that nobody is charged by surprise.
"""

from freelm_integrations.providers.spec import (
    EmbedderSpec,
    Limit,
    ModelSpec,
    ProviderSpec,
    Tier,
)
from freelm_integrations.wire.openai import ChatCompletions

OVHCLOUD = ProviderSpec(
    name="ovhcloud",
    title="OVHcloud AI Endpoints",
    base_url="https://oai.endpoints.kepler.ai.cloud.ovh.net/v1",
    key_page="https://www.ovhcloud.com/en/public-cloud/ai-endpoints/",
    key_variables=("FREELM_OVHCLOUD_KEYS",),
    needs_key=False,
    # vLLM behind a gateway: extra fields are mostly ignored (calls of 2026-07).
    dialect=ChatCompletions(
        renames={"max_completion_tokens": "max_tokens"},
        # vLLM's own switch, in the templates of those that have one.
        less_thinking={
            "gpt-oss": {"reasoning_effort": "low"},
            "qwen3": {"chat_template_kwargs": {"enable_thinking": False}},
        },
        think_tags={"": "think"},  # Qwen3-32B leaves it in its answer (2026-07)
        # Who shares an address shares the allowance, and a 429 may not say for how long.
        quota_scope="route",
        quota_wait=30.0,
    ),
    # Per address and model; per project and model with a key (OVHcloud's guide, 2026-08).
    tiers={
        "free": Tier(each_model=(Limit(2, "requests", per=60),)),
        "paid": Tier(each_model=(Limit(400, "requests", per=60),)),
    },
    # As answered or named in calls of 2026-07; sizes from a community list of 2026-08.
    models=(
        ModelSpec(
            "Mistral-Small-3.2-24B-Instruct-2506",
            tags=("fast", "tools"),
            context=128_000,
            family="mistral-small-3.2-24b",
        ),
        ModelSpec(
            "Meta-Llama-3_3-70B-Instruct",
            tags=("large", "tools"),
            context=131_072,
            family="llama-3.3-70b",
        ),
        ModelSpec(
            "Qwen3-Coder-30B-A3B-Instruct",
            tags=("fast", "tools"),
            context=262_144,
            family="qwen3-coder-30b-a3b",
        ),
        ModelSpec(
            "Qwen2.5-VL-72B-Instruct",
            tags=("large", "vision"),
            context=128_000,
            family="qwen2.5-vl-72b",
        ),
        ModelSpec("Mistral-Nemo-Instruct-2407", tags=("fast",), context=128_000),
        ModelSpec(
            "gpt-oss-20b",
            tags=("fast", "tools", "reasoning"),
            context=128_000,
            family="gpt-oss-20b",
        ),
        ModelSpec(
            "gpt-oss-120b",
            tags=("large", "tools", "reasoning"),
            context=128_000,
            family="gpt-oss-120b",
        ),
        ModelSpec(
            "Qwen3.6-27B",
            tags=("tools", "reasoning"),
            context=131_072,
            family="qwen3.6-27b",
        ),
        ModelSpec(
            "Qwen3.5-397B-A17B",
            tags=("large", "tools", "reasoning"),
            context=131_072,
            family="qwen3.5-397b-a17b",
        ),
    ),
    # Data is neither kept nor shared (OVHcloud's guide to AI Endpoints, 2026-08).
    trains=False,
    chat_exclude=(
        *("bge", "embed", "guard", "whisper", "stable-diffusion", "tts", "parakeet", "rerank"),
    ),
    # Listed by others (2026-08, unconfirmed).
    embedders=(EmbedderSpec("bge-m3", dimensions=1_024, family="bge-m3", longest=8_192),),
)
