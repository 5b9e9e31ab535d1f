"""Dialects to test with: the declared ones of all providers, and some with a trait or two each.

The mechanisms are tested on the latter, so that a declaration may change without a test of theirs.
"""

from __future__ import annotations

from freelm_integrations.providers import PROVIDERS
from freelm_integrations.wire.openai import ChatCompletions
from freelm_integrations.wire.refusals.durations import DAY
from freelm_integrations.wire.refusals.rulebook import rule
from freelm_integrations.wire.requests.schemas import SchemaRules

DECLARED: dict[str, ChatCompletions] = {
    name: spec.dialect
    for name, spec in PROVIDERS.items()
    if isinstance(spec.dialect, ChatCompletions)
}
PLAIN = ChatCompletions()

_SAMPLING = frozenset({"temperature", "top_p", "max_tokens", "max_completion_tokens", "stop"})
_LOW_TO_HIGH = {"none": "low", "minimal": "low", "xhigh": "high", "max": "high"}
_LEAKED_THINKING = {"minimax": "think", "": "think"}

OPENROUTER = ChatCompletions(
    developer_role=True,
    text_parts=True,
    extra_key="openrouter",
    # Sent back as they came, even empty; another model's are refused (ai-sdk-provider, 2026-06).
    extra_fields=frozenset({"reasoning_details"}),
    stream_options=False,  # usage always comes
    think_tags=_LEAKED_THINKING,
)

GOOGLE = ChatCompletions(
    # Any other name is a 400 "Unknown name", even with its default value (2026-09).
    allowed=_SAMPLING | {"reasoning_effort", "service_tier"},
    efforts={
        "gemini-2.5-flash": {"xhigh": "high", "max": "high"},
        "gemini-2.5": _LOW_TO_HIGH,
        "gemini-3.8": _LOW_TO_HIGH,
        "gemini-3.1-pro": _LOW_TO_HIGH,
        "": {"none": "minimal", "xhigh": "high", "max": "high"},
    },
    strict_tools=False,
    format_with_tools=False,  # a 400 on 2.x
    schema=SchemaRules(
        inline=True,
        without=frozenset(
            {
                *("$schema", "$id", "$defs", "definitions", "$comment", "$anchor"),
                *("additionalProperties", "patternProperties", "propertyNames", "dependencies"),
                *("if", "then", "else", "not", "allOf", "oneOf", "examples", "prefixItems"),
                *("exclusiveMinimum", "exclusiveMaximum", "multipleOf", "uniqueItems", "contains"),
                *("readOnly", "writeOnly", "deprecated", "dependentSchemas", "dependentRequired"),
            }
        ),
        formats=frozenset({"date-time", "enum", "int32", "int64", "float", "double"}),
        plain_types=True,
    ),
    named_roles=frozenset(),
    extra_key="google",
    signature={"thought_signature": "skip_thought_signature_validator"},
    signed_models=("gemini-3", "-latest"),
    think_tags={"gemma": "thought"},
    day_zone="America/Los_Angeles",
)

NIM = ChatCompletions(
    renames={"max_completion_tokens": "max_tokens"},
    # One server a model, each with a closed schema: only what all of them know.
    allowed=_SAMPLING
    | {
        *("seed", "frequency_penalty", "presence_penalty", "parallel_tool_calls"),
        *("reasoning_effort", "chat_template_kwargs"),
    },
    # Several models stop after very few tokens by default, or think them all away (2026-04).
    output_default=4096,
    thinking_default=8192,
    efforts={
        "nemotron-3-super": {"minimal": "low", "medium": "high", "xhigh": "high", "max": "high"},
        "gpt-oss": _LOW_TO_HIGH,
        "": {"minimal": "low", "xhigh": "high", "max": "high"},
    },
    json_word=True,
    named_roles=frozenset(),
    system_place="first",
    content_beside_calls="empty",
    calls_may_end=True,
    think_tags=_LEAKED_THINKING,
)

GROQ = ChatCompletions(
    renames={"max_tokens": "max_completion_tokens"},
    denied=frozenset(
        {
            *("logprobs", "top_logprobs", "logit_bias", "top_k", "store", "metadata"),
            *("frequency_penalty", "presence_penalty"),  # taken, without effect (2026-07)
        }
    ),
    by_model={"qwen": {"reasoning_format": "parsed"}},
    efforts={
        "gpt-oss": _LOW_TO_HIGH,
        "qwen3.6": dict.fromkeys(("minimal", "low", "medium", "high", "xhigh", "max"), "default"),
        "qwen": {"minimal": "low", "xhigh": "high", "max": "high"},
    },
    format_with_tools=False,
    schema=SchemaRules(closed=True),
    content_beside_calls="omit",
    think_tags=_LEAKED_THINKING,
    # Bare header names: the day's requests and the minute's tokens.
    windows={"requests": DAY, "tokens": 60.0},
    fault_rules=(rule("tool_failed", on=(422,)),),  # what the model wrote, not what was asked
)

CEREBRAS = ChatCompletions(
    renames={"max_tokens": "max_completion_tokens"},
    denied=frozenset(
        {
            *("frequency_penalty", "presence_penalty", "logit_bias", "service_tier"),
            *("prompt_cache_key", "metadata", "store"),
        }
    ),
    # Admission reserves 16,384 tokens of the minute's 30,000 where no limit is sent (2026).
    output_default=4096,
    thinking_default=8192,
    efforts={"gpt-oss": _LOW_TO_HIGH},
    format_with_tools=False,
    schema=SchemaRules(
        without=frozenset({"minItems", "maxItems", "pattern", "format", "minLength", "maxLength"}),
        closed=True,
    ),
    think_tags=_LEAKED_THINKING,
)

MISTRAL = ChatCompletions(
    renames={"max_completion_tokens": "max_tokens", "seed": "random_seed"},
    # The schema is closed: anything else is a 422 (OpenAPI of 2026-08).
    allowed=_SAMPLING
    | {
        *("seed", "presence_penalty", "frequency_penalty", "parallel_tool_calls", "prediction"),
        *("metadata", "safe_prompt", "prompt_cache_key", "service_tier", "reasoning_effort"),
    },
    ranges={"temperature": (0.0, 1.5), "top_p": (0.001, 1.0)},
    efforts={
        "": {"minimal": "none", "low": "none", "medium": "high", "xhigh": "high", "max": "high"}
    },
    forced_choice="any",
    tool_id="alnum9",
    json_word=True,
    named_roles=frozenset({"tool"}),
    system_place="not_after_answer",
    content_beside_calls="empty",
    bridge="OK.",
    prefix_flag="prefix",
    stream_options=False,  # usage comes with the finish reason
)

LOCAL = ChatCompletions(
    renames={"max_completion_tokens": "max_tokens"},  # the new name is ignored in silence (Ollama)
    named_choice=False,
    content_beside_calls="empty",
    think_tags=_LEAKED_THINKING,
)
