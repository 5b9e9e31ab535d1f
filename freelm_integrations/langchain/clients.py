"""The core clients behind a chat model: made on first use, shared by its copies, never pickled."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from freelm_integrations.errors import ConfigError, MissingKey
from freelm_integrations.langchain.errors import as_model_error
from freelm_integrations.settings import CLASSES, Settings, guess_provider, with_keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import SecretStr

    from freelm_integrations.client import AsyncFreeLLM, FreeLLM
    from freelm_integrations.settings import Options


class Clients:
    """The blocking client and its async twin over one engine and pool.

    Safe from any thread and event loop.
    """

    def __init__(self, options: Mapping[str, Any], api_key: SecretStr | None = None) -> None:
        """Keep what to make them of; nothing is opened before the first use."""
        self._options = dict(options)
        self._api_key = api_key
        self._lock = Lock()
        self._blocking: FreeLLM | None = None
        self._on_loop: AsyncFreeLLM | None = None

    def is_for(self, options: Mapping[str, Any], api_key: SecretStr | None) -> bool:
        """Whether these are the clients for that configuration."""
        return self._options == options and self._api_key == api_key

    def check(self) -> None:
        """Raise ConfigError for an option that makes no sense; that no key is there is no error."""
        if self._options:
            try:
                Settings.from_options(**cast("Options", self._options))
            except ConfigError as error:
                raise as_model_error(error) from None

    def blocking(self) -> FreeLLM:
        """The blocking client; raises ConfigError for a configuration that makes no sense."""
        if self._blocking is None:
            from freelm_integrations.client import FreeLLM  # noqa: PLC0415 - loads the engine

            with self._lock:
                if self._blocking is None:
                    self._blocking = FreeLLM(**self._checked_options())
        return self._blocking

    def on_loop(self) -> AsyncFreeLLM:
        """The async client over the same engine; raises what `blocking` does."""
        if self._on_loop is None:
            client = self.blocking()
            with self._lock:
                if self._on_loop is None:
                    self._on_loop = client.to_async()
        return self._on_loop

    def close(self) -> None:
        """Close idle connections of blocking calls, if any were opened."""
        if self._blocking is not None:
            self._blocking.close()

    async def aclose(self) -> None:
        """Close idle connections of the running event loop; others may be in use elsewhere."""
        if self._on_loop is not None:
            await self._on_loop.close()

    def _checked_options(self) -> Options:
        if self._api_key is None:
            return cast("Options", self._options)
        return cast("Options", {**self._options, "providers": self._providers(self._api_key)})

    def _providers(self, api_key: SecretStr) -> list[Any]:
        """The providers given, and those the keys belong to."""
        given: Any = self._options.get("providers")
        if isinstance(given, str) and given in CLASSES:
            return [with_keys(given, api_key)]
        by_owner: dict[str, list[str]] = {}
        for key in filter(None, map(str.strip, api_key.get_secret_value().split(","))):
            by_owner.setdefault(_owner(key), []).append(key)
        providers = [with_keys(owner, keys) for owner, keys in by_owner.items()]
        if given is None:
            return providers
        is_several = isinstance(given, (list, tuple))
        return [*providers, *cast("Sequence[Any]", given if is_several else [given])]

    def __repr__(self) -> str:
        """Nothing of the configuration: it may hold secrets."""
        return f"<{type(self).__name__}>"

    def __copy__(self) -> Clients:
        """Itself: that is what it is for."""
        return self

    def __deepcopy__(self, memo: object) -> Clients:
        """Itself."""
        return self

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Leave everything behind; the model makes new ones."""
        return (_nothing, ())


def _owner(key: str) -> str:
    owner = guess_provider(key)
    if owner is None:
        raise MissingKey(
            "api_key holds a key whose provider cannot be told from its looks: pass "
            f"providers='groq' beside it (or another of {', '.join(CLASSES)}), or "
            "providers=[Groq(key)]"
        )
    return owner


def _nothing() -> None:
    return None
