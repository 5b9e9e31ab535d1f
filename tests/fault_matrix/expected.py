"""What follows from a verdict, by hand: who rests and for how long where the server names no time.

Said once more here, apart from the table the pool goes by, so that neither changes unseen.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from tests.wire.refusals import Row

MINUTE, HOUR = 60.0, 3600.0


class Consequence(NamedTuple):
    """`rests` for `seconds` where the fault names no scope and no time; None: nobody rests."""

    rests: str | None = None
    seconds: float = 0.0
    tries: int = 1


CONSEQUENCES = {
    "throttled": Consequence("route", 15.0),
    "overloaded": Consequence("model", 30.0),
    "blocked": Consequence("provider", 10 * MINUTE),
    "forbidden": Consequence("route", 10 * MINUTE),
    "unpaid": Consequence("key", HOUR),
    "model_gone": Consequence("model", 6 * HOUR),
    "not_on_plan": Consequence("route", 6 * HOUR),
    "unauthorized": Consequence("key", math.inf),  # until a person acts
    "server_error": Consequence(),
    "timeout": Consequence(),
    "broken": Consequence(),
    "cut": Consequence(),
    "empty": Consequence(),
    "only_thinking": Consequence(tries=2),  # once more with more room
    "tool_failed": Consequence(),
    "unsupported": Consequence(),
    "bad_parameter": Consequence(tries=2),  # once more without it
    "too_large": Consequence(),
    "too_long": Consequence(),
    "moderated": Consequence(),
    "malformed": Consequence(),
}


THROTTLED_FOR = {"mistral": 2.0}
"""Seconds, where they are fewer than elsewhere."""

MENDED = frozenset({"nim/400-context-new", "openrouter/400-context", "local/lmstudio-400-string"})
"""Refusals for length after which the same route is asked once more: two say that less room for the
answer would do, one is not believed of a short prompt."""


def tries(row: Row) -> int:
    """How often the route that says so is asked."""
    return 2 if f"{row.provider}/{row.case}" in MENDED else CONSEQUENCES[row.kind].tries


def cooled_by(
    kind: str, scope: str | None, retry_after: float | None, *, provider: str = ""
) -> list[tuple[str, str, object]]:
    """What one such fault lets rest, as events tell it."""
    named, seconds, _ = CONSEQUENCES[kind]
    if kind == "throttled":
        seconds = THROTTLED_FOR.get(provider, seconds)
    if named is None:
        return []
    if named == "key" and math.isinf(seconds):
        return [(kind, "key", math.inf)]
    seconds = seconds if retry_after is None else retry_after
    return [(kind, scope or named, pytest.approx(seconds))] if seconds > 0 else []
