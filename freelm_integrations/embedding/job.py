"""Texts on their way to vectors: in parts that all who serve the space take. Does no I/O.

Rules:
- A part has no more texts and tokens than the least generous provider of the space takes, so that
  any of them may answer it. Each part is a call of its own, with its own failover.
- Tokens are estimated. Where a part is refused as too long or as wrong, its halves are tried: what
  providers declare of themselves is not always what holds. A single text is not cut: what is left
  out of it could not be found, and nobody would know.
- While the length of the vectors is not known, one part goes alone; the others are held to it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freelm_integrations.chat import EmbeddingRequest
from freelm_integrations.embedding.vectors import Vectors
from freelm_integrations.errors import ContextOverflow
from freelm_integrations.routing.needs import DOUBT, tokens_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freelm_integrations.chat import Delta, InputType, Origin, Usage
    from freelm_integrations.embedding.spaces import Spaces, VectorSpace
    from freelm_integrations.errors import FreeLLMError


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the texts that follow each other; `start` is the place of the first (from 0)."""

    start: int
    texts: tuple[str, ...]


class Job:
    """One call to embed. Used by one thread or event loop at a time."""

    def __init__(
        self,
        texts: tuple[str, ...],
        space: VectorSpace,
        spaces: Spaces,
        *,
        input_type: InputType,
        timeout: float | None = None,
    ) -> None:
        """Split the texts; `timeout` (s) is that of each part's call, None for the client's.

        Raises:
            ContextOverflow: A text is too long for the model, by any estimate; says which.
        """
        self.space = space
        self._spaces = spaces
        self._input_type: InputType = input_type
        self._timeout = timeout
        self._parts = deque(_split(texts, space))
        self._found: list[list[float]] = [[] for _ in texts]
        self._origins: dict[int, Origin] = {}
        self._usage: Usage | None = None

    @property
    def left(self) -> int:
        """How many parts nobody has taken yet."""
        return len(self._parts)

    @property
    def is_measured(self) -> bool:
        """Whether it is known how long the vectors will be."""
        return self._spaces.length(self.space) is not None

    def take(self) -> Part | None:
        """The next part to ask for, None if there is no other."""
        return self._parts.popleft() if self._parts else None

    def request(self, part: Part) -> EmbeddingRequest:
        """What to ask for it."""
        return EmbeddingRequest(
            texts=part.texts,
            input_type=self._input_type,
            dimensions=self.space.asked,
            expects=self._spaces.length(self.space),
            timeout=self._timeout,
        )

    def hear(self, part: Part, delta: Delta) -> None:
        """Take what was answered.

        Raises:
            NoRouteAnswered: Its vectors are of another length than those before.
        """
        if delta.origin is not None:
            self._origins[part.start] = delta.origin
        if delta.usage is not None:
            self._usage = delta.usage if self._usage is None else self._usage + delta.usage
        if delta.vectors:
            self._spaces.learn(self.space, len(delta.vectors[0]))
            self._found[part.start : part.start + len(part.texts)] = delta.vectors

    def halve(self, part: Part, error: FreeLLMError) -> None:
        """It was refused as it is: try its halves next. Raises the error where it is one text."""
        if len(part.texts) == 1:
            raise error
        middle = len(part.texts) // 2
        self._parts.appendleft(Part(part.start + middle, part.texts[middle:]))
        self._parts.appendleft(Part(part.start, part.texts[:middle]))

    def vectors(self) -> Vectors:
        """All of them, once every part is heard."""
        origins = tuple(origin for _, origin in sorted(self._origins.items()))
        return Vectors(self._found, model=self.space.name, usage=self._usage, origins=origins)


def _split(texts: tuple[str, ...], space: VectorSpace) -> Iterator[Part]:
    most, room, longest = space.batch, space.batch_tokens, space.longest
    start, held = 0, 0
    for place, text in enumerate(texts):
        tokens = tokens_in(text)
        if longest is not None and tokens / DOUBT > longest:
            raise ContextOverflow(
                f"texts[{place}] has about {tokens} tokens, and {space.name} reads {longest} of a "
                "text: split it"
            )
        if place > start and (place - start >= most or held + tokens > room):
            yield Part(start, texts[start:place])
            start, held = place, 0
        held += tokens
    if texts:
        yield Part(start, texts[start:])
