"""Where the shared counts live: `state` as users write it, understood.

`memory`, `sqlite:///relative.db`, `sqlite:////absolute.db`, `redis://[user:password@]host[:port]/db`,
`rediss://` the same over TLS. After any of these `?absent=` says what follows while the home cannot
be reached: `alone` (go on by the counts of this process), `share` (keep to this process's share of
each limit) or `raise` (`LedgerUnavailable`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from freelm_integrations.errors import ConfigError
from freelm_integrations.nearest import unknown

KINDS = ("memory", "sqlite", "redis", "rediss")
Absent = Literal["alone", "share", "raise"]
ABSENT: tuple[Absent, ...] = ("alone", "share", "raise")
_OPTION = "absent="
_PORTS = range(1, 65_536)


@dataclass(frozen=True, slots=True)
class Address:
    """One home. `path` for a file, `url` for a server, neither for memory; no secret is shown."""

    kind: Literal["memory", "sqlite", "redis"]
    path: Path | None = None
    url: SecretStr | None = None
    absent: Absent | None = None
    """What follows while it cannot be reached; None: what is usual there."""

    def __reduce__(self) -> tuple[type[Address], tuple[object, ...]]:
        """Pickled without the password: where it is needed, the other side names the place."""
        url = self.url
        if url is not None:
            scheme, _, rest = url.get_secret_value().partition("://")
            url = SecretStr(f"{scheme}://{rest.rpartition('@')[2]}")
        return type(self), (self.kind, self.path, url, self.absent)


MEMORY = Address("memory")
"""Nothing is shared."""


def file_address(path: Path) -> Address:
    """The home in a file."""
    return Address("sqlite", path=path)


def read_address(state: str) -> Address:
    """The home that `state` names.

    Raises:
        ConfigError: It names none; the message shows no more than the beginning before `:`.
    """
    kind, colon, rest = state.strip().partition(":")
    kind = kind.lower()
    if kind == "memory" and not colon:
        return MEMORY
    if kind not in KINDS:
        raise ConfigError(unknown("state", kind, KINDS))
    if kind == "memory" or not rest.startswith("//"):
        raise ConfigError(f"state {kind!r} is written {_SPELLED[kind]}")
    rest, absent = _without_option(rest)
    if kind == "sqlite":
        return Address("sqlite", path=_path(rest), absent=absent)
    return Address("redis", url=_server(kind, f"{kind}:{rest}"), absent=absent)


def _without_option(rest: str) -> tuple[str, Absent | None]:
    """The address without `absent`, and what that says."""
    place, question, options = rest.partition("?")
    said = [one for one in options.split("&") if one.startswith(_OPTION)]
    if not said:
        return rest, None
    word = said[-1].removeprefix(_OPTION)
    others = "&".join(one for one in options.split("&") if not one.startswith(_OPTION))
    for known in ABSENT:
        if word == known:
            return place + (question + others if others else ""), known
    raise ConfigError(unknown("value of absent in state", word, ABSENT))


def _path(rest: str) -> Path:
    """Three slashes before a relative path, four before an absolute one, as others write it."""
    path = unquote(rest.removeprefix("///"))
    if not rest.startswith("///") or not path or path.endswith("/") or "\0" in path:
        raise ConfigError(f"state 'sqlite' names no file: it is written {_SPELLED['sqlite']}")
    return Path(path).expanduser()


def _server(kind: str, state: str) -> SecretStr:
    if not _is_server(state):
        raise ConfigError(f"state {kind!r} names no server: it is written {_SPELLED[kind]}")
    return SecretStr(state)


def _is_server(state: str) -> bool:
    try:
        parts = urlsplit(state)
        port = parts.port
    except ValueError:  # its text may hold the password: it goes no further
        return False
    database = parts.path.removeprefix("/")
    return (
        bool(parts.hostname)
        and (port is None or port in _PORTS)
        and (not database or (database.isascii() and database.isdigit()))
    )


_SPELLED = {
    "memory": '"memory"',
    "sqlite": '"sqlite:///path" ("sqlite:////path" from the root)',
    "redis": '"redis://host:port/db"',
    "rediss": '"rediss://host:port/db"',
}
