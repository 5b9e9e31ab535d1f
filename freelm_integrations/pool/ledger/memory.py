"""The home in memory: for one process, and for what goes on while another home cannot be asked."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from freelm_integrations.pool.ledger.claim import Granted, News
from freelm_integrations.pool.ledger.fork import on_fork
from freelm_integrations.pool.ledger.judgement import (
    Noted,
    Probe,
    heard,
    judge,
    kept,
    next_seq,
    prevails,
    settle_pages,
)
from freelm_integrations.pool.ledger.page import Page

if TYPE_CHECKING:
    from freelm_integrations.pool.ledger.claim import (
        Answer,
        Claim,
        Fact,
        Mark,
        Question,
        Settlement,
    )

TIDY_AFTER = 600.0
"""Seconds after which marks that may be forgotten are."""


class _Shelf:
    """What is known of one provider. `marks` are in the order of writing."""

    __slots__ = ("marks", "pages", "probes", "seq", "tidied_at")

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.marks: dict[tuple[str, Fact], Noted] = {}
        self.probes: dict[str, Probe] = {}
        self.seq = 0
        self.tidied_at = 0.0

    def page(self, window: str) -> Page:
        page = self.pages.get(window)
        if page is None:
            page = self.pages[window] = Page()
        return page

    def heard(self, writer: str, seen: int, utc: float) -> tuple[tuple[Mark, ...], int]:
        if self.seq <= seen:
            return (), seen
        new: list[Noted] = []
        for noted in reversed(self.marks.values()):
            if noted.seq <= seen:
                break
            new.append(noted)
        return heard(reversed(new), writer, seen, utc)

    def note(self, marks: tuple[Mark, ...], writer: str, utc: float) -> None:
        for mark in marks:
            place = (mark.subject, mark.fact)
            old = self.marks.get(place)
            if mark.until <= utc or (old is not None and not prevails(old.mark, mark, utc)):
                continue
            self.marks.pop(place, None)
            self.seq = next_seq(self.seq, utc)
            self.marks[place] = Noted(self.seq, writer, kept(mark, utc))
        if abs(utc - self.tidied_at) > TIDY_AFTER:
            self.tidied_at = utc
            for place in [place for place, old in self.marks.items() if old.mark.until <= utc]:
                del self.marks[place]


class MemoryLedger:
    """See `Ledger`. One lock, held for arithmetic only; a forked child begins with nothing."""

    def __init__(self) -> None:
        self.begin_anew()
        on_fork(self)

    def begin_anew(self) -> None:
        """Forget all, with a new lock."""
        self._lock = Lock()
        self._shelves: dict[str, _Shelf] = {}

    def take(self, claim: Claim, utc: float) -> Answer:
        """See `Ledger`."""
        with self._lock:
            shelf = self._shelf(claim.provider)
            pages = [shelf.page(draw.window) for draw in claim.draws]
            marks = shelf.heard(claim.writer, claim.seen, utc)
            probe = None if claim.probe is None else shelf.probes.get(claim.probe)
            answer = judge(claim, pages, marks, probe, utc)
            if claim.probe is not None and isinstance(answer, Granted):
                shelf.probes[claim.probe] = Probe(claim.id, claim.expires_at)
            return answer

    def settle(self, settlement: Settlement, utc: float) -> News:
        """See `Ledger`."""
        with self._lock:
            shelf = self._shelf(settlement.provider)
            marks, seen = shelf.heard(settlement.writer, settlement.seen, utc)
            if (subject := settlement.probe) is not None:
                probe = shelf.probes.get(subject)
                if probe is not None and probe.holder == settlement.id:
                    del shelf.probes[subject]
            corrections = settlement.corrections
            pages = [shelf.page(correction.window) for correction in corrections]
            settle_pages(corrections, pages, utc)
            if settlement.marks:
                shelf.note(settlement.marks, settlement.writer, utc)
                seen = max(seen, shelf.seq)
            counts = [page.count(one.window) for one, page in zip(corrections, pages, strict=True)]
            return News(tuple(counts), marks, seen)

    def look(self, question: Question, utc: float) -> News:
        """See `Ledger`."""
        with self._lock:
            shelf = self._shelf(question.provider)
            pages = [shelf.pages.get(window) or Page() for window in question.windows]
            for page in pages:
                page.clear(utc)  # not to be seen from outside
            windows = zip(question.windows, pages, strict=True)
            counts = [page.count(window) for window, page in windows]
            return News(tuple(counts), *shelf.heard(question.writer, question.seen, utc))

    def close(self) -> None:
        """Nothing to let go of."""

    def _shelf(self, provider: str) -> _Shelf:
        shelf = self._shelves.get(provider)
        if shelf is None:
            shelf = self._shelves[provider] = _Shelf()
        return shelf
