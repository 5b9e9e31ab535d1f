"""What all clients over one configuration share.

The pool, the catalogs, and how a request becomes a flight.
"""

from __future__ import annotations

import copy
import itertools
import logging
import math
import warnings
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from freelm_integrations.capacity import Capacity, capacity_of
from freelm_integrations.chat import fault_words
from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.discovery.catalogs import Catalogs
from freelm_integrations.discovery.model_lists import allowed, drift_row, list_row
from freelm_integrations.embedding.embedding import Embedding
from freelm_integrations.engine.flight import Flight
from freelm_integrations.engine.journal import report
from freelm_integrations.engine.terms import Terms
from freelm_integrations.errors import MissingKey
from freelm_integrations.events import AttemptFailed, Exhausted
from freelm_integrations.pool.shared import Place, shared_place
from freelm_integrations.providers.keys import NO_KEY
from freelm_integrations.routing.affinity import shared_affinity
from freelm_integrations.routing.candidates import Router
from freelm_integrations.routing.catalog import resolve
from freelm_integrations.routing.filters import ruled_out
from freelm_integrations.settings import Settings, cache_dir, no_key_message
from freelm_integrations.wire.requests.abilities import abilities_needed, found_lacking

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from freelm_integrations.batches.batch import Batch
    from freelm_integrations.chat import Json, Request
    from freelm_integrations.clock import Clock
    from freelm_integrations.events import Event, Observer
    from freelm_integrations.pool.ledger.asking import Desk
    from freelm_integrations.pool.view import RouteView
    from freelm_integrations.providers.provider import Provider
    from freelm_integrations.providers.spec import ModelSpec
    from freelm_integrations.routing.candidates import Candidates

STAND_IN = (
    "no provider key is set; the local model answers. freellm doctor lists where to get free keys"
)
"""The one warning for who has no key but a local model."""

logger = logging.getLogger("freelm_integrations")
_calls = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """One model that may be called now.

    `source` is where it is known from: live, cache, builtin or given. `retires_on` is the announced
    day of its end (ISO), if there is one.
    """

    provider: str
    id: str
    family: str | None
    tags: tuple[str, ...]
    context: int | None
    output: int | None
    free: bool
    source: str
    retires_on: str | None = None

    def to_dict(self) -> Json:
        """A JSON-safe dict."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a call would do now; `str()` of it is a line for each, to be read.

    `candidates` in order (provider, model, key, ready; `ready_after` in seconds, None if a person
    must act first), `left_out` with reasons.
    """

    candidates: tuple[Json, ...]
    left_out: tuple[Json, ...]

    def __str__(self) -> str:
        """The candidates numbered, best first, and after them what is left out."""
        lines = [_candidate_line(n, row) for n, row in enumerate(self.candidates, start=1)]
        lines += [
            f"left out: {out['provider']} {out['model']}: {out['reason']}" for out in self.left_out
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        """How many there are: all of them fill a page."""
        return f"<Explanation: {len(self.candidates)} candidates, {len(self.left_out)} left out>"

    def to_dict(self) -> Json:
        """A JSON-safe dict."""
        return asdict(self)


def _candidate_line(number: int, row: Json) -> str:
    key = row["key"] if row["key"] == NO_KEY.fingerprint else f"key {row['key']}"
    line = f"{number}. {row['provider']} {row['model']} ({key})"
    if row["reservation"] is not None:
        line += f", put last as it {row['reservation']}"
    if row["ready"]:
        return line
    after = row["ready_after"]
    back = "out until a person acts" if after is None else f"back in {after:.0f} s"
    return f"{line}: {fault_words(row['resting'] or 'rests')}, {back}"


def _seconds_to(moment: float, now: float) -> float | None:
    """How long it is until then; None if it never comes, which JSON has no number for."""
    return None if math.isinf(moment) else max(0.0, moment - now)


class Dispatcher:
    """Made once per configuration and shared by its blocking and async clients.

    Safe from any thread and loop.
    """

    def __init__(self, settings: Settings, clock: Clock = SYSTEM_CLOCK) -> None:
        """Take the settings; no socket is opened and no file read before the first call."""
        self.settings = settings
        self.clock = clock
        address = settings.home
        self.place = shared_place(address) if settings.share else Place(address, clock)
        self.pool = self.place.pool
        self.catalogs = Catalogs(settings.providers, clock, cache_dir(), hear=self.pool.hear)
        self.embedding = Embedding(self.pool, settings)
        self._router = Router(self.pool, settings, shared_affinity(self.place))
        self._usual_terms = _usual_terms(settings)
        self._has_keys = settings.has_keys
        self._has_warned = False
        self._has_started = all(provider.base_url for provider in settings.providers)

    def with_settings(self, settings: Settings) -> Dispatcher:
        """Another one: over the same pool and catalogs where the providers stay the same."""
        before = self.settings
        is_elsewhere = settings.share != before.share or settings.home != before.home
        if is_elsewhere or settings.providers != before.providers:
            return Dispatcher(settings, self.clock)
        other = copy.copy(self)
        vars(other).update(
            settings=settings,
            embedding=Embedding(self.pool, settings),
            _usual_terms=_usual_terms(settings),
            _has_keys=settings.has_keys,
            _router=Router(self.pool, settings, shared_affinity(self.place)),
        )
        return other

    @property
    def is_started(self) -> bool:
        """Whether what must run in this process does."""
        return self._has_started

    @property
    def is_prepared(self) -> bool:
        """Whether a call can start at once: local models started, catalogs not due."""
        return self._has_started and not self.catalogs.is_due

    def start(self) -> None:
        """Start what must run in this process (an embedded model).

        May take a second, so not on an event loop.
        """
        for provider in self.settings.providers:
            provider.start()
        self._has_started = True

    def flight(
        self,
        request: Request,
        observe: Callable[[Event], object] | None,
        candidates: Candidates | None = None,
        batch: Batch | None = None,
    ) -> Flight:
        """A call about to start, among the candidates given or all models that chat.

        `batch` is what it is a part of.

        Raises ConfigError when no key is configured or no model has such a name.
        """
        settings = self.settings
        if not self._has_keys and not settings.has_keys:
            raise MissingKey(no_key_message())
        if settings.is_local_stand_in and not self._has_warned:
            self._has_warned = True
            # No place in the caller's code: that may be many layers up, or on another thread.
            warnings.warn_explicit(STAND_IN, UserWarning, filename="freelm_integrations", lineno=1)
        terms = self._terms(request.timeout, batch, is_observed=observe is not None)
        if candidates is None:
            catalogs = self.catalogs.current()
            candidates = self._router.candidates(request, catalogs, utc=self.clock.utc())
            if batch is not None and batch.forecast is None:
                batch.forecast = self._forecast(request)
        return Flight(
            request,
            candidates,
            pool=self.pool,
            clock=self.clock,
            terms=terms,
            call=next(_calls),
        )

    def _terms(self, timeout: float | None, batch: Batch | None, *, is_observed: bool) -> Terms:
        """The terms of a call with such a timeout of its own."""
        usual = self._usual_terms[is_observed]
        if timeout is None and batch is None:
            return usual
        return replace(
            usual,
            timeout=usual.timeout if timeout is None else timeout,
            wait=usual.wait or (batch is not None and batch.wait),
            patience=None if batch is None else batch.patience,
        )

    @property
    def desk(self) -> Desk | None:
        """Where claims are confirmed; None where nothing is shared."""
        return self.place.desk

    async def aclose(self) -> None:
        """Let go of the running loop's connections to the ledger."""
        if self.place.homes is not None and self.place.homes.native is not None:
            await self.place.homes.native.aclose()

    def look(self) -> None:
        """Know what the ledger knows; asks it from the caller's thread, and may wait for it."""
        homes, clock = self.place.homes, self.clock
        if homes is None or (ledger := homes.blocking) is None:
            return
        if homes.outbox is not None:
            homes.outbox.flush()  # or it would not have heard of the last calls
        for provider in self.settings.providers:
            models = self._allowed(provider)
            self.pool.look(provider, models, lambda asked: ledger.look(asked, clock.utc()))

    def readmit(self, fingerprints: Collection[str] | None) -> list[str]:
        """Hold nothing against these keys any more, or against any; those that were held back."""
        self.look()
        found = [
            key.fingerprint
            for provider in self.settings.providers
            for key in provider.keys
            if fingerprints is None or key.fingerprint in fingerprints
            if self.pool.readmit(provider, key)
        ]
        if self.place.homes is not None and self.place.homes.outbox is not None:
            self.place.homes.outbox.flush()
        return found

    def _forecast(self, request: Request) -> Callable[[int, int], float | None]:
        """When so many more such calls, of so many tokens each, would have set off (s)."""
        candidates = self._router.preview(request, self.catalogs.current(), utc=self.clock.utc())
        views = candidates.views(self.clock.now())
        asked = {(view.route.provider.name, view.route.model.id) for view in views}

        def forecast(calls: int, tokens_each: int) -> float | None:
            rows = [
                row
                for row in self.capacity()
                if row["model"] is None or (row["provider"], row["model"]) in asked
            ]
            if not rows:
                return None
            plan = Capacity(rows, self.clock.utc()).plan(calls, tokens_each=tokens_each)
            return math.inf if plan.done_after is None else plan.done_after

        return forecast

    def observer(
        self, on_event: Observer | None, member: Observer | None = None
    ) -> Observer | None:
        """Who is told the events of one call: the caller's, the client's, its batch's, the log.

        None when nobody listens.
        """
        several = (on_event, self.settings.on_event, member)
        listeners = [one for one in several if one is not None]
        if logger.isEnabledFor(logging.INFO):
            listeners.append(_log)
        if len(listeners) <= 1:
            return listeners[0] if listeners else None
        return _Listeners(tuple(listeners))

    def explain(self, request: Request) -> Explanation:
        """Candidates in order and why the others are left out; nothing is sent."""
        now = self.clock.now()
        candidates = self._router.preview(request, self.catalogs.current(), utc=self.clock.utc())
        rows: list[Json] = [
            {
                "provider": view.route.provider.name,
                "model": view.route.model.id,
                "key": view.route.key.fingerprint,
                "ready": view.ready_at <= now,
                "ready_after": _seconds_to(view.ready_at, now),
                "resting": view.resting,
                "headroom": view.headroom,
                "reservation": lack or candidates.reservation(view.route),
            }
            for view, lack in self._by_ability(request, candidates.views(now))
        ]
        left_out: list[Json] = [
            {"provider": provider, "model": model, "reason": reason}
            for provider, model, reason in candidates.left_out()
        ]
        return Explanation(candidates=tuple(rows), left_out=tuple(left_out))

    def _by_ability(
        self, request: Request, views: Iterable[RouteView]
    ) -> list[tuple[RouteView, str | None]]:
        """The views, those last whose models were found to lack what is needed; with that."""
        needed = abilities_needed(request)
        if not needed:
            return [(view, None) for view in views]
        refused = self.pool.refused
        rows = [(view, found_lacking(needed, refused(view.route))) for view in views]
        return sorted(rows, key=lambda row: row[1] is not None)

    def health(self) -> list[Json]:
        """A row a key of these providers, used or not, with where its list of models is from."""
        rows = self.pool.snapshot(self.clock.now(), self.settings.providers)
        lists = {provider.id: self._list_of(provider) for provider in self.settings.providers}
        return [self._named({**row.to_dict(), "list": lists.get(row.provider)}) for row in rows]

    def capacity(self) -> Capacity:
        """What is left in every window, added up over accounts."""
        rows = self.pool.snapshot(self.clock.now(), self.settings.providers)
        declared = {
            provider.id: {model.id: provider.limits_of(model) for model in self._allowed(provider)}
            for provider in self.settings.providers
        }
        found = [self._named(row) for row in capacity_of(rows, declared)]
        return Capacity(found, self.clock.utc())

    def model_lists(self) -> list[Json]:
        """A row a provider: where its models are known from, and how they have drifted."""
        return [
            {"provider": provider.name, **self._list_of(provider), **self._drift_of(provider)}
            for provider in self.settings.providers
        ]

    def _list_of(self, provider: Provider) -> Json:
        catalog = self.catalogs.catalog(provider)
        return list_row(provider, catalog, self.settings, self.clock.utc())

    def _drift_of(self, provider: Provider) -> Json:
        catalog = self.catalogs.catalog(provider)
        return drift_row(provider, catalog, self.settings, self.clock.utc())

    def _allowed(self, provider: Provider) -> tuple[ModelSpec, ...]:
        return allowed(provider, self.catalogs.current()[provider], self.settings)

    def _named(self, row: Json) -> Json:
        """The row with its provider's name, as in a completion; its id where two bear that name."""
        names = {provider.id: provider.name for provider in self.settings.providers}
        name = names.get(row["provider"])
        is_plain = list(names.values()).count(name or "") == 1
        return {**row, "provider": name} if is_plain else row

    def context_window(self, wanted: tuple[str, ...]) -> int | None:
        """The smallest context (tokens) among the models these names stand for; None if unknown."""
        ranks = resolve(wanted, self.catalogs.current())
        sizes = [model.context for rank in ranks for _, model in rank if model.context is not None]
        return min(sizes, default=None)

    def models_for(self, wanted: tuple[str, ...]) -> list[ModelInfo]:
        """The models known now that these names stand for and the settings allow."""
        ranks = resolve(wanted, self.catalogs.current())
        return [
            self._info(provider, model)
            for rank in ranks
            for provider, model in rank
            if ruled_out(provider, model, self.settings) is None
        ]

    def models(self) -> list[ModelInfo]:
        """Every model known now that the settings allow, best first within its provider."""
        return [
            self._info(provider, model)
            for provider in self.catalogs.current()
            for model in self._allowed(provider)
        ]

    def _info(self, provider: Provider, model: ModelSpec) -> ModelInfo:
        return ModelInfo(
            provider=provider.name,
            id=model.id,
            family=model.family,
            tags=model.tags,
            context=model.context,
            output=model.output,
            free=model.free,
            source=self.catalogs.catalog(provider).source,
            retires_on=model.retires_on,
        )


def _usual_terms(settings: Settings) -> tuple[Terms, Terms]:
    """Of calls that nobody observes, and of those that somebody does."""
    unseen = Terms(
        timeout=settings.timeout,
        attempt_timeout=settings.attempt_timeout,
        max_attempts=settings.max_attempts,
        hedge=settings.hedge,
        wait=settings.wait,
        on_interrupt=settings.on_interrupt,
        is_observed=False,
    )
    return unseen, replace(unseen, is_observed=True)


class _Listeners:
    """Several observers as one: each is told, whatever another raises."""

    def __init__(self, listeners: tuple[Observer, ...]) -> None:
        self._listeners = listeners

    def __call__(self, event: Event) -> None:
        for listener in self._listeners:
            report(listener, event)


def _log(event: Event) -> Any:
    if isinstance(event, AttemptFailed):
        logger.info("%s (%s) failed: %s %s", event.provider, event.model, event.kind, event.message)
    elif isinstance(event, Exhausted):
        logger.warning("%s", event.reason)
    else:
        logger.debug("%s %s", event.name, event)
