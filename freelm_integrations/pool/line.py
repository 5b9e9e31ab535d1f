"""Who waits for a route to come back, in what order: so that not all set off at once when it does.

A place in the line is worth a moment: whoever stands further back looks later. Where a window
opens, the pool's own count lets in no more than fit, and the moments only keep the order. After a
cooldown nobody knows how much is welcome: there they are long enough for the first to be answered
before many others have followed.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, insort
from threading import RLock
from typing import TypeAlias

Ticket: TypeAlias = "tuple[int, int]"
"""Urgency, and when one joined among those as urgent."""
AFTER_A_WINDOW = 0.002
"""Seconds between two who wait for a window that is counted."""
AFTER_A_REST = 0.05
"""Seconds between two who wait for what rests until the server may have recovered."""
LONGEST = 5.0
"""Seconds by which the last in a long line is held back."""
HEAD_START = 0.05
"""Seconds by which those who are less urgent look later, while anybody more urgent waits."""


class Line:
    """Safe from any thread. `urgency` sorts before the time of joining; lower goes first."""

    def __init__(self) -> None:
        self._lock = RLock()  # a finalizer may leave the line in the thread that is in here
        self._tickets: list[Ticket] = []
        self._numbers = itertools.count()

    def join(self, urgency: int = 0) -> Ticket:
        """Stand at the end of those as urgent."""
        with self._lock:
            ticket = (urgency, next(self._numbers))
            insort(self._tickets, ticket)
            return ticket

    def leave(self, ticket: Ticket) -> None:
        """Be no longer in it; harmless when repeated."""
        with self._lock:
            place = bisect_left(self._tickets, ticket)
            if place < len(self._tickets) and self._tickets[place] == ticket:
                del self._tickets[place]

    def delay(self, ticket: Ticket, *, is_counted: bool) -> float:
        """Seconds after the opening at which to look, from 0 for the first in the line."""
        with self._lock:
            place = bisect_left(self._tickets, ticket)
            is_first_urgent = place == 0 or self._tickets[0][0] >= ticket[0]
        step = AFTER_A_WINDOW if is_counted else AFTER_A_REST
        return min(LONGEST, place * step) + (0.0 if is_first_urgent else HEAD_START)

    def place(self, ticket: Ticket) -> int:
        """How many stand before it."""
        with self._lock:
            return bisect_left(self._tickets, ticket)

    @property
    def is_empty(self) -> bool:
        """Whether nobody waits."""
        return not self._tickets
