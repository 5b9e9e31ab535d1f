"""What servers repeat of a request, taken out of their words: a prompt is no verdict.

Errors quote prompts, tools, parameters and links. Their own words stand outside of quotation marks,
except in objects printed as text (`{'message': 'slow down', 'input': '...'}`), where the name
before a value tells whose words it holds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ECHOES = frozenset(
    {
        *("input", "inputs", "input_value", "prompt", "messages", "tools", "request", "query"),
        *("failed_generation", "flagged_input", "received", "content", "value", "examples"),
        *("url", "docs_url", "documentation_url", "link", "links", "help", "hint", "remedy_hint"),
        *("suggestion", "previous_errors"),
    }
)
"""Fields whose values are not the verdict: what was sent, and advice or news of something else."""
MESSAGES = frozenset({"message", "msg", "detail", "error", "title", "reason", "error_description"})
"""Fields that hold a server's own words."""
_FEW = 2
_LINK = re.compile(r"\bhttps?://\S+")
_QUOTATION = re.compile(
    r"""
    (?:(?P<name>\w+)['"]?\s*[:=]\s*)?
    (?: "(?P<double>[^"\n]*)(?:"|$)
      | (?<!\w)'(?P<single>[^\n]*?)'(?!\w)
      | (?<!\w)`(?P<back>[^`\n]*)`
      | “(?P<curly>[^”\n]*)”
      | «(?P<angle>[^»\n]*)»
    )
    """,
    re.VERBOSE | re.MULTILINE,
)


def unquoted(words: str) -> str:
    """The words without any quotation or link."""
    return _QUOTATION.sub(_cut(lambda _: True), _LINK.sub(" ", words))


def with_names_only(words: str) -> str:
    """The words with only such quotations as may be the name of something: two words at most."""
    return _QUOTATION.sub(_cut(lambda held: len(held.split()) > _FEW), _LINK.sub(" ", words))


def _cut(is_cut: Callable[[str], bool]) -> Callable[[re.Match[str]], str]:
    """Replaces a quotation by nothing where it is to be cut, and not a message's value."""

    def replaced(found: re.Match[str]) -> str:
        name = found["name"] or ""
        is_field = bool(name) and found[0][len(name)] in "'\"="
        if is_field and name in MESSAGES:
            return found[0]
        if not is_cut(found[found.lastgroup or 0]) and not (is_field and name in ECHOES):
            return found[0]
        return f"{name} " if name else " "

    return replaced
