"""Names -> models: what a caller asks for by id, alias, family or tag.

The one rule for a name, upper and lower case being alike. The first of these that matches any model
of any provider decides, and matches wherever it holds:

1. the exact id of a model, or an alias its provider has for it: `openai/gpt-oss-120b`. An id
   without a vendor before it stands for its whole family, and so does one that is the name of a
   family: one provider's `gpt-oss-120b` is another's `openai/gpt-oss-120b`. The routes of that very
   id come first then, unless the id is just the family's name;
2. an alias: `auto` or `chat` for every model, `chat:fast` for those with a tag, `chat:fast+tools`
   for those with several;
3. a family, the same open weights under whatever id: `gpt-oss-120b`;
4. a tag: `vision`;
5. a provider's name, a `/` or `:`, and a name by rules 1 to 4, which then holds for it alone, an id
   for that one model: `groq/auto`, `groq:openai/gpt-oss-120b`, `cerebras/gpt-oss-120b`.

Models come in ranks: the best of every provider, then every provider's second, and so on. Whatever
is wanted first comes first; within that, providers of a lower `priority`; within that, what there
is no reservation about (an end that is near, thinking where little is asked for); within that, the
ranks.
Within a provider, `prefer` leads, then plain fast models in the catalog's order, then the other
plain ones, then those that think before they speak.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from freelm_integrations.errors import ConfigError
from freelm_integrations.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from freelm_integrations.providers.provider import Provider
    from freelm_integrations.providers.spec import ModelSpec

    Catalogs: TypeAlias = Mapping[Provider, tuple[ModelSpec, ...]]
    Choice: TypeAlias = tuple[Provider, ModelSpec]
    Rank: TypeAlias = tuple[Choice, ...]
    ComesLast: TypeAlias = Callable[[ModelSpec], bool]

ALIASES = ("auto", "chat")
NAMED_AT_MOST = 3
"""How many names a message about a wrong one suggests."""


def resolve(
    wanted: Sequence[str], catalogs: Catalogs, comes_last: ComesLast | None = None
) -> tuple[Rank, ...]:
    """The ranks of all that is wanted, each model of a provider once; none while no model is known.

    What `comes_last` is true of comes after all else that was wanted alike.

    Raises:
        ConfigError: A name matches nothing; the message tells the nearest that would.
    """
    if not any(catalogs.values()):
        return ()
    seen: set[tuple[int, str]] = set()
    ranks: list[Rank] = []
    for name in wanted:
        for rank in _ranks_of(name, catalogs, comes_last):
            fresh = tuple(choice for choice in rank if _mark(choice) not in seen)
            seen.update(map(_mark, fresh))
            if fresh:
                ranks.append(fresh)
    return tuple(ranks)


def matches(name: str, catalogs: Catalogs) -> Catalogs:
    """The models of every provider that a name stands for, best first; never empty.

    Raises:
        ConfigError: See `resolve`.
    """
    wanted = name.strip().casefold()
    found = _by_name(wanted, catalogs) or _by_provider(wanted, catalogs)
    if not found:
        raise ConfigError(_nothing_named(name, catalogs))
    return {provider: best_first(provider, models) for provider, models in found.items()}


def best_first(provider: Provider, models: Iterable[ModelSpec]) -> tuple[ModelSpec, ...]:
    """A provider's models in the order `auto` takes them."""
    prefer = [word.casefold() for word in provider.prefer]

    def place(model: ModelSpec) -> tuple[int, int]:
        words = {word.casefold() for word in (model.id, model.family or "", *model.tags)}
        liked = next((i for i, word in enumerate(prefer) if word in words), len(prefer))
        return liked, 2 * ("reasoning" in model.tags) + ("fast" not in model.tags)

    return tuple(sorted(models, key=place))


def in_ranks(found: Catalogs, comes_last: ComesLast | None = None) -> Iterator[Rank]:
    """Models interleaved: the providers' first ones, their second ones; lower priorities before."""
    for priority in sorted({provider.priority for provider in found}):
        level = {who: models for who, models in found.items() if who.priority == priority}
        if comes_last is None:
            yield from _interleaved(level)
            continue
        last = _select(comes_last, level)
        yield from _interleaved(_select(lambda model: not comes_last(model), level))
        yield from _interleaved(last)


def _interleaved(level: Catalogs) -> Iterator[Rank]:
    for place in range(max(map(len, level.values()), default=0)):
        yield tuple((who, models[place]) for who, models in level.items() if place < len(models))


def _ranks_of(name: str, catalogs: Catalogs, comes_last: ComesLast | None) -> Iterator[Rank]:
    """The ranks a name stands for: those of the very id first, and again in their place.

    Not so where the id is just the family's name: then nobody in particular was asked for.
    """
    found = matches(name, catalogs)
    plain = name.strip().casefold()
    if not _select(_is_of({plain}), found):
        yield from in_ranks(_select(_has_id(plain), found))
    yield from in_ranks(found, comes_last)


def _by_name(name: str, catalogs: Catalogs) -> Catalogs:
    """Rules 1 to 4."""

    def has_tag(model: ModelSpec) -> bool:
        return name in _tags(model)

    if exact := _select(_has_id(name), catalogs):
        return _with_family(name, exact, catalogs)
    for rule in (_alias(name), _is_of({name}), has_tag):
        if found := _select(rule, catalogs):
            return found
    return {}


def _with_family(name: str, exact: Catalogs, catalogs: Catalogs) -> Catalogs:
    """What an id stands for beside itself: the second half of rule 1."""
    families = {name}
    if "/" not in name:
        of_these = (model.family for models in exact.values() for model in models)
        families.update(family.casefold() for family in of_these if family is not None)
    has_id, is_of_family = _has_id(name), _is_of(families)
    return _select(lambda model: has_id(model) or is_of_family(model), catalogs)


def _by_provider(name: str, catalogs: Catalogs) -> Catalogs:
    """Rule 5."""
    for provider in catalogs:
        for mark in "/:":
            head, _, rest = name.partition(mark)
            if head == provider.name.casefold() and rest:
                alike = {who: catalogs[who] for who in catalogs if who.name == provider.name}
                return _select(_has_id(rest), alike) or _by_name(rest, alike)
    return {}


def _has_id(name: str) -> Callable[[ModelSpec], bool]:
    return lambda model: (
        model.id.casefold() == name
        or (bool(model.aliases) and any(alias.casefold() == name for alias in model.aliases))
    )


def _is_of(families: set[str]) -> Callable[[ModelSpec], bool]:
    return lambda model: model.family is not None and model.family.casefold() in families


def _alias(name: str) -> Callable[[ModelSpec], bool]:
    head, _, tags = name.partition(":")
    if head not in ALIASES or (":" in name and not tags):
        return lambda _: False
    asked = set(tags.split("+")) if tags else set[str]()
    return lambda model: asked <= _tags(model)


def _select(rule: Callable[[ModelSpec], bool], catalogs: Catalogs) -> Catalogs:
    chosen = {who: tuple(filter(rule, models)) for who, models in catalogs.items()}
    return {who: models for who, models in chosen.items() if models}


def _tags(model: ModelSpec) -> set[str]:
    return {tag.casefold() for tag in model.tags}


def _mark(choice: Choice) -> tuple[int, str]:
    provider, model = choice
    return id(provider), model.id


def _nothing_named(name: str, catalogs: Catalogs) -> str:
    models = [model for some in catalogs.values() for model in some]
    names = dict.fromkeys(
        (
            *ALIASES,
            *(model.id for model in models),
            *(alias for model in models for alias in model.aliases),
            *(model.family for model in models if model.family),
            *(f"chat:{tag}" for tag in sorted({tag for model in models for tag in model.tags})),
        )
    )
    near: list[str] = []
    while len(near) < NAMED_AT_MOST and (guess := nearest(name, names)) is not None:
        near.append(guess)
        del names[guess]
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "try 'auto'"
    return f"no model is known by the name {name!r}: {hint} (`models()` lists what may be called)"
