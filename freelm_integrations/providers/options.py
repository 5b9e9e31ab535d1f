"""What a provider's arguments and variables say, checked: addresses, tiers, models, limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from inspect import signature
from typing import TYPE_CHECKING, TypeAlias, get_args

from freelm_integrations.environment import variable
from freelm_integrations.errors import ConfigError
from freelm_integrations.nearest import unknown
from freelm_integrations.providers.address import checked_base_url
from freelm_integrations.providers.spec import EmbedderSpec, Limit, ModelSpec, Reset, Unit

if TYPE_CHECKING:
    from freelm_integrations.providers.spec import ProviderSpec

ModelsArgument: TypeAlias = str | ModelSpec | Iterable[str | ModelSpec]
"""Ids (several in one string with commas between) and `ModelSpec`s, best first."""

UNITS: tuple[str, ...] = get_args(Unit)
RESETS: tuple[str, ...] = get_args(Reset)


def variable_of(spec: ProviderSpec, option: str) -> str | None:
    """What the environment says of one option (`FREELM_GROQ_TIER`), None for nothing."""
    return variable(f"FREELM_{spec.name.upper().replace('-', '_')}_{option}")


def split_words(words: str | Iterable[str]) -> tuple[str, ...]:
    """Words of a comma-separated string or of several; blanks are left out."""
    pieces = words.split(",") if isinstance(words, str) else words
    return tuple(word for piece in pieces if (word := piece.strip()))


def base_url_of(spec: ProviderSpec, given: str | None) -> str:
    """The address given, the variable's, or the usual one."""
    named = variable_of(spec, "BASE_URL") if given is None else given
    return spec.base_url if named is None else checked_base_url(named, owner=spec.name)


def tier_name_of(spec: ProviderSpec, given: str | None) -> str:
    """The tier given, the variable's, or the first declared."""
    named = variable_of(spec, "TIER") if given is None else given
    if named is None:
        return next(iter(spec.tiers), "free")
    if named not in spec.tiers:
        raise ConfigError(unknown(f"tier of {spec.name}", named, spec.tiers))
    return named


def models_of(
    spec: ProviderSpec, given: ModelsArgument | None
) -> tuple[tuple[ModelSpec, ...] | None, tuple[EmbedderSpec, ...]]:
    """The static list given or the variable's, ids filled in from the built-in list; None for none.

    And apart from it the embedding models: those it names, else the declared ones.

    Raises:
        ConfigError: The list is given and empty, or holds something else.
    """
    named = variable_of(spec, "MODELS") if given is None else given
    if named is None:
        return None, spec.embedders
    if isinstance(named, (str, ModelSpec)):
        named = split_words(named) if isinstance(named, str) else (named,)
    built_in = {model.id: model for model in (*spec.models, *spec.embedders)}
    models = tuple(_model(spec, item, built_in) for item in named)
    if not models:
        raise ConfigError(
            f"models of {spec.name} is empty: leave it out to use what the provider lists"
        )
    embedders = tuple(model for model in models if isinstance(model, EmbedderSpec))
    chatting = tuple(model for model in models if not isinstance(model, EmbedderSpec))
    return chatting, embedders or spec.embedders


def limits_of(spec: ProviderSpec, given: Iterable[Limit]) -> tuple[Limit, ...]:
    """The user's own limits, checked: a wrong unit would never be counted."""
    limits = tuple(given)
    for limit in limits:
        _check_limit(spec, limit)
    return limits


def prefer_of(spec: ProviderSpec, given: str | Iterable[str]) -> tuple[str, ...]:
    """The words given, one by one."""
    words = given if isinstance(given, str) else tuple(given)
    if not all(isinstance(word, str) for word in words):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigError(f"prefer of {spec.name} takes ids, families or tags")
    return split_words(words)


def priority_of(spec: ProviderSpec, given: int | None) -> int:
    """The number given, or the declared one."""
    if given is None:
        return spec.priority
    if isinstance(given, bool) or not isinstance(given, int):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigError(
            f"priority of {spec.name} is a whole number, not a {type(given).__name__}"
        )
    return given


def refuse_unexpected(owner: type[object], names: Iterable[str]) -> None:
    """Raise a ConfigError for the first of `names`, with the nearest one that `owner` takes."""
    for name in names:
        valid = [one for one in signature(owner).parameters if one != "unexpected"]
        raise ConfigError(unknown(f"argument of {owner.__name__}", name, valid))


def _model(spec: ProviderSpec, item: object, built_in: Mapping[str, ModelSpec]) -> ModelSpec:
    if isinstance(item, ModelSpec):
        return item
    if isinstance(item, str) and item.strip():
        name = item.strip()
        return built_in.get(name) or ModelSpec(name)
    raise ConfigError(f"a model of {spec.name} is an id or a ModelSpec, not {type(item).__name__}")


def _check_limit(spec: ProviderSpec, limit: object) -> None:
    if not isinstance(limit, Limit):
        raise ConfigError(
            f"a limit of {spec.name} is a Limit such as Limit(30, 'requests', per=60), "
            f"not {type(limit).__name__}"
        )
    if limit.unit not in UNITS:
        raise ConfigError(unknown(f"unit in a limit of {spec.name}", limit.unit, UNITS))
    if limit.resets not in RESETS:
        raise ConfigError(unknown(f"reset in a limit of {spec.name}", limit.resets, RESETS))
    if not (limit.amount >= 0 and limit.per > 0):
        raise ConfigError(
            f"a limit of {spec.name} needs amount >= 0 and per > 0 (seconds): {limit!r}"
        )
    if limit.model is not None and not (isinstance(limit.model, str) and limit.model.strip()):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigError(
            f"model in a limit of {spec.name} is an id, a family or '*', not {limit.model!r}"
        )
