"""Keys: how they are read, told apart and kept from view."""

from __future__ import annotations

import copy
import pickle
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from freelm_integrations.errors import ConfigError
from freelm_integrations.providers.keys import (
    Key,
    fingerprint,
    keys_in_environment,
    read_keys,
)

# Printable ASCII without space and comma: what a key may be made of.
KEY_TEXT = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=","),
    min_size=9,
    max_size=70,
)


def read(given: object, account: str | None = None) -> list[str]:
    keys = read_keys(given, owner="groq", account=account)  # type: ignore[arg-type]
    return [key.secret.get_secret_value() for key in keys]


@pytest.mark.parametrize(
    ("written", "secrets"),
    [
        ("gsk_a", ["gsk_a"]),
        ("gsk_a,gsk_b", ["gsk_a", "gsk_b"]),
        (" gsk_a , gsk_b\n", ["gsk_a", "gsk_b"]),
        (["gsk_a", "gsk_b"], ["gsk_a", "gsk_b"]),
        (("gsk_a,gsk_b", SecretStr("gsk_c")), ["gsk_a", "gsk_b", "gsk_c"]),
        (SecretStr("gsk_a,gsk_b"), ["gsk_a", "gsk_b"]),
        (["gsk_b", "gsk_a", "gsk_b"], ["gsk_b", "gsk_a"]),
        ("gsk_a,,gsk_a,", ["gsk_a"]),
        ("", []),
        (" , ", []),
        ([], []),
        (["", SecretStr("")], []),
        (None, []),
    ],
)
def test_keys_are_read_in_order_without_blanks_and_duplicates(
    written: object, secrets: list[str]
) -> None:
    """However they are written."""
    assert read(written) == secrets


@pytest.mark.parametrize(
    "bad", ["gsk a", "gsk\na", "gsk\ta", "gsk_é", "gsk_\x00", "gsk_\u200b", "gsk_\x7f"]
)
@pytest.mark.parametrize("wrap", [str, SecretStr, lambda key: ["fine", key], "fine,{},x".format])
def test_a_key_no_header_can_carry_is_refused_unseen(bad: str, wrap: object) -> None:
    """Pasted with a line break or a word too many; the message says which one, not what."""
    with pytest.raises(ConfigError, match=r"key \d of groq") as caught:
        read_keys(wrap(bad), owner="groq", account=None)  # type: ignore[operator]

    assert "gsk" not in str(caught.value)
    assert "gsk" not in repr(caught.value)


@pytest.mark.parametrize("wrong", [5, [5], b"gsk_a", [b"gsk_a"], [["gsk_a"]], object()])
def test_what_is_no_key_is_a_config_error(wrong: object) -> None:
    """It names the type alone."""
    with pytest.raises(ConfigError, match="is a str or SecretStr") as caught:
        read(wrong)

    assert "gsk" not in str(caught.value)


def test_each_key_is_an_account_of_its_own_unless_told_otherwise() -> None:
    """Limits count per account."""
    apart = read_keys("gsk_a,gsk_b", owner="groq", account=None)
    together = read_keys("gsk_a,gsk_b", owner="groq", account="mine")

    assert [key.account for key in apart] == [key.fingerprint for key in apart]
    assert {key.account for key in together} == {"mine"}


def test_the_first_variable_that_holds_a_key_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """A blank one does not count."""
    monkeypatch.setenv("ONE", " , ")
    monkeypatch.setenv("TWO", "gsk_a,gsk_b")
    monkeypatch.setenv("THREE", "gsk_c")

    keys = keys_in_environment(("NONE", "ONE", "TWO", "THREE"), owner="groq", account=None)

    assert [key.secret.get_secret_value() for key in keys] == ["gsk_a", "gsk_b"]


def test_a_bad_key_in_the_environment_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the user knows where to mend it."""
    monkeypatch.setenv("GROQ_API_KEY", "gsk_a b")

    with pytest.raises(ConfigError, match="GROQ_API_KEY"):
        keys_in_environment(("GROQ_API_KEY",), owner="groq", account=None)


@given(KEY_TEXT)
def test_a_key_shows_as_its_fingerprint_only(secret: str) -> None:
    """In repr and str, whatever it is made of."""
    (key,) = read_keys(secret, owner="groq", account=None)

    assert key.fingerprint == fingerprint(secret) == sha256(secret.encode()).hexdigest()[:8]
    assert secret not in repr(key)
    assert secret not in str(key)
    assert secret not in f"{key}"


@given(st.lists(KEY_TEXT, max_size=6))
def test_any_list_reads_as_its_joined_string_does(secrets: list[str]) -> None:
    """A comma-separated variable and a list are the same."""
    assert read(secrets) == read(",".join(secrets)) == list(dict.fromkeys(secrets))


def test_a_key_cannot_be_pickled() -> None:
    """Whatever would carry one out of the process is stopped there."""
    (key,) = read_keys("gsk_secret", owner="groq", account=None)

    with pytest.raises(TypeError, match="cannot be pickled") as caught:
        pickle.dumps(key)

    assert "gsk" not in str(caught.value)


def test_a_copied_key_is_the_same_key() -> None:
    """Front ends copy themselves with all they hold."""
    key = Key(SecretStr("gsk_a"), "12345678", "12345678")

    assert copy.copy(key) is key
    assert copy.deepcopy([key])[0] is key
