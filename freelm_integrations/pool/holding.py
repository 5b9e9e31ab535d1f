"""How much of the token windows an answer holds before it is there.

Rules:
- A limit that the caller gives is held as it is, as far as its provider counts it.
- Where the caller leaves it open, what is usual is held; a provider that reserves its answers holds
  the limit that is sent by default.
- With such a provider that limit can be lowered to what the windows bear (`Room`), though not
  below what its answers have needed lately: one that is cut short has cost its tokens for nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freelm_integrations.pool.view import Route
    from freelm_integrations.pool.window import Window

USUAL_OUTPUT = 1_024
"""Tokens set aside for an answer whose length nobody knows."""
LEAST_ROOM = 256
"""Tokens that a lowered limit leaves at the least; twice as many where the model thinks first."""


class Room(NamedTuple):
    """How long an answer may be that was left open, in tokens.

    `is_lowered`: shorter than usual; `is_widest`: no emptier window would bear more.
    """

    tokens: int
    is_lowered: bool = False
    is_widest: bool = True


class Holding:
    """What answers on one route hold. Immutable."""

    __slots__ = ("_least", "_most", "is_flexible", "usual")

    def __init__(self, route: Route) -> None:
        model, reserves = route.model, route.provider.spec.reserves
        self.usual = USUAL_OUTPUT
        """Tokens for an answer whose length the caller leaves open."""
        self.is_flexible = reserves is not None
        """Whether its provider goes by the limit that is sent, so that a lower one holds less."""
        self._most = math.inf
        self._least = LEAST_ROOM * (2 if "reasoning" in model.tags else 1)
        if reserves is not None:
            sent = route.provider.dialect.default_output(model.tags, model.output)
            held = reserves.unnamed if sent is None else sent
            self._most = math.inf if reserves.most is None else reserves.most
            self.usual = USUAL_OUTPUT if held is None else self.of(held)

    def of(self, output: int) -> int:
        """Tokens held for an answer that the caller limits to so many."""
        return int(min(output, self._most))

    def room(
        self,
        windows: Iterable[Window],
        now: float,
        *,
        prompt: int,
        longest: float,
        is_fitted: bool,
    ) -> Room:
        """The room for an answer left open, beside a prompt of so many tokens.

        Args:
            windows: The route's.
            now: The present moment.
            prompt: Tokens of the prompt.
            longest: Tokens that answers here have needed lately; 0 while unknown.
            is_fitted: Whether to take what is left now; else only what never fits is lowered.
        """
        if not self.is_flexible:
            return Room(self.usual)
        in_all = left = math.inf
        for window in windows:
            if window.unit in _OF_ANSWERS:
                beside = prompt if window.unit == "tokens" else 0
                in_all = min(in_all, window.amount - beside)
                left = min(left, window.remaining(now) - beside)
        least = min(self.usual, max(self._least, longest))
        widest = int(min(self.usual, max(least, in_all)))
        tokens = int(min(widest, max(least, left))) if is_fitted else widest
        return Room(tokens, is_lowered=tokens < self.usual, is_widest=tokens == widest)


_OF_ANSWERS = frozenset({"tokens", "output_tokens"})
