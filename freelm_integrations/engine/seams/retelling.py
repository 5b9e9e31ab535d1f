"""What a new stretch of text tells again of one that was told before."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SPACES = re.compile(r"\s+")
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese, Japanese
)
# Where somebody who tells a text again may begin: a word, what stands before one, or any letter of
# a script that puts no spaces between its words. Not the middle of a number.
_START = re.compile(rf"(?<![^\W_])(?<!\d[.,])\S|[{_UNSPACED}]")
_SPACED_START = re.compile(rf"(?<!\S)\S|[{_UNSPACED}]")
_UNSPACED_LETTER = re.compile(f"[{_UNSPACED}]")
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
_PLAIN = str.maketrans("\u201c\u201d\u201e\u00ab\u00bb\u2018\u2019\u201a", '"""""\'\'\'')
_WORTH = 3
"""Letters that one letter of a script without spaces is worth: about half a word."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """The end of a told text, told once more at the beginning of another.

    `told` is that end, folded; `starts_at` where it begins in the folded text; `length` how many
    characters it takes up in the new one.
    """

    told: str
    starts_at: int
    length: int


def folded(text: str) -> str:
    """The text as it is compared: in one case, with plain quotes and single spaces."""
    return _SPACES.sub(" ", text).translate(_PLAIN).casefold()


def weight(text: str) -> int:
    """How many letters and digits it has; a letter of a script without spaces counts as three."""
    unspaced = len(_UNSPACED_LETTER.findall(text))
    return sum(map(str.isalnum, text)) + (_WORTH - 1) * unspaced


def is_periodic(text: str) -> bool:
    """Whether it ends as it begins for a third or more, so that a part may pass for the whole."""
    least = max(1, len(text) // 3)
    start = text.find(text[:least], 1)
    while start > 0:
        if text.startswith(text[start:]) and weight(text[start:]):
            return True
        start = text.find(text[:least], start + 1)
    return False


def words(text: str) -> list[str]:
    """Its words; each letter of a script without spaces is one."""
    return _WORD.findall(text)


def starts_of(text: str, *, is_spaced: bool) -> list[int]:
    """Where words begin: those with white space before them, or all.

    In a script that puts none between its words that is anywhere.
    """
    return [found.start() for found in (_SPACED_START if is_spaced else _START).finditer(text)]


class Retelling:
    """Follows a new text along a told one, from every place in it where it may have begun.

    White space, case and kinds of quotes make no difference. Costs little for a text that differs
    soon, and no more than the told text is long for one that does not. Not thread safe.
    """

    __slots__ = ("_folded_length", "_live", "_told", "_was_space", "found", "length")

    def __init__(self, told: str) -> None:
        """`told` is the text that may be told again, white space at its end left out."""
        self._told = folded(told.rstrip())
        self._live: list[int] | None = None
        self._folded_length = 0
        self._was_space = True
        self.length = 0
        """Characters it has followed; no more than one of those that differ."""
        self.found: Overlap | None = None
        """The longest end of the told text that it begins with, as far as is known."""

    @property
    def may_grow(self) -> bool:
        """Whether all of it so far was told before, so that more may become (a longer) overlap."""
        return self._live is None or bool(self._live)

    def follow(self, text: str) -> None:
        """Go on with the next piece of the new text."""
        for char in text:
            if not self.may_grow:
                return
            self.length += 1
            is_space = char.isspace()
            if is_space and self._was_space:
                continue
            self._was_space = is_space
            for one in folded(char):
                self._step(one)
            self._note()

    def _step(self, char: str) -> None:
        told, length = self._told, self._folded_length
        if self._live is None:
            starts = starts_of(told, is_spaced=False)
            self._live = [start for start in starts if told[start] == char]
        else:
            end = len(told) - length
            self._live = [one for one in self._live if one < end and told[one + length] == char]
        self._folded_length = length + 1

    def _note(self) -> None:
        """See whether all of the told text is told again now."""
        start, live = len(self._told) - self._folded_length, self._live or []
        if start in live:
            self.found = Overlap(self._told[start:], start, self.length)
            self._live = [other for other in live if other < start]  # the others are shorter
