"""Where the shared counts live: `state` as users write it, understood.

`memory`, `sqlite:///relative.db`, `sqlite:////absolute.db`, `redis://[user:password@]host[:port]/db`,
`rediss://` the same over TLS.
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
_PORTS = range(1, 65_536)


@dataclass(frozen=True, slots=True)
class Address:
    """One home. `path` for a file, `url` for a server, neither for memory; no secret is shown."""

    kind: Literal["memory", "sqlite", "redis"]
    path: Path | None = None
    url: SecretStr | None = None


def read_address(state: str) -> Address:
    """The home that `state` names.

    Raises:
        ConfigError: It names none; the message shows no more than the beginning before `:`.
    """
    kind, colon, rest = state.strip().partition(":")
    kind = kind.lower()
    if kind == "memory" and not colon:
        return Address("memory")
    if kind not in KINDS:
        raise ConfigError(unknown("state", kind, KINDS))
    if kind == "memory" or not rest.startswith("//"):
        raise ConfigError(f"state {kind!r} is written {_SPELLED[kind]}")
    if kind == "sqlite":
        return Address("sqlite", path=_path(rest))
    return Address("redis", url=_server(kind, state.strip()))


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
