"""Hugging Face Inference Providers: a router to many hosts, paid from a few cents a month.

A free account has 0.10 USD of credit each month (2026-08). An account with credit bought, or on a
subscription, pays beyond it: that is why only what is known to be cheap is used by itself.
"""

from freelm_integrations.providers.spec import MONTH, Limit, ModelSpec, ProviderSpec, Tier
from freelm_integrations.wire.openai import ChatCompletions
from freelm_integrations.wire.refusals.rulebook import rule

HUGGINGFACE = ProviderSpec(
    name="huggingface",
    title="Hugging Face",
    base_url="https://router.huggingface.co/v1",
    key_page="https://huggingface.co/settings/tokens",
    # The token needs the permission "Make calls to Inference Providers".
    key_variables=("FREELM_HUGGINGFACE_KEYS",),
    usual_variables=("HF_TOKEN",),
    # Live captures and client reports of 2026-10: what an upstream sends passes through unchanged.
    dialect=ChatCompletions(
        less_thinking={"gpt-oss": {"reasoning_effort": "low"}},
        content_beside_calls="empty",  # hosts differ, and null is refused by some (as at NIM)
        calls_may_end=True,
        think_tags={"minimax": "think", "": "think"},
        # The account has switched that upstream off, or none has the model (2026-07).
        fault_rules=(
            rule("not_on_plan", "route", on=(400,), words="model_not_supported"),
            rule("not_on_plan", "route", on=(400,), text=r"model not supported by provider"),
        ),
    ),
    tiers={
        # Ten cents (2026-08) are some hundred calls of these models: an estimate (2026-11), there
        # so that what is left is seen to shrink. The 402 is what counts.
        "free": Tier(shared=(Limit(200, "requests", per=MONTH, resets="utc_month"),)),
        "credit": Tier(),
    },
    # Small or cheap ones. A community list of 2026-08 names the first two, the others are
    # unconfirmed: what is gone from the live list is not asked.
    models=(
        ModelSpec(
            "meta-llama/Llama-3.1-8B-Instruct",
            tags=("fast", "small", "tools"),
            context=131_072,
            family="llama-3.1-8b",
        ),
        ModelSpec(
            "Qwen/Qwen2.5-7B-Instruct",
            tags=("fast", "small", "tools"),
            context=32_768,
            family="qwen2.5-7b",
        ),
        ModelSpec(
            "meta-llama/Llama-3.3-70B-Instruct",
            tags=("large", "tools"),
            context=131_072,
            family="llama-3.3-70b",
        ),
        ModelSpec(
            "openai/gpt-oss-20b",
            tags=("fast", "tools", "reasoning"),
            context=131_072,
            family="gpt-oss-20b",
        ),
        ModelSpec(
            "openai/gpt-oss-120b",
            tags=("large", "tools", "reasoning"),
            context=131_072,
            family="gpt-oss-120b",
        ),
    ),
    # Every upstream has terms of its own (2026-08): taken for a yes.
    trains=True,
    chat_exclude=("embed", "rerank", "guard", "whisper", "flux"),
    patience=1.5,  # an upstream may be loading the model
    # Listed models beyond these are free only where the list says so of an upstream.
    free_suffix=":free",
)
