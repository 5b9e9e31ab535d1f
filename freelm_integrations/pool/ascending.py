"""Very many values kept in ascending order, with some of them coming and going all the time.

They lie in blocks: putting one in or taking one out moves the pointers of a single block, where one
list of ten thousand would move 80 KB each time.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from itertools import chain
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

V = TypeVar("V", bound="tuple[Any, ...]")

BLOCK = 128
"""A block is halved at twice that, and joined to its neighbour at a quarter of it."""


class Ascending(Generic[V]):
    """Mutable; no two of its values are equal. Not to be changed while it is gone through."""

    __slots__ = ("_blocks", "_lasts", "_length")

    def __init__(self) -> None:
        self._blocks: list[list[V]] = []
        self._lasts: list[V] = []
        """The last value of each block."""
        self._length = 0

    def __len__(self) -> int:
        """How many there are."""
        return self._length

    def __iter__(self) -> Iterator[V]:
        """All of them, the least first."""
        return chain.from_iterable(self._blocks)

    def starting(self, start: V) -> Iterator[V]:
        """All of them, from `start` on, and then those below it."""
        place = bisect_left(self._lasts, start)
        if place == len(self._blocks):
            return iter(self)
        block = self._blocks[place]
        within = bisect_left(block, start)
        after, before = self._blocks[place + 1 :], self._blocks[:place]
        return chain(block[within:], *after, *before, block[:within])

    def has_below(self, bound: V, *, count: int) -> bool:
        """Whether at least so many are below `bound`; 1 or more."""
        left = count - 1
        for block in self._blocks:
            if left < len(block):
                return block[left] < bound
            left -= len(block)
        return False

    def add(self, value: V) -> None:
        """Put it where it belongs."""
        self._length += 1
        blocks, lasts = self._blocks, self._lasts
        if not blocks:
            blocks.append([value])
            lasts.append(value)
            return
        place = bisect_left(lasts, value)
        if place == len(blocks):
            place -= 1
            lasts[place] = value
            blocks[place].append(value)
        else:
            insort(blocks[place], value)
        if len(blocks[place]) >= 2 * BLOCK:
            self._halve(place)

    def remove(self, value: V) -> None:
        """Take it out; it is known to be there."""
        self._length -= 1
        blocks, lasts = self._blocks, self._lasts
        place = bisect_left(lasts, value)
        block = blocks[place]
        del block[bisect_left(block, value)]
        if not block:
            del blocks[place], lasts[place]
            return
        lasts[place] = block[-1]
        if len(block) < BLOCK // 4 and len(blocks) > 1:
            self._join(max(0, place - 1))

    def _halve(self, place: int) -> None:
        block = self._blocks[place]
        self._blocks[place : place + 1] = block[:BLOCK], block[BLOCK:]
        self._lasts.insert(place, block[BLOCK - 1])

    def _join(self, place: int) -> None:
        """That block and the next."""
        block = self._blocks[place]
        block += self._blocks.pop(place + 1)
        self._lasts[place : place + 2] = [block[-1]]
        if len(block) >= 2 * BLOCK:
            self._halve(place)
