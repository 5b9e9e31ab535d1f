"""How the attempts of one call are shared out, so that no provider that is free goes unasked.

A call may make so many attempts, and one provider can use them all up: by its twenty keys, by its
models where the caller wants those first, by what it will not take one after another. So while
others were not asked, none gets more than its share of the attempts there are: those left and
those it had, divided by all who want some. Within that the order of the candidates holds.
"""

from __future__ import annotations

NOBODY: frozenset[str] = frozenset()


class Shares:
    """What each provider had of one call's attempts; providers by their ids. Not thread safe."""

    __slots__ = ("_had",)

    def __init__(self) -> None:
        """Nobody had any."""
        self._had: dict[str, int] = {}

    def take(self, provider: str) -> None:
        """An attempt was sent there."""
        self._had[provider] = self._had.get(provider, 0) + 1

    def has_had(self, provider: str) -> bool:
        """Whether it was asked at all."""
        return provider in self._had

    def unasked(self, providers: frozenset[str]) -> int:
        """How many of them were not asked."""
        return len(providers) - sum(map(providers.__contains__, self._had))

    def used_up(self, unasked: int, left: int) -> frozenset[str]:
        """Who has had its share, with `left` attempts to make and so many providers not asked."""
        if not unasked:
            return NOBODY
        return frozenset(who for who, had in self._had.items() if had * unasked >= left)
