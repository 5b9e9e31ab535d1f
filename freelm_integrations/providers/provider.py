"""The providers users make: the six, further ones, any other endpoint, a model of one's own."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import Never

from freelm_integrations.errors import ConfigError
from freelm_integrations.providers import PROVIDERS
from freelm_integrations.providers.address import checked_base_url, place_of
from freelm_integrations.providers.configured import Provider
from freelm_integrations.providers.further import (
    ZAI,
    Cloudflare,
    Cohere,
    HuggingFace,
    Kilo,
    OVHcloud,
)
from freelm_integrations.providers.keys import Key
from freelm_integrations.providers.options import refuse_unexpected, variable_of
from freelm_integrations.providers.spec import ModelSpec, ProviderSpec
from freelm_integrations.wire.openai import ChatCompletions

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from freelm_integrations.providers.keys import KeysArgument
    from freelm_integrations.providers.options import ModelsArgument
    from freelm_integrations.providers.spec import Limit

__all__ = [
    "NIM",
    "ZAI",
    "Cerebras",
    "Cloudflare",
    "Cohere",
    "GoogleAIStudio",
    "Groq",
    "HuggingFace",
    "Key",
    "Kilo",
    "Local",
    "Mistral",
    "OVHcloud",
    "OpenAICompatible",
    "OpenRouter",
    "Provider",
]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
EMBEDDED_CONTEXT = 4096
"""Tokens an embedded model is loaded for unless told otherwise (the default of `embedded`)."""


class OpenRouter(Provider):
    """OpenRouter's free models: `OpenRouter("sk-or-...")`."""

    spec = PROVIDERS["openrouter"]


class GoogleAIStudio(Provider):
    """Gemini and Gemma on a Google AI Studio key, over its OpenAI-shaped endpoint."""

    spec = PROVIDERS["google"]


class NIM(Provider):
    """NVIDIA's hosted NIM: `NIM("nvapi-...")`."""

    spec = PROVIDERS["nim"]


class Groq(Provider):
    """Groq: `Groq("gsk_...")`."""

    spec = PROVIDERS["groq"]


class Cerebras(Provider):
    """Cerebras: `Cerebras("csk-...")`. Its keys spend a credit since 2026-08."""

    spec = PROVIDERS["cerebras"]


class Mistral(Provider):
    """Mistral's own API: `Mistral("...")`."""

    spec = PROVIDERS["mistral"]


class OpenAICompatible(Provider):
    """Any other endpoint that speaks chat completions."""

    def __init__(
        self,
        name: str,
        base_url: str,
        keys: KeysArgument = None,
        models: ModelsArgument | None = None,
        *,
        prefer: str | Iterable[str] = (),
        priority: int = 0,
        limits: Iterable[Limit] | None = None,
        account: str | None = None,
        discover: bool = True,
        trains: bool | None = None,
        **unexpected: Never,
    ) -> None:
        """Declare and configure it in one go; see `Provider` for what is not said here.

        Args:
            name: What it is called in events, errors and variables: letters, digits, `-` and `_`.
            base_url: Its address up to what comes before `/chat/completions`.
            keys: None: those of `FREELM_<NAME>_KEYS`. Without any, no Authorization is sent.
            models: What to use; recommended, as an unknown endpoint's list says little.
            prefer: See `Provider`.
            priority: See `Provider`.
            limits: See `Provider`; none are known otherwise.
            account: See `Provider`.
            discover: See `Provider`.
            trains: Whether it may train on prompts; `allow_training=False` leaves it out unless
                this is False.
            **unexpected: See `Provider`.

        Raises:
            ConfigError: The name is taken or is none, or see `Provider`.
        """
        refuse_unexpected(type(self), unexpected)
        vars(self)["spec"] = _undeclared(name, base_url, trains=trains)
        super().__init__(
            keys,
            base_url=base_url,
            models=models,
            prefer=prefer,
            priority=priority,
            limits=limits,
            account=account,
            discover=discover,
        )
        # A name is anybody's choice: what is known of one address is not to be told of another.
        vars(self)["id"] = f"{self.name}@{place_of(self.base_url)}"


class Local(Provider):
    """A model on this machine or network: a server by its URL, or a GGUF file served in process.

    What is not given comes from `FREELM_LOCAL_BASE_URL`, else `FREELM_LOCAL_GGUF`, else it is the
    embedded model that is at hand, else Ollama at its usual port.
    """

    spec = PROVIDERS["local"]

    def __init__(
        self,
        base_url: str | None = None,
        *,
        gguf: str | PathLike[str] | None = None,
        models: ModelsArgument | None = None,
        context: int = EMBEDDED_CONTEXT,
        prefer: str | Iterable[str] = (),
        priority: int | None = None,
        keys: KeysArgument = (),
        discover: bool = True,
        name: str = "local",
        **unexpected: Never,
    ) -> None:
        """Name a server or a file; nothing is opened yet.

        Args:
            base_url: Of Ollama (`http://localhost:11434/v1`), llama.cpp, LM Studio and the like.
            gguf: A model file to serve in process; needs the extra `freelm-integrations[local]`.
            models: See `Provider`.
            context: Tokens of prompt and answer together to load an embedded model for; a server
                has its own.
            prefer: See `Provider`.
            priority: See `Provider`. None: 100, which makes it the last resort.
            keys: Only where the server was started with one.
            discover: See `Provider`.
            name: What it is called in completions, errors and `model="name/..."`, to tell several
                of them apart.
            **unexpected: See `Provider`.

        Raises:
            ConfigError: Both a URL and a file are given, or see `Provider`.
        """
        refuse_unexpected(type(self), unexpected)
        file = None if gguf is None else Path(gguf).expanduser()
        if base_url is not None and file is not None:
            raise ConfigError("Local takes a base_url or a gguf file, not both: make two of them")
        if base_url is None and file is None:
            file = _file_at_hand(self.spec)
        if file is not None:
            models = models or (ModelSpec(file.stem, context=context),)
        super().__init__(
            keys,
            base_url=base_url,
            models=models,
            prefer=prefer,
            priority=priority,
            discover=discover,
        )
        vars(self).update(_file=file, _context=context)
        if name != self.spec.name:
            at = f"@{place_of(self.base_url)}"
            vars(self).update(name=_checked_name(name), id=f"{name}{at}")
        if file is not None:
            self._be_embedded()

    def start(self) -> None:
        """Load the model if it is an embedded one: `base_url` is known from then on.

        Blocks while the file is read; event loops do it in a thread. Harmless when repeated.

        Raises:
            ConfigError: The extra is missing, or the file is no model.
        """
        file: Path | None = vars(self)["_file"]
        if file is None:
            return
        from freelm_integrations.embedded import (  # noqa: PLC0415 - few serve a model
            EmbeddedServer,
            shared_server,
        )

        context: int = vars(self)["_context"]
        if context == EMBEDDED_CONTEXT:
            vars(self)["base_url"] = shared_server(file).base_url
        else:
            server: EmbeddedServer = vars(self).get("_server") or vars(self).setdefault(
                "_server", EmbeddedServer(file, context=context)
            )
            vars(self)["base_url"] = server.start()

    def _be_embedded(self) -> None:
        """Be known by the file; where it is served shows once it is started."""
        vars(self).update(
            id=f"{self.name}@{vars(self)['_file'].name}",
            base_url="",
            # Its server closes after a stream without saying so: a kept connection is a dead one.
            headers={**self.headers, "connection": "close"},
            dialect=_EMBEDDED,
        )

    def _portable(self) -> dict[str, Any]:
        state = super()._portable()
        state.pop("_server", None)
        return state if state["_file"] is None else {**state, "base_url": ""}


# llama.cpp goes on from a trailing assistant message (its server's docs, 2026-08). What else may
# stand behind a local URL cannot be known.
_EMBEDDED = replace(cast("ChatCompletions", PROVIDERS["local"].dialect), continuing={"": "plainly"})


def _file_at_hand(spec: ProviderSpec) -> Path | None:
    """The file to serve where no server is named: the variable's, else the bundled one."""
    if variable_of(spec, "BASE_URL") is not None:
        return None
    if (named := variable_of(spec, "GGUF")) is not None:
        return Path(named).expanduser()
    from freelm_integrations.embedded import find_gguf, is_available  # noqa: PLC0415 - see `start`

    return find_gguf() if is_available() else None


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"provider name {name!r} is not made of letters, digits, '-' and '_'")
    if name.lower() in PROVIDERS:
        raise ConfigError(
            f"{name!r} is a declared provider: use its own class with base_url=..., or another name"
        )
    return name


def _undeclared(name: str, base_url: str, *, trains: bool | None) -> ProviderSpec:
    """What can be said of a provider nobody declared: hardly anything, so everything is allowed."""
    variable = f"FREELM_{_checked_name(name).upper().replace('-', '_')}_KEYS"
    return ProviderSpec(
        name=name,
        title=name,
        base_url=checked_base_url(base_url, owner=name),
        key_page="",
        key_variables=(variable,),
        needs_key=False,
        dialect=ChatCompletions(),
        models=(),
        trains=trains,
        chat_exclude=("embed", "rerank", "whisper", "tts"),
    )
