"""What embedding gives: the vectors, and whose they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freelm_integrations.chat import AttemptRecord, Origin, Usage


class Vectors(list[list[float]]):
    """A vector a text, in their order: a list, which also tells whose they are.

    `model` names the vector space: pass it as `model` to get more vectors that compare with these.
    `dimensions` is their length (0 where there is none), `usage` the tokens as far as providers
    tell, `origins` who answered, one for every request that was sent.
    """

    model: str
    dimensions: int
    usage: Usage | None
    origins: tuple[Origin, ...]

    def __init__(
        self,
        vectors: Iterable[list[float]] = (),
        *,
        model: str = "",
        usage: Usage | None = None,
        origins: tuple[Origin, ...] = (),
    ) -> None:
        """Hold the vectors themselves, not copies."""
        super().__init__(vectors)
        self.model = model
        self.dimensions = len(self[0]) if self else 0
        self.usage = usage
        self.origins = origins

    @property
    def attempts(self) -> tuple[AttemptRecord, ...]:
        """Every attempt that failed on the way, in order of the requests."""
        return tuple(record for origin in self.origins for record in origin.attempts)

    def __repr__(self) -> str:
        """How many there are and whose: their numbers would fill pages."""
        return f"<Vectors: {len(self)} of {self.dimensions} dimensions, {self.model!r}>"
