"""What a played provider lists: models, their abilities and where they stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freelm_integrations.lab.limits import LabLimit

Standing = Literal["live", "retired", "gone", "forbidden", "priced", "decoy"]


@dataclass(frozen=True)
class LabModel:
    """One model of a played provider.

    Standing: `live` serves a free key; `retired` is still listed but answers no more; `gone` was
    dropped from the list and answers as the provider does for such ids; `forbidden` is refused to
    free keys; `priced` is served to paying accounts only; `decoy` is listed but is no chat model
    (speech, safety and so on).
    """

    id: str
    tags: frozenset[str] = frozenset({"chat"})
    context: int = 131_072
    output: int = 16_384
    standing: Standing = "live"
    dimensions: int = 0  # of an embedding model's vectors
    limits: tuple[LabLimit, ...] | None = None  # None: those of the provider
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])  # only in its row

    def has(self, tag: str) -> bool:
        """Whether the model carries a tag: `chat`, `tools`, `vision`, `embed` and so on."""
        return tag in self.tags


def chat(id: str, tags: str = "", **facts: Any) -> LabModel:  # noqa: A002 - the word users know
    """A chat model with the tags given in one string."""
    return LabModel(id, frozenset({"chat", *tags.split()}), **facts)


def embedder(id: str, dimensions: int, tags: str = "", **facts: Any) -> LabModel:  # noqa: A002
    """An embedding model with vectors of so many dimensions."""
    return LabModel(id, frozenset({"embed", *tags.split()}), dimensions=dimensions, **facts)


def decoy(id: str, **facts: Any) -> LabModel:  # noqa: A002
    """A listed row that is no chat model: clients must leave it out."""
    return LabModel(id, frozenset(), standing="decoy", **facts)
