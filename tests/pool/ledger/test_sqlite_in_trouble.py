"""Whatever is wrong with the file, calls go on: one warning, nothing else lost, nothing overwritten."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from freelm_integrations.pool.ledger.address import Address
from freelm_integrations.pool.ledger.claim import Granted, Mark
from freelm_integrations.pool.ledger.homes import Homes
from freelm_integrations.pool.ledger.ledger import HomeFailed
from freelm_integrations.pool.ledger.sqlite import SqliteLedger
from freelm_integrations.pool.ledger.sqlite_file import VERSION
from tests.pool.ledger.claims import MIDDAY, claim, draw, fill, look, settlement, used

posix = pytest.mark.skipif(os.name != "posix", reason="modes and forks are POSIX")
LATER = MIDDAY + 10


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "freelm" / "state.db"


@pytest.fixture
def open_ledger(path):
    """Ledgers of one file, closed after the test."""
    opened: list[SqliteLedger] = []

    def make(**options) -> SqliteLedger:
        opened.append(SqliteLedger(path, **options))
        return opened[-1]

    yield make
    for ledger in opened:
        ledger.close()


@pytest.fixture
def steady(path):
    """What a client asks: the file, and what goes on without it."""
    homes = Homes(Address("sqlite", path=path))
    yield homes.blocking
    homes.blocking.close()


def warnings_in(caplog) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]


@posix
def test_it_is_private(open_ledger, path):
    """The folder, the file and what SQLite puts beside it."""
    fill(open_ledger(), limit=1)

    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}
    assert "state.db-wal" in modes
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@posix
def test_a_file_that_others_can_read_is_made_private(open_ledger, path):
    """As an older tool, or an editor, may have left it."""
    fill(open_ledger(), limit=1)
    path.chmod(0o644)

    used(open_ledger())

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_next_process_knows_what_this_one_did(open_ledger):
    """A restart burns nothing again."""
    first = open_ledger()
    fill(first, limit=3)
    retired = Mark("acme/key:12ab", "retired", "unauthorized", MIDDAY + 1e6, float("inf"))
    first.settle(settlement(claim(), None, retired), MIDDAY)
    first.close()

    second = open_ledger()

    assert fill(second, limit=3) == 0
    assert look(second).marks == (retired,)


def spoil(path: Path, how: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if how == "not a database":
        path.write_bytes(b"certainly not a database file, " * 300)
    elif how == "a folder":
        path.mkdir()
    elif how == "another program's":
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE bookmarks (url TEXT)")
        connection.close()
    elif how == "newer":
        SqliteLedger(path).take(claim(draw()), MIDDAY)
        with sqlite3.connect(path) as connection:
            connection.execute(f"PRAGMA user_version={VERSION + 1}")
        connection.close()
    elif how == "no folder there":
        path.parent.rmdir()
        path.parent.write_text("a file")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("not a database", "damaged"),
        ("a folder", "cannot be used"),
        ("another program's", "another program's"),
        ("newer", "newer freelm-integrations"),
        ("no folder there", "cannot be used"),
    ],
)
@pytest.mark.filterwarnings("ignore:unclosed database")  # left so by `spoil`, on purpose
def test_a_file_that_cannot_be_used_is_left_untouched(steady, path, caplog, how, said):
    """Calls go on by the pool's own counts, after one warning that names the file."""
    spoil(path, how)
    before = path.read_bytes() if path.is_file() else None

    for moment in (MIDDAY, MIDDAY + 1, LATER, LATER + 60):
        one = claim(draw(utc=moment))
        granted = steady.take(one, moment)
        assert isinstance(granted, Granted)
        assert granted.news.counts == ()
        steady.settle(settlement(one, None), moment)

    (warning,) = warnings_in(caplog)
    assert said in warning
    assert str(path) in warning
    assert "going on" in warning
    if before is not None:
        assert path.read_bytes() == before


def test_a_damaged_page_in_the_middle(steady, open_ledger, path, caplog):
    """A disk may forget what it was given: SQLite notices, and so do we."""
    ledger = open_ledger()
    for number in range(2000):
        ledger.take(claim(draw(f"window {number}")), MIDDAY)
    ledger.close()
    content = bytearray(path.read_bytes())
    content[4096 * 2 :] = os.urandom(len(content) - 4096 * 2)
    path.write_bytes(content)

    for number in range(20):
        assert isinstance(steady.take(claim(draw(f"window {number}")), MIDDAY), Granted)
    assert len(warnings_in(caplog)) == 1


@posix
def test_a_read_only_file(tmp_path, path):
    """Seen by a user who may not write it: nobody, even where the tests run as root."""
    fill_and_close(path)
    if os.geteuid() == 0:
        for folder in (path.parent, *path.parent.parents):
            if folder == Path("/tmp") or folder == Path("/"):
                break
            folder.chmod(0o755)
    path.chmod(0o444)
    child = os.fork()
    if child == 0:
        os._exit(_without_rights(path))
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0


def fill_and_close(path: Path) -> None:
    ledger = SqliteLedger(path)
    fill(ledger, limit=3)
    ledger.close()


def _without_rights(path: Path) -> int:
    if os.geteuid() == 0:
        os.setuid(65_534)
    before = path.read_bytes()
    steady = Homes(Address("sqlite", path=path)).blocking
    assert steady is not None
    answers = [steady.take(claim(draw()), MIDDAY + number) for number in range(3)]
    is_well = all(isinstance(answer, Granted) for answer in answers)
    return 0 if is_well and path.read_bytes() == before else 1


def test_a_full_disk_loses_what_did_not_fit_and_nothing_else(steady, path, caplog):
    """When there is room again, what was taken meanwhile is told."""
    steady.take(claim(draw(limit=99)), MIDDAY)
    connection = steady._home._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages}")

    for number in range(300):
        assert isinstance(steady.take(claim(draw(f"window {number}")), MIDDAY), Granted)

    (warning,) = warnings_in(caplog)
    assert "full" in warning
    news = look(steady, "rpm", "window 0", "window 299", utc=LATER)
    assert [count.used for count in news.counts] == [1, 1, 1]


def test_a_file_that_somebody_locks(steady, path, caplog):
    """Calls do not wait for ever; what they took meanwhile is told when it is free again."""
    steady._home._wait_for = 0.01
    steady.take(claim(draw(limit=9)), MIDDAY)
    steady._home.close()
    locker = sqlite3.connect(path, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")

    one = claim(draw(limit=9))
    for other in (one, claim(draw(limit=9))):
        assert isinstance(steady.take(other, MIDDAY), Granted)
    steady.settle(settlement(one, None, used=0), MIDDAY)
    locker.execute("ROLLBACK")
    locker.close()

    assert len(warnings_in(caplog)) == 1
    assert look(steady, "rpm", utc=MIDDAY + 1).counts == ()  # it is left alone for a while
    assert used(steady, utc=LATER) == 2


def test_a_file_that_was_deleted_is_made_anew(open_ledger, path):
    """And shared again with those who opened the new one: within minutes at most."""
    first = open_ledger()
    fill(first, limit=2)
    shutil.rmtree(path.parent)
    fill(open_ledger(), limit=1)

    assert used(first, utc=MIDDAY) == 2
    soon = MIDDAY + 601
    first.take(claim(draw("other", utc=soon)), soon)
    assert used(open_ledger(), "other", utc=soon) == 1


def test_many_begin_at_once(path):
    """On no file at all: one makes it, all share it."""

    def begin(_: int) -> int:
        ledger = SqliteLedger(path, wait_for=30)
        taken = fill(ledger, limit=10)
        ledger.close()
        return taken

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(begin, range(8))) == 10


def test_threads_share_one_ledger(open_ledger):
    """One connection, one at a time."""
    ledger = open_ledger()
    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(lambda _: fill(ledger, limit=100), range(8))) == 100


@posix
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_opens_its_own(open_ledger):
    """The parent's connection is the parent's, and goes on well."""
    ledger = open_ledger()
    fill(ledger, limit=2)
    parents = ledger._connection
    child = os.fork()
    if child == 0:
        is_new = ledger._connection is None and used(ledger) == 2
        taken = fill(ledger, limit=5)
        os._exit(0 if is_new and taken == 3 and ledger._connection is not parents else 1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert ledger._connection is parents
    assert used(ledger) == 5


def test_a_bug_is_no_outage(open_ledger):
    """What is not the file's fault is raised as it is, and leaves the file as it was."""
    ledger = open_ledger()
    fill(ledger, limit=1)
    broken = claim(draw()._replace(amount="one"))

    with pytest.raises(TypeError):
        ledger.take(broken, MIDDAY)
    assert used(ledger) == 1


def test_a_folder_that_cannot_keep_a_wal_is_refused(path, monkeypatch):
    """A network drive, where locks and shared memory are not to be trusted."""

    class Elsewhere(sqlite3.Connection):
        def execute(self, statement, *arguments):
            if "journal_mode" in statement:
                statement = "PRAGMA journal_mode=DELETE"
            return super().execute(statement, *arguments)

    connect = sqlite3.connect
    monkeypatch.setattr(
        sys.modules["freelm_integrations.pool.ledger.sqlite_file"].sqlite3,
        "connect",
        lambda *given, **named: connect(*given, **named, factory=Elsewhere),
    )

    with pytest.raises(HomeFailed, match="local disk") as raised:
        SqliteLedger(path).take(claim(draw()), MIDDAY)
    assert raised.value.is_lasting
