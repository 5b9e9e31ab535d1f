"""What every home of the shared counts offers; one test suite holds all of them to it.

Rules:
- `take` is atomic over all windows, marks and the probe of a claim, among all who share the home.
- A claim that is never settled stays counted: whoever dies after it over-admits nothing. Its place
  as a probe lapses with it.
- `utc` is passed in. A clock set back keeps windows shut for at most their own length.
- Safe from any thread, and after a fork.
- A home that cannot be asked raises `HomeFailed` and has done nothing, or (behind a network) may
  have done it without saying so; `steady.py` decides how to go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freelm_integrations.pool.ledger.claim import Answer, Claim, News, Question, Settlement


class HomeFailed(Exception):
    """A home cannot be asked now; if `is_lasting`, not later in this process either."""

    def __init__(self, message: str, *, is_lasting: bool = False) -> None:
        super().__init__(message)
        self.is_lasting = is_lasting


class Ledger(Protocol):
    """A home, asked from a thread that may wait for it."""

    def take(self, claim: Claim, utc: float) -> Answer:
        """Count all draws of a claim, or none."""
        ...

    def settle(self, settlement: Settlement, utc: float) -> News:
        """Correct what a claim took, and note what was learned; told once for each claim."""
        ...

    def look(self, question: Question, utc: float) -> News:
        """The counts and marks as they are; changes nothing."""
        ...

    def close(self) -> None:
        """Let go of files and connections; the next question opens them again."""
        ...


class BatchLedger(Ledger, Protocol):
    """A home that is told many settlements at little more than the cost of one."""

    def settle_all(self, settlements: Sequence[Settlement], utc: float) -> list[News]:
        """Tell all of them, in order, or none."""
        ...


class AsyncLedger(Protocol):
    """A home, asked from an event loop; the same in all else."""

    async def take(self, claim: Claim, utc: float) -> Answer:
        """Count all draws of a claim, or none."""
        ...

    async def settle(self, settlement: Settlement, utc: float) -> News:
        """Correct what a claim took, and note what was learned; told once for each claim."""
        ...

    async def look(self, question: Question, utc: float) -> News:
        """The counts and marks as they are; changes nothing."""
        ...

    async def aclose(self) -> None:
        """Let go of this loop's connections; the next question opens them again."""
        ...
