"""The valid word nearest to a wrong one, for messages that help."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


_LONGEST = 30
_LONGEST_COMPARED = 200


def nearest(word: str, words: Iterable[str], *, cutoff: float = 0.5) -> str | None:
    """The most similar of `words`, case aside, or None if none reaches `cutoff` (0 to 1).

    Nothing is near to a word of more than 200 characters, which would take seconds to compare.
    """
    if len(word) > _LONGEST_COMPARED:
        return None
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    by_fold = {candidate.casefold(): candidate for candidate in words}
    matches = get_close_matches(word.casefold(), by_fold, n=1, cutoff=cutoff)
    return by_fold[matches[0]] if matches else None


def unknown(kind: str, word: object, words: Iterable[str]) -> str:
    """A sentence that names the wrong word and the nearest valid one, or all if none is near."""
    valid = list(words)
    shown = f"of type {type(word).__name__}"
    if isinstance(word, str):
        # A long word is no typing error but something pasted, a key perhaps: it is not shown.
        shown = repr(word) if len(word) <= _LONGEST else f"of {len(word)} characters"
    guess = nearest(word, valid) if isinstance(word, str) else None
    hint = f" (valid: {', '.join(valid)})" if guess is None else f": did you mean {guess!r}?"
    return f"unknown {kind} {shown}{hint}"
