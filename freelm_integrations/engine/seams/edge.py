"""The end of a text that is to go on: what may stand directly after it."""

from __future__ import annotations

import re
from functools import cached_property

from freelm_integrations.engine.seams.retelling import folded, words

_FENCE_LINE = re.compile(r"(?m)^[ \t]*(?:```|~~~)")
_LAST_WORD = re.compile(r"[^\W_]*\Z")
_FIRST_WORD = re.compile(r"[^\W_]*")
_LAST_WORDS = 4
_SHOWN = 60
_SHOWN_UNSPACED = 16
"""Characters that are shown of a text whose last words are longer than `_SHOWN`."""
_LONG = 4
"""Letters of the shortest words that are told apart where they touch."""
_COMMENTS = re.compile(r"#|//|/\*|--|[\"'`]")
_QUOTES = frozenset('"`')
_OPENERS = frozenset("'\u2018\u201c\u201e\u00ab\u2039([{<>*_~#/\\-\u2013\u2014@&+=^$.\u00bf\u00a1")
"""What a capital may follow without a space; of full stops see `is_unspaced_sentence`."""
_LONG_STRINGS = ('"""', "'''")
_RULE = re.compile(r"\|[\s|:-]*|([-=.])\1{2,}")
"""A line, or the beginning of one, that has no words: of a table, or from side to side."""
_UNSPACED_FROM, _PICTURES_FROM = "\u2e80", "\U0001f000"
_COMPOUND_NAME = re.compile(r"[a-z][A-Z][a-z]")
_ENDS_SENTENCE = re.compile(r"(?:^|\s)[^\W\d_A-Z]{3,}[.!?]\Z")
_UNSPACED_SENTENCES = re.compile(r"[.!?][A-Z]")


def last_words(text: str) -> str:
    """The words a continuation is asked to begin with; none where the text ends with a line."""
    line = text.rpartition("\n")[2]
    before = line.rsplit(maxsplit=_LAST_WORDS)[0] if len(line.split()) > _LAST_WORDS else ""
    shown = line[len(before) :].strip()
    return shown if len(shown) <= _SHOWN else shown[-_SHOWN_UNSPACED:]


def first_word(text: str) -> str:
    """The letters and digits that a text begins with."""
    found = _FIRST_WORD.match(text)
    return found[0] if found else ""


class Edge:
    """Where a text broke off. `context` has more words to know by: what was asked."""

    def __init__(self, text: str, context: str) -> None:
        """Nothing is looked at before it is asked for."""
        self._text = text
        self._context = context

    @cached_property
    def ending(self) -> str:
        """The white space at the end of the text."""
        return self._text[len(self._text.rstrip()) :]

    @cached_property
    def last_word(self) -> str:
        """The letters and digits at its end: a word, or the beginning of one."""
        found = _LAST_WORD.search(self._text, max(0, len(self._text) - 100))
        return found[0] if found else ""

    @cached_property
    def is_in_code(self) -> bool:
        """Whether a code fence is open."""
        return len(_FENCE_LINE.findall(self._text)) % 2 == 1

    @cached_property
    def may_take_a_capital(self) -> bool:
        """Whether its last word may go on with one: an acronym, or a name in a text of such."""
        word = self.last_word
        if word == word[:1] or not word[0].isupper():
            return False
        return word.isupper() or _COMPOUND_NAME.search(self._text) is not None

    @cached_property
    def may_take_a_sentence(self) -> bool:
        """Whether one may begin directly here: in code only in a comment or a string."""
        line = self._text.rpartition("\n")[2]
        last = line[-1:]
        if self.is_in_code:
            is_in_string = any(self._text.count(mark) % 2 for mark in _LONG_STRINGS)
            return not last.isalnum() and (is_in_string or _COMMENTS.search(line) is not None)
        if last in _QUOTES:
            return line.count(last) % 2 == 1
        if _RULE.fullmatch(line):
            return False
        return not last or last.isspace() or last.isalnum() or last in _OPENERS or self._is_unspaced

    @property
    def _is_unspaced(self) -> bool:
        """Whether it ends in a script that puts no spaces; pictures are none."""
        return _UNSPACED_FROM < self._text[-1] < _PICTURES_FROM

    def touches(self, new: str) -> bool:
        """Whether letters or digits meet."""
        return self._text[-1:].isalnum() and new[:1].isalnum()

    def makes_a_word(self, new: str) -> bool:
        """Whether what meets is one word that this text or its context uses elsewhere."""
        return self.touches(new) and self._compound(new) in self._known

    def is_unspaced_sentence(self, new: str) -> bool:
        """Whether a sentence would follow another without the space that this text puts there."""
        if not (new[:1].isupper() and new[1:2].islower() and _ENDS_SENTENCE.search(self._text)):
            return False
        return not self.is_in_code and not _UNSPACED_SENTENCES.search(self._text)

    def missing_space(self, new: str) -> str:
        """The space that was lost between, if that is beyond doubt; else nothing."""
        if self.is_in_code or self.ending or not new[:1].isalpha():
            return ""
        last = self._text[-1]
        if last in ",;":
            is_missing = self._always_spaces(last)
        else:
            is_missing = new[:1].islower() and self.touches(new) and self._are_two_words(new)
        return " " if is_missing else ""

    def _always_spaces(self, mark: str) -> bool:
        is_usual = self._text.count(f"{mark} ") > 1
        return is_usual and not re.search(rf"{mark}\w", self._text)

    def _are_two_words(self, new: str) -> bool:
        """Whether both are words of their own here, and no word together."""
        first, last = first_word(new).casefold(), self.last_word.casefold()
        if min(len(first), len(last)) < _LONG or not {first, last} <= self._known:
            return False
        return self._compound(new) not in self._known

    def _compound(self, new: str) -> str:
        return (self.last_word + first_word(new)).casefold()

    @cached_property
    def _known(self) -> frozenset[str]:
        """Every word but the last one, which may be a fragment."""
        whole = self._text[: len(self._text) - len(self.last_word)]
        return frozenset(words(folded(f"{whole} {self._context}")))
