"""A provider's live model list, read in the light of what is declared about it.

Listed rows -> ModelSpecs, best first.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from freelm_integrations.providers.spec import EFFORTS, ModelSpec

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from freelm_integrations.providers.spec import ProviderSpec
    from freelm_integrations.wire.catalogs import ListedModel

FAST = re.compile(
    r"(?<![a-z])(?:flash|lite|mini|nano|instant|lightning|turbo|small|xs)(?![a-z])"
    r"|[-_:](?:\d(?:\.\d)?|[12]\d|3[0-5])b\b"
)
SMALL = re.compile(r"[-_:]\d(?:\.\d)?b\b")
LARGE = re.compile(r"large|ultra|super|pro\b|[-_:](?:[6-9]\d|[1-9]\d\d)b\b")
VISION = re.compile(r"vision|[-_]vl\b|omni|pixtral|gemma-[34]|llama-4|\bgemini-")
AUDIO = re.compile(r"\bgemini-")
REASONING = re.compile(
    r"think|reason|gpt-oss|magistral|[-_/]r1\b|nemotron-3|qwen3|glm-[45]|kimi-k|deepseek-v[34]|minimax|\bo\d\b"
)
SIZE = re.compile(r"\d(?:\.\d)?b\b")
_FORMATS = {"json_mode": "response_format", "json_schema": "structured_outputs"}
_SKILLS = {"tools": "tools", "json_schema": "structured_outputs"}
_MODALITIES = {"vision": "image", "audio": "audio", "files": "file", "video": "video"}
_UNLIKE_ANY = ModelSpec("")
_DAY = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
_DATED = re.compile(r"[-_]\d{4,8}\b")
TAIL = re.compile(r"[-_](?:instruct|it|chat|versatile|latest|preview|\d{4,8})\b")


def models_from(spec: ProviderSpec, listed: Iterable[ListedModel]) -> tuple[ModelSpec, ...]:
    """The listed models that chat.

    Declared ones first in declared order, then the others, plain and fast ones leading. A model
    that is listed under several ids is there once, and has the others as its aliases.
    """
    known = {model.id: place for place, model in enumerate(spec.models)}
    found: dict[str, tuple[tuple[int, int, int], ModelSpec]] = {}
    rows = folded(listed, known)
    tells = frozenset(skill for row in rows for skill in row.features)
    for number, row in enumerate(rows):
        if not _chats(spec, row):
            continue
        if row.id in known:
            place = known[row.id]
            found[row.id] = (0, 0, place), _refreshed(spec.models[place], row, tells)
        else:
            model = _described(spec, row, tells)
            found[row.id] = (1, _slowness(model), number), model
    return tuple(model for _, model in sorted(found.values(), key=lambda pair: pair[0]))


def folded(listed: Iterable[ListedModel], known: Container[str] = ()) -> tuple[ListedModel, ...]:
    """The rows without those that are aliases of another; that one has their ids as its aliases.

    It is a `known` one if any is, else one whose id stays when the model is renewed.
    """
    rows: dict[str, ListedModel] = {}
    for row in listed:
        rows.setdefault(row.id, row)
    together: dict[str, tuple[str, ...]] = {}
    for row in rows.values():
        names = (row.id, *(name for name in row.aliases if name in rows))
        merged = tuple(dict.fromkeys(one for n in names for one in together.get(n, (n,))))
        together.update(dict.fromkeys(merged, merged))
    place = {name: number for number, name in enumerate(rows)}
    heads = {
        names: min(names, key=lambda name: (name not in known, _datedness(name), place[name]))
        for names in dict.fromkeys(together.values())
    }
    return tuple(
        replace(row, aliases=_aliases(row.id, [rows[one] for one in together[row.id]]))
        for row in rows.values()
        if heads[together[row.id]] == row.id
    )


def _aliases(model_id: str, rows: Iterable[ListedModel]) -> tuple[str, ...]:
    names = (name for row in rows for name in (row.id, *row.aliases))
    return tuple(dict.fromkeys(name for name in names if name != model_id))


def _datedness(model_id: str) -> int:
    if model_id.startswith("~"):  # OpenRouter's own, for whichever is the newest
        return 3
    return 0 if model_id.endswith("-latest") else 2 if _DATED.search(model_id) else 1


def restored(spec: ProviderSpec, models: Iterable[ModelSpec]) -> tuple[ModelSpec, ...]:
    """Models read back from a file.

    With the limits that are declared for them (limits are never stored).
    """
    limits = {model.id: model.limits for model in spec.models}
    return tuple(replace(model, limits=limits.get(model.id)) for model in models)


def family_of(model_id: str) -> str:
    """The name under which providers serve the same open weights.

    Vendor, variant and instruct suffixes gone; a size stays, also where it follows a colon.
    """
    name, _, variant = model_id.lower().rsplit("/", 1)[-1].partition(":")
    return TAIL.sub("", f"{name}-{variant}" if SIZE.search(variant) else name)


def _chats(spec: ProviderSpec, row: ListedModel) -> bool:
    name = row.id.lower()
    if row.chat is False or row.deprecated is True:
        return False
    if any(part in name for part in spec.chat_exclude):
        return False
    if any(row.id == embedder.id for embedder in spec.embedders):
        return False
    return not spec.chat_include or any(name.startswith(part) for part in spec.chat_include)


def _is_free(spec: ProviderSpec, row: ListedModel) -> bool:
    if any(part in row.id.lower() for part in spec.costly):
        return False
    if spec.free_suffix is None:
        return True
    return row.id.endswith(spec.free_suffix) if row.free is None else row.free


def _refreshed(model: ModelSpec, row: ListedModel, tells: frozenset[str]) -> ModelSpec:
    """A declared model as it is listed now: what the list says is newer than what we know."""
    context = model.context if row.context is None else row.context
    output = model.output if row.output is None else row.output
    said = _said(row, tells)
    tags = tuple(tag for tag in model.tags if said.get(tag, True))
    tags += tuple(tag for tag, holds in said.items() if holds and tag not in tags)
    lacks = _lacking(row, tells) or model.lacks
    fresh = replace(
        model,
        context=context,
        output=output,
        tags=tags,
        lacks=lacks,
        aliases=row.aliases or model.aliases,
        retires_on=_end_of(row) or model.retires_on,
    )
    return model if fresh == model else fresh


def _described(spec: ProviderSpec, row: ListedModel, tells: frozenset[str]) -> ModelSpec:
    like = _like(spec, row.id)
    return ModelSpec(
        row.id,
        tags=_tags(row, tells, like.tags),
        context=like.context if row.context is None else row.context,
        output=like.output if row.output is None else row.output,
        family=family_of(row.id),
        free=_is_free(spec, row),
        lacks=_lacking(row, tells) or like.lacks,
        aliases=row.aliases,
        retires_on=_end_of(row) or _announced(spec, row.id),
    )


def _like(spec: ProviderSpec, model_id: str) -> ModelSpec:
    """What such a model is like, as far as that is declared."""
    return next((one for part, one in spec.alike.items() if model_id.startswith(part)), _UNLIKE_ANY)


def _end_of(row: ListedModel) -> str | None:
    """The day of its end that the list tells, if it is one."""
    found = _DAY.match(row.retires_on or "")
    return found[0] if found else None


def _announced(spec: ProviderSpec, model_id: str) -> str | None:
    return next((day for part, day in spec.retires.items() if model_id.startswith(part)), None)


def _said(row: ListedModel, tells: frozenset[str]) -> dict[str, bool]:
    """The tags that the list itself gives or denies a model.

    `tells` are the skills it names of any: one that it never names, it does not tell of.
    """
    said = {
        tag: skill in row.features
        for tag, skill in _SKILLS.items()
        if row.features and skill in tells
    }
    if row.input_modalities:
        said.update({tag: kind in row.input_modalities for tag, kind in _MODALITIES.items()})
    return said


def _lacking(row: ListedModel, tells: frozenset[str]) -> tuple[str, ...]:
    """What the list names of others and not of this one.

    OpenRouter names the choice of tools beside the tools themselves, and a format beside schemas.
    """
    absent = tells - set(row.features) if row.features else frozenset[str]()
    is_shy = "tools" in row.features and "tool_choice" in absent
    return (
        *(("forced_tool",) if is_shy or row.ignores_choice else ()),
        *(name for name, skill in _FORMATS.items() if skill in absent),
        *(f"effort_{word}" for word in EFFORTS if not _takes(word, row)),
    )


def _takes(effort: str, row: ListedModel) -> bool:
    if effort == "none":
        return not row.must_think
    return not row.efforts or effort in row.efforts


def _tags(row: ListedModel, tells: frozenset[str], like: tuple[str, ...]) -> tuple[str, ...]:
    """What the list says, and where it says nothing what the name and its likes suggest."""
    name = row.id.lower()
    guessed = {
        "fast": bool(FAST.search(name)),
        "small": bool(SMALL.search(name)),
        "large": bool(LARGE.search(name)),
        "tools": not row.features,
        "vision": bool(VISION.search(name)),
        "audio": bool(AUDIO.search(name)),
        "reasoning": bool(REASONING.search(name)),
    }
    guessed.update(dict.fromkeys(like, True))
    tags = {**guessed, **_said(row, tells), "reasoning": _reasons(row, guessed["reasoning"])}
    return tuple(tag for tag, holds in tags.items() if holds)


def _reasons(row: ListedModel, is_guessed: bool) -> bool:  # noqa: FBT001 - private
    """Some lists leave it out of models that do think: the name may say more."""
    return is_guessed or "reasoning" in row.features


def _slowness(model: ModelSpec) -> int:
    return 2 * ("reasoning" in model.tags) + ("fast" not in model.tags)
