"""Retry-After and rate-limit headers -> what they promise."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Reading(NamedTuple):
    """What a server said of one window: how much, how much is left, when it is full again (s from now); None: unsaid."""

    unit: Literal["requests", "tokens", "input_tokens", "output_tokens"]
    per: float
    limit: float | None = None
    remaining: float | None = None
    resets_after: float | None = None
