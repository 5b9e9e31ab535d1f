"""Groq: fast, with small token allowances per model, counted for the organisation."""

from freelm_integrations.providers.spec import (
    DAY,
    EFFORTS,
    Limit,
    ModelSpec,
    ProviderSpec,
    Reserved,
    Tier,
)
from freelm_integrations.wire.openai import ChatCompletions
from freelm_integrations.wire.refusals.rulebook import rule
from freelm_integrations.wire.requests.schemas import SchemaRules

# console.groq.com/docs/rate-limits, free plan, 2026-10. A day refills steadily: its reset header
# shows minutes, not the time to midnight.
_USUAL = (
    Limit(30, "requests", per=60),
    Limit(8_000, "tokens", per=60),
    Limit(1_000, "requests", per=DAY),
    Limit(200_000, "tokens", per=DAY),
)
_COMPOUND = (
    Limit(30, "requests", per=60),
    Limit(70_000, "tokens", per=60),
    Limit(250, "requests", per=DAY),
)
_ALLAM = (
    Limit(30, "requests", per=60),
    Limit(6_000, "tokens", per=60),
    Limit(7_000, "requests", per=DAY),
)

GROQ = ProviderSpec(
    name="groq",
    title="Groq",
    base_url="https://api.groq.com/openai/v1",
    key_page="https://console.groq.com/keys",
    key_variables=("GROQ_API_KEY", "FREELM_GROQ_KEYS"),
    key_prefixes=("gsk_",),
    # console.groq.com/docs (text-chat, reasoning, tool-use), 2026-10, and live refusals of 2026.
    dialect=ChatCompletions(
        renames={"max_tokens": "max_completion_tokens"},  # the older name is an alias
        # A 400 each; the penalties are taken, and do nothing.
        exclusive={"include_reasoning": "reasoning_format"},
        denied=frozenset(
            {
                *("logprobs", "top_logprobs", "logit_bias", "top_k", "store", "metadata"),
                "reasoning",
            }
        ),
        # Qwen's own default puts its thinking into the answer.
        by_model={"qwen": {"reasoning_format": "parsed"}},
        efforts={
            "gpt-oss": {"none": "low", "minimal": "low", "xhigh": "high", "max": "high"},
            "qwen3.6": {
                **dict.fromkeys(EFFORTS, "default"),
                **dict.fromkeys(("none", "minimal"), "none"),
            },
            "qwen3.8": {"minimal": "low", "xhigh": "high", "max": "high"},
            "compound": dict.fromkeys(EFFORTS),
        },
        less_thinking={
            "gpt-oss": {"reasoning_effort": "low"},
            "qwen": {"reasoning_effort": "none"},
        },
        schema=SchemaRules(closed=True),
        format_with_tools=False,
        format_with_images=False,  # Qwen often fails at it (unconfirmed, 2026)
        json_word=True,
        content_beside_calls="empty",  # its own answers have none; null is untried
        think_tags={"qwen": "think"},  # where its thinking could not be asked for apart
        windows={"requests": DAY, "tokens": 60.0},
        fault_rules=(rule("tool_failed", on=(422,)),),  # what the model wrote, not what was asked
    ),
    # A prompt and a limit larger than the minute's tokens are never let in together (rate limits
    # page, 2026-10); what counts where no limit is named, nothing tells.
    reserves=Reserved(),
    counts_cached=False,  # docs on prompt caching, 2026-10
    tiers={
        "free": Tier(
            each_model=_USUAL,
            by_model={
                **dict.fromkeys(("groq/compound", "groq/compound-mini"), _COMPOUND),
                "allam-2-7b": _ALLAM,  # listed, though not built in
            },
        ),
        "developer": Tier(),
    },
    # console.groq.com/docs/models and live lists, 2026-10. Since the llamas left (2026-08-16) every
    # general model here thinks first; gpt-oss-20b does so briefly.
    models=(
        ModelSpec(
            "openai/gpt-oss-20b",
            tags=("fast", "tools", "json_schema", "reasoning"),
            context=131_072,
            output=65_536,
            family="gpt-oss-20b",
        ),
        ModelSpec(
            "openai/gpt-oss-120b",
            tags=("large", "tools", "json_schema", "reasoning"),
            context=131_072,
            output=65_536,
            family="gpt-oss-120b",
        ),
        ModelSpec(
            "qwen/qwen3.8-27b",
            tags=("tools", "vision", "json_schema", "reasoning"),
            context=131_042,
            output=16_384,
            family="qwen3.8-27b",
        ),
        ModelSpec(
            "qwen/qwen3.6-27b",
            tags=("tools", "vision", "reasoning"),
            context=131_072,
            output=16_384,
            family="qwen3.6-27b",
        ),
        # These run tools of their own, and refuse those of the caller.
        ModelSpec(
            "groq/compound-mini",
            tags=("fast", "reasoning"),
            context=131_072,
            output=8_192,
        ),
        ModelSpec("groq/compound", tags=("reasoning",), context=131_072, output=8_192),
    ),
    # Prompts are not used for training by default (console.groq.com/docs/your-data, 2026-10).
    trains=False,
    at_most={"tools": 128, "stops": 4},  # docs, API reference, 2026-10
    hardly_beyond={"images": 5, "inline": 4_000_000},  # 4 MB as base64 (of older models)
    # Safeguard does chat, but is tuned to judge; the others do not chat at all.
    chat_exclude=("whisper", "orpheus", "tts", "prompt-guard", "safeguard"),
)
