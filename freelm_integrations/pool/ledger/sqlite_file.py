"""Opening the SQLite file: private, in WAL mode, of a version we know; all else is left untouched.

Rules:
- A file is looked at through a read-only connection first: one that is newer, damaged or somebody
  else's is not written to, not even by a checkpoint.
- Never by plain `open`: closing any other descriptor of the file would let go of the locks that
  SQLite holds on it for this process.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING

from freelm_integrations.pool.ledger.ledger import HomeFailed

if TYPE_CHECKING:
    from pathlib import Path

VERSION = 1
APPLICATION = 0x66726C6D
"""Marks the file as ours: `frlm`."""
CHECKPOINT = 4_000
"""Pages (4 KiB) after which the log goes into the file: a sync for every thousand leases or so."""
_TRIES = 20

_STEPS = (
    """
    CREATE TABLE pages (window TEXT NOT NULL UNIQUE, until REAL NOT NULL, page BLOB NOT NULL);
    CREATE TABLE marks (
        provider TEXT NOT NULL, subject TEXT NOT NULL, fact TEXT NOT NULL,
        seq INTEGER NOT NULL, writer TEXT NOT NULL, value TEXT, until REAL NOT NULL,
        rests_until REAL NOT NULL, needs_probe INTEGER NOT NULL,
        PRIMARY KEY (provider, subject, fact)
    ) WITHOUT ROWID;
    CREATE INDEX marks_in_order ON marks (provider, seq);
    CREATE TABLE probes (
        provider TEXT NOT NULL, subject TEXT NOT NULL, holder TEXT NOT NULL, until REAL NOT NULL,
        PRIMARY KEY (provider, subject)
    ) WITHOUT ROWID
    """,
)
"""What leads from each version to the next."""
assert len(_STEPS) == VERSION


def open_file(path: Path, *, wait_for: float) -> sqlite3.Connection:
    """A connection for any thread, one at a time, without implicit transactions.

    Args:
        path: The file; it and its folder are made where they are missing (0600, 0700).
        wait_for: Seconds to wait for another process that holds its lock.

    Raises:
        HomeFailed: It cannot be used.
    """
    try:
        _make(path)
        _examine(path, wait_for)
        return _open(path, wait_for)
    except (OSError, sqlite3.Error) as error:
        raise failure(path, error) from error


def failure(path: Path, error: Exception) -> HomeFailed:
    """What went wrong with the file, and what to do about it."""
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
        return HomeFailed(f"{path} is damaged ({error}): delete it to begin anew", is_lasting=True)
    return HomeFailed(f"{path} cannot be used ({error})")


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another process merely held the lock for too long."""
    return "locked" in str(error)  # 3.10 has no error codes


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            with contextlib.suppress(PermissionError):  # another user's, who shares it on purpose
                path.chmod(0o600)


def _examine(path: Path, wait_for: float) -> None:
    address = f"{path.absolute().as_uri()}?mode=ro"
    opened = sqlite3.connect(address, uri=True, timeout=wait_for, isolation_level=None)
    with contextlib.closing(opened) as connection:
        connection.execute("BEGIN")  # or another process may make it between two of these
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application not in {0, APPLICATION} or (application == 0 and (tables or version)):
        raise HomeFailed(f"{path} is another program's: it is left untouched", is_lasting=True)
    if version > VERSION:
        raise HomeFailed(
            f"{path} was written by a newer freelm-integrations (format {version}, here "
            f"{VERSION}): it is left untouched; update, or name another file",
            is_lasting=True,
        )


def _open(path: Path, wait_for: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=wait_for, isolation_level=None, check_same_thread=False
    )
    try:
        _enter_wal(connection, path)
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT}")
        _migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _enter_wal(connection: sqlite3.Connection, path: Path) -> None:
    """Switch to WAL; where many begin at once, SQLite refuses that without waiting its turn."""
    mode = "unknown"
    for attempt in range(_TRIES):
        try:
            (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
            break
        except sqlite3.OperationalError as error:
            if not is_busy(error) or attempt == _TRIES - 1:
                raise
            connection.execute("BEGIN IMMEDIATE")  # this waits
            connection.execute("ROLLBACK")
    if mode != "wal":
        raise HomeFailed(
            f"{path} cannot be shared where it lies (journal mode {mode}): name a file on a local "
            "disk",
            is_lasting=True,
        )


def _migrate(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        for step in _STEPS[version:]:
            for statement in step.split(";"):
                connection.execute(statement)
        if version < VERSION:
            connection.execute(f"PRAGMA application_id={APPLICATION}")
            connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
