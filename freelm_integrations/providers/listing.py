"""A provider's live model list, read in the light of what is declared about it.

Listed rows -> ModelSpecs, best first.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from freelm_integrations.providers.spec import ModelSpec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freelm_integrations.providers.spec import ProviderSpec
    from freelm_integrations.wire.catalogs import ListedModel

FAST = re.compile(
    r"(?<![a-z])(?:flash|lite|mini|nano|instant|lightning|turbo|small|xs)(?![a-z])"
    r"|[-_:](?:\d(?:\.\d)?|[12]\d|3[0-5])b\b"
)
SMALL = re.compile(r"[-_:]\d(?:\.\d)?b\b")
LARGE = re.compile(r"large|ultra|super|pro\b|[-_:](?:[6-9]\d|[1-9]\d\d)b\b")
VISION = re.compile(r"vision|[-_]vl\b|omni|pixtral|gemma-[34]|llama-4|\bgemini-")
REASONING = re.compile(
    r"think|reason|gpt-oss|magistral|[-_/]r1\b|nemotron-3|qwen3|glm-[45]|kimi-k|deepseek-v[34]|minimax|\bo\d\b"
)
SIZE = re.compile(r"\d(?:\.\d)?b\b")
TAIL = re.compile(r"[-_](?:instruct|it|chat|versatile|latest|preview|\d{4,8})\b")


def models_from(spec: ProviderSpec, listed: Iterable[ListedModel]) -> tuple[ModelSpec, ...]:
    """The listed models that chat.

    Declared ones first in declared order, then the others, plain and fast ones leading.
    """
    known = {model.id: place for place, model in enumerate(spec.models)}
    found: dict[str, tuple[tuple[int, int, int], ModelSpec]] = {}
    for number, row in enumerate(listed):
        if not _chats(spec, row):
            continue
        if row.id in known:
            place = known[row.id]
            found[row.id] = (0, 0, place), _refreshed(spec.models[place], row)
        else:
            model = _described(spec, row)
            found[row.id] = (1, _slowness(model), number), model
    return tuple(model for _, model in sorted(found.values(), key=lambda pair: pair[0]))


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
    return not spec.chat_include or any(name.startswith(part) for part in spec.chat_include)


def _is_free(spec: ProviderSpec, row: ListedModel) -> bool:
    if any(part in row.id.lower() for part in spec.costly):
        return False
    if spec.free_suffix is None:
        return True
    return row.id.endswith(spec.free_suffix) if row.free is None else row.free


def _refreshed(model: ModelSpec, row: ListedModel) -> ModelSpec:
    context = model.context if row.context is None else row.context
    output = model.output if row.output is None else row.output
    if (context, output) == (model.context, model.output):
        return model
    return replace(model, context=context, output=output)


def _described(spec: ProviderSpec, row: ListedModel) -> ModelSpec:
    return ModelSpec(
        row.id,
        tags=_tags(row),
        context=row.context,
        output=row.output,
        family=family_of(row.id),
        free=_is_free(spec, row),
    )


def _tags(row: ListedModel) -> tuple[str, ...]:
    """What the list says, and where it says nothing what the name suggests."""
    name = row.id.lower()
    says = {
        "fast": bool(FAST.search(name)),
        "small": bool(SMALL.search(name)),
        "large": bool(LARGE.search(name)),
        "tools": "tools" in row.features if row.features else True,
        "vision": "image" in row.input_modalities or bool(VISION.search(name)),
        "reasoning": "reasoning" in row.features or bool(REASONING.search(name)),
        "json_schema": "structured_outputs" in row.features or "json_schema" in row.features,
    }
    return tuple(tag for tag, holds in says.items() if holds)


def _slowness(model: ModelSpec) -> int:
    return 2 * ("reasoning" in model.tags) + ("fast" not in model.tags)
