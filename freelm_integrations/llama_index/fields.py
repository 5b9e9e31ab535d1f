"""The fields of the model: the arguments of every client, and those LlamaIndex users know."""

from __future__ import annotations

from typing import Any

from llama_index.core.constants import DEFAULT_TEMPERATURE
from llama_index.core.llms.function_calling import FunctionCallingLLM
from pydantic import Field, field_serializer, field_validator

from freelm_integrations.errors import ConfigError
from freelm_integrations.llama_index.counting import checked_tokenizer
from freelm_integrations.llama_index.portable import described, restored
from freelm_integrations.nearest import unknown


class ModelFields(FunctionCallingLLM):
    """What can be set. What runs, or could hold a secret, is left out of dumps and reprs."""

    model: str | list[str] = Field(
        default="auto",
        description="Alias, tag, exact id or family, or several of these in the order to try. "
        "With `auto`, FREELM_MODEL decides if it is set.",
    )
    temperature: float | None = Field(
        default=DEFAULT_TEMPERATURE,
        description="Sampling temperature; None leaves it to the provider.",
        ge=0.0,
        le=2.0,
    )
    max_tokens: int | None = Field(
        default=None, description="The longest answer, in tokens; None: the provider's.", gt=0
    )
    top_p: float | None = Field(default=None, description="Nucleus sampling share.", gt=0, le=1)
    stop: str | list[str] | None = Field(default=None, description="Where an answer ends.")
    seed: int | None = Field(default=None, description="Seed, where the provider has one.")
    additional_kwargs: dict[str, Any] = Field(
        default_factory=dict, description="More chat-completions parameters for every call."
    )
    context_window: int | None = Field(
        default=None,
        description="Tokens of prompt and answer to plan for; None: the smallest window among "
        "the routes of `model`. A longer request is still sent where it fits.",
        gt=0,
    )
    is_function_calling_model: bool | None = Field(
        default=None, description="Whether to use tools; None: if any route can."
    )
    should_use_structured_outputs: bool = Field(
        default=False,
        description="Ask for structured answers by `response_format`, not by a forced tool call.",
    )
    tokenizer: Any = Field(
        default=None,
        exclude=True,
        repr=False,
        description="A function from a text to its tokens, or an object with `encode`: counts "
        "where a provider did not, as an estimate. None: then nothing is counted.",
    )
    providers: Any = Field(
        default=None,
        repr=False,
        description='`Groq("key")` and so on, or names; None: all with a key in the environment.',
    )
    strategy: str | None = Field(
        default=None,
        description="priority, round_robin, quota_aware or latency; None: FREELM_STRATEGY, else "
        "quota_aware.",
    )
    timeout: float | None = Field(
        default=None, description="Seconds a whole call may take to its first content; None: 60."
    )
    attempt_timeout: float | None = Field(
        default=None, description="Seconds one attempt may stay silent; None: 30."
    )
    max_attempts: int | None = Field(default=None, description="Tries of one call; None: 12.")
    hedge: bool | float | None = Field(
        default=None,
        description="A second attempt while the first is silent: adaptive (None, True), after so "
        "many seconds, or never (False).",
    )
    wait: bool | None = Field(
        default=None, description="Sleep until a route recovers, inside `timeout`; None: False."
    )
    on_interrupt: str | None = Field(
        default=None,
        description="What follows a cut after the first text: resume or raise; None: resume.",
    )
    allow_training: bool | None = Field(
        default=None,
        description="Use free tiers that may train on prompts; None: FREELM_ALLOW_TRAINING, "
        "else True.",
    )
    free_only: bool | None = Field(
        default=None, description="Refuse models known to cost money; None: True."
    )
    state: str | None = Field(
        default=None, description="Where counts are kept; None: FREELM_STATE, else the default."
    )
    share: bool | None = Field(
        default=None,
        description="Share one pool with other clients over the same keys; None: True.",
    )
    on_event: Any = Field(
        default=None, exclude=True, repr=False, description="A function told every event."
    )
    http_client: Any = Field(
        default=None, exclude=True, repr=False, description="An httpx.Client to use."
    )
    http_async_client: Any = Field(
        default=None, exclude=True, repr=False, description="An httpx.AsyncClient to use."
    )

    def __init__(self, **data: Any) -> None:
        """Refuse unknown arguments with a ConfigError that names the nearest known one."""
        fields = type(self).model_fields
        for name in data:
            if name not in fields:
                raise ConfigError(unknown("argument", name, fields))
        # None means not given, as users of other integrations write it; only for the temperature
        # it is a value of its own.
        given = {
            name: value
            for name, value in data.items()
            if value is not None or name == "temperature"
        }
        super().__init__(**given)

    @field_validator("tokenizer")
    @classmethod
    def _check_tokenizer(cls, tokenizer: object) -> object:
        return checked_tokenizer(tokenizer)

    @field_validator("providers", mode="before")
    @classmethod
    def _revive_providers(cls, providers: object) -> object:
        return restored(providers)

    @field_serializer("providers")
    def _describe_providers(self, providers: object) -> object:
        return described(providers)

    @classmethod
    def class_name(cls) -> str:
        """The tag of serialised models; never changes."""
        return "freelm_llm"
