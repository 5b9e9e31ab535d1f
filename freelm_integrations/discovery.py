"""Catalogs from live model lists: live, else the disk cache, else built in.

Fetched by the same drivers as calls.

The lists are asked for on first use, all side by side, and the call that does so waits `PATIENCE`
at most. Whoever has not answered by then is served from the cache or the built-in list, and is not
asked again for `RETRY_AFTER`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from freelm_integrations.catalog_file import CatalogFile, Saved
from freelm_integrations.engine.steps import (
    Attempt,
    Cancel,
    Chunk,
    Elapsed,
    End,
    Launch,
    Opened,
    Wait,
)
from freelm_integrations.providers.listing import models_from, restored
from freelm_integrations.wire.catalogs import parse_models

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from freelm_integrations.clock import Clock
    from freelm_integrations.engine.steps import Reply, Steps
    from freelm_integrations.providers.provider import Provider
    from freelm_integrations.providers.spec import ModelSpec

TTL = 6 * 3600.0
"""Seconds a live list is believed, in memory and on disk."""
RETRY_AFTER = 600.0
"""Seconds before a list that failed is asked for again."""
PATIENCE = 3.0
"""Seconds a call waits for all the lists together, once."""
LARGEST = 8_000_000
"""Bytes of a list that are read; the longest real one is under a megabyte."""

Source = Literal["live", "cache", "builtin", "given"]


@dataclass(frozen=True, slots=True)
class Catalog:
    """The models known for a provider now. `expires_at` is on the clock's `utc`."""

    models: tuple[ModelSpec, ...]
    source: Source
    expires_at: float


class Catalogs:
    """The catalogs of some providers.

    Safe from any thread: one refreshes, the others use what is known.
    """

    def __init__(
        self, providers: Sequence[Provider], clock: Clock, cache_dir: Path | None = None
    ) -> None:
        """Know the built-in and the given lists.

        No file is read before `current` or a refresh is asked for.
        """
        self._providers = tuple(providers)
        self._clock = clock
        self._file = CatalogFile(cache_dir) if cache_dir is not None else None
        self._catalogs: dict[Provider, Catalog] = {}
        self._models: Mapping[Provider, tuple[ModelSpec, ...]] = {}
        self._lock = threading.Lock()
        self._due_at = float("-inf")
        self._publish({provider: _unasked(provider) for provider in providers})
        if not any(_is_discoverable(provider) for provider in providers):
            self._due_at = float("inf")

    @property
    def is_due(self) -> bool:
        """Whether a refresh would ask anybody anything."""
        return self._clock.utc() >= self._due_at

    def current(self) -> Mapping[Provider, tuple[ModelSpec, ...]]:
        """Each provider's models, best first; the same object until something changes."""
        return self._models

    def catalog(self, provider: Provider) -> Catalog:
        """One provider's catalog, with its source."""
        return self._catalogs[provider]

    def refresh(self, *, force: bool = False) -> Steps[None]:
        """A machine that brings the catalogs up to date.

        Returns at once if another thread is at it.
        """
        if not self._lock.acquire(blocking=False):
            return
        try:
            now = self._clock.utc()
            saved = {} if force or self._file is None else self._file.read(now - TTL)
            found = {provider: _from_cache(provider, saved) for provider in self._providers}
            due = [provider for provider, known in found.items() if force or known is None]
            due = [provider for provider in due if _is_discoverable(provider) and provider.base_url]
            fresh: dict[Provider, tuple[ModelSpec, ...]] = {}
            if due:
                yield from self._ask(due, fresh)
            self._take(found, due, fresh)
        finally:
            self._lock.release()

    def _ask(
        self, due: list[Provider], fresh: dict[Provider, tuple[ModelSpec, ...]]
    ) -> Steps[None]:
        """Ask all at once; what has arrived whole and in time is put into `fresh`."""
        bodies: dict[Attempt, bytearray] = {}
        asked: dict[Attempt, Provider] = {}
        for provider in due:
            attempt = _list_attempt(provider)
            asked[attempt], bodies[attempt] = provider, bytearray()
            yield Launch(attempt)
        deadline = self._clock.now() + PATIENCE
        while bodies:
            reply = yield Wait(deadline - self._clock.now())
            assert reply is not None  # every Wait is answered
            if isinstance(reply, Elapsed):
                break
            provider = asked[reply.attempt]
            if (models := _hear(reply, provider, bodies)) is not None:
                fresh[provider] = models
        for attempt in bodies:
            yield Cancel(attempt)

    def _take(
        self,
        found: Mapping[Provider, Catalog | None],
        due: list[Provider],
        fresh: Mapping[Provider, tuple[ModelSpec, ...]],
    ) -> None:
        """Publish live over cached over what was known, and save what is new."""
        now = self._clock.utc()
        merged: dict[Provider, Catalog] = {}
        for provider in self._providers:
            known = found[provider] or self._catalogs[provider]
            if provider in fresh:
                merged[provider] = Catalog(fresh[provider], "live", now + TTL)
            elif provider in due:
                merged[provider] = replace(known, expires_at=now + RETRY_AFTER)
            else:
                merged[provider] = known
        if fresh and self._file is not None:
            self._file.write(
                {provider.id: Saved(now, models) for provider, models in fresh.items()}, now
            )
        self._publish(merged)
        self._due_at = min(
            (catalog.expires_at for catalog in merged.values()), default=float("inf")
        )

    def _publish(self, catalogs: dict[Provider, Catalog]) -> None:
        self._catalogs = catalogs
        self._models = {provider: catalog.models for provider, catalog in catalogs.items()}


def _is_discoverable(provider: Provider) -> bool:
    return provider.discover and provider.models is None and bool(provider.keys)


def _unasked(provider: Provider) -> Catalog:
    if provider.models is not None:
        return Catalog(provider.models, "given", float("inf"))
    expires_at = float("-inf") if _is_discoverable(provider) else float("inf")
    return Catalog(provider.spec.models, "builtin", expires_at)


def _from_cache(provider: Provider, saved: Mapping[str, Saved]) -> Catalog | None:
    """What the file knows of a provider; None for nothing."""
    if not _is_discoverable(provider):
        return _unasked(provider)
    entry = saved.get(provider.id)
    if entry is None:
        return None
    models = restored(provider.spec, entry.models)
    return Catalog(models, "cache", entry.fetched_at + TTL)


def _list_attempt(provider: Provider) -> Attempt:
    headers = {"accept": "application/json", **provider.headers}
    secret = provider.keys[0].secret if provider.keys else None
    url = provider.base_url + "/models"
    return Attempt("GET", url, headers, None, secret, timeout=PATIENCE, connect_timeout=PATIENCE)


def _hear(
    reply: Reply, provider: Provider, bodies: dict[Attempt, bytearray]
) -> tuple[ModelSpec, ...] | None:
    """Gather one reply; the provider's models once its list is whole and makes sense."""
    if isinstance(reply, (Opened, Elapsed)) or reply.attempt not in bodies:
        return None
    if isinstance(reply, Chunk) and len(bodies[reply.attempt]) < LARGEST:
        bodies[reply.attempt] += reply.data
        return None
    body = bodies.pop(reply.attempt)
    if not isinstance(reply, End):
        return None  # refused, broken or endless: weather, the next source serves
    try:
        listed = parse_models(bytes(body))
    except ValueError:
        return None
    return models_from(provider.spec, listed) or None
