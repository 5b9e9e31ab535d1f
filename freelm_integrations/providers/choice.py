"""Which providers are used: those that are named, else those whose keys are in the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, cast

from freelm_integrations.environment import switch, variable
from freelm_integrations.errors import ConfigError
from freelm_integrations.nearest import unknown
from freelm_integrations.providers import PROVIDERS
from freelm_integrations.providers.cloudflare import ACCOUNT_VARIABLE
from freelm_integrations.providers.keys import keys_in_environment
from freelm_integrations.providers.options import split_words
from freelm_integrations.providers.provider import (
    NIM,
    ZAI,
    Cerebras,
    Cloudflare,
    Cohere,
    GoogleAIStudio,
    Groq,
    HuggingFace,
    Kilo,
    Local,
    Mistral,
    OpenRouter,
    OVHcloud,
    Provider,
)

if TYPE_CHECKING:
    from freelm_integrations.providers.keys import KeysArgument
    from freelm_integrations.providers.spec import ProviderSpec

ProvidersArgument: TypeAlias = str | Provider | Sequence[str | Provider]
_IN_ORDER: tuple[type[Provider], ...] = (
    *(Groq, GoogleAIStudio, Mistral, OpenRouter, NIM, Cerebras),
    *(Cloudflare, ZAI, Cohere, HuggingFace),
    *(OVHcloud, Kilo),
    Local,
)
CLASSES: Mapping[str, type[Provider]] = {kind.spec.name: kind for kind in _IN_ORDER}
"""What a provider's name stands for; in the order of `PROVIDERS`."""
_NO_KEY_HEAD = (
    "no key for any provider. Set one of these variables, or pass providers=[Groq('...')]:"
)
_NO_KEY_TAIL = (
    "  or do without one: FREELM_KEYLESS=1 (OVHcloud; and Kilo, which may train on prompts)",
    "  or name a model of your own: FREELM_LOCAL_BASE_URL (Ollama, llama.cpp, LM Studio)",
    "  or FREELM_LOCAL_GGUF (a file; needs freelm-integrations[local])",
)
_RETIRED_NAMES = frozenset({"github", "github_models", "github-models", "githubmodels"})
_RETIRED_VARIABLES = ("GITHUB_MODELS_API_KEY", "GITHUB_MODELS_TOKEN", "FREELM_GITHUB_KEYS")
_RETIRED = (
    "GitHub Models is no more: it was retired on 2026-07-30 (GitHub changelog). Remove {named}; "
    "other providers serve the same open models"
)
_MISTRAL_KEY = re.compile(r"[A-Za-z0-9]{32}")
"""Mistral's keys have no prefix (seen 2026-10)."""


def providers_named(wanted: object) -> tuple[Provider, ...]:
    """The providers of the argument; names become providers keyed from the environment."""
    items: Sequence[object]
    if isinstance(wanted, str):
        items = split_words(wanted)
    elif isinstance(wanted, Sequence):
        items = cast("Sequence[object]", wanted)
    else:
        items = (wanted,)
    if not items:
        raise ConfigError(
            "providers is empty: name some, or leave it out to use those whose keys are set"
        )
    return tuple(_provider(item) for item in items)


def _provider(item: object) -> Provider:
    if isinstance(item, Provider):
        return item
    if isinstance(item, type) and issubclass(cast("type[object]", item), Provider):
        raise ConfigError(f"providers holds the class {item.__name__}: write {item.__name__}(...)")
    if not isinstance(item, str):
        raise ConfigError(unknown("provider", item, CLASSES))
    name = item.strip().lower()
    if (kind := CLASSES.get(name)) is not None:
        return kind()
    if name in _RETIRED_NAMES:
        raise ConfigError(_RETIRED.format(named=f"{name!r} from providers"))
    if (owner := guess_provider(item)) is not None:
        # Nothing of it is shown: it is no name but a key.
        raise ConfigError(
            f"providers holds what looks like a key: pass {CLASSES[owner].__name__}(key)"
        )
    raise ConfigError(unknown("provider", item, CLASSES))


def providers_in_environment() -> tuple[tuple[Provider, ...], bool]:
    """Every provider with a key, the local one last; and whether that only stands in for others.

    Keys of further providers that other programs read as well (`HF_TOKEN`) count where
    `FREELM_FURTHER` says so: they were hardly set for us. Those that need no key are used where
    `FREELM_KEYLESS` says so, whatever keys there are.
    """
    for name in _RETIRED_VARIABLES:
        if variable(name) is not None:
            raise ConfigError(_RETIRED.format(named=f"{name} from the environment"))
    hosted = (kind for name, kind in CLASSES.items() if name != "local")
    found = tuple(
        provider for kind in hosted if _is_wished(kind.spec) and (provider := kind()).keys
    )
    if switch("FREELM_LOCAL"):
        return (*found, Local()), False
    if not found and _is_local_at_hand():
        return (Local(),), True
    return found, False


def _is_wished(spec: ProviderSpec) -> bool:
    """Whether the environment asks for a provider nobody named."""
    if not spec.needs_key:
        return bool(switch("FREELM_KEYLESS"))
    if not spec.usual_variables or switch("FREELM_FURTHER"):
        return True
    return bool(keys_in_environment(spec.key_variables, owner=spec.name, account=None))


def _is_local_at_hand() -> bool:
    if variable("FREELM_LOCAL_BASE_URL") or variable("FREELM_LOCAL_GGUF"):
        return True
    from freelm_integrations.embedded import is_available  # noqa: PLC0415 - mostly not needed

    return is_available()


def no_key_message() -> str:
    """What to tell who has no key: every variable, where a free key is had, the way without one."""
    lines = [
        f"  {spec.title}: set {_variables(spec)} (a key: {spec.key_page})"
        for spec in PROVIDERS.values()
        if spec.needs_key
    ]
    return "\n".join((_NO_KEY_HEAD, *lines, *_NO_KEY_TAIL))


def _variables(spec: ProviderSpec) -> str:
    named = " or ".join(spec.key_variables)
    if spec.usual_variables:
        named += f" (or FREELM_FURTHER=1 beside {' or '.join(spec.usual_variables)})"
    return f"{named}, and {ACCOUNT_VARIABLE}" if spec.name == "cloudflare" else named


def with_keys(name: str, keys: KeysArgument) -> Provider:
    """The provider of that name (one of `CLASSES`) with these keys."""
    return CLASSES[name](keys=keys)


def guess_provider(api_key: str) -> str | None:
    """The provider whose keys look like this one, None if none does. The key is only looked at."""
    key = api_key.strip()
    for spec in PROVIDERS.values():
        if key.startswith(spec.key_prefixes):
            return spec.name
    return "mistral" if _MISTRAL_KEY.fullmatch(key) else None
