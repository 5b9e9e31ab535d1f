"""The log probabilities of an answer, for callers who asked for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.wire.shapes import is_mapping, mapping, sequence

if TYPE_CHECKING:
    from freelm_integrations.chat import Delta, Json


class Odds:
    """Those of pieces that are held back wait for the next that is passed on. Not thread safe."""

    def __init__(self) -> None:
        """Start with none."""
        self._waiting: list[Json] = []

    def note(self, choice: Json) -> None:
        """Take those of one chunk, a position each."""
        told = sequence(mapping(choice.get("logprobs")).get("content"))
        self._waiting += [one for one in told if is_mapping(one)]

    def on(self, delta: Delta) -> Delta:
        """The delta, with all that wait."""
        if not self._waiting:
            return delta
        told, self._waiting = tuple(self._waiting), []
        return delta._replace(logprobs=told)
