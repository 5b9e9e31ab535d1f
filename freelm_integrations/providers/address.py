"""Base URLs: which are accepted, and how a provider elsewhere than usual is named.

Rules:
- `https://` to anywhere; `http://` only to where no stranger listens in: see `is_private`.
- Nothing is resolved, names are judged as they are written: a check must not open a socket, and
  what a name resolves to can change between the check and the call.
- No user, password, query or fragment: they would hold secrets, or be lost.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from freelm_integrations.errors import ConfigError

_PRIVATE_NETWORKS = tuple(
    ip_network(network)
    for network in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "0.0.0.0/32",  # this machine, as servers print it
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)
# Never in the public DNS: RFC 6761, RFC 6762, ICANN 2024 (host.docker.internal), RFC 8375.
_PRIVATE_SUFFIXES = (".localhost", ".local", ".internal", ".home.arpa")
_ONE_LABEL = re.compile(r"[a-z][a-z0-9_-]*")
_HOST = re.compile(r"[a-z0-9._-]+")


def is_private(host: str) -> bool:
    """Whether plain http may be spoken to `host` (lower case, no brackets).

    True for loopback, private and link-local addresses, for names under `.localhost`, `.local`,
    `.internal` and `.home.arpa`, and for names of one label (`localhost`, a container's
    `ollama`), which no public DNS answers for. Numbers that only some resolvers take for an
    address (`127.1`, `2130706433`) are not.
    """
    try:
        address = ip_address(host)
    except ValueError:
        return bool(_ONE_LABEL.fullmatch(host)) or host.endswith(_PRIVATE_SUFFIXES)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in _PRIVATE_NETWORKS)


def checked_base_url(url: str, *, owner: str) -> str:
    """The URL without trailing slashes.

    Raises:
        ConfigError: It breaks a rule of this module. The message shows its host at most.
    """
    text = url.strip()
    parts = _split(text, owner=owner)
    host = (parts.hostname or "").lower()
    if parts.username is not None or parts.password is not None:
        raise _refused(owner, "holds a user or password", "pass keys=... instead")
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise _refused(owner, "has a query or fragment", "paths are appended to it: end it before")
    if ":" not in host and not _HOST.fullmatch(host):
        raise _refused(owner, "names no host", "write it like https://host/v1")
    if parts.scheme == "http" and not is_private(host):
        why = f"is plain http to {host}, so keys and prompts could be read on the way"
        raise _refused(owner, why, "use https:// (http:// is for loopback and private addresses)")
    return text.rstrip("/")


def place_of(base_url: str) -> str:
    """Host, port and path of a checked URL: tells apart two places of the same provider."""
    return base_url.partition("://")[2]


def join(base_url: str, path: str) -> str:
    """A path from a checked URL on: each `..` it begins with goes up one, to the host at most."""
    scheme, _, place = base_url.partition("://")
    while path.startswith("/.."):
        place, path = place.rpartition("/")[0] or place, path.removeprefix("/..")
    return f"{scheme}://{place}{path}"


def _split(text: str, *, owner: str) -> SplitResult:
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise _refused(owner, "holds a space or a character outside ASCII", "write it in ASCII")
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises if it is no port
    except ValueError:
        raise _refused(owner, "is no URL", "write it like https://host/v1") from None
    if parts.scheme not in {"http", "https"}:
        raise _refused(owner, "does not begin with http:// or https://", "add the scheme")
    return parts


def _refused(owner: str, why: str, remedy: str) -> ConfigError:
    return ConfigError(f"base URL of {owner} {why}: {remedy}")
