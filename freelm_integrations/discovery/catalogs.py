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
from typing import TYPE_CHECKING, Literal, TypeAlias

from freelm_integrations.discovery.catalog_file import KEPT_FOR, CatalogFiles, Saved
from freelm_integrations.discovery.enquiry import PATIENCE, Enquiry
from freelm_integrations.engine.steps import Elapsed, Wait
from freelm_integrations.providers.listing import restored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from freelm_integrations.clock import Clock
    from freelm_integrations.engine.steps import Steps
    from freelm_integrations.providers.provider import Key, Provider
    from freelm_integrations.providers.spec import ModelSpec
    from freelm_integrations.wire.refusals.hints import Reading

    Hearing: TypeAlias = Callable[[Provider, Key, Sequence[Reading], float], object]

TTL = 6 * 3600.0
"""Seconds a live list is believed, in memory and on disk."""
RETRY_AFTER = 600.0
"""Seconds before a list that failed is asked for again."""
GLANCE = 0.02
"""Seconds between two looks at whether another call has got the first lists."""

_NEVER_ASKED = float("-inf")

Source = Literal["live", "cache", "builtin", "given"]


@dataclass(frozen=True, slots=True)
class Catalog:
    """The models known for a provider now.

    `expires_at` and `fetched_at` are on the clock's `utc`; `fetched_at` is None for what was never
    fetched. `trouble` is why the live list could not be had when it was last asked for, in words,
    empty if it could. `before` is the fetched list that this one took the place of.
    """

    models: tuple[ModelSpec, ...]
    source: Source
    expires_at: float
    fetched_at: float | None = None
    trouble: str = ""
    before: tuple[ModelSpec, ...] | None = None


_ALIVE: weakref.WeakSet[Catalogs] = weakref.WeakSet()


class Catalogs:
    """The catalogs of some providers.

    Safe from any thread: one refreshes, the others use what is known.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        clock: Clock,
        cache_dir: Path | None = None,
        *,
        hear: Hearing | None = None,
    ) -> None:
        """Know the built-in and the given lists.

        No file is read before `current` or a refresh is asked for. `hear` is told what providers
        say, beside their lists, of what is left of a key's quota.
        """
        self._hear = hear
        self._providers = tuple(providers)
        self._clock = clock
        self._files = CatalogFiles(cache_dir) if cache_dir is not None else None
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
        known = self._all_known(now)
        enquiry = Enquiry(
            [
                provider
                for provider, catalog in known.items()
                if _is_discoverable(provider) and (force or catalog.expires_at <= now)
            ],
            now,
        )
        yield from self._ask(enquiry)
        self._take(known, enquiry)
        if self._hear is not None:
            for provider, key, readings in enquiry.quotas:
                self._hear(provider, key, readings, self._clock.now())
        self._first_by = _NEVER_ASKED

    def _all_known(self, now: float) -> dict[Provider, Catalog]:
        """What memory and disk say of every provider; nothing is read that nobody asks for."""
        names = {_name_on_disk(one) for one in self._providers if _is_discoverable(one)}
        saved = {} if self._files is None else self._files.read(names, now - KEPT_FOR)
        return {provider: self._known(provider, saved, now) for provider in self._providers}

    def _known(self, provider: Provider, saved: Mapping[str, Saved], now: float) -> Catalog:
        """What is in memory while that holds, else what the file has, however old."""
        catalog, entry = self._catalogs[provider], saved.get(_name_on_disk(provider))
        if catalog.expires_at > now or entry is None:
            return catalog
        fetched_at = min(entry.fetched_at, now)  # the machine's clock may have been set back
        if catalog.source != "builtin" and fetched_at + TTL <= now:
            return catalog
        models = restored(provider.spec, entry.models)
        return Catalog(models, "cache", fetched_at + TTL, fetched_at, catalog.trouble)

    def _ask(self, enquiry: Enquiry) -> Steps[None]:
        """Ask all at once, and hear what arrives in time."""
        yield from enquiry.begin()
        deadline = self._clock.now() + PATIENCE
        while not enquiry.is_over and (left := deadline - self._clock.now()) > 0:
            reply = yield Wait(left)
            assert reply is not None  # every Wait is answered
            if isinstance(reply, Elapsed):
                break
            step = enquiry.hear(reply)
            if step is not None:
                yield step
        yield from enquiry.leave()

    def _take(self, known: Mapping[Provider, Catalog], enquiry: Enquiry) -> None:
        """Publish what is live over what was known, and save it."""
        now = self._clock.utc()
        merged = dict(known)
        for provider, models in enquiry.fresh.items():
            old = known[provider]
            before = None if old.fetched_at is None else old.models
            merged[provider] = Catalog(models, "live", now + TTL, now, before=before)
        for provider, trouble in enquiry.troubles.items():
            merged[provider] = replace(
                known[provider], expires_at=now + RETRY_AFTER, trouble=trouble
            )
        if enquiry.fresh and self._files is not None:
            saved = {_name_on_disk(one): Saved(now, it) for one, it in enquiry.fresh.items()}
            self._files.write(saved, now)
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


def _after_fork() -> None:
    for catalogs in list(_ALIVE):
        catalogs.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
