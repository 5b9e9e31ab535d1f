"""Rows of the SQLite file: pages and marks, read and written within a transaction."""

from __future__ import annotations

import sqlite3
import sys
from array import array
from typing import TYPE_CHECKING

from freelm_integrations.pool.ledger.claim import Mark
from freelm_integrations.pool.ledger.judgement import Noted, kept, next_seq, prevails
from freelm_integrations.pool.ledger.judgement import heard as among
from freelm_integrations.pool.ledger.page import Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from freelm_integrations.pool.ledger.claim import Claim, Fact, Question, Settlement

LINGER = 86_400.0
"""Seconds an empty page is kept: a late settlement still finds how often it was moved."""
_HEAD = 24
"""Bytes of a page before its entries."""

_SAVE = (
    "INSERT INTO pages (window, until, page) VALUES (?, ?, ?)"
    " ON CONFLICT (window) DO UPDATE SET until = excluded.until, page = excluded.page"
)
_NEWS = (
    "SELECT seq, writer, subject, fact, value, until, rests_until, needs_probe FROM marks"
    " WHERE provider = ? AND seq > ? ORDER BY seq"
)
_OLD = (
    "SELECT seq, writer, subject, fact, value, until, rests_until, needs_probe FROM marks"
    " WHERE provider = ? AND subject = ? AND fact = ?"
)
_FORGET = (
    "DELETE FROM marks WHERE until <= ?"
    " AND seq < (SELECT max(seq) FROM marks AS all_marks WHERE all_marks.provider = marks.provider)"
)
_NOTE = "INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


def pages_of(connection: sqlite3.Connection, windows: Sequence[str]) -> list[Page]:
    """The page of each window, in order; a new one for a window nobody touched."""
    if not windows:
        return []
    query = f"SELECT window, page FROM pages WHERE window IN (?{', ?' * (len(windows) - 1)})"  # noqa: S608 - question marks only
    found = {window: _unpacked(packed) for window, packed in connection.execute(query, windows)}
    return [found.get(window) or found.setdefault(window, Page()) for window in windows]


def _unpacked(packed: bytes) -> Page:
    page = Page()
    if len(packed) % 8 or len(packed) < _HEAD:
        raise sqlite3.DatabaseError("a page is cut short")
    values = array("d", packed)
    if sys.byteorder == "big":
        values.byteswap()
    page.moves, page.open, page.open_until = int(values[0]), int(values[1]), values[2]
    middle = (len(values) + 3) // 2
    page.backs, page.amounts = values[3:middle], values[middle:]
    page.used = sum(page.amounts)
    return page


def save(connection: sqlite3.Connection, pages: Iterable[tuple[str, Page]]) -> None:
    """Write pages down."""
    connection.executemany(_SAVE, [_packed(window, page) for window, page in pages])


def _packed(window: str, page: Page) -> tuple[str, float, bytes]:
    backs = page.backs
    values = array("d", (page.moves, page.open, page.open_until)) + backs + page.amounts
    if sys.byteorder == "big":
        values.byteswap()
    until = max(backs[-1], page.open_until) if backs else page.open_until
    return window, until, values.tobytes()


def heard(
    connection: sqlite3.Connection, asked: Claim | Settlement | Question, utc: float
) -> tuple[tuple[Mark, ...], int]:
    """What others have learned since the asker last looked, and up to where that is."""
    rows = connection.execute(_NEWS, (asked.provider, asked.seen)).fetchall()
    return among([_noted(row) for row in rows], asked.writer, asked.seen, utc)


def _noted(row: tuple[int, str, str, Fact, str | None, float, float, int]) -> Noted:
    seq, writer, subject, fact, value, until, rests_until, needs_probe = row
    mark = Mark(subject, fact, value, until, rests_until, bool(needs_probe))
    return Noted(seq, writer, mark)


def note(connection: sqlite3.Connection, settlement: Settlement, utc: float) -> int:
    """Write marks down; the number of the last one."""
    provider = settlement.provider
    query = "SELECT coalesce(max(seq), 0) FROM marks WHERE provider = ?"
    (seq,) = connection.execute(query, (provider,)).fetchone()
    for mark in settlement.marks:
        old = connection.execute(_OLD, (provider, mark.subject, mark.fact)).fetchone()
        if mark.until <= utc or (old is not None and not prevails(_noted(old).mark, mark, utc)):
            continue
        seq = next_seq(seq, utc)
        subject, fact, value, until, rests_until, needs_probe = kept(mark, utc)
        connection.execute(
            _NOTE,
            (
                *(provider, subject, fact, seq, settlement.writer),
                *(value, until, rests_until, needs_probe),
            ),
        )
    return int(seq)


def tidy(connection: sqlite3.Connection, utc: float) -> None:
    """Forget what may be forgotten; a provider's last mark stays, for the next one's number."""
    connection.execute("DELETE FROM pages WHERE until <= ?", (utc - LINGER,))
    connection.execute("DELETE FROM probes WHERE until <= ?", (utc,))
    connection.execute(_FORGET, (utc,))
