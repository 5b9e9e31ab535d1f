"""How long a context a model has whose provider does not say: NIM's list holds nothing but ids.

Told by the first that knows: the same family at whoever does say, the generation its name tells,
else what is usual. The first two are known well enough to leave a model out for good; what is
usual only puts others before it, up to what no model goes beyond.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freelm_integrations.providers.spec import ModelSpec
    from freelm_integrations.routing.catalog import Catalogs

    Families = Mapping[str, int]

USUAL = 131_072
"""Tokens that models of 2025 and 2026 have at least, but for small and old ones."""
BEYOND_ANY = 1_048_576
"""Tokens that no free model of 2026 goes beyond."""

# The longest that a generation was released with (its model cards), so none is done wrong.
_GENERATIONS: tuple[tuple[re.Pattern[str], int], ...] = tuple(
    (re.compile(name), size)
    for name, size in (
        (r"llama-?2\b|codellama|vicuna|solar-10", 16_384),
        (r"llama-?3-(?:8b|70b)|llama3-(?:8b|70b)", 8_192),
        (r"llama-?3\.[1-9]", 131_072),
        (r"gemma-?(?:1\.1-|2-|2b|7b)|codegemma|recurrentgemma", 8_192),
        (r"gemma-?3", 131_072),
        (r"gemma-?4", 262_144),
        (r"mi[sx]tral-(?:7b|8x7b)|zephyr", 32_768),
        (r"mixtral-8x22b", 65_536),
        (r"phi-?4", 131_072),
        (r"phi-?3", 131_072),
        (r"qwen-?2(?:\.5)?-", 131_072),
        (r"granite-3", 131_072),
        (r"gpt-oss", 131_072),
        (r"kimi-k2", 262_144),
        (r"glm-4", 204_800),
        (r"deepseek-(?:r1|v3)", 163_840),
    )
)


class Extent(NamedTuple):
    """A context in tokens; unless it `is_known`, it may be longer, but not beyond `most`."""

    size: int
    is_known: bool

    @property
    def most(self) -> int:
        """What the prompt may not go beyond in any case."""
        return self.size if self.is_known else BEYOND_ANY


def families_of(catalogs: Catalogs) -> Families:
    """The longest context that anybody tells of each family (names in lower case)."""
    found: dict[str, int] = {}
    for models in catalogs.values():
        for model in models:
            if model.family is not None and model.context is not None:
                name = model.family.casefold()
                found[name] = max(model.context, found.get(name, 0))
    return found


def extent_of(model: ModelSpec, families: Families) -> Extent:
    """The context a model is taken to have that none is told of."""
    names = (model.family or "").casefold(), model.id.casefold()
    told = families.get(names[0])
    if told is not None:
        return Extent(told, is_known=True)
    for pattern, size in _GENERATIONS:
        if pattern.search(names[1]):
            return Extent(size, is_known=True)
    return Extent(USUAL, is_known=False)
