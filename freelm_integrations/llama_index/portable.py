"""Providers as plain JSON data without keys, and back, with the keys of the environment there."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from freelm_integrations import (
    NIM,
    Cerebras,
    GoogleAIStudio,
    Groq,
    Limit,
    Mistral,
    ModelSpec,
    OpenAICompatible,
    OpenRouter,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from freelm_integrations.chat import Json

DECLARED = {
    kind.spec.name: kind for kind in (Cerebras, GoogleAIStudio, Groq, Mistral, NIM, OpenRouter)
}


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
    models: Iterable[ModelSpec] | None = provider.models
    limits: Iterable[Limit] | None = provider.limits
    data: Json = {
        "name": provider.name,
        "tier": provider.tier_name,
        "base_url": provider.base_url,
        "models": None if models is None else [asdict(model) for model in models],
        "prefer": list(provider.prefer),
        "priority": provider.priority,
        "limits": None if limits is None else [asdict(limit) for limit in limits],
        "discover": provider.discover,
    }
    plain: Json = json.loads(json.dumps(data))  # tuples are lists, as they will be when restored
    return plain


def _name(word: str) -> str:
    """The name, if it is one: what somebody put in its place could be a key."""
    name = word.strip().lower()
    return name if name in DECLARED or name == "local" else "unknown"


def _restored(data: Json) -> object:
    options = dict(data)
    name = options.pop("name")
    tier = options.pop("tier", None)
    for field, revive in (("models", _model), ("limits", _limit)):
        if options.get(field) is not None:
            options[field] = [revive(one) for one in options[field]]
    if (kind := DECLARED.get(name)) is not None:
        return kind(tier=tier, **options)
    return OpenAICompatible(name, **options)


def _model(data: Json) -> ModelSpec:
    limits = data.get("limits")
    given: dict[str, Any] = dict(data)
    for words in ("tags", "lacks"):
        given[words] = tuple(given.get(words) or ())
    given["limits"] = None if limits is None else tuple(_limit(limit) for limit in limits)
    return ModelSpec(**given)


def _limit(data: Json) -> Limit:
    given = dict(data)
    return Limit(given.pop("amount"), given.pop("unit"), **given)
