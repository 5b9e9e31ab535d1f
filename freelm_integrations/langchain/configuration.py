"""What a `ChatFreeLLM` is made of: its fields, how they are copied and saved, what traces show."""

# ruff: noqa: TC002
# The annotations of fields are read by pydantic at run time, so their names are imported for good.
from __future__ import annotations

import os
from collections.abc import Iterable
from copy import deepcopy
from typing import TYPE_CHECKING, Any, cast

from langchain_core.language_models.base import LangSmithParams
from langchain_core.language_models.model_profile import ModelProfile
from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator
from typing_extensions import Self, override

from freelm_integrations.langchain.arguments import one_secret, tidied
from freelm_integrations.langchain.clients import Clients
from freelm_integrations.langchain.content import PROVIDER
from freelm_integrations.langchain.profile import LateProfile, late_profile
from freelm_integrations.langchain.retries import RetriedChatModel
from freelm_integrations.version import VERSION

RUN = "freelm_run"
"""The private keyword under which a run travels to the hooks; no trace, cache key or request ever
holds it."""
AFFINITY = "affinity"
"""The keyword under which a call's conversation travels; it tells no two requests apart."""
OPTIONS = (
    "providers",
    "strategy",
    "timeout",
    "attempt_timeout",
    "hedge",
    "wait",
    "on_interrupt",
    "allow_training",
    "free_only",
    "state",
    "on_event",
    "http_client",
    "http_async_client",
    "share",
)
"""Fields that configure the engine; all but these and `api_key` may change without a new one."""
PARAMS = (
    "temperature",
    "max_tokens",
    "top_p",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "reasoning_effort",
    "extra_body",
)
"""Fields that are parameters of every call."""
TOLD = ("model", *PARAMS, "stop", "strategy", "free_only", "allow_training")
"""Fields that tell one model from another in traces and caches."""
SHARED = frozenset(
    {
        "cache",
        "callbacks",
        "engine",
        "http_async_client",
        "http_client",
        "on_event",
        "providers",
        "rate_limiter",
    }
)
"""Fields whose objects a deep copy shares with its original."""
UNPICKLED = frozenset({"api_key", "engine", "http_async_client", "http_client", "on_event"})
"""Fields left out of a pickle: secrets, sockets and functions."""


def _model_from_environment() -> str | list[str]:
    names = [name.strip() for name in os.environ.get("FREELM_MODEL", "").split(",") if name.strip()]
    return names if len(names) > 1 else next(iter(names), "auto")


class ConfiguredChatModel(RetriedChatModel):
    """The fields of `ChatFreeLLM`; nothing is opened, read or asked when one is made."""

    # The validator of this class is never used: building it would be a third of our import.
    model_config = ConfigDict(populate_by_name=True, hide_input_in_errors=True, defer_build=True)

    model: str | list[str] = Field(default_factory=_model_from_environment)
    """Alias, tag, exact id or family, or a list of these in the order to try. Unset:
    `FREELM_MODEL`, else `auto`."""
    temperature: float | None = None
    max_tokens: int | None = None
    """The longest answer, in tokens."""
    top_p: float | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    reasoning_effort: str | None = None
    stop: list[str] | str | None = None
    """Where to stop, unless the call says otherwise."""
    streaming: bool = False
    """Whether `invoke` streams, too; set to False outright, even `stream` does not."""
    extra_body: dict[str, Any] | None = None
    """Merged into every request verbatim: for what only one provider knows."""

    affinity: str | None = None
    """Which conversation the calls belong to: it stays with the model that served it. Unset:
    LangGraph's `thread_id`, if the call has one."""

    api_key: SecretStr | None = None
    """Keys of any providers, with commas between; whose each is, its looks tell. Unset: the
    environment."""
    providers: Any = Field(default=None, exclude=True)
    """`[Groq("key"), ...]`, or provider names. Unset: all whose key variables are set."""
    strategy: str | None = None
    """`quota_aware`, `priority`, `round_robin` or `latency`."""
    timeout: float | None = None
    """Seconds a whole call may take until its first content (60)."""
    attempt_timeout: float | None = None
    """Seconds one attempt may stay silent (30)."""
    max_attempts: int | None = None
    """Tries of one call (12)."""
    max_retries: int | None = None
    """Tries after the first: `max_attempts` counted LangChain's way."""
    hedge: bool | float | None = None
    """A second attempt while the first is silent: adaptive (True), after so many seconds, or
    never."""
    wait: bool | None = None
    """Whether to sleep until a route recovers, inside `timeout`."""
    on_interrupt: str | None = None
    """What follows a cut after the first visible text: `resume` where safe, or `raise`."""
    allow_training: bool | None = None
    """Whether to use free tiers that may train on prompts."""
    free_only: bool | None = None
    """Whether to refuse models known to cost money."""
    state: str | None = None
    """Where counts are kept."""
    on_event: Any = Field(default=None, exclude=True, repr=False)
    """Called with every event of every call, from whichever thread makes it."""
    http_client: Any = Field(default=None, exclude=True, repr=False)
    http_async_client: Any = Field(default=None, exclude=True, repr=False)
    share: bool | None = None
    """Whether models over the same keys share one pool in this process."""
    engine: Any = Field(default=None, exclude=True, repr=False)
    """The clients, shared by every model derived from this one. A field, as `configurable_fields`
    keeps only those."""

    if not TYPE_CHECKING:  # checkers see the fields

        def __init__(self, **given: Any) -> None:
            """Refuse what nobody knows before anything else looks at it."""
            super().__init__(**tidied(given, type(self).model_fields))
            self._clients().check()

    @field_validator("api_key", mode="before")
    @classmethod
    def _join_keys(cls, value: object) -> object:
        return one_secret(value)

    @model_validator(mode="after")
    def _share_engine(self) -> Self:
        clients = self._clients()
        if isinstance(self.profile, LateProfile) and not self.profile.is_for(clients, self.model):
            self.profile = late_profile(clients, self.model)  # derived from a model with another
        return self

    @model_validator(mode="after")
    def _set_freelm_version(self) -> Self:
        self._add_version("freelm-integrations", VERSION)
        return self

    def _clients(self) -> Clients:
        """The clients for these fields: those at hand, or new ones if they are for others."""
        options, api_key = self._options(), self.api_key
        if not (isinstance(self.engine, Clients) and self.engine.is_for(options, api_key)):
            self.engine = Clients(options, api_key)
        return self.engine

    def _options(self) -> dict[str, Any]:
        """The engine's configuration; what is None is left to it."""
        options = {name: value for name in OPTIONS if (value := getattr(self, name)) is not None}
        if self.max_attempts is not None:
            options["max_attempts"] = self.max_attempts
        elif self.max_retries is not None:
            options["max_attempts"] = self.max_retries + 1
        return options

    def __getstate__(self) -> dict[Any, Any]:
        """Everything but secrets, sockets and functions; providers leave their keys behind too."""
        state = super().__getstate__()
        fields = {
            name: None if name in UNPICKLED else value for name, value in state["__dict__"].items()
        }
        return {**state, "__dict__": fields}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        """Take the fields; keys are read from the environment again."""
        super().__setstate__(state)
        self.engine = Clients(self._options())

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """A copy over the same engine, keys included."""
        copied = self.model_copy()
        fields: dict[str, Any] = vars(copied)
        for name, value in self.__dict__.items():
            if name not in SHARED:
                fields[name] = deepcopy(value, memo)
        return copied

    @property
    def _llm_type(self) -> str:
        return "freelm-chat"

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Yes, with `allowed_objects=[ChatFreeLLM], valid_namespaces=["freelm_integrations"]`."""
        return True

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """The package it is imported from."""
        return ["freelm_integrations", "langchain"]

    @property
    def lc_secrets(self) -> dict[str, str]:
        """The keys, as one secret."""
        return {"api_key": "FREELM_API_KEY"}

    @property
    def _identifying_params(self) -> dict[str, Any]:
        """What tells one model from another in traces and caches; providers by name, no key."""
        own: dict[str, Any] = vars(self)
        told = {name: own[name] for name in TOLD if own[name] is not None}
        if self.providers is not None:
            told["providers"] = _names(self.providers)
        return told

    @override
    def _get_invocation_params(
        self, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        kwargs.pop(RUN, None)
        kwargs.pop(AFFINITY, None)
        return {**self._identifying_params, "_type": self._llm_type, "stop": stop, **kwargs}

    @override
    def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str:
        return repr(sorted(self._get_invocation_params(stop, **kwargs).items()))

    @override
    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        model = kwargs.get("model") or self.model
        told = LangSmithParams(
            ls_provider=PROVIDER,
            ls_model_name=model if isinstance(model, str) else ", ".join(model),
            ls_model_type="chat",
        )
        temperature = kwargs.get("temperature", self.temperature)
        if temperature is not None:
            told["ls_temperature"] = temperature
        max_tokens = kwargs.get("max_tokens", self.max_tokens)
        if max_tokens is not None:
            told["ls_max_tokens"] = max_tokens
        if ends := stop or self.stop:
            told["ls_stop"] = [ends] if isinstance(ends, str) else ends
        return told

    @override
    def _resolve_model_profile(self) -> ModelProfile | None:
        return late_profile(self._clients(), self.model)


def _names(providers: object) -> list[str]:
    is_one = isinstance(providers, str) or not isinstance(providers, Iterable)
    listed = cast("Iterable[Any]", [providers] if is_one else providers)
    return [one if isinstance(one, str) else str(getattr(one, "id", one)) for one in listed]
