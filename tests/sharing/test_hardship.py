"""A file or a server that fails under a client that is working: one warning, and every call answered."""

from __future__ import annotations

import logging
import os
import random
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freelm_integrations import ConfigError, FreeLLM, Groq, Limit
from freelm_integrations.lab import Lab
from tests.pool.ledger.conftest import RedisServer

ROOT = Path(__file__).parents[2]
LIMITS = (Limit(1_000_000, per=86_400), Limit(1_000_000_000, "tokens"))
MODEL = "openai/gpt-oss-120b"
posix = pytest.mark.skipif(os.name != "posix", reason="signals and limits of files are POSIX")


def client(lab: Lab, state: str) -> FreeLLM:
    played = lab["groq"]
    provider = Groq(list(played.keys), base_url=played.base_url, models=[MODEL], limits=LIMITS)
    return FreeLLM(providers=[provider], state=state, share=False, hedge=False)


def told(one: FreeLLM) -> bool:
    return one._dispatcher.place.homes.outbox.flush(5.0)


def warnings_in(caplog) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]


@pytest.fixture(scope="module")
def roomy():
    """A lab whose limits nobody here reaches."""
    with Lab(providers=["groq"], keys_each=2, words="plain") as running:
        running["groq"].limit("requests", 1_000_000)
        running["groq"].limit("tokens", 1_000_000_000)
        yield running


@pytest.fixture(scope="module")
def written(tmp_path_factory, roomy) -> bytes:
    """A file of some calls, as it lies on the disk once they are over."""
    path = tmp_path_factory.mktemp("written") / "state.db"
    with client(roomy, f"sqlite:///{path}") as one:
        for _ in range(4):
            one.chat("hi")
        assert told(one)
        one._dispatcher.place.homes.blocking.close()
        one._dispatcher.place.homes.native._home.hasty.close()
    return path.read_bytes()


def spoilt(content: bytes, how: str, place: float, value: int) -> bytes:
    at = int(place * len(content))
    if how == "cut short":
        return content[:at]
    if how == "flipped":
        return content[:at] + bytes([content[at] ^ (value or 1)]) + content[at + 1 :]
    page = at // 4096 * 4096
    return content[:page] + bytes([value]) * 4096 + content[page + 4096 :]


@given(
    how=st.sampled_from(("cut short", "flipped", "a page lost")),
    place=st.floats(0, 1, exclude_max=True),
    value=st.integers(0, 255),
)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_file_damaged_anywhere_costs_no_call(
    tmp_path_factory, roomy, written, caplog, how, place, value
):
    """Whichever byte it is: calls are answered, with one warning at most, that names the file."""
    path = tmp_path_factory.mktemp("spoilt") / "state.db"
    path.write_bytes(spoilt(written, how, place, value))
    caplog.clear()

    with caplog.at_level(logging.WARNING), client(roomy, f"sqlite:///{path}") as one:
        for _ in range(2):
            assert one.chat("hi").text
        assert one.health()
        assert one.capacity() is not None
        assert told(one)

    heard = warnings_in(caplog)
    assert len(heard) <= 1
    assert all(str(path) in warning for warning in heard)


@posix
@pytest.mark.parametrize("loop", [False, True])
def test_a_full_disk_costs_no_call(tmp_path, roomy, loop):
    """In a process that may write no more than a few pages; with one warning."""
    done = in_hardship(roomy, tmp_path / "state.db", "full", loop=loop)

    assert (done["answered"], done["warnings"]) == (12, 1)


@posix
@pytest.mark.parametrize("what", ["read-only file", "read-only folder"])
def test_a_place_that_may_not_be_written_costs_no_call(tmp_path, roomy, what):
    """As another user: the file stays as it is."""
    path = tmp_path / "folder" / "state.db"
    path.parent.mkdir()
    if what == "read-only file":
        with client(roomy, f"sqlite:///{path}") as one:
            one.chat("hi")
            told(one)
            one._dispatcher.place.homes.blocking.close()
    before = path.read_bytes() if path.exists() else None

    done = in_hardship(roomy, path, "read-only")

    assert (done["answered"], done["warnings"]) == (12, 1)
    assert (path.read_bytes() if path.exists() else None) == before


@posix
def test_a_newer_file_stays_as_it_is_byte_for_byte(tmp_path, roomy, written, caplog):
    """It is another version's: the warning says so, and what to do."""
    path = tmp_path / "state.db"
    path.write_bytes(written)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    before = path.read_bytes()

    with caplog.at_level(logging.WARNING), client(roomy, f"sqlite:///{path}") as one:
        for _ in range(3):
            assert one.chat("hi").text
        assert told(one)

    (warning,) = warnings_in(caplog)
    assert "newer freelm-integrations" in warning
    assert path.read_bytes() == before


@posix
def test_whoever_is_killed_leaves_a_file_that_the_next_one_uses(tmp_path, roomy):
    """Twenty times at random; nothing that was answered is lost from the count, nor is anybody
    warned."""
    path, dice = tmp_path / "state.db", random.Random(3)
    roomy["groq"].forget()
    for _ in range(20):
        process = started(roomy, path, "work")
        try:
            for _ in range(dice.randrange(1, 12)):
                assert process.stdout.readline() == "answered\n"
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()

    answered = len(roomy["groq"].chats)
    done = in_hardship(roomy, path, "none")
    assert (done["answered"], done["warnings"]) == (12, 0)
    assert done["counted"] >= answered


def test_a_clock_that_was_set_back_costs_no_call(tmp_path, roomy, caplog):
    """By an hour, between two processes; a window stays shut for its own length at most."""
    state = f"sqlite:///{tmp_path / 'state.db'}"
    with caplog.at_level(logging.WARNING):
        for offset in (3_600.0, 0.0, -86_400.0):
            with client(roomy, state) as one:
                plain = one._dispatcher.clock
                one._dispatcher.place.desk._clock = _Set(plain, offset)
                one._dispatcher.pool._clock = one._dispatcher.place.desk._clock
                assert one.chat("hi").text
                assert told(one)

    assert warnings_in(caplog) == []


class _Set:
    """A clock whose calendar is off."""

    def __init__(self, clock, offset: float) -> None:
        self.now, self.chance = clock.now, clock.chance
        self.utc = lambda: clock.utc() + offset


@pytest.mark.parametrize("loop", [False, True])
async def test_a_server_that_dies_under_calls_and_comes_back(tmp_path, roomy, caplog, loop):
    """One warning; what was used meanwhile is told when it is back."""
    server = _server(tmp_path)
    state = server.url.get_secret_value()
    try:
        with caplog.at_level(logging.INFO), client(roomy, state) as one:
            asked = one.to_async() if loop else one

            async def call() -> str:
                answer = asked.chat("hi")
                return (await answer if loop else answer).text

            assert await call()
            server.stop()
            for _ in range(4):
                assert await call()
            server.start()
            absence = one._dispatcher.place.homes.blocking._steady._absence
            absence._failed_at -= 60  # as if it had been left alone for long enough
            assert await call()
            assert told(one)
            if loop:
                await asked.close()
        assert len(warnings_in(caplog)) == 1
        assert any("is back" in one.getMessage() for one in caplog.records)
    finally:
        server.stop()


def test_a_server_that_wants_a_password(tmp_path, roomy, caplog):
    """It is told that it is the password, and nothing of the one that was given."""
    server = _server(tmp_path)
    try:
        import redis

        with redis.Redis(port=server.port) as admin:
            admin.config_set("requirepass", "right")
        state = f"redis://:wrong-secret@127.0.0.1:{server.port}/0"
        with caplog.at_level(logging.WARNING), client(roomy, state) as one:
            for _ in range(3):
                assert one.chat("hi").text
            assert told(one)
        (warning,) = warnings_in(caplog)
        assert "password" in warning
        assert "wrong-secret" not in caplog.text
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("mysql://host/db", "state"),
        ("sqlite://two-slashes.db", "sqlite:///path"),
        ("redis://", "redis://host:port/db"),
        ("", "state"),
    ],
)
def test_an_address_that_is_none(state, said):
    """Is refused when the client is made, with how it is written."""
    with pytest.raises(ConfigError, match=said):
        FreeLLM(providers=[Groq("k")], state=state)


def _server(folder: Path) -> RedisServer:
    import shutil

    pytest.importorskip("redis", reason="redis-py is not installed (extra: redis)")
    if shutil.which("redis-server") is None:
        pytest.skip(reason="no redis-server here (Debian package redis-server)")
    return RedisServer(folder)


def started(lab: Lab, path: Path, how: str, *, loop: bool = False) -> subprocess.Popen[str]:
    played = lab["groq"]
    way = "asyncio" if loop else "blocking"
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.sharing.hardship"),
            *(played.base_url, ",".join(played.keys), str(path), how, way),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def in_hardship(lab: Lab, path: Path, how: str, *, loop: bool = False) -> dict[str, float]:
    """What became of twelve calls in a process of their own."""
    import json

    said, _ = started(lab, path, how, loop=loop).communicate(timeout=60)
    return json.loads(said.splitlines()[-1])
