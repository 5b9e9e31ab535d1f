"""A server's words made fit to be shown: short, on one line, without keys and accounts."""

from __future__ import annotations

import re

_LONGEST = 300
_SECRETS = re.compile(
    r"""
      \b(?:sk-or-|sk-|gsk_|csk-|nvapi-|hf_|AIza|AQ\.|tgp_|xai-)[\w.\-]{4,}  # keys by prefix
    | \b(?:org|user|proj|acct)[_-](?=\w*\d)\w{6,}                  # organisations and users
    | \bprojects?[/\s:_a-z]{1,12}\d{6,}
    | (?<=Bearer\s)\S+
    | \b[0-9a-f]{32}\.[A-Za-z0-9]{8,}                              # Z.ai
    | \b(?=\w*\d)(?=\w*[A-Za-z])[A-Za-z0-9_]{24,}\b                 # anything as long as a key
    | \b(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b
    """,
    re.VERBOSE,
)


def shown(words: str) -> str:
    """The words on one line, at most 300 characters, every secret replaced by `***`."""
    plain = _SECRETS.sub("***", " ".join(words[:4000].split()))
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"
