"""Keys: read from arguments or the environment, secret from the first moment on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from pydantic import SecretStr

from freelm_integrations.environment import variable
from freelm_integrations.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

KeysArgument: TypeAlias = str | SecretStr | Iterable[str | SecretStr] | None
"""One key, several in a string with commas between, or any number of either; None: not given."""


@dataclass(frozen=True, slots=True)
class Key:
    """One credential of one provider; shown only as a fingerprint (first 8 hex of its sha256).

    `account` is what its limits count for: keys of one account share their windows. The key of a
    provider that needs none has an empty secret: no Authorization header is sent.
    """

    secret: SecretStr
    fingerprint: str
    account: str

    def __copy__(self) -> Key:
        """The same key: it never changes."""
        return self

    def __deepcopy__(self, memo: object) -> Key:
        """The same key: it never changes."""
        return self

    def __reduce__(self) -> NoReturn:
        """A key stays in its process: whatever would pickle one is stopped here."""
        raise TypeError(f"key {self.fingerprint} cannot be pickled: it would leave this process")


NO_KEY = Key(SecretStr(""), "keyless", "keyless")
"""Stands for the key of a provider that needs none."""


def fingerprint(secret: str) -> str:
    """The first 8 hex digits of its sha256: tells keys apart and gives nothing away."""
    return sha256(secret.encode()).hexdigest()[:8]


def read_keys(given: KeysArgument, *, owner: str, account: str | None) -> tuple[Key, ...]:
    """The keys in `given`, in order, blanks and duplicates left out.

    Args:
        given: As the user wrote it; commas separate keys within a string.
        owner: The provider's name, for messages.
        account: The account all of them belong to; None makes each key its own.

    Raises:
        ConfigError: A key holds a character no header can carry (the key is not shown), or
            something is no key at all.
    """
    found: dict[str, Key] = {}
    for number, part in enumerate(_parts(given, owner=owner), start=1):
        if not _is_printable(part):
            raise ConfigError(
                f"key {number} of {owner} holds a space, a line break or a character outside "
                "ASCII: was more than the key copied?"
            )
        mark = fingerprint(part)
        found.setdefault(mark, Key(SecretStr(part), mark, account or mark))
    return tuple(found.values())


def keys_in_environment(
    variables: Iterable[str], *, owner: str, account: str | None
) -> tuple[Key, ...]:
    """The keys of the first variable that holds any."""
    for name in variables:
        text = variable(name)
        if text and (keys := read_keys(text, owner=f"{owner} ({name})", account=account)):
            return keys
    return ()


def _parts(given: KeysArgument, *, owner: str) -> Iterator[str]:
    """Each key's bare text. Strings may hold several."""
    if isinstance(given, SecretStr):
        given = given.get_secret_value()
    if isinstance(given, str):
        yield from (part for piece in given.split(",") if (part := piece.strip()))
    elif isinstance(given, Iterable):
        for item in given:
            if not isinstance(item, (str, SecretStr)):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise _not_a_key(item, owner)
            yield from _parts(item, owner=owner)
    elif given is not None:
        raise _not_a_key(given, owner)


def _not_a_key(value: object, owner: str) -> ConfigError:
    return ConfigError(f"a key of {owner} is a str or SecretStr, not {type(value).__name__}")


def _is_printable(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text
