"""A server's words made fit to be shown: short, on one line, without keys and accounts."""

from __future__ import annotations

import re

from freelm_integrations.wire.answers.surrogates import whole

LONGEST = 300
"""Characters of a server's words that are shown at most."""
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


def shown(words: str, *, longest: int = LONGEST) -> str:
    """The words on one line, no longer than that, every secret replaced by `***`."""
    plain = _SECRETS.sub("***", " ".join(whole(words[:4000]).split()))
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"
