"""Catalogs from live model lists: live, else the disk cache, else built in.

Fetched by the same drivers as calls.

The lists are asked for on first use, all side by side, and the call that does so waits `PATIENCE`
at most, as do those that set off meanwhile: before the first answers nobody knows what there is.
Whoever has not answered by then is served from the cache or the built-in list, and is not asked
again for `RETRY_AFTER`. When the lists are renewed later on, one call does it and no other waits.
"""

from __future__ import annotations

import os
import threading
import weakref
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from freelm_integrations.catalog_file import KEPT_FOR, CatalogFile, Saved
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
GLANCE = 0.02
"""Seconds between two looks at whether another call has got the first lists."""
LARGEST = 8_000_000
"""Bytes of a list that are read; the longest real one is under a megabyte."""

_NEVER_ASKED = float("-inf")

Source = Literal["live", "cache", "builtin", "given"]


@dataclass(frozen=True, slots=True)
class Catalog:
    """The models known for a provider now. `expires_at` is on the clock's `utc`."""

    models: tuple[ModelSpec, ...]
    source: Source
    expires_at: float


_ALIVE: weakref.WeakSet[Catalogs] = weakref.WeakSet()


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
        self._due_at = self._first_by = _NEVER_ASKED
        self._publish({provider: _unasked(provider) for provider in providers})
        if not any(_is_discoverable(provider) for provider in providers):
            self._due_at = float("inf")
        _ALIVE.add(self)

    def begin_anew(self) -> None:
        """For a forked child: a thread that is not there any more may hold the lock."""
        self._lock = threading.Lock()

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

        If another thread or task is at it, waits for the very first lists and for no later ones.
        """
        while not self._lock.acquire(blocking=False):
            left = self._first_by - self._clock.now()
            if left <= 0:
                return
            yield Wait(min(GLANCE, left))
        try:
            if force or self.is_due:  # else another call has just been faster
                yield from self._renew(force=force)
        finally:
            self._lock.release()

    def _renew(self, *, force: bool) -> Steps[None]:
        if self._due_at == _NEVER_ASKED:
            self._first_by = self._clock.now() + PATIENCE
        now = self._clock.utc()
        saved = {} if self._file is None else self._file.read(now - KEPT_FOR)
        known = {provider: self._known(provider, saved, now) for provider in self._providers}
        due = [
            provider
            for provider, catalog in known.items()
            if _is_discoverable(provider) and (force or catalog.expires_at <= now)
        ]
        fresh: dict[Provider, tuple[ModelSpec, ...]] = {}
        if due:
            yield from self._ask(due, fresh)
        self._take(known, due, fresh)
        self._first_by = _NEVER_ASKED

    def _known(self, provider: Provider, saved: Mapping[str, Saved], now: float) -> Catalog:
        """What is in memory while that holds, else what the file has, however old."""
        catalog, entry = self._catalogs[provider], saved.get(_name_on_disk(provider))
        if catalog.expires_at > now or entry is None:
            return catalog
        fetched_at = min(entry.fetched_at, now)  # the machine's clock may have been set back
        if catalog.source != "builtin" and fetched_at + TTL <= now:
            return catalog
        return Catalog(restored(provider.spec, entry.models), "cache", fetched_at + TTL)

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
        while bodies and (left := deadline - self._clock.now()) > 0:
            reply = yield Wait(left)
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
        known: Mapping[Provider, Catalog],
        due: list[Provider],
        fresh: Mapping[Provider, tuple[ModelSpec, ...]],
    ) -> None:
        """Publish what is live over what was known, and save it."""
        now = self._clock.utc()
        merged = dict(known)
        for provider in due:
            if provider in fresh:
                merged[provider] = Catalog(fresh[provider], "live", now + TTL)
            else:
                merged[provider] = replace(known[provider], expires_at=now + RETRY_AFTER)
        if fresh and self._file is not None:
            self._file.write(
                {_name_on_disk(one): Saved(now, models) for one, models in fresh.items()}, now
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
    expires_at = _NEVER_ASKED if _is_discoverable(provider) else float("inf")
    return Catalog(provider.spec.models, "builtin", expires_at)


def _name_on_disk(provider: Provider) -> str:
    """With its address: two endpoints of the user's own may bear one name."""
    return f"{provider.name} {provider.base_url}"


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


def _after_fork() -> None:
    for catalogs in list(_ALIVE):
        catalogs.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
