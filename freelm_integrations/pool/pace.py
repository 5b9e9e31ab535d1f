"""How quick a route has been: to its first content, to whole answers, and between the pieces.

The first content of a stream and an answer that comes in one piece are two different times, so they
are smoothed apart.
"""

from __future__ import annotations

from typing import NamedTuple

SMOOTHING = 0.3
"""The weight of a new latency against all before it."""
FADING = 0.7
"""What is kept of the longest pause, and of the longest answer, from one answer to the next."""


class Pace(NamedTuple):
    """Seconds a route usually takes to its first content, and pauses in its midst.

    None while unknown.
    """

    latency: float | None
    gap: float | None


class Pacing:
    """Mutable, guarded by the pool's lock; all times in seconds."""

    __slots__ = ("first", "gap", "length", "whole")

    def __init__(self) -> None:
        self.first: float | None = None
        self.whole: float | None = None
        self.gap: float | None = None
        self.length = 0.0
        """Tokens of the longest answer lately; 0 while unknown."""

    @property
    def latency(self) -> float | None:
        """To the first content, or, where no stream was seen yet, to the whole answer."""
        return self.whole if self.first is None else self.first

    def took(self, latency: float, *, is_whole: bool) -> None:
        """An answer began after so long, or came whole."""
        if is_whole:
            self.whole = _blend(self.whole, latency)
        else:
            self.first = _blend(self.first, latency)

    def was_silent(self, silent_for: float, *, is_whole: bool) -> None:
        """An attempt was given up that had said nothing: it would have taken at least so long."""
        known = self.whole if is_whole else self.first
        if known is None or silent_for > known:
            self.took(silent_for, is_whole=is_whole)

    def paused(self, gap: float) -> None:
        """An answer's longest pause between two pieces; the longest is kept, and slowly fades."""
        self.gap = gap if self.gap is None else max(gap, FADING * self.gap)

    def said(self, tokens: int) -> None:
        """An answer had so many tokens, or would have had that many at the least."""
        self.length = max(float(tokens), FADING * self.length)

    def of(self, *, streaming: bool) -> Pace:
        """What to expect of the next answer."""
        return Pace(self.first if streaming else self.whole, self.gap)


def _blend(known: float | None, new: float) -> float:
    return new if known is None else known + SMOOTHING * (new - known)
