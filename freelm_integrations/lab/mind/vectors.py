"""Embeddings without a model: texts that share words lie close together, in one space.

Every family of models has a space of its own, in which words point elsewhere: vectors of two
families do not compare, though they may have one length, just as with real ones.
"""

from __future__ import annotations

import base64
import hashlib
import math
import struct
from functools import lru_cache

from freelm_integrations.lab.mind.evidence import stem, words

_DIRECTIONS = 8  # places of the vector one word moves


@lru_cache(maxsize=8192)
def _moves(word: str, space: str) -> tuple[tuple[int, float], ...]:
    digest = hashlib.sha512(f"{space}:{word}".encode()).digest()
    numbers = [
        int.from_bytes(digest[4 * place : 4 * place + 4], "big") for place in range(_DIRECTIONS)
    ]
    return tuple((number >> 1, 1.0 if number & 1 else -1.0) for number in numbers)


def space_of(model: str) -> str:
    """The family of a model's id: its vendor and variant do not change its vectors."""
    return model.rpartition("/")[2].partition(":")[0]


def vector(text: str, dimensions: int, space: str = "") -> list[float]:
    """The unit-length vector of a text: always the same, whatever the order of its words."""
    made = [0.0] * dimensions
    for word in words(text) or [text]:
        for place, step in _moves(stem(word), space):
            made[place % dimensions] += step
    length = math.sqrt(sum(part * part for part in made))
    if length == 0.0:
        made[0] = length = 1.0
    return [round(part / length, 6) for part in made]


def in_base64(made: list[float]) -> str:
    """A vector as the base64 of its 32-bit floats."""
    return base64.b64encode(struct.pack(f"<{len(made)}f", *made)).decode()
