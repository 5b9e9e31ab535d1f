"""What a local server is asked beside its list: of each model, how large a context is there.

Whatever comes of it, the list stands: a server that has no such page is no trouble.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freelm_integrations.providers.listing import models_from
from freelm_integrations.wire.loaded import detailed, parse_details

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freelm_integrations.providers.provider import Provider
    from freelm_integrations.providers.spec import ModelSpec
    from freelm_integrations.wire.catalogs import ListedModel

EACH_AT_MOST = 32
"""Models that are asked for one by one; who has more lists them best first, one hopes."""


@dataclass(frozen=True, slots=True)
class Question:
    """One page to be asked for, of one model or of all."""

    path: str
    model: str = ""

    @property
    def body(self) -> bytes | None:
        """What is sent; None for a GET."""
        return json.dumps({"model": self.model}).encode() if self.model else None


class Beside:
    """The questions to one provider, and the list as it reads in their light."""

    def __init__(self, provider: Provider) -> None:
        """Nothing is asked yet."""
        self._provider = provider
        self._details: list[ListedModel] = []
        self._each: list[str] = []
        self._asked: list[Question] = []
        self.rows: tuple[ListedModel, ...] | None = None

    @property
    def is_done(self) -> bool:
        """Whether nothing is to come of it any more, the list itself included."""
        return self.rows is not None and not self._asked

    @property
    def models(self) -> tuple[ModelSpec, ...]:
        """The models, as far as they are known."""
        return models_from(self._provider.spec, detailed(self.rows or (), self._details))

    def first(self) -> Iterator[Question]:
        """What to ask at once."""
        for path in self._provider.spec.details:
            yield self._ask(Question(path))

    def hear(self, question: Question, body: bytes | None) -> None:
        """Take in what came; None if nothing did."""
        self._asked.remove(question)
        if body is None:
            return
        self._details += parse_details(body, question.model)
        each = self._provider.spec.details.get(question.path)
        if each is not None:
            self._each.append(each)

    def next(self) -> Iterator[Question]:
        """What to ask of each model, once it is known that it can be, and which there are."""
        if self.rows is None or self._asked:
            return
        paths, self._each = self._each, []
        for path in paths:
            for row in self.rows[:EACH_AT_MOST]:
                yield self._ask(Question(path, row.id))

    def _ask(self, question: Question) -> Question:
        self._asked.append(question)
        return question
