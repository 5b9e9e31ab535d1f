"""Where the shared counts live is read from one word or URL, and no secret of it is ever shown."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from freelm_integrations.errors import ConfigError
from freelm_integrations.pool.ledger.address import Address, read_address


@pytest.mark.parametrize(
    ("state", "path"),
    [
        ("sqlite:///state.db", Path("state.db")),
        ("sqlite:////var/lib/freelm/state.db", Path("/var/lib/freelm/state.db")),
        ("SQLite:///a%20b.db", Path("a b.db")),
        ("sqlite:///~/state.db", Path("~/state.db").expanduser()),
        ("  sqlite:///state.db\n", Path("state.db")),
    ],
)
def test_a_file(state, path):
    """Three slashes before a relative path, four before an absolute one."""
    assert read_address(state) == Address("sqlite", path=path)


@pytest.mark.parametrize(
    "state",
    [
        "redis://localhost",
        "redis://localhost:6379/0",
        "rediss://user:pass@redis.example:6380/1",
        "redis://:p%40ss@[::1]:6379",
        "redis://localhost/2?socket_timeout=3",
    ],
)
def test_a_server(state):
    """Its URL is kept whole, and is a secret."""
    address = read_address(state)

    assert address.kind == "redis"
    assert address.url is not None
    assert address.url.get_secret_value() == state
    assert "pass" not in repr(address)


def test_memory():
    """In any case of letters."""
    assert read_address("Memory") == Address("memory")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("sqlit:///a.db", "did you mean 'sqlite'"),
        ("memry", "did you mean 'memory'"),
        ("redsi://h/0", "did you mean 'redis'"),
        ("postgres://u:hunter2@h/0", "valid: memory, sqlite, redis, rediss"),
        ("", "unknown state"),
        ("memory:", '"memory"'),
        ("sqlite:a.db", "sqlite:///path"),
        ("sqlite://a.db", "sqlite:///path"),
        ("sqlite:///", "names no file"),
        ("sqlite:///folder/", "names no file"),
        ("redis:localhost", "redis://host:port/db"),
        ("redis://", "names no server"),
        ("redis://u:hunter2@", "names no server"),
        ("redis://u:hunter2@h:70000/0", "names no server"),
        ("redis://u:hunter2@h:port/0", "names no server"),
        ("redis://u:hunter2@h/zero", "names no server"),
        ("redis://u:hunter2@[::1/0", "names no server"),
    ],
)
def test_what_names_no_home(state, said):
    """The message says what to write, and shows no password."""
    with pytest.raises(ConfigError) as raised:
        read_address(state)

    assert said in str(raised.value)
    assert "hunter2" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


def test_a_pickled_address_holds_no_password():
    """Front ends travel to workers in pickles; whoever needs the password names the place anew."""
    address = read_address("redis://me:hunter2@example.org:7/1")

    pickled = pickle.dumps(address)

    assert b"hunter2" not in pickled
    there = pickle.loads(pickled)
    assert there.url.get_secret_value() == "redis://example.org:7/1"


@pytest.mark.parametrize("word", ["alone", "share", "raise"])
@pytest.mark.parametrize(
    "state", ["sqlite:///x.db?absent={}", "redis://host:1/0?absent={}&ssl_check_hostname=no"]
)
def test_an_address_says_what_follows_where_it_cannot_be_reached(state, word):
    """The option is ours; the others are the client library's."""
    address = read_address(state.format(word))

    assert address.absent == word
    assert "absent" not in str(address.path)
    if address.url is not None:
        assert address.url.get_secret_value() == "redis://host:1/0?ssl_check_hostname=no"
