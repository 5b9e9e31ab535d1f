"""Google AI Studio: Gemini and Gemma over the OpenAI-shaped surface of the Gemini API."""

from freelm_integrations.providers.spec import DAY, Limit, ModelSpec, ProviderSpec, Tier
from freelm_integrations.wire.openai import ChatCompletions


def _gemini(model: str, *tags: str, limits: tuple[Limit, ...], free: bool = True) -> ModelSpec:
    """A Gemini: all current ones are alike in size and skill (ai.google.dev models, 2026-09)."""
    tags = (*tags, "tools", "vision", "json_schema")
    return ModelSpec(model, tags=tags, context=1_048_576, output=65_536, limits=limits, free=free)


def _gemma(model: str, family: str, tag: str) -> ModelSpec:
    """A Gemma: open weights; here it always thinks, inside its answer (sheet of 2026-11)."""
    tags = (tag, "tools", "vision", "reasoning")
    return ModelSpec(model, tags=tags, context=262_144, output=32_768, family=family, limits=_OPEN)


def _quota(per_minute: int, per_day: int, tokens_per_minute: int) -> tuple[Limit, ...]:
    """A model's free allowance per project; the day ends at midnight in California."""
    return (
        Limit(per_minute, "requests", per=60),
        Limit(tokens_per_minute, "input_tokens", per=60),
        Limit(per_day, "requests", per=DAY, resets="pacific_day"),
    )


# Google publishes none of these: as seen in error bodies and usage pages, 2026-07 to 2026-10.
_LITE = _quota(15, 500, 250_000)
_FLASH = _quota(5, 20, 250_000)
_OPEN = _quota(15, 1_500, 15_000)  # sources differ (up to 30 and 14,400): the lower of each
_NEVER = _quota(0, 0, 0)

GOOGLE = ProviderSpec(
    name="google",
    title="Google AI Studio",
    base_url="https://generativelanguage.googleapis.com/v1beta/openai",
    key_page="https://aistudio.google.com/apikey",
    key_variables=(
        "GEMINI_API_KEY",
        "GOOGLE_API_KEY",
        "GOOGLE_AI_STUDIO_KEY",
        "FREELM_GOOGLE_KEYS",
    ),
    # AI Studio issues only AQ. keys since 2026-05-28; AIza ones were to end in 2026-09.
    key_prefixes=("AQ.", "AIza"),
    dialect=ChatCompletions(),
    tiers={"free": Tier(each_model=_FLASH), "paid": Tier()},
    models=(
        _gemini("gemini-3.1-flash-lite", "fast", limits=_LITE),  # shuts down 2027-05-07
        _gemini("gemini-3.5-flash-lite", "fast", "reasoning", limits=_LITE),
        _gemma("gemma-4-26b-a4b-it", "gemma-4-26b-a4b", "fast"),
        _gemini("gemini-3.8-flash", "large", "reasoning", limits=_FLASH),
        _gemini("gemini-3.7-flash", "large", "reasoning", limits=_FLASH),
        _gemini("gemini-3.6-flash", "large", "reasoning", limits=_FLASH),
        _gemini("gemini-3.5-flash", "large", "reasoning", limits=_FLASH),
        _gemini("gemini-3-flash-preview", "large", "reasoning", limits=_FLASH),
        _gemma("gemma-4-31b-it", "gemma-4-31b", "large"),
        # `limit: 0` on the free tier (error bodies of 2026); 2.5-pro shuts down 2026-12-01.
        _gemini("gemini-3.1-pro-preview", "large", "reasoning", limits=_NEVER, free=False),
        _gemini("gemini-2.5-pro", "large", "reasoning", limits=_NEVER, free=False),
    ),
    # Free prompts may be read and used to improve products (Gemini API terms, 2026-09).
    trains=True,
    chat_include=("gemini-", "gemma-"),
    chat_exclude=(
        *("embedding", "tts", "image", "live", "audio", "veo", "imagen", "lyria", "aqa"),
        *("robotics", "computer-use"),
    ),
)
