"""What one call may spend, and how patient it is with silence: plain arithmetic, no state.

Silence is met by asking a second route beside the silent one (a hedge), never by giving the first
one up: whichever speaks first wins. So the moments here may be early without harm but to the quota,
which is why a hedge goes only where quota is left to spare.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

OnInterrupt: TypeAlias = Literal["resume", "raise"]

COLD_HEDGE = 4.0
"""Seconds of silence before a hedge where nothing is known of the route's pace."""
LEAST_HEDGE = 1.0
"""Seconds every attempt gets before a hedge, however quick its route has been."""
HEDGE_FACTOR = 2.0
"""How many times its usual time to the first content a route may take beyond that."""
COLD_IDLE = 8.0
"""Seconds of silence in mid-answer that pass for normal before an answer's pace is known."""
LEAST_IDLE = 2.0
"""The same, however steady the stream has been."""
IDLE_FACTOR = 5.0
"""How many times the longest gap seen so far a gap may last."""
KNOWN_AFTER = 4
"""Pieces of an answer after which its own pace is known, be it that they came all at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms of one call; all times in seconds.

    `timeout` bounds the silence its caller may have to bear in all: to the first content, and
    again wherever a cut stream looks for who carries it on. `attempt_timeout` bounds the silence
    of one attempt, before its first content and within it. A call of a batch has a `patience`: it
    waits behind all others, for any opening that is no further away than that, and this is not
    counted as silence.
    """

    timeout: float = 60.0
    attempt_timeout: float = 30.0
    max_attempts: int = 12
    hedge: bool | float = True
    wait: bool = False
    patience: float | None = None
    on_interrupt: OnInterrupt = "resume"
    is_observed: bool = True

    @property
    def urgency(self) -> int:
        """Where the call stands in the line of those that wait; less goes first."""
        return 0 if self.patience is None else 1

    def hedge_after(self, latency: float | None) -> float:
        """How long an attempt may be silent before another is sent beside it; inf for ever.

        `latency` is what the route has usually taken to its first content, None if unknown.
        """
        if self.hedge is False:
            return math.inf
        if self.hedge is not True:
            return self.hedge
        return COLD_HEDGE if latency is None else LEAST_HEDGE + HEDGE_FACTOR * latency

    def idle_after(self, pieces: int, gap: float, usual_gap: float | None) -> float:
        """How long an answer may pause in its midst before it counts as stalled.

        `pieces` have come with gaps of at most `gap`; on this route before, of `usual_gap`.
        """
        if pieces < KNOWN_AFTER and usual_gap is None:
            return min(COLD_IDLE, self.attempt_timeout)
        longest = max(gap, usual_gap or 0.0)
        return min(max(LEAST_IDLE, IDLE_FACTOR * longest), self.attempt_timeout)
