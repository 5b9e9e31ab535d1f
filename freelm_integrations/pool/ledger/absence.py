"""What is owed to a home that cannot be asked, and when to ask it again: no I/O.

Rules:
- Whoever claims meanwhile is granted by the pool's own counts, or by a local share of the quota.
- What was taken and learned meanwhile is owed, and told when the home is back, before anything
  else is asked. Nothing is told twice: what a home may have heard is told again under the same id,
  and only homes that recognise it leave one in doubt.
- The first failure is worth a warning, and the next only after the home was back.
"""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from freelm_integrations.pool.ledger.claim import Correction, Mark, Settlement
from freelm_integrations.pool.ledger.fork import on_fork

if TYPE_CHECKING:
    from freelm_integrations.pool.ledger.claim import Claim
    from freelm_integrations.pool.ledger.ledger import HomeFailed

RETRY_AFTER = 5.0
"""Seconds after a failure in which the home is left alone."""
RECOGNISED_FOR = 300.0
"""Seconds for which a settlement may be told again without doubt: homes remember it for longer."""
AT_ONCE = 100
"""Corrections a settlement of debts holds at most: one script should not hold up a server."""


class _Debt:
    """What is owed about one provider by one writer."""

    __slots__ = ("changes", "marks")

    def __init__(self) -> None:
        self.changes: dict[tuple[str, float], float] = {}
        self.marks: dict[tuple[str, str], Mark] = {}

    def forget(self, utc: float) -> None:
        """Drop what has come back meanwhile."""
        self.changes = {at: change for at, change in self.changes.items() if at[1] > utc and change}
        self.marks = {at: mark for at, mark in self.marks.items() if mark.until > utc}


class Absence:
    """Safe from any thread; its lock is held for arithmetic only."""

    def __init__(self) -> None:
        self.begin_anew()
        on_fork(self)

    def begin_anew(self) -> None:
        """Owe nothing, as after a fork: the debts are the parent's."""
        self._lock = Lock()
        self.is_away = False
        self.is_lasting = False
        self._failed_at = 0.0
        self._debts: dict[tuple[str, str], _Debt] = {}
        self._untold: list[tuple[Settlement, float]] = []
        self._bills = 0

    def may_ask(self, utc: float) -> bool:
        """Whether to ask the home now; while it is away, one may now and then."""
        if not self.is_away:
            return True
        with self._lock:
            if self.is_lasting or 0 <= utc - self._failed_at < RETRY_AFTER:
                return False
            self._failed_at = utc  # the others wait for what this one finds
            for debt in self._debts.values():
                debt.forget(utc)
            return True

    def failed(self, why: HomeFailed, utc: float) -> bool:
        """Note a failure; whether it is news."""
        with self._lock:
            is_news = not self.is_away
            self.is_away, self._failed_at = True, utc
            self.is_lasting = self.is_lasting or why.is_lasting
            return is_news

    def answered(self) -> bool:
        """Note an answer; whether it is news."""
        if not self.is_away:
            return False
        with self._lock:
            is_news, self.is_away = self.is_away, False
            return is_news

    # ------------------------------------------------------------------ debts

    def took(self, claim: Claim) -> None:
        """Owe what was taken without the home."""
        with self._lock:
            if self.is_lasting:
                return
            changes = self._debt(claim.provider, claim.writer).changes
            for draw in claim.draws:
                place = (draw.window, draw.back_at)
                changes[place] = changes.get(place, 0.0) + min(draw.amount, draw.limit)

    def settled(self, settlement: Settlement) -> None:
        """Owe what was used and learned without the home."""
        with self._lock:
            if self.is_lasting:
                return
            debt = self._debt(settlement.provider, settlement.writer)
            for one in settlement.corrections:
                if one.used != one.took:
                    place = (one.window, one.back_at)
                    debt.changes[place] = debt.changes.get(place, 0.0) + one.used - one.took
            for mark in settlement.marks:
                debt.marks[mark.subject, mark.fact] = mark

    def untold(self, settlement: Settlement, utc: float) -> None:
        """Owe a settlement that the home may or may not have heard."""
        with self._lock:
            if not self.is_lasting:
                self._untold.append((settlement, utc))

    def bills(self, utc: float) -> list[Settlement]:
        """Take debts, as settlements for the home; what cannot be told comes back `untold`.

        First what it may have heard, alone: so no more is ever in doubt than one round of bills.
        """
        with self._lock:
            if self._untold:
                untold, self._untold = self._untold, []
                return [_aged(settlement, utc - told_at) for settlement, told_at in untold]
            bills: list[Settlement] = []
            debts, self._debts = self._debts, {}
            for (provider, writer), debt in debts.items():
                debt.forget(utc)
                changes = [
                    Correction(window, back_at, 0.0, change)
                    for (window, back_at), change in debt.changes.items()
                ]
                marks = tuple(debt.marks.values())
                for start in range(0, max(len(changes), bool(marks)), AT_ONCE):
                    self._bills += 1
                    some = tuple(changes[start : start + AT_ONCE])
                    name = f"{writer}:owed:{utc}:{self._bills}"
                    bills.append(_bill(name, writer, provider, some, () if start else marks))
            return bills

    @property
    def is_owing(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self._debts or self._untold)

    def _debt(self, provider: str, writer: str) -> _Debt:
        debt = self._debts.get((provider, writer))
        if debt is None:
            debt = self._debts[provider, writer] = _Debt()
        return debt


def _bill(
    name: str,
    writer: str,
    provider: str,
    corrections: tuple[Correction, ...],
    marks: tuple[Mark, ...],
) -> Settlement:
    return Settlement(
        id=name, writer=writer, provider=provider, corrections=corrections, marks=marks
    )


def _aged(settlement: Settlement, age: float) -> Settlement:
    """One told so long ago that it may not be recognised any more only says what was used more."""
    if 0 <= age < RECOGNISED_FOR:
        return settlement
    more = tuple(one for one in settlement.corrections if one.used > one.took)
    return replace(settlement, corrections=more)
