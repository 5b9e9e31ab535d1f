"""Z.ai: three of its own flash models for nothing, one call at a time, and slowly.

The international endpoint; keys of the mainland one (open.bigmodel.cn) are others: name it with
`base_url`.
"""

from freelm_integrations.providers.spec import EFFORTS, ModelSpec, ProviderSpec, Tier
from freelm_integrations.wire.openai import ChatCompletions
from freelm_integrations.wire.refusals.rulebook import rule

ZAI = ProviderSpec(
    name="zai",
    title="Z.ai",
    base_url="https://api.z.ai/api/paas/v4",
    key_page="https://z.ai/manage-apikey/apikey-list",
    key_variables=("FREELM_ZAI_KEYS",),
    usual_variables=("ZAI_API_KEY", "Z_AI_API_KEY"),
    # docs.z.ai chat completion and error code pages, 2026; a live capture of 2026-10.
    dialect=ChatCompletions(
        renames={"max_completion_tokens": "max_tokens"},
        allowed=frozenset(
            {
                *("temperature", "top_p", "max_tokens", "max_completion_tokens", "stop"),
                *("thinking", "do_sample", "tool_stream", "user_id", "request_id"),
            }
        ),
        ranges={"temperature": (0.0, 1.0)},
        # Thinking is on by default, and its first byte then takes 40 s, longer than an attempt may
        # be silent. Whoever wants it says `thinking={"type": "enabled"}`; there is no effort. From
        # GLM-5.3 on it cannot be switched off.
        by_model={"glm-4": {"thinking": {"type": "disabled"}}},
        efforts={"glm-4": dict.fromkeys(EFFORTS)},
        less_thinking={"glm-4": {"thinking": {"type": "disabled"}}},
        stream_options=False,  # usage rides on the chunk with the finish reason
        # Dates name no zone. Its own is China's; taken for UTC they would be believed for too long.
        day_zone="Asia/Shanghai",
        finish_words={"model_context_window_exceeded": "length"},
        # Business codes, as strings; those of money, length and unknown models are general rules.
        fault_rules=(
            rule("unauthorized", "key", words="1000 1001 1002 1003 1004 1110 1111 1112 1121"),
            rule("unpaid", "key", words="1309"),  # a plan has ended
            # A plan's week or month is used up until a date that stands in the words.
            rule("throttled", "key", words="1310", retry_after=6 * 3600.0),
            rule("not_on_plan", "route", words="1220 1311"),
            rule("model_gone", "model", words="1221 1222"),
            rule("moderated", "call", words="1301"),
            # Too many at once or too fast on this key: another key may well be served.
            rule("overloaded", "route", on=(429,), words="1302 1303", retry_after=5.0),
            rule("overloaded", "model", on=(429,), words="1312"),
            rule("server_error", "model", words="1234"),
        ),
    ),
    # One call at a time per model is the published limit (2026-08).
    tiers={"free": Tier(at_once=1), "paid": Tier()},
    # Priced Free on docs.z.ai, 2026-08. The last one is being retired. Before GLM-5 the choice of a
    # tool is always left to the model (docs, 2026).
    models=(
        ModelSpec(
            "glm-4.7-flash",
            tags=("fast", "tools"),
            context=200_000,
            output=128_000,
            family="glm-4.7-flash",
            lacks=("forced_tool",),
        ),
        ModelSpec(
            "glm-4.6v-flash",
            tags=("fast", "tools", "vision"),
            context=128_000,
            output=32_000,
            family="glm-4.6v-flash",
            lacks=("forced_tool",),
        ),
        ModelSpec(
            "glm-4.5-flash",
            tags=("fast", "tools"),
            context=128_000,
            output=96_000,
            family="glm-4.5-flash",
            lacks=("forced_tool",),
        ),
    ),
    # Data of its use may serve to improve its products (user agreement, as quoted in 2026).
    trains=True,
    patience=1.5,  # first bytes take 40 s (reports of 2026)
    alike={"glm-4": ModelSpec("glm-4", lacks=("forced_tool",))},
    chat_include=("glm-",),
    chat_exclude=("ocr", "asr", "tts", "image", "voice", "realtime"),
    # Its list does not tell prices: only those declared are known to be free.
    free_suffix=":free",
)
