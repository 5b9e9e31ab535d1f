"""Environment and arguments -> validated options.

An argument beats the environment; None, anywhere, means not given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from typing_extensions import TypedDict, Unpack

from freelm_integrations.environment import switch, variable
from freelm_integrations.errors import ConfigError
from freelm_integrations.nearest import unknown
from freelm_integrations.pool.ledger.address import MEMORY, Address, file_address, read_address
from freelm_integrations.providers.choice import (
    CLASSES,
    ProvidersArgument,
    guess_provider,
    no_key_message,
    providers_in_environment,
    providers_named,
    with_keys,
)
from freelm_integrations.providers.options import split_words

if TYPE_CHECKING:
    import httpx
    from typing_extensions import Self

    from freelm_integrations.events import Observer
    from freelm_integrations.providers.configured import Provider

__all__ = [
    "CLASSES",
    "Options",
    "Settings",
    "cache_dir",
    "guess_provider",
    "no_key_message",
    "with_keys",
]

Strategy = Literal["priority", "round_robin", "quota_aware", "latency"]
OnInterrupt = Literal["resume", "raise"]
_OPTION_OF = {"wanted": "model"}
STATE_FILE = "state.db"
"""In the cache folder."""


class Options(TypedDict, total=False):
    """Every keyword argument of every client and front end."""

    providers: ProvidersArgument | None
    """`Groq("key")` and so on, or their names; else all whose key variables are set."""
    model: str | Sequence[str] | None
    """Alias, tag, exact id, family, or several in the order to try; else `FREELM_MODEL`, `auto`."""
    strategy: Strategy | None
    """Who goes next; else `FREELM_STRATEGY`, else `quota_aware`."""
    timeout: float | None
    """Seconds a whole call may take until its first content; 60."""
    attempt_timeout: float | None
    """Seconds one attempt may stay silent; 30."""
    max_attempts: int | None
    """Tries of one call; 12."""
    hedge: bool | float | None
    """A second attempt while the first is silent: adaptive (True), after so many s, or never."""
    wait: bool | None
    """Whether to sleep until a route recovers, inside `timeout`; False."""
    on_interrupt: OnInterrupt | None
    """What follows a cut after the first visible text; `resume`."""
    allow_training: bool | None
    """Whether to use tiers that may train on prompts; else `FREELM_ALLOW_TRAINING`, else True."""
    free_only: bool | None
    """Whether to refuse models known to cost money; True."""
    state: str | None
    """Where counts are kept, for other processes and the next ones: `sqlite:///path`,
    `redis://host:port/db`, or `memory` for this process alone. Else `FREELM_STATE`, else a file in
    the user's cache folder (with `share=False`: `memory`). `?absent=alone`, `share` or `raise`
    after it says what follows while it cannot be reached."""
    on_event: Observer | None
    """Called with every event, from whichever thread makes the call."""
    http_client: httpx.Client | None
    """Whose transport carries every blocking request."""
    http_async_client: httpx.AsyncClient | None
    """Whose transport carries every asyncio request."""
    share: bool | None
    """Whether clients over the same keys share one pool in this process; True. With False, nothing
    is shared with other processes either, unless `state` names a place."""


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
    state: Address | None = None
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
        checked: dict[str, Any] = {
            name: _CHECKS[name](name, value) for name, value in values.items()
        }
        if "model" in checked:
            checked["wanted"] = checked.pop("model")
        if wanted is not None:
            return cls(providers=providers_named(wanted), **checked)
        providers, is_local_stand_in = providers_in_environment()
        return cls(providers=providers, is_local_stand_in=is_local_stand_in, **checked)

    def changed(self, **options: Unpack[Options]) -> Self:
        """These settings with some options given anew, checked like any; None is not given.

        Raises:
            ConfigError: As `from_options`.
        """
        kept: dict[str, Any] = {
            _OPTION_OF.get(field.name, field.name): getattr(self, field.name)
            for field in fields(self)
            if field.name != "is_local_stand_in"
        }
        if not self.providers:
            del kept["providers"]  # perhaps a key is set by now
        kept.update({name: value for name, value in options.items() if value is not None})
        return type(self).from_options(**kept)

    @property
    def home(self) -> Address:
        """Where counts are kept; a place that was not named is worked out anew each time."""
        if self.state is not None:
            return self.state
        return file_address(cache_dir() / STATE_FILE) if self.share else MEMORY

    @property
    def has_keys(self) -> bool:
        """Whether any provider can be asked at all."""
        return any(provider.keys for provider in self.providers)


def cache_dir() -> Path:
    """Where our files go: `FREELM_CACHE_DIR`, else the user's cache folder. It may not exist."""
    if (named := variable("FREELM_CACHE_DIR")) is not None:
        return Path(named).expanduser()
    from platformdirs import user_cache_path  # noqa: PLC0415 - only who has a file to write needs it

    return user_cache_path("freelm-integrations", appauthor=False)


def _from_environment(given: Mapping[str, object]) -> dict[str, object]:
    """What is not given and a variable says."""
    said = {name: read(of) for name, (read, of) in _VARIABLES.items() if name not in given}
    return {name: value for name, value in said.items() if value is not None}


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
    """Not empty; commas separate names within a string."""
    names = cast("Sequence[object]", value) if isinstance(value, Sequence) else ()
    if not (names and all(isinstance(item, str) for item in names)):
        raise ConfigError(f"{name} takes a model name or a list of them")
    words = split_words(cast("str | Sequence[str]", names))
    if not words:
        raise ConfigError(f"{name} names no model: give one, or leave it out for 'auto'")
    return words


def _callable(name: str, value: object) -> object:
    if callable(value):
        return value
    raise _wrong(name, "a function of one event", value)


def _state(name: str, value: object) -> Address:
    if isinstance(value, Address):  # of settings that are changed
        return value
    if not isinstance(value, str):
        raise _wrong(name, '"memory", "sqlite:///path" or "redis://host:port/db"', value)
    return read_address(value)


def _one_of(words: tuple[str, ...]) -> Callable[[str, object], str]:
    def check(name: str, value: object) -> str:
        if isinstance(value, str) and value in words:
            return value
        raise ConfigError(unknown(name, value, words))

    return check


def _client(kind: str) -> Callable[[str, object], object]:
    def check(name: str, value: object) -> object:
        import httpx  # noqa: PLC0415 - whoever passes one has imported it; nobody else pays

        if isinstance(value, getattr(httpx, kind)):
            return value
        raise _wrong(name, f"an httpx.{kind}", value)

    return check


def _wrong(name: str, wanted: str, value: object) -> ConfigError:
    shown = f"{value!r}" if isinstance(value, (int, float)) else f"a {type(value).__name__}"
    return ConfigError(f"{name} takes {wanted}, not {shown}")


_VARIABLES: Mapping[str, tuple[Callable[[str], object], str]] = {
    "strategy": (variable, "FREELM_STRATEGY"),
    "model": (variable, "FREELM_MODEL"),
    "state": (variable, "FREELM_STATE"),
    "allow_training": (switch, "FREELM_ALLOW_TRAINING"),
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
