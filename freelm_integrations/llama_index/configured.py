"""The configured model: its clients, its copies, and what it says of itself without asking."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from llama_index.core.base.llms.types import LLMMetadata
from pydantic import PrivateAttr
from typing_extensions import Self

from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.errors import FreeLLMError
from freelm_integrations.llama_index.fields import ModelFields
from freelm_integrations.llama_index.portable import without_keys

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freelm_integrations.chat import Json
    from freelm_integrations.client import AsyncFreeLLM, FreeLLM
    from freelm_integrations.settings import Options

OPTIONS = frozenset(
    {
        *("providers", "model", "strategy", "timeout", "attempt_timeout", "max_attempts", "hedge"),
        *("wait", "on_interrupt", "allow_training", "free_only", "state", "share"),
        *("on_event", "http_client", "http_async_client"),
    }
)
"""Fields that configure the engine: every argument of the core clients."""
LIVE = (
    *("on_event", "http_client", "http_async_client", "callback_manager", "rate_limiter"),
    "tokenizer",
)
"""Fields that hold something running: shared by copies, left out of pickles if they must be."""
UNKNOWN_WINDOW = 8192
"""Tokens assumed while no model's window is known: small enough for every free model of 2026-11."""
ABILITIES = frozenset({"tools", "vision", "json_schema"})
"""Tags that say what a model can do."""
REACH_LASTS = 5.0
"""Seconds: catalogs change rarely, and this is asked on every call."""
_CONNECTING = Lock()


class _Listed(Protocol):
    """What is looked at in a listed model."""

    @property
    def provider(self) -> str: ...
    @property
    def tags(self) -> tuple[str, ...]: ...


def _may_call_tools(models: Iterable[_Listed]) -> bool:
    """Whether any can, as routing sees it: where no model tells its abilities, all may."""
    told: dict[str, set[str]] = {}
    for model in models:
        told.setdefault(model.provider, set()).update(ABILITIES.intersection(model.tags))
    return not told or any(not tags or "tools" in tags for tags in told.values())


class _Reach(NamedTuple):
    """What the pool could serve when we last looked; good until then, on the call's clock."""

    window: int
    has_tools: bool
    until: float


class ConfiguredLLM(ModelFields):
    """Everything about `LlamaIndexFreeLLM` but its calls."""

    _clients: tuple[FreeLLM, AsyncFreeLLM] | None = PrivateAttr(default=None)
    _known_reach: _Reach | None = PrivateAttr(default=None)

    def __init__(self, **data: Any) -> None:
        """Check every argument; nothing is opened, read or sent.

        Raises:
            ConfigError: an argument is unknown or makes no sense; the message names the nearest
                that does.
        """
        super().__init__(**data)
        self._connected()

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
            # The engine takes as long to import as all else here: who only imports need not wait.
            from freelm_integrations.client import FreeLLM  # noqa: PLC0415

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
        if not name.startswith("_"):
            self._known_reach = None

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
        """What one call passes to the core client: `params` over the fields, without the Nones."""
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
        if "max_completion_tokens" in params:
            options.pop("max_tokens", None)
        if options["model"] == "auto":
            del options["model"]
        return {name: value for name, value in options.items() if value is not None}

    # What it says about itself

    @property
    def metadata(self) -> LLMMetadata:
        """What the pool can serve, as far as is known without asking; cheap, and never raises."""
        window = self._reach().window
        return LLMMetadata(
            context_window=window,
            num_output=-1 if self.max_tokens is None else min(self.max_tokens, window - 1),
            is_chat_model=True,
            is_function_calling_model=self._reach().has_tools,
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

    def _reach(self) -> _Reach:
        reach = self._known_reach
        now = SYSTEM_CLOCK.now()
        if reach is None or now >= reach.until:
            reach = self._known_reach = self._look(until=now + REACH_LASTS)
        return reach

    def _look(self, *, until: float) -> _Reach:
        window, has_tools = self.context_window, self.is_function_calling_model
        try:
            client = self.client
            if window is None:
                window = client.context_window(self.model)
            if has_tools is None:
                has_tools = _may_call_tools(client.models())
        except FreeLLMError:  # no key, an unknown name: the call itself will say so
            has_tools = True if has_tools is None else has_tools
        return _Reach(UNKNOWN_WINDOW if window is None else window, has_tools, until)

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
        twin = self._unconnected()
        twin.providers = without_keys(self.providers)
        return super(ConfiguredLLM, twin).__getstate__()

    def _unconnected(self) -> Self:
        twin = self.model_copy()
        twin._clients = None  # noqa: SLF001 - our own
        return twin
