"""Environment and arguments -> validated options. An argument beats the environment; None means not given."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Union, get_args

from typing_extensions import TypeAlias, TypedDict, Unpack

from freelm_integrations.errors import ConfigError
from freelm_integrations.nearest import unknown
from freelm_integrations.providers import PROVIDERS
from freelm_integrations.providers.options import split_words
from freelm_integrations.providers.provider import (
    NIM,
    Cerebras,
    GoogleAIStudio,
    Groq,
    Local,
    Mistral,
    OpenRouter,
    Provider,
)

if TYPE_CHECKING:
    import httpx
    from typing_extensions import Self

    from freelm_integrations.events import Observer

__all__ = ["Options", "Settings", "cache_dir", "guess_provider", "no_key_message"]

Strategy = Literal["priority", "round_robin", "quota_aware", "latency"]
OnInterrupt = Literal["resume", "raise"]
ProvidersArgument: TypeAlias = Union[str, Provider, Sequence[Union[str, Provider]]]

CLASSES: Mapping[str, type[Provider]] = {
    kind.spec.name: kind
    for kind in (Groq, GoogleAIStudio, Mistral, OpenRouter, NIM, Cerebras, Local)
}
"""What a provider's name stands for; in the order of `PROVIDERS`."""
_FALSE = frozenset({"0", "false", "no", "off"})
_TRUE = frozenset({"1", "true", "yes", "on"})


class Options(TypedDict, total=False):
    """Every keyword argument of every client and front end. None, anywhere: not given."""

    providers: ProvidersArgument | None
    """`Groq("key")` and so on, or their names; else all whose key variables are set."""
    model: str | Sequence[str] | None
    """Alias, tag, exact id or family, or several of these in the order to try; else `FREELM_MODEL`, else `auto`."""
    strategy: Strategy | None
    """Who goes next; else `FREELM_STRATEGY`, else `quota_aware`."""
    timeout: float | None
    """Seconds a whole call may take until its first content; 60."""
    attempt_timeout: float | None
    """Seconds one attempt may stay silent; 30."""
    max_attempts: int | None
    """Tries of one call; 12."""
    hedge: bool | float | None
    """A second attempt while the first is silent: adaptive (True), after so many seconds, or never."""
    wait: bool | None
    """Whether to sleep until a route recovers, inside `timeout`; False."""
    on_interrupt: OnInterrupt | None
    """What follows a cut after the first visible text; `resume`."""
    allow_training: bool | None
    """Whether to use free tiers that may train on prompts; else `FREELM_ALLOW_TRAINING`, else True."""
    free_only: bool | None
    """Whether to refuse models known to cost money; True."""
    state: str | None
    """Where counts are kept; else `FREELM_STATE`, else `memory`, the only one there is today."""
    on_event: Observer | None
    """Called with every event, from whichever thread makes the call."""
    http_client: httpx.Client | None
    """Whose transport carries every blocking request."""
    http_async_client: httpx.AsyncClient | None
    """Whose transport carries every asyncio request."""
    share: bool | None
    """Whether clients over the same keys share one pool in this process; True."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options, validated and complete; see `Options` for what each means."""

    providers: tuple[Provider, ...]
    wanted: tuple[str, ...] = ("auto",)
    """`model`, as the names to try in order."""
    strategy: Strategy = "quota_aware"
    timeout: float = 60.0
    attempt_timeout: float = 30.0
    max_attempts: int = 12
    hedge: bool | float = True
    wait: bool = False
    on_interrupt: OnInterrupt = "resume"
    allow_training: bool = True
    free_only: bool = True
    state: str = "memory"
    on_event: Observer | None = None
    http_client: httpx.Client | None = None
    http_async_client: httpx.AsyncClient | None = None
    share: bool = True
    is_local_stand_in: bool = False
    """Whether the local model answers only because no key was found: worth one warning."""

    @classmethod
    def from_options(cls, **options: Unpack[Options]) -> Self:
        """Check what is given, and read the rest from the environment.

        Raises:
            ConfigError: Something is unknown (the message names the nearest valid word), of a wrong
                type or out of range. That no key is found is no error here: `providers` is empty.
        """
        given = {name: value for name, value in options.items() if value is not None}
        for name in given:
            if name not in _CHECKS and name != "providers":
                raise ConfigError(unknown("argument", name, Options.__annotations__))
        values: dict[str, Any] = {**_from_environment(given), **given}
        wanted = values.pop("providers", None)
        checked = {name: _CHECKS[name](name, value) for name, value in values.items()}
        if "model" in checked:
            checked["wanted"] = checked.pop("model")
        if wanted is not None:
            return cls(providers=_named(wanted), **checked)
        providers, is_local_stand_in = _providers_in_environment()
        return cls(providers=providers, is_local_stand_in=is_local_stand_in, **checked)

    @property
    def has_keys(self) -> bool:
        """Whether any provider can be asked at all."""
        return any(provider.keys for provider in self.providers)


def no_key_message() -> str:
    """What to tell a user who has no key: every variable, where a free key is had, and the way without one."""
    declared = [spec for spec in PROVIDERS.values() if spec.needs_key]
    lines = [
        f"  {spec.title}: set {' or '.join(spec.key_variables)} (a key: {spec.key_page})"
        for spec in declared
    ]
    return "\n".join(
        (
            "no key for any provider. Set one of these variables, or pass providers=[Groq('...')]:",
            *lines,
            "  or a model of your own: FREELM_LOCAL_BASE_URL (Ollama, llama.cpp, LM Studio), "
            "FREELM_LOCAL_GGUF (a file),",
            '  or pip install "freelm-integrations[local]"',
        )
    )


def guess_provider(api_key: str) -> str | None:
    """The provider whose keys look like this one, None if none does. The key is only looked at."""
    key = api_key.strip()
    for spec in PROVIDERS.values():
        if key.startswith(spec.key_prefixes):
            return spec.name
    # Mistral's have no prefix: 32 letters and digits (sheet of 2026-11).
    return "mistral" if len(key) == 32 and key.isascii() and key.isalnum() else None


def cache_dir() -> Path:
    """The folder for files of ours: `FREELM_CACHE_DIR`, else the user's cache folder. It may not exist yet."""
    if named := os.environ.get("FREELM_CACHE_DIR", "").strip():
        return Path(named).expanduser()
    # Imported here: only who writes a file needs it.
    from platformdirs import user_cache_path

    return user_cache_path("freelm-integrations", appauthor=False)


def _named(wanted: object) -> tuple[Provider, ...]:
    """The providers of the argument; names become providers keyed from the environment."""
    items: Sequence[object]
    if isinstance(wanted, str):
        items = split_words(wanted)
    elif isinstance(wanted, Sequence):
        items = wanted
    else:
        items = (wanted,)
    if not items:
        message = "providers is empty: name some, or leave it out to use those whose keys are set"
        raise ConfigError(message)
    return tuple(_provider(item) for item in items)


def _provider(item: object) -> Provider:
    if isinstance(item, Provider):
        return item
    if isinstance(item, type) and issubclass(item, Provider):
        message = f"providers holds the class {item.__name__}: write {item.__name__}(...)"
        raise ConfigError(message)
    if not isinstance(item, str):
        raise ConfigError(unknown("provider", item, CLASSES))
    if (kind := CLASSES.get(item.strip().lower())) is not None:
        return kind()
    if (owner := guess_provider(item)) is not None:
        # Nothing of it is shown: it is no name but a key.
        message = f"providers holds what looks like a key: pass {CLASSES[owner].__name__}(key)"
        raise ConfigError(message)
    raise ConfigError(unknown("provider", item, CLASSES))


def _providers_in_environment() -> tuple[tuple[Provider, ...], bool]:
    """Every provider with a key, the local one last if asked for; and whether it only stands in for the others."""
    found = tuple(
        provider for name, kind in CLASSES.items() if name != "local" and (provider := kind()).keys
    )
    if _truth("FREELM_LOCAL", os.environ.get("FREELM_LOCAL", "").strip() or "0"):
        return (*found, Local()), False
    if not found and _is_local_at_hand():
        return (Local(),), True
    return found, False


def _is_local_at_hand() -> bool:
    if os.environ.get("FREELM_LOCAL_BASE_URL") or os.environ.get("FREELM_LOCAL_GGUF"):
        return True
    from freelm_integrations.embedded import is_available

    return is_available()


def _from_environment(given: Mapping[str, object]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, variable in _VARIABLES.items():
        if name not in given and (text := os.environ.get(variable, "").strip()):
            found[name] = _truth(variable, text) if name == "allow_training" else text
    return found


def _truth(variable: str, text: str) -> bool:
    word = text.lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ConfigError(unknown(f"value of {variable}", text, ("1", "0", "true", "false")))


def _flag(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise _wrong(name, "True or False", value)


def _seconds(name: str, value: object) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0:
        return float(value)
    raise _wrong(name, "a number of seconds above 0", value)


def _count(name: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise _wrong(name, "a whole number, 1 or more", value)


def _hedge(name: str, value: object) -> bool | float:
    return value if isinstance(value, bool) else _seconds(name, value)


def _model(name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, Sequence) and all(isinstance(item, str) for item in value):
        if words := split_words(value):
            return words
    raise _wrong(name, "a model name or a list of them", value)


def _callable(name: str, value: object) -> object:
    if callable(value):
        return value
    raise _wrong(name, "a function of one event", value)


def _state(name: str, value: object) -> str:
    if value == "memory":
        return value
    if isinstance(value, str) and value.startswith(("sqlite:", "redis:", "rediss:")):
        kind = value.partition(":")[0]
        message = (
            f'{name} {kind!r} is not there yet: only "memory" is today (it ends with the process)'
        )
        raise ConfigError(message)
    raise _wrong(name, '"memory"', value)


def _one_of(words: tuple[str, ...]) -> Callable[[str, object], str]:
    def check(name: str, value: object) -> str:
        if isinstance(value, str) and value in words:
            return value
        raise ConfigError(unknown(name, value, words))

    return check


def _client(kind: str) -> Callable[[str, object], object]:
    def check(name: str, value: object) -> object:
        # Whoever passes one has imported it; nobody else pays.
        import httpx

        if isinstance(value, getattr(httpx, kind)):
            return value
        raise _wrong(name, f"an httpx.{kind}", value)

    return check


def _wrong(name: str, wanted: str, value: object) -> ConfigError:
    shown = f"{value!r}" if isinstance(value, (int, float)) else f"a {type(value).__name__}"
    return ConfigError(f"{name} takes {wanted}, not {shown}")


_VARIABLES = {
    "strategy": "FREELM_STRATEGY",
    "model": "FREELM_MODEL",
    "state": "FREELM_STATE",
    "allow_training": "FREELM_ALLOW_TRAINING",
}
_CHECKS: Mapping[str, Callable[[str, object], object]] = {
    "model": _model,
    "strategy": _one_of(get_args(Strategy)),
    "timeout": _seconds,
    "attempt_timeout": _seconds,
    "max_attempts": _count,
    "hedge": _hedge,
    "wait": _flag,
    "on_interrupt": _one_of(get_args(OnInterrupt)),
    "allow_training": _flag,
    "free_only": _flag,
    "state": _state,
    "on_event": _callable,
    "http_client": _client("Client"),
    "http_async_client": _client("AsyncClient"),
    "share": _flag,
}
