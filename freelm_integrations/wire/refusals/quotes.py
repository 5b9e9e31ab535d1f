"""What servers repeat of a request, taken out of their words: a prompt is no verdict.

Errors quote prompts, tools, parameters and links. Their own words stand outside of quotation marks,
except in objects printed as text (`{'message': 'slow down', 'input': '...'}`), where the name
before a value tells whose words it holds.
"""

from __future__ import annotations

import re

ECHOES = frozenset(
    {
        *("input", "inputs", "input_value", "prompt", "messages", "tools", "request", "query"),
        *("failed_generation", "flagged_input", "received", "content", "value", "examples"),
        *("url", "docs_url", "documentation_url", "link", "links", "help", "hint", "remedy_hint"),
        *("suggestion", "previous_errors", "reasoning", "reasoning_content", "arguments"),
    }
)
"""Fields whose values are not the verdict: what was sent, and advice or news of something else."""
MESSAGES = frozenset({"message", "msg", "detail", "error", "title", "reason", "error_description"})
"""Fields that hold a server's own words."""
_FEW = 2
_LINK = re.compile(r"\bhttps?://\S+")
_QUOTATION = re.compile(
    r"""
      "(?P<double>[^"\n]*)(?:"|$)
    | (?<!\w)'(?P<single>[^\n]*?)'(?!\w)
    | (?<!\w)`(?P<back>[^`\n]*)`
    | “(?P<curly>[^”\n]*)”
    | «(?P<angle>[^»\n]*)»
    """,
    re.VERBOSE | re.MULTILINE,
)
_FIELD = re.compile(r"(\w+)=$")
_LONGEST_FIELD = 30


def apart(words: str) -> tuple[str, str]:
    """The words without any quotation, and with such alone as may be names: two words at most.

    Links are left out of both.
    """
    words = _LINK.sub(" ", words)
    own: list[str] = []
    naming: list[str] = []
    heard, quoted = 0, ""
    for found in _QUOTATION.finditer(words):
        between = words[heard : found.start()]
        name = quoted if between.strip() == ":" else _field_before(between)
        quoted, heard = found[found.lastgroup or 0], found.end()
        own.append(between)
        naming.append(between)
        if name in MESSAGES:
            own.append(found[0])
            naming.append(found[0])
        elif name not in ECHOES and len(quoted.split()) <= _FEW:
            naming.append(found[0])
    rest = words[heard:]
    return " ".join((*own, rest)), "".join((*naming, rest))


def _field_before(words: str) -> str:
    """The name in `name=` at the end of the words, if they end so."""
    found = _FIELD.search(words, max(0, len(words) - _LONGEST_FIELD))
    return found[1] if found else ""
