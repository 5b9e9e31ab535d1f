"""A place that cannot be used: one warning, and calls go on; what is there is left as it was."""

from __future__ import annotations

import logging
import sqlite3

import pytest

from freelm_integrations import FreeLLM, Groq, LedgerUnavailable
from freelm_integrations.settings import Settings

NOWHERE = "redis://127.0.0.1:9/0"


def client(lab, state: str) -> FreeLLM:
    played = lab["groq"]
    provider = Groq(played.keys[0], base_url=played.base_url, models=["openai/gpt-oss-120b"])
    return FreeLLM(providers=[provider], state=state, share=False)


def damaged(path):
    path.write_bytes(b"no database at all, but long enough to look at" * 200)


def newer(path):
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA application_id=1718774893")
        connection.execute("PRAGMA user_version=99")
        connection.execute("CREATE TABLE kept (what)")
    connection.close()


def another_program(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (what)")
    connection.close()


def a_folder(path):
    path.mkdir()


@pytest.mark.parametrize("trouble", [damaged, newer, another_program, a_folder])
@pytest.mark.parametrize("loop", [False, True])
async def test_a_file_that_cannot_be_used_is_told_once_and_left_as_it_is(
    lab, tmp_path, caplog, trouble, loop
):
    """Calls are answered by the counts of this process alone."""
    path = tmp_path / "state.db"
    trouble(path)
    before = path.read_bytes() if path.is_file() else None

    with caplog.at_level(logging.WARNING), client(lab, f"sqlite:///{path}") as one:
        for _ in range(3):
            if loop:
                async with one.to_async() as asked:
                    assert (await asked.chat("hi")).text
            else:
                assert one.chat("hi").text
        assert one.health()[0]["state"] == "ready"
        assert one._dispatcher.place.homes.outbox.flush()

    warnings = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1
    assert str(path) in warnings[0]
    assert "going on" in warnings[0]
    if before is not None:
        assert path.read_bytes() == before


def test_without_its_server_a_client_goes_on(lab, caplog):
    """Within its share of each limit, with one warning."""
    with caplog.at_level(logging.WARNING), client(lab, NOWHERE) as one:
        for _ in range(3):
            assert one.chat("hi").text
        assert one._dispatcher.place.homes.outbox.flush()

    (warning,) = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert "Redis cannot be asked" in warning


@pytest.mark.parametrize("loop", [False, True])
async def test_without_its_server_a_client_refuses_where_that_was_asked_for(lab, loop):
    """The policy stands in the address; nothing is sent."""
    with client(lab, f"{NOWHERE}?absent=raise") as one:
        with pytest.raises(LedgerUnavailable):
            await one.to_async().chat("hi") if loop else one.chat("hi")
        assert one._dispatcher.pool.snapshot(0.0)[0].in_flight == 0

    assert lab["groq"].chats == []


def test_nothing_is_opened_before_the_first_call(tmp_path):
    """Constructing a client makes no file."""
    with FreeLLM(providers=[Groq("k")], state=f"sqlite:///{tmp_path / 'a' / 'state.db'}"):
        assert list(tmp_path.iterdir()) == []


def test_clients_of_one_place_share_a_pool_and_its_counts(tmp_path):
    """And those of another place do not."""
    state = f"sqlite:///{tmp_path / 'state.db'}"

    def pool(state, **options):
        one = FreeLLM(providers=[Groq("k")], state=state, **options)
        return one._dispatcher.pool

    assert pool(state) is pool(state)
    assert pool(state) is not pool("memory")
    assert pool(state, share=False) is not pool(state)


def test_a_change_of_state_changes_the_pool(tmp_path):
    """`with_options` is as if the client had been made so."""
    with FreeLLM(providers=[Groq("k")]) as one:
        other = one.with_options(state=f"sqlite:///{tmp_path / 'state.db'}")
        assert other._dispatcher.pool is not one._dispatcher.pool
        assert isinstance(other._dispatcher.settings, Settings)
