"""The configured model: its fields, its clients, and what it says of itself without asking."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

from llama_index.core.base.llms.types import LLMMetadata
from llama_index.core.constants import DEFAULT_TEMPERATURE
from llama_index.core.llms.function_calling import FunctionCallingLLM
from pydantic import Field, PrivateAttr, field_serializer, field_validator
from typing_extensions import Self

from freelm_integrations.client import AsyncFreeLLM, FreeLLM
from freelm_integrations.errors import ConfigError, FreeLLMError
from freelm_integrations.llama_index.portable import described, restored
from freelm_integrations.nearest import unknown
from freelm_integrations.settings import Options

if TYPE_CHECKING:
    from freelm_integrations.chat import Json

OPTIONS = frozenset(Options.__annotations__)
LIVE = ("on_event", "http_client", "http_async_client", "callback_manager", "rate_limiter")
"""Fields that hold something running: shared by copies, left out of pickles if they must be."""
UNKNOWN_WINDOW = 8192
"""Tokens assumed while no model's window is known: small enough for every free model of 2026-11."""
_CONNECTING = Lock()


class ConfiguredLLM(FunctionCallingLLM):
    """Everything about `LlamaIndexFreeLLM` but its calls."""

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

    _clients: tuple[FreeLLM, AsyncFreeLLM] | None = PrivateAttr(default=None)

    def __init__(self, **data: Any) -> None:
        """Check every argument; nothing is opened, read or sent.

        Raises:
            ConfigError: an argument is unknown or makes no sense; the message names the nearest
                that does.
        """
        fields = type(self).model_fields
        for name in data:
            if name not in fields:
                raise ConfigError(unknown("argument", name, fields))
        super().__init__(**data)
        self._connected()

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

    # Clients

    @property
    def client(self) -> FreeLLM:
        """The blocking core client of this model."""
        return self._connected()[0]

    @property
    def async_client(self) -> AsyncFreeLLM:
        """The asyncio core client, over the same pool; serves any number of event loops."""
        return self._connected()[1]

    def _connected(self) -> tuple[FreeLLM, AsyncFreeLLM]:
        clients = self._clients
        if clients is None:
            with _CONNECTING:
                if (clients := self._clients) is None:
                    client = FreeLLM(**self._options())
                    clients = self._clients = (client, client.to_async())
        return clients

    def _options(self) -> Options:
        given: Json = {name: getattr(self, name) for name in OPTIONS}
        if given["model"] == "auto":
            given["model"] = None
        options: Options = given  # type: ignore[assignment]  # names and values are checked there
        return options

    def __setattr__(self, name: str, value: Any) -> None:
        """Assign; a changed option takes effect with the next call."""
        super().__setattr__(name, value)
        if name in OPTIONS:
            self._clients = None

    def close(self) -> None:
        """Close idle connections of blocking calls; a later call opens new ones."""
        if self._clients is not None:
            self._clients[0].close()

    async def aclose(self) -> None:
        """Close idle connections of blocking calls and of the running loop."""
        if self._clients is not None:
            self._clients[0].close()
            await self._clients[1].aclose()

    def __enter__(self) -> Self:
        """The model itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
        self.close()

    async def __aenter__(self) -> Self:
        """The model itself."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close it."""
        await self.aclose()

    # Calls

    def call_options(self, params: Json) -> Json:
        """What one call passes to the core client: `params` over the fields, without the Nones.

        `extra_headers` are not sent: they ask something of one provider, and any may answer.
        """
        options: Json = {
            "model": self.model,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "top_p": self.top_p,
            "stop": self.stop,
            "seed": self.seed,
            **self.additional_kwargs,
            **params,
        }
        options.pop("extra_headers", None)
        if "max_completion_tokens" in params:
            options.pop("max_tokens", None)
        if options["model"] == "auto":
            del options["model"]
        return {name: value for name, value in options.items() if value is not None}

    # What it says about itself

    @property
    def metadata(self) -> LLMMetadata:
        """What the pool can serve, as far as is known without asking; cheap, and never raises."""
        window, has_tools = self._reach()
        return LLMMetadata(
            context_window=window,
            num_output=-1 if self.max_tokens is None else min(self.max_tokens, window - 1),
            is_chat_model=True,
            is_function_calling_model=has_tools,
            model_name=self.model if isinstance(self.model, str) else ",".join(self.model),
        )

    def to_payload(self) -> Json:
        """What observers are told about the model: its metadata, `model` and `temperature`."""
        metadata = self.metadata
        return {
            "class_name": self.class_name(),
            **metadata.model_dump(),
            "model": metadata.model_name,
            "temperature": self.temperature,
        }

    def _reach(self) -> tuple[int, bool]:
        """The window (tokens) to plan for, and whether any route can call tools."""
        window, has_tools = self.context_window, self.is_function_calling_model
        if window is not None and has_tools is not None:
            return window, has_tools
        try:
            client = self.client
            if window is None:
                window = client.context_window(self.model)
            if has_tools is None:
                has_tools = any("tools" in model.tags for model in client.models())
        except FreeLLMError:  # no key, an unknown name: the call itself will say so
            has_tools = True if has_tools is None else has_tools
        return window or UNKNOWN_WINDOW, has_tools

    # Copies

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """An independent copy.

        Shared is what is live: handlers, limiter, HTTP clients and (unless `share=False`) the pool.
        """
        memo = {} if memo is None else memo
        for name in LIVE:
            if (value := getattr(self, name)) is not None:
                memo[id(value)] = value
        return super(ConfiguredLLM, self._unconnected()).__deepcopy__(memo)

    def __getstate__(self) -> Json:
        """Fields without keys and connections: keys come from the environment where it arrives."""
        return super(ConfiguredLLM, self._unconnected()).__getstate__()

    def _unconnected(self) -> Self:
        twin = self.model_copy()
        twin._clients = None  # noqa: SLF001 - our own
        return twin
