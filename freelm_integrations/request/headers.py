"""The headers a caller adds to a call."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from freelm_integrations.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t -~]*")
_OURS = re.compile(
    r"host|connection|upgrade|te|trailer|expect|transfer-encoding|content-.*|accept(-encoding)?"
)
_TRUSTED = re.compile(r".*(auth|cookie|token|secret|api[-_]?key|password).*|key|x-key")
"""Names of what is for one server's eyes only."""


def checked_headers(given: Mapping[str, object] | None) -> dict[str, str]:
    """The headers, with lower-case names; one that is None is not given.

    They go to every provider that is asked, so none that could hold a key is taken.

    Raises:
        ConfigError: One has no form in HTTP, would change what is sent or how, or would tell a
            secret. Values are never shown.
    """
    headers: dict[str, str] = {}
    for name, value in (given or {}).items():
        plain = name.lower()
        if value is None:
            continue
        if not _NAME.fullmatch(name) or not isinstance(value, str) or not _VALUE.fullmatch(value):
            raise ConfigError(f"extra_headers has {name[:40]!r}, whose name or value is no header")
        if _TRUSTED.fullmatch(plain):
            raise ConfigError(
                f"extra_headers has {name[:40]!r}, which would go to every provider: "
                "keys belong to providers=[...] or the environment"
            )
        if _OURS.fullmatch(plain):
            raise ConfigError(f"extra_headers has {name[:40]!r}, which is not the caller's to say")
        headers[plain] = value
    return headers
