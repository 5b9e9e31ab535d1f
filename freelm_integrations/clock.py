"""Time and chance: the only importer of `time` and `random`.

So that a test can move the one and load the other.
"""

from __future__ import annotations

import random
import time
from typing import Protocol


class Clock(Protocol):
    """What the package asks of time. All values are float seconds."""

    def now(self) -> float:
        """The call's clock: monotonic, of no calendar."""
        ...

    def utc(self) -> float:
        """Seconds since the epoch, for calendar windows and files only."""
        ...

    def chance(self) -> float:
        """A number in [0, 1), for jitter."""
        ...


class SystemClock:
    """The machine's own clocks."""

    now = staticmethod(time.monotonic)
    utc = staticmethod(time.time)
    chance = staticmethod(random.random)


SYSTEM_CLOCK: Clock = SystemClock()
