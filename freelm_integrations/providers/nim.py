"""NVIDIA NIM: a gateway in front of one server per model, each with its own ways."""

from freelm_integrations.providers.spec import (
    EFFORTS,
    EmbedderSpec,
    Limit,
    ModelSpec,
    ProviderSpec,
    Tier,
)
from freelm_integrations.wire.embeddings import ASYMMETRIC, EmbeddingRules
from freelm_integrations.wire.openai import ChatCompletions
from freelm_integrations.wire.requests.schemas import SchemaRules

_THINKS = ("large", "tools", "reasoning")
_THINKING = {"chat_template_kwargs": {"enable_thinking": True}}
_UNTHINKING = {"chat_template_kwargs": {"enable_thinking": False}}

NIM = ProviderSpec(
    name="nim",
    title="NVIDIA NIM",
    base_url="https://integrate.api.nvidia.com/v1",
    key_page="https://build.nvidia.com/settings/api-keys",
    key_variables=("NVIDIA_API_KEY", "NIM_API_KEY", "FREELM_NIM_KEYS"),
    key_prefixes=("nvapi-",),
    # Each model has a server and a schema of its own; what most of them take (docs.api.nvidia.com
    # and client reports, 2026-10). What one refuses beyond that is learnt per model.
    dialect=ChatCompletions(
        renames={"max_completion_tokens": "max_tokens"},
        allowed=frozenset(
            {
                *("temperature", "top_p", "max_tokens", "max_completion_tokens", "stop", "seed"),
                *("frequency_penalty", "presence_penalty"),
                *("parallel_tool_calls", "reasoning_effort", "chat_template_kwargs"),
            }
        ),
        by_model={"llama-3": {"parallel_tool_calls": False}},  # "only supports single tool-calls"
        # Several models' own default is so small that thinking eats it up.
        output_default=4_096,
        thinking_default=8_192,
        # Others take no effort: they are switched in their chat template.
        efforts={
            "gpt-oss": {"none": "low", "minimal": "low", "xhigh": "high", "max": "high"},
            "nemotron-3-super": {
                **dict.fromkeys(EFFORTS, "high"),
                **dict.fromkeys(("minimal", "low"), "low"),
                "none": "none",
            },
            "nemotron-3-ultra": {
                **dict.fromkeys(EFFORTS, "medium"),
                **dict.fromkeys(("high", "xhigh", "max"), "high"),
                "none": "none",
            },
            "deepseek-v4": {"none": None, "minimal": None, "xhigh": "high", "max": "high"},
            "": dict.fromkeys(EFFORTS),
        },
        less_thinking={
            "gpt-oss": {"reasoning_effort": "low"},
            "nemotron-3-super": {"reasoning_effort": "none"},
            "nemotron-3-ultra": {"reasoning_effort": "none"},
            "nemotron-3": _UNTHINKING,
            "qwen": _UNTHINKING,
            "glm": _UNTHINKING,
            "deepseek": {"chat_template_kwargs": {"thinking": False}},
            "kimi": {"chat_template_kwargs": {"thinking": False}},
        },
        more_thinking={
            "nemotron-3": _THINKING,
            "qwen": _THINKING,
            "glm": _THINKING,
            "deepseek": {"chat_template_kwargs": {"thinking": True}},
            "kimi": {"chat_template_kwargs": {"thinking": True}},
        },
        greedy_alone=True,  # refused by some (unconfirmed, 2026)
        quiet_word={"nemotron-nano": "/no_think", "llama-3.3-nemotron": "/no_think"},
        strict_tools=False,
        schema=SchemaRules(recursive=False),  # xgrammar's subset (2026)
        json_word=True,  # `{}` may come back otherwise
        named_roles=frozenset(),
        system_place="first",  # as the templates of Gemma and Mistral want it
        starts_with_user=True,
        alternating=("gemma", "mistral"),
        ends_with_user=("gemma", "mistral"),
        single_calls=("llama-3",),  # "only supports single tool-calls": in the history, too
        content_beside_calls="empty",  # null is a 422 at some
        calls_may_end=True,
        think_tags={"minimax": "think"},
        thinks_aloud=("minimax",),  # sometimes without the opening tag
        # Left out it is null to some of its servers, and null is a 400 (2026-10).
        embeddings=EmbeddingRules(always={"encoding_format": "float"}),
    ),
    # 40 a minute nominally (the site's own display, 2026-10), less on busy models, enforced model
    # by model; 30 leaves room for what else the account spends: no header tells.
    tiers={"free": Tier(each_model=(Limit(30, "requests", per=60),))},
    # Access differs from account to account and ids change monthly. First those that answer without
    # thinking, surest first (Gemma is in two lists of 2026-10, the next three are in one; both
    # llamas were last seen in 2026-08).
    models=(
        ModelSpec(
            "google/gemma-4-31b-it",
            tags=("fast", "large", "tools", "vision"),
            context=262_144,
            family="gemma-4-31b",
        ),
        ModelSpec("stepfun-ai/step-3.7-flash", tags=("fast", "tools"), family="step-3.7-flash"),
        ModelSpec("poolside/laguna-xs-2.1", tags=("fast", "tools"), family="laguna-xs-2.1"),
        ModelSpec("meta/muse-glimmer-30b", tags=("fast", "vision"), family="muse-glimmer-30b"),
        ModelSpec(
            "google/diffusiongemma-26b-a4b-it", tags=("fast",), family="diffusiongemma-26b-a4b"
        ),
        ModelSpec(
            "meta/llama-3.3-70b-instruct",
            tags=("large", "tools"),
            context=131_072,
            family="llama-3.3-70b",
            lacks=("parallel_calls",),  # "only supports single tool-calls" (2026)
        ),
        ModelSpec(
            "meta/llama-3.1-8b-instruct",
            tags=("fast", "small", "tools"),
            context=131_072,
            family="llama-3.1-8b",
            lacks=("parallel_calls",),  # "only supports single tool-calls" (2026)
        ),
        ModelSpec(
            "nvidia/nemotron-3.5-lightning-30b-a3b",
            tags=("fast", "tools", "reasoning"),
            family="nemotron-3.5-lightning",
        ),
        ModelSpec(
            "openai/gpt-oss-20b",
            tags=("fast", "tools", "reasoning"),
            context=131_072,
            family="gpt-oss-20b",
        ),
        ModelSpec("openai/gpt-oss-120b", tags=_THINKS, context=131_072, family="gpt-oss-120b"),
        ModelSpec(
            "nvidia/nemotron-3-super-120b-a12b",
            tags=_THINKS,
            context=1_000_000,
            family="nemotron-3-super-120b",
        ),
        ModelSpec(
            "nvidia/nemotron-3-ultra-550b-a55b",
            tags=_THINKS,
            context=1_000_000,
            family="nemotron-3-ultra-550b",
        ),
        ModelSpec(
            "nvidia/nemotron-3-nano-omni-30b-a3b-reasoning",
            tags=("vision", "reasoning"),
            family="nemotron-3-nano-omni-30b",
        ),
        ModelSpec(
            "deepseek-ai/deepseek-v4.1-flash",
            tags=_THINKS,
            context=1_000_000,
            family="deepseek-v4.1-flash",
        ),
        ModelSpec(
            "deepseek-ai/deepseek-v4-pro-0813",
            tags=_THINKS,
            context=1_000_000,
            family="deepseek-v4-pro",
        ),
        ModelSpec("moonshotai/kimi-k3", tags=_THINKS, family="kimi-k3"),
        ModelSpec("z-ai/glm-5.3", tags=_THINKS, family="glm-5.3"),
        ModelSpec("minimaxai/minimax-m3", tags=_THINKS, family="minimax-m3"),
    ),
    # Trial terms: NVIDIA logs use to improve its products (as quoted by gateways, 2026-10).
    trains=True,
    throttled_models=3,  # no header, no wait: then it is the account's minute (clients, 2026-08)
    patience=1.5,  # a stream opens at once, and may then be silent for minutes (2026)
    at_most={"inline": 26_214_400},  # bytes of a whole request: a 400 beyond (2026-09)
    # Grammars of vLLM and others have no end then (sheet of 2026-11).
    hardly_beyond={"recursions": 0, "links": 0},  # links: only data URIs are documented
    images=frozenset({"png", "jpeg"}),  # model pages, 2026-10
    # Most of the listed rows do not chat (sheet of 2026-11).
    chat_exclude=(
        *("embed", "rerank", "reward", "guard", "safety", "nemoretriever", "parse", "ocr", "clip"),
        *("vista", "detector", "translate", "riva", "tts", "asr", "cosmos", "flux"),
        *("stable-diffusion", "usd", "calibration", "bge", "topic-control"),
    ),
    # docs.api.nvidia.com retrieval models, 2026-10; batches of 50 to 100 pass (unconfirmed). Texts
    # that are too long are refused, as nobody asks for them to be cut (`truncate`).
    embedders=(
        EmbedderSpec(
            "nvidia/llama-nemotron-embed-1b-v2",
            tags=(ASYMMETRIC,),
            dimensions=2_048,
            sizes=(1_024, 768, 512, 384),
            family="llama-nemotron-embed-1b-v2",
            batch=50,
            longest=8_192,
        ),
        EmbedderSpec("baai/bge-m3", dimensions=1_024, family="bge-m3", batch=50, longest=8_192),
        EmbedderSpec(
            "nvidia/llama-nemotron-embed-vl-1b-v2",
            tags=(ASYMMETRIC,),
            dimensions=2_048,
            family="llama-nemotron-embed-vl-1b-v2",
            batch=50,
        ),
        EmbedderSpec(
            "nvidia/nv-embed-v1",
            tags=(ASYMMETRIC,),
            dimensions=4_096,
            family="nv-embed-v1",
            batch=50,
        ),
        EmbedderSpec(
            "nvidia/nv-embedqa-e5-v5",
            tags=(ASYMMETRIC,),
            dimensions=1_024,
            family="nv-embedqa-e5-v5",
            batch=50,
            longest=512,
        ),
    ),
)
