"""Providers as plain JSON data without keys, and back, with the keys of the environment there.

The declarations are imported when a provider is at hand: until then nothing needs them.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from freelm_integrations.chat import Json
    from freelm_integrations.providers.provider import Provider
    from freelm_integrations.providers.spec import EmbedderSpec, Limit, ModelSpec


def described(providers: object) -> str | list[str | Json] | None:
    """The `providers` argument as plain data: names stay names, provider objects become dicts."""
    if providers is None:
        return None
    if isinstance(providers, str):
        return ",".join(_name(word) for word in providers.split(","))
    if isinstance(providers, (list, tuple)):
        return [_described(one) for one in cast("Iterable[Any]", providers)]
    return [_described(providers)]


def without_keys(providers: object) -> object:
    """The `providers` argument as it may be pickled: objects leave their keys behind themselves."""
    if isinstance(providers, str):
        return described(providers)
    if isinstance(providers, (list, tuple)):
        several = cast("Sequence[object]", providers)
        return [_name(one) if isinstance(one, str) else one for one in several]
    return providers


def restored(providers: object) -> object:
    """The `providers` argument, with provider objects again for what `described` made of them."""
    if not isinstance(providers, (list, tuple)):
        return providers
    return [
        _restored(cast("Json", one)) if isinstance(one, dict) else one
        for one in cast("Sequence[object]", providers)
    ]


def _described(provider: Any) -> str | Json:
    if isinstance(provider, str):
        return _name(provider)
    if provider.spec.name == "local":
        return "local"  # where it is served is this machine's affair: restored from FREELM_LOCAL_*
    limits: Iterable[Limit] | None = provider.limits
    data: Json = {
        "name": provider.name,
        "tier": provider.tier_name,
        "base_url": None if _is_place_of_an_account(provider) else provider.base_url,
        "models": _models(provider),
        "prefer": list(provider.prefer),
        "priority": provider.priority,
        "limits": None if limits is None else [asdict(limit) for limit in limits],
        "discover": provider.discover,
    }
    if provider.name not in _declared():
        data["trains"] = provider.spec.trains
    plain: Json = json.loads(json.dumps(data))  # tuples are lists, as they will be when restored
    return plain


def _is_place_of_an_account(provider: Any) -> bool:
    """Whether the address says whose it is: such a one is made anew from the environment."""
    start, mark, rest = provider.spec.base_url.partition("{account_id}")
    place: str = provider.base_url
    return bool(mark) and place.startswith(start) and place.endswith(rest)


def _models(provider: Any) -> list[Json] | None:
    """The static list as it was given; None: what is declared or discovered."""
    own: Iterable[ModelSpec] = provider.models or ()
    embedders: Iterable[EmbedderSpec] = provider.embedders
    if embedders == provider.spec.embedders:
        return None if provider.models is None else [asdict(model) for model in own]
    return [asdict(model) for model in (*own, *embedders)]


def _name(word: str) -> str:
    """The name, if it is one: what somebody put in its place could be a key."""
    name = word.strip().lower()
    return name if name in _declared() else "unknown"


def _restored(data: Json) -> object:
    options = dict(data)
    name = options.pop("name")
    for field, revive in (("models", _model), ("limits", _limit)):
        if options.get(field) is not None:
            options[field] = [revive(one) for one in options[field]]
    if (kind := _declared().get(name)) is not None:
        return kind(**options)
    from freelm_integrations.providers.provider import OpenAICompatible  # noqa: PLC0415 - see above

    options.pop("tier", None)  # an undeclared one has none
    return OpenAICompatible(name, **options)


def _declared() -> Mapping[str, type[Provider]]:
    from freelm_integrations.providers.choice import CLASSES  # noqa: PLC0415 - see above

    return CLASSES


def _model(data: Json) -> ModelSpec:
    from freelm_integrations.providers.spec import (  # noqa: PLC0415 - see above
        EmbedderSpec,
        ModelSpec,
    )

    limits = data.get("limits")
    # What JSON made lists of are tuples in a spec, whichever fields it comes to have.
    given: dict[str, Any] = {
        name: tuple(cast("Iterable[object]", value)) if isinstance(value, list) else value
        for name, value in data.items()
    }
    given["limits"] = None if limits is None else tuple(_limit(limit) for limit in limits)
    return EmbedderSpec(**given) if "dimensions" in given else ModelSpec(**given)


def _limit(data: Json) -> Limit:
    from freelm_integrations.providers.spec import Limit  # noqa: PLC0415 - see above

    given = dict(data)
    return Limit(given.pop("amount"), given.pop("unit"), **given)
