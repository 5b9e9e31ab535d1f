"""Providers and routes for tests, without network or environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.providers.provider import OpenAICompatible
from freelm_integrations.providers.spec import ModelSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freelm_integrations.pool.pool import Pool
    from freelm_integrations.pool.view import Route
    from freelm_integrations.providers.spec import Limit


def provider(
    name: str = "acme",
    *,
    keys: int = 1,
    models: Sequence[str | ModelSpec] = ("owl",),
    limits: Sequence[Limit] = (),
    account: str | None = None,
    priority: int = 0,
    prefer: Sequence[str] = (),
) -> OpenAICompatible:
    secrets = [f"{name}-secret-{number}" for number in range(keys)]
    return OpenAICompatible(
        name,
        f"https://{name}.example/v1",
        secrets,
        models,
        limits=limits,
        account=account,
        priority=priority,
        prefer=prefer,
    )


def routes_of(pool: Pool, *providers: OpenAICompatible) -> list[Route]:
    """Every route, model by model, key by key."""
    return [
        pool.route(one, key, model)
        for one in providers
        for model in one.models or ()
        for key in one.keys
    ]


def only_route(pool: Pool, one: OpenAICompatible) -> Route:
    (route,) = routes_of(pool, one)
    return route


__all__ = ["ModelSpec", "only_route", "provider", "routes_of"]
