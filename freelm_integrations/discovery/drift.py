"""How a list of models differs from an earlier one: what is gone, what is new, what changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freelm_integrations.chat import Json
    from freelm_integrations.providers.spec import ModelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What one list has that another has not.

    `gone` and `new` are ids in the order of their lists, `resized` the context of a model before
    and now (tokens), where both are known. `lost_lead` is the model that led the list before, if
    it is gone: what `auto` would ask first.
    """

    gone: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    resized: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, "tuple[int, int]"])
    lost_lead: str | None = None

    def __bool__(self) -> bool:
        """Whether there is any difference."""
        return bool(self.gone or self.new or self.resized)

    def to_dict(self) -> Json:
        """A dict as JSON would give it back."""
        return {
            "gone": list(self.gone),
            "new": list(self.new),
            "resized": {name: list(sizes) for name, sizes in self.resized.items()},
            "lost_lead": self.lost_lead,
        }


def drift(before: Sequence[ModelSpec], now: Sequence[ModelSpec]) -> Drift:
    """What has changed between two lists of one provider, each best first."""
    old = {model.id: model for model in before}
    new = {model.id: model for model in now}
    resized = {
        name: (was.context, found.context)
        for name, was in old.items()
        if (found := new.get(name)) is not None
        and was.context is not None
        and found.context is not None
        and was.context != found.context
    }
    lead = before[0].id if before else None
    return Drift(
        gone=tuple(name for name in old if name not in new),
        new=tuple(name for name in new if name not in old),
        resized=resized,
        lost_lead=None if lead in new else lead,
    )
