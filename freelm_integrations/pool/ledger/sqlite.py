"""The home in a SQLite file: for the processes of one machine, and for the next ones.

Rules:
- One connection a ledger, guarded by a lock; it is opened by the first question.
- Each command is one transaction that holds the file's write lock from its beginning: two
  processes never decide by the same count. What is not committed has not happened.
- A connection is never used across a fork, nor closed there: a child opens its own.
"""

from __future__ import annotations

import os
import sqlite3
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from freelm_integrations.pool.ledger.claim import Granted, News
from freelm_integrations.pool.ledger.fork import on_fork
from freelm_integrations.pool.ledger.judgement import Probe, judge, settle_pages
from freelm_integrations.pool.ledger.sqlite_file import failure, is_busy, open_file
from freelm_integrations.pool.ledger.sqlite_rows import heard, note, pages_of, save, tidy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from freelm_integrations.pool.ledger.claim import Answer, Claim, Question, Settlement
    from freelm_integrations.pool.ledger.page import Page

WAIT_FOR = 2.0
"""Seconds to wait for the file's lock: others hold it for a tenth of a millisecond."""
AT_ONCE = 500
"""Pages read by one query."""
TIDY_AFTER = 600.0
"""Seconds after which what may be forgotten is."""

_T = TypeVar("_T")
_Asked = TypeVar("_Asked")
_PARENTS: list[sqlite3.Connection] = []
"""Connections of this process's ancestors: kept, since closing one here would harm its owner."""


class SqliteLedger:
    """See `Ledger`. `wait_for` is seconds to wait for the file's lock.

    `is_hasty`: it is there for moments that must not last. It does not wait for the lock, and
    leaves it to others to sync and to tidy; it is opened by `open`, which may take its time.
    """

    def __init__(self, path: Path, *, wait_for: float = WAIT_FOR, is_hasty: bool = False) -> None:
        self._path = path
        self._wait_for = wait_for
        self._is_hasty = is_hasty
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._inode: tuple[int, int] | None = None
        self._tidied_at = 0.0
        on_fork(self)

    def __repr__(self) -> str:
        return f"<SqliteLedger {str(self._path)!r}>"

    def begin_anew(self) -> None:
        """Leave the connection to the parent."""
        if self._connection is not None:
            _PARENTS.append(self._connection)
        self._lock = Lock()
        self._connection = None

    def take(self, claim: Claim, utc: float) -> Answer:
        """See `Ledger`."""
        return self._transact(_take, claim, utc)

    def settle(self, settlement: Settlement, utc: float) -> News:
        """See `Ledger`."""
        return self._transact(_settle, settlement, utc)

    def settle_all(self, settlements: Sequence[Settlement], utc: float) -> list[News]:
        """See `BatchLedger`."""
        return self._transact(_settle_all, settlements, utc)

    def look(self, question: Question, utc: float) -> News:
        """See `Ledger`."""
        return self._transact(_look, question, utc, begin="BEGIN")

    def is_open(self, utc: float) -> bool:
        """Whether it can be asked without opening the file, anew or for the first time."""
        return self._connection is not None and abs(utc - self._tidied_at) <= TIDY_AFTER

    def open(self, utc: float) -> None:
        """Open the file anew.

        Raises:
            HomeFailed: It cannot be used.
        """
        with self._lock:
            self._close()
            self._connection = open_file(self._path, wait_for=self._wait_for)
            self._inode = _inode(self._path)
            self._tidied_at = utc
            if self._is_hasty:
                self._connection.execute("PRAGMA busy_timeout=0")
                self._connection.execute("PRAGMA wal_autocheckpoint=0")

    def close(self) -> None:
        """See `Ledger`."""
        with self._lock:
            self._close()

    def _transact(
        self,
        work: Callable[[sqlite3.Connection, _Asked, float], tuple[_T, bool]],
        asked: _Asked,
        utc: float,
        *,
        begin: str = "BEGIN IMMEDIATE",
    ) -> _T:
        """Do the work as one transaction, kept if the work says so."""
        with self._lock:
            connection = self._open(utc)
            try:
                if not self._is_hasty and abs(utc - self._tidied_at) > TIDY_AFTER:
                    self._tidied_at = utc
                    tidy(connection, utc)
                connection.execute(begin)
                said, is_change = work(connection, asked, utc)
                connection.execute("COMMIT" if is_change else "ROLLBACK")
            except sqlite3.Error as error:
                self._recover(connection, is_busy=is_busy(error))
                raise failure(self._path, error) from error
            except BaseException:
                self._recover(connection, is_busy=True)
                raise
            return said

    def _open(self, utc: float) -> sqlite3.Connection:
        """The connection; looks now and then whether the file is still the one at the path."""
        is_due = abs(utc - self._tidied_at) > TIDY_AFTER
        if is_due and self._connection is not None and self._inode != _inode(self._path):
            self._close()
        if self._connection is None:
            self._connection = open_file(self._path, wait_for=self._wait_for)
            self._inode = _inode(self._path)
        return self._connection

    def _recover(self, connection: sqlite3.Connection, *, is_busy: bool) -> None:
        """End the transaction; unless only the lock was held, begin with a new connection."""
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            is_busy = False
        if not is_busy:
            self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _take(connection: sqlite3.Connection, claim: Claim, utc: float) -> tuple[Answer, bool]:
    pages = pages_of(connection, [draw.window for draw in claim.draws])
    news = heard(connection, claim, utc)
    probe = None
    if claim.probe is not None:
        where = (claim.provider, claim.probe)
        found = connection.execute(
            "SELECT holder, until FROM probes WHERE provider = ? AND subject = ?", where
        ).fetchone()
        probe = None if found is None else Probe(*found)
    answer = judge(claim, pages, news, probe, utc)
    is_granted = isinstance(answer, Granted)
    if not is_granted and not any(page.is_healed for page in pages):
        return answer, False
    if is_granted and claim.probe is not None:
        connection.execute(
            "INSERT OR REPLACE INTO probes VALUES (?, ?, ?, ?)",
            (claim.provider, claim.probe, claim.id, claim.expires_at),
        )
    save(connection, [(draw.window, page) for draw, page in zip(claim.draws, pages, strict=True)])
    return answer, True


def _settle(
    connection: sqlite3.Connection, settlement: Settlement, utc: float
) -> tuple[News, bool]:
    (news,), is_change = _settle_all(connection, (settlement,), utc)
    return news, is_change


def _settle_all(
    connection: sqlite3.Connection, settlements: Sequence[Settlement], utc: float
) -> tuple[list[News], bool]:
    windows = {one.window for settlement in settlements for one in settlement.corrections}
    named = list(windows)
    known: dict[str, Page] = {}
    for start in range(0, len(named), AT_ONCE):
        some = named[start : start + AT_ONCE]
        known.update(zip(some, pages_of(connection, some), strict=True))
    news = [_settle_one(connection, settlement, known, utc) for settlement in settlements]
    save(connection, known.items())
    return news, True


def _settle_one(
    connection: sqlite3.Connection, settlement: Settlement, known: dict[str, Page], utc: float
) -> News:
    marks, seen = heard(connection, settlement, utc)
    corrections = settlement.corrections
    pages = [known[one.window] for one in corrections]
    settle_pages(corrections, pages, utc)
    if settlement.probe is not None:
        connection.execute(
            "DELETE FROM probes WHERE provider = ? AND subject = ? AND holder = ?",
            (settlement.provider, settlement.probe, settlement.id),
        )
    if settlement.marks:
        seen = max(seen, note(connection, settlement, utc))
    counts = [page.count(one.window) for one, page in zip(corrections, pages, strict=True)]
    return News(tuple(counts), marks, seen)


def _look(connection: sqlite3.Connection, question: Question, utc: float) -> tuple[News, bool]:
    pages = pages_of(connection, question.windows)
    for page in pages:
        page.clear(utc)
    windows = zip(question.windows, pages, strict=True)
    counts = [page.count(window) for window, page in windows]
    return News(tuple(counts), *heard(connection, question, utc)), False


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - as fast as it gets
    except OSError:
        return None
    return status.st_dev, status.st_ino
