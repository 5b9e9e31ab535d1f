"""A provider's catalog as a person asks about it: where it is from, how old, how it has drifted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.discovery.drift import drift
from freelm_integrations.routing.catalog import best_first
from freelm_integrations.routing.filters import ruled_out
from freelm_integrations.routing.retirement import calendar_at, retiring

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freelm_integrations.chat import Json
    from freelm_integrations.discovery.catalogs import Catalog
    from freelm_integrations.providers.provider import Provider
    from freelm_integrations.providers.spec import ModelSpec
    from freelm_integrations.routing.filters import Guards


def allowed(
    provider: Provider, models: Iterable[ModelSpec], guards: Guards
) -> tuple[ModelSpec, ...]:
    """These models, best first, without what the settings rule out."""
    some = best_first(provider, models)
    return tuple(model for model in some if ruled_out(provider, model, guards) is None)


def list_row(provider: Provider, catalog: Catalog, guards: Guards, utc: float) -> Json:
    """Where the models are from, and how many the settings allow; ages are seconds at `utc`."""
    fetched_at = catalog.fetched_at
    return {
        "source": catalog.source,
        "age": None if fetched_at is None else max(0.0, utc - fetched_at),
        "models": len(allowed(provider, catalog.models, guards)),
        "trouble": catalog.trouble or None,
    }


def drift_row(provider: Provider, catalog: Catalog, guards: Guards, utc: float) -> Json:
    """How the list differs from the built-in one, from the fetched one before it, and soon will.

    `ending` are the days (ISO) that are announced for models' ends and are past or near at `utc`.
    """
    known = allowed(provider, catalog.models, guards)

    def since(models: tuple[ModelSpec, ...] | None) -> Json | None:
        return None if models is None else drift(allowed(provider, models, guards), known).to_dict()

    built_in = provider.spec.models or None
    return {
        "lead": known[0].id if known else None,
        "since_built_in": None if catalog.fetched_at is None else since(built_in),
        "since_fetched": since(catalog.before),
        "ending": _ending(known, utc),
    }


def _ending(models: Iterable[ModelSpec], utc: float) -> dict[str, str]:
    calendar = calendar_at(utc)
    return {
        model.id: model.retires_on
        for model in models
        if model.retires_on is not None and retiring(model, calendar) is not None
    }
