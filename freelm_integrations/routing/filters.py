"""Which models are known to be unable to serve a request.

Rules:
- Left out is only what is known to fail: an untagged list is let through. An unknown context is
  taken for what the family, the name or the times suggest (`extent`).
- A list is known to tell what its models can do if any of them carries a tag for it.
- Tokens are estimated, so a model is left out for its size only if the prompt is too long even
  where the estimate is `DOUBT` too high.
- Some reasons are soft (a schema, a forced tool, several calls at once, the length of the answer,
  a number of things that may be too high, an announced end): providers may bend there, so such
  models are used after all where nothing else is left.
- What is no reason to leave a model out may be one to ask it last (`reservation`).
- Limits are no matter of a model's: they change with every header, and are looked at in the views.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from freelm_integrations.routing.extent import BEYOND_ANY, extent_of, families_of
from freelm_integrations.routing.retirement import LONG_AGO, Calendar, retired, retiring

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from freelm_integrations.providers.provider import Provider
    from freelm_integrations.providers.spec import Countable, ModelSpec
    from freelm_integrations.routing.catalog import Catalogs, Choice, Rank
    from freelm_integrations.routing.needs import Needs

ABILITIES = frozenset({"tools", "vision", "audio", "files", "video", "json_schema"})
_UNABLE: Mapping[str, str] = MappingProxyType(
    {
        "tools": "does not call tools",
        "vision": "does not see images",
        "audio": "does not hear sound",
        "files": "does not read files",
        "video": "does not watch videos",
    }
)


_TOO_MANY: Mapping[Countable, str] = MappingProxyType(
    {
        "tools": "takes {} tools at most",
        "stops": "takes {} stop sequences at most",
        "images": "takes {} images at most",
        "links": "takes images written out, not by a link",
        "inline": "takes {} characters of images and files at most",
        "recursions": "takes no schemas that refer to themselves",
    }
)


LEAST_EXTENT = 8_192
"""Tokens that every model is taken to have room for of which nothing is told."""


class Guards(Protocol):
    """What the user rules out."""

    @property
    def free_only(self) -> bool:
        """Leave out models known to cost money."""
        ...

    @property
    def allow_training(self) -> bool:
        """Use free tiers that may train on prompts."""
        ...


class LeftOut(NamedTuple):
    """A model that will not be asked, and why. `is_soft`: it is, where nothing else is left."""

    provider: Provider
    model: ModelSpec
    reason: str
    is_soft: bool = False


def admit(
    ranks: Iterable[Rank],
    needs: Needs,
    guards: Guards,
    catalogs: Catalogs,
    calendar: Calendar = LONG_AGO,
) -> tuple[tuple[Rank, ...], tuple[LeftOut, ...]]:
    """The ranks without what cannot serve, and what was left out of them with the reason."""
    ranks = tuple(ranks)
    is_long = needs.surely > LEAST_EXTENT
    families = families_of(catalogs) if is_long else dict[str, int]()
    left_out = {
        choice: reason
        for choice in (choice for rank in ranks for choice in rank)
        if (
            reason := _objection(choice, needs, guards, catalogs[choice[0]], calendar)
            or _out_of_extent(choice, needs, families)
        )
        is not None
    }
    kept = _without(ranks, left_out)
    if not kept:
        left_out = {choice: out for choice, out in left_out.items() if not out.is_soft}
        kept = _without(ranks, left_out)
    return kept, tuple(left_out.values())


def unlikely(ranks: Iterable[Rank], needs: Needs, catalogs: Catalogs) -> frozenset[tuple[str, str]]:
    """(provider id, model id) of those asked for want of others, though they hardly have room."""
    if needs.surely <= LEAST_EXTENT:
        return frozenset()
    families = families_of(catalogs)
    return frozenset(
        (choice[0].id, choice[1].id)
        for rank in ranks
        for choice in rank
        if _out_of_extent(choice, needs, families) is not None
    )


def ruled_out(provider: Provider, model: ModelSpec, guards: Guards) -> str | None:
    """Which setting forbids this model, whatever the request; None if none does."""
    if guards.free_only and not model.free:
        return "costs money (free_only)"
    if not guards.allow_training and provider.spec.trains is not False:
        return "its free tier may train on prompts (allow_training=False)"
    return None


def reservation(model: ModelSpec, needs: Needs, calendar: Calendar) -> str | None:
    """Why the model is asked after all others wanted alike (`it ...`); None for no reason."""
    if needs.is_brief and "reasoning" in model.tags:
        return f"thinks first, and {needs.output} tokens are little for that"
    return retiring(model, calendar)


def thresholds(catalogs: Catalogs) -> tuple[int, ...]:
    """Every size at which a model starts or stops to be large enough, ascending.

    Two requests that fall between the same two of them, and need the same otherwise, are admitted
    to the same models.
    """
    sizes, families = {LEAST_EXTENT, BEYOND_ANY}, families_of(catalogs)
    for models in catalogs.values():
        for model in models:
            context = extent_of(model, families).size if model.context is None else model.context
            sizes.update(size for size in (context, model.output) if size is not None)
    return tuple(sorted(sizes))


def counted(catalogs: Catalogs) -> Mapping[Countable, tuple[int, ...]]:
    """Every number beyond which some provider has too many of a thing, ascending."""
    most: dict[Countable, set[int]] = {}
    for provider in catalogs:
        for declared in (provider.spec.at_most, provider.spec.hardly_beyond):
            for name, number in declared.items():
                most.setdefault(name, set()).add(number)
    return {name: tuple(sorted(numbers)) for name, numbers in most.items()}


def _without(ranks: Sequence[Rank], left_out: Mapping[Choice, LeftOut]) -> tuple[Rank, ...]:
    if not left_out:
        return tuple(ranks)
    kept = (tuple(choice for choice in rank if choice not in left_out) for rank in ranks)
    return tuple(rank for rank in kept if rank)


def _objection(
    choice: Choice,
    needs: Needs,
    guards: Guards,
    catalog: Sequence[ModelSpec],
    calendar: Calendar,
) -> LeftOut | None:
    provider, model = choice
    if reason := (
        ruled_out(provider, model, guards)
        or _unable(model, needs, catalog)
        or _too_many(needs, provider.spec.at_most)
        or _unseen(needs, provider.spec.images)
    ):
        return LeftOut(provider, model, reason)
    if model.context is not None and needs.surely > model.context:
        reason = f"context of {model.context} tokens is too short for about {needs.prompt}"
        return LeftOut(provider, model, reason)
    if reason := (
        _reluctant(model, needs, catalog)
        or _too_many(needs, provider.spec.hardly_beyond)
        or retired(model, calendar)
    ):
        return LeftOut(provider, model, reason, is_soft=True)
    return None


def _out_of_extent(choice: Choice, needs: Needs, families: Mapping[str, int]) -> LeftOut | None:
    """Whether a model of which no context is told will hardly have room."""
    provider, model = choice
    if model.context is not None or needs.surely <= LEAST_EXTENT:
        return None
    extent = extent_of(model, families)
    if needs.surely <= extent.size:
        return None
    is_soft = needs.surely <= extent.most
    size = extent.size if is_soft else extent.most
    reason = f"context, not told, but hardly over {size} tokens, is too short for about "
    return LeftOut(provider, model, f"{reason}{needs.prompt}", is_soft=is_soft)


def _too_many(needs: Needs, most: Mapping[Countable, int]) -> str | None:
    for name, number in most.items():
        if getattr(needs.counts, name) > number:
            return _TOO_MANY[name].format(number)
    return None


def _unseen(needs: Needs, taken: frozenset[str]) -> str | None:
    if not needs.images or not taken or not (others := needs.images - taken):
        return None
    return f"takes images as {', '.join(sorted(taken))}, not as {', '.join(sorted(others))}"


def _unable(model: ModelSpec, needs: Needs, catalog: Sequence[ModelSpec]) -> str | None:
    if needs.tools and _lacks("tools", model, catalog):
        return _UNABLE["tools"]
    if needs.vision and _lacks("vision", model, catalog):
        return _UNABLE["vision"]
    for part in sorted(needs.parts):
        if _lacks(part, model, catalog):
            return _UNABLE.get(part, f"takes no parts of type {part!r}")
    return None


def _reluctant(model: ModelSpec, needs: Needs, catalog: Sequence[ModelSpec]) -> str | None:
    """What the model might refuse, or do by halves."""
    if model.context is not None and needs.surely_in_all > model.context:
        return (
            f"context of {model.context} tokens is too short for about {needs.prompt} "
            f"and an answer of {needs.output}"
        )
    if model.output is not None and needs.output is not None and needs.output > model.output:
        return f"answers have {model.output} tokens at most"
    if needs.forced_tool and "forced_tool" in model.lacks:
        return "cannot be made to call a tool"
    if needs.parallel_calls and "parallel_calls" in model.lacks:
        return "calls one tool at a time"
    if needs.json_schema and _lacks("json_schema", model, catalog):
        return "does not take a JSON schema"
    return None


def _lacks(ability: str, model: ModelSpec, catalog: Sequence[ModelSpec]) -> bool:
    if ability in model.tags:
        return False
    return any(not ABILITIES.isdisjoint(other.tags) for other in catalog)
