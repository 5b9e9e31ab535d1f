"""Catalogs from live model lists: live, else the disk cache, else built in.

Fetched by the same drivers as calls.

The lists are asked for on first use, all side by side, and the call that does so waits `PATIENCE`
at most, as do those that set off meanwhile: before the first answers nobody knows what there is.
Whoever has not answered by then is served from the cache or the built-in list, and is not asked
again for `RETRY_AFTER`; its list is still taken if it comes within `LATE`, though nobody waits for
it. When the lists are renewed later on, one call does it and no other waits.
"""

from __future__ import annotations

import os
import threading
import weakref
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from freelm_integrations.chat import Delta
from freelm_integrations.discovery.catalog_file import KEPT_FOR, CatalogFiles, Saved
from freelm_integrations.discovery.enquiry import LATE, PATIENCE, Enquiry
from freelm_integrations.engine.steps import Deliver, Elapsed, Wait
from freelm_integrations.providers.listing import restored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from freelm_integrations.clock import Clock
    from freelm_integrations.discovery.enquiry import News
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
MOST_PATIENCE = 60.0
"""Seconds that anybody waits for lists, however many are asked for."""
LOOK_UP = 0.2
"""Seconds after which whoever hears what is late may learn that it is called off."""

_NEVER_ASKED, _FOR_EVER = float("-inf"), float("inf")
_MAY_LEAVE = Deliver(Delta())

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
        self._publishing = threading.Lock()
        self._first_by = _NEVER_ASKED
        self._awaited: frozenset[Provider] = frozenset()
        self._publish({provider: _unasked(provider) for provider in providers})
        _ALIVE.add(self)

    def begin_anew(self) -> None:
        """For a forked child: who held the locks, or hears what is late, may not be there."""
        self._lock, self._publishing = threading.Lock(), threading.Lock()
        if awaited := self._awaited:
            self._awaited = frozenset()
            self._publish(
                {
                    provider: replace(catalog, expires_at=_NEVER_ASKED)
                    if provider in awaited
                    else catalog
                    for provider, catalog in self._catalogs.items()
                }
            )

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

    def refresh(self, *, force: bool = False, patience: float | None = None) -> Steps[None]:
        """A machine that brings the catalogs up to date, which takes `patience` (s) at most.

        None: as long as a call waits (`PATIENCE`).

        If another thread or task is at it, waits for the very first lists and for no later ones.
        What is late is heard after that: the machine then delivers an empty delta, again and again,
        whenever it may be left alone, or to somebody else to run.
        """
        enquiry: Enquiry | None = None
        patience = PATIENCE if patience is None else min(patience, MOST_PATIENCE)
        while not self._lock.acquire(blocking=False):
            left = self._first_by - self._clock.now()
            if left <= 0:
                return
            yield Wait(min(GLANCE, left))
        try:
            if force or self.is_due:  # else another call has just been faster
                enquiry = yield from self._renew(force=force, patience=patience)
        finally:
            self._lock.release()
        if enquiry is not None:
            yield from self._hear_late(enquiry)

    def _renew(self, *, force: bool, patience: float) -> Steps[Enquiry]:
        if self._due_at == _NEVER_ASKED:
            self._first_by = self._clock.now() + patience
        now = self._clock.utc()
        self._recall(now)
        due = [
            provider
            for provider, catalog in self._catalogs.items()
            if _is_discoverable(provider) and (force or catalog.expires_at <= now)
        ]
        enquiry = Enquiry(due, now, patience=patience)
        yield from self._ask(enquiry, patience)
        enquiry.overdue()
        self._take(enquiry.news(), enquiry.awaited)
        self._first_by = _NEVER_ASKED
        return enquiry

    def _recall(self, now: float) -> None:
        """Know what the files say, where that is newer than what is in memory."""
        known = self._all_known(now)
        with self._publishing:
            if any(known[provider] is not self._catalogs[provider] for provider in known):
                self._publish(known, is_asked=False)

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

    def _ask(self, enquiry: Enquiry, patience: float) -> Steps[None]:
        """Ask all at once, and hear what arrives in time."""
        yield from enquiry.begin()
        deadline = self._clock.now() + patience
        while not enquiry.is_over and (left := deadline - self._clock.now()) > 0:
            if not (yield from self._hear_one(enquiry, left)):
                break

    def _hear_late(self, enquiry: Enquiry) -> Steps[None]:
        """Take what comes now that nobody waits for it."""
        deadline = self._clock.now() + LATE
        while enquiry.is_open and (left := deadline - self._clock.now()) > 0:
            yield _MAY_LEAVE
            yield from self._hear_one(enquiry, min(left, LOOK_UP))
            if news := enquiry.news():
                self._take(news, enquiry.awaited)
        if enquiry.is_open:
            yield from enquiry.leave()
            self._take(enquiry.news(), enquiry.awaited)

    def _hear_one(self, enquiry: Enquiry, seconds: float) -> Steps[bool]:
        """Hear one reply; whether there was any."""
        reply = yield Wait(seconds)
        assert reply is not None  # every Wait is answered
        if isinstance(reply, Elapsed):
            return False
        yield from enquiry.hear(reply)
        return True

    def _take(self, news: News, awaited: frozenset[Provider]) -> None:
        """Publish what is live over what was known, save it, and pass on what was told of keys."""
        now = self._clock.utc()
        with self._publishing:
            merged = dict(self._catalogs)
            for provider, models in news.fresh.items():
                old = merged[provider]
                before = None if old.fetched_at is None else old.models
                merged[provider] = Catalog(models, "live", now + TTL, now, before=before)
            for provider, trouble in news.troubles.items():
                merged[provider] = replace(
                    merged[provider], expires_at=now + RETRY_AFTER, trouble=trouble
                )
            self._awaited = awaited
            self._publish(merged)
        if news.fresh and self._files is not None:
            saved = {_name_on_disk(one): Saved(now, it) for one, it in news.fresh.items()}
            self._files.write(saved, now)
        if self._hear is not None:
            for provider, key, readings in news.quotas:
                self._hear(provider, key, readings, self._clock.now())

    def _publish(self, catalogs: dict[Provider, Catalog], *, is_asked: bool = True) -> None:
        """Let these be known; `is_asked` if that makes others wait no longer."""
        if [one.models for one in catalogs.values()] != [*self._models.values()]:
            self._models = {provider: catalog.models for provider, catalog in catalogs.items()}
        self._catalogs = catalogs
        if is_asked:
            self._due_at = min((one.expires_at for one in catalogs.values()), default=_FOR_EVER)


def _is_discoverable(provider: Provider) -> bool:
    return provider.discover and provider.models is None and bool(provider.keys)


def _unasked(provider: Provider) -> Catalog:
    if provider.models is not None:
        return Catalog(provider.models, "given", _FOR_EVER)
    expires_at = _NEVER_ASKED if _is_discoverable(provider) else _FOR_EVER
    return Catalog(provider.spec.models, "builtin", expires_at)


def _name_on_disk(provider: Provider) -> str:
    """With its address: two endpoints of the user's own may bear one name."""
    return f"{provider.name} {provider.base_url}"


def _after_fork() -> None:
    for catalogs in list(_ALIVE):
        catalogs.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
