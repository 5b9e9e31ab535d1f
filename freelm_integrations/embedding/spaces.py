"""Which embedding models give the same vectors: the spaces there are, and what names stand for.

Rules:
- Models of one family and one length of vectors are one space, whoever serves them: calls move
  freely within it and never leave it. A model without a family is a space of its own.
- Which space `auto` stands for is told by the configuration alone, never by who is well just now:
  an index built on Monday is searched in the same space on Tuesday. Other keys may make it
  another; who keeps an index names the space (`VectorSpace.name`).
- `auto` takes a space of the lowest `priority`, there one that a provider is told to `prefer`,
  there the one most providers serve, and among equals the one declared first.
- A name without a provider stands for the whole space, whatever id it has where. With one
  (`nim/bge-m3`) it stands for that provider alone; then the model need not be declared.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

from freelm_integrations.errors import ConfigError, NoRouteAnswered
from freelm_integrations.providers.spec import EmbedderSpec
from freelm_integrations.routing.catalog import best_first, matches
from freelm_integrations.routing.filters import ruled_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from freelm_integrations.providers.configured import Provider
    from freelm_integrations.providers.spec import ModelSpec
    from freelm_integrations.routing.catalog import Catalogs
    from freelm_integrations.routing.filters import Guards

    Identity: TypeAlias = tuple[str, int | None]
    Offer: TypeAlias = tuple[Provider, EmbedderSpec]

AUTO = "auto"
SHARE_OF_A_WINDOW = 2
"""One request takes no more than this part (a half, a third) of what a minute lets through."""
_OWNER = re.compile(r"([^/:]+)[/:](.+)")
_COUNTS_TEXTS = frozenset({"tokens", "input_tokens"})


@dataclass(frozen=True, slots=True, eq=False)
class VectorSpace:
    """One model's vectors, wherever they are served.

    `name` is what to pass as `model` to have it again, `dimensions` the length of its vectors (None
    while unknown), `providers` the names of those who serve it.
    """

    name: str
    dimensions: int | None
    asked: int | None
    """The length to ask for; None for the model's own."""
    members: Catalogs = field(repr=False)

    @property
    def providers(self) -> tuple[str, ...]:
        """Who serves it, in configured order."""
        return tuple(provider.name for provider in self.members)

    @property
    def batch(self) -> int:
        """The most texts of one request that all who serve it take."""
        return min(embedder.batch for _, embedder in offers(self.members))

    @property
    def batch_tokens(self) -> float:
        """The most tokens of one request that all who serve it take, by what is declared."""
        return min((_room(*offer) for offer in offers(self.members)), default=math.inf)

    @property
    def longest(self) -> int | None:
        """The most tokens of one text, None if unknown; the one model has one answer to that."""
        known = [one.longest for _, one in offers(self.members) if one.longest is not None]
        return min(known, default=None)


class Spaces:
    """The vector spaces of some providers. Safe from any thread."""

    def __init__(self, providers: Iterable[Provider], guards: Guards) -> None:
        """Know whom to look at, and what the user rules out; nothing is sent."""
        self._providers = tuple(provider for provider in providers if provider.keys)
        self._guards = guards
        self._lock = Lock()
        self._found: dict[tuple[str, int | None], VectorSpace] = {}
        self._lengths: dict[VectorSpace, int] = {}

    def find(self, name: str = AUTO, dimensions: int | None = None) -> VectorSpace:
        """The space of that name, with vectors of that length; the same object every time.

        Raises:
            ConfigError: There is none, or none of that length.
        """
        wanted = name.strip(), dimensions
        space = self._found.get(wanted)
        if space is None:
            with self._lock:
                space = self._found.setdefault(wanted, self._look(*wanted))
        return space

    def length(self, space: VectorSpace) -> int | None:
        """How long its vectors are, as declared, asked for or seen; None while unknown."""
        return self._lengths.get(space, space.dimensions)

    def learn(self, space: VectorSpace, length: int) -> None:
        """Its vectors have been seen to be so long.

        Raises:
            NoRouteAnswered: Others of it were of another length: they cannot stand in one index.
        """
        with self._lock:
            known = self._lengths.setdefault(space, space.dimensions or length)
        if known != length:
            raise NoRouteAnswered(
                f"the vectors of {space.name} had {known} dimensions and now have {length}: "
                "they are not of one space any more"
            )

    def _look(self, name: str, dimensions: int | None) -> VectorSpace:
        known = self._embedders()
        owner = self._owner_of(name, known)
        if owner is not None:
            found = _of_owner(*owner, known)
        elif known:
            found = _of_one_model(name, known)
        else:
            raise ConfigError(_nobody(self._providers))
        return _space(found, dimensions, is_of_one=owner is not None)

    def _embedders(self) -> dict[Provider, tuple[ModelSpec, ...]]:
        """What may be used, best first, by provider."""
        allowed = {
            provider: best_first(
                provider,
                [one for one in provider.embedders if not ruled_out(provider, one, self._guards)],
            )
            for provider in self._providers
        }
        return {provider: models for provider, models in allowed.items() if models}

    def _owner_of(self, name: str, known: Catalogs) -> tuple[list[Provider], str] | None:
        """The providers a name speaks of, and what it wants there; None for any provider."""
        told = _OWNER.fullmatch(name)
        if told is None or any(one.id.casefold() == name.casefold() for _, one in offers(known)):
            return None
        head = told[1].casefold()
        owners = [one for one in self._providers if one.name.casefold() == head]
        return (owners, told[2].strip()) if owners else None


def offers(catalogs: Catalogs) -> Iterator[Offer]:
    """Every embedding model with who serves it, in order."""
    for provider, models in catalogs.items():
        for model in models:
            if isinstance(model, EmbedderSpec):
                yield provider, model


def _of_owner(owners: Sequence[Provider], name: str, known: Catalogs) -> Catalogs:
    """What a name stands for at some providers; anything there that is not declared."""
    theirs = {provider: known[provider] for provider in owners if provider in known}
    try:
        return _of_one_model(name, theirs)
    except ConfigError:
        if name.casefold() == AUTO:
            raise ConfigError(_nobody(owners)) from None
        return {owners[0]: (EmbedderSpec(name),)}


def _of_one_model(name: str, known: Catalogs) -> Catalogs:
    """Everybody who serves the model a name stands for; where it stands for several, the best."""
    served: dict[Identity, dict[Provider, tuple[ModelSpec, ...]]] = {}
    for provider, one in offers(known):
        same = served.setdefault(_identity(provider, one), {})
        same[provider] = (*same.get(provider, ()), one)

    def place(offer: Offer) -> tuple[int, bool, int]:
        return offer[0].priority, not _is_preferred(*offer), -len(served[_identity(*offer)])

    return served[_identity(*min(offers(matches(name, known)), key=place))]


def _identity(provider: Provider, embedder: EmbedderSpec) -> Identity:
    """What is equal for those that give the same vectors."""
    return embedder.family or f"{provider.id}/{embedder.id}", embedder.dimensions


def _is_preferred(provider: Provider, embedder: EmbedderSpec) -> bool:
    liked = {word.casefold() for word in provider.prefer}
    words = (embedder.id, embedder.family or "", *embedder.tags)
    return not liked.isdisjoint(word.casefold() for word in words)


def _space(found: Catalogs, dimensions: int | None, *, is_of_one: bool) -> VectorSpace:
    provider, first = next(offers(found))
    own_name = f"{provider.name}/{first.id}"
    name = own_name if is_of_one else first.family or own_name
    if dimensions is None or dimensions == first.dimensions:
        return VectorSpace(name, first.dimensions, None, found)
    able: dict[Provider, tuple[ModelSpec, ...]] = {}
    for who, one in offers(found):
        if one.dimensions is None or dimensions in one.sizes:
            able[who] = (*able.get(who, ()), one)
    if not able:
        raise ConfigError(_no_such_length(name, dimensions, found))
    return VectorSpace(name, dimensions, dimensions, able)


def _room(provider: Provider, embedder: EmbedderSpec) -> float:
    """The most tokens of one request: what is declared, and a share of a minute's."""
    windows = (*provider.limits_of(embedder), *provider.shared_limits)
    amounts = [limit.amount for limit in windows if limit.unit in _COUNTS_TEXTS and limit.amount]
    declared = math.inf if embedder.batch_tokens is None else embedder.batch_tokens
    return min((declared, *(amount / SHARE_OF_A_WINDOW for amount in amounts)))


def _no_such_length(name: str, dimensions: int, found: Catalogs) -> str:
    sizes: Mapping[int, None] = {
        size: None for _, one in offers(found) for size in (one.dimensions or 0, *one.sizes)
    }
    return (
        f"{name} has no vectors of {dimensions} dimensions: choose among "
        f"{', '.join(map(str, sizes))}"
    )


def _nobody(providers: Iterable[Provider]) -> str:
    names = ", ".join(dict.fromkeys(provider.name for provider in providers))
    return (
        f"no embedding model may be used at {names}: set a key of Google, Mistral, NIM or "
        "OpenRouter, or name a model of your own with its provider: model='local/nomic-embed-text'"
    )
