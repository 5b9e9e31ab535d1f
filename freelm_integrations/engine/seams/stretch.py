"""Whether an answer that was told in words to go on with a text does so, and from where.

Such an answer may go on exactly, tell all or some of the text again, announce itself, begin anew,
refuse, or lose the space at the seam. Rules:
- A repetition is cut out if it is too long for chance, and the text is not one that repeats itself;
  where both readings are likely, it is no continuation: better none than a wrong one.
- What begins a new sentence where the old one is open, or resembles the beginning, begins anew.
- Otherwise it is taken by the letter. A space is put in only where both neighbours are words of
  this text and their compound is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freelm_integrations.engine.seams.edge import Edge, first_word, last_words
from freelm_integrations.engine.seams.opening import announces, opening_of, refuses
from freelm_integrations.engine.seams.retelling import Retelling, folded, is_periodic, weight, words

if TYPE_CHECKING:
    from freelm_integrations.engine.seams.opening import Opening
    from freelm_integrations.engine.seams.retelling import Overlap

HELD = 120
"""Characters after which a text that is not telling anything again is judged as it stands."""
_FEW = 2
"""Words, or letters, that may well come twice by chance."""
_FRAGMENT = 4
"""Letters that hardly a word begins with twice."""
_NO_CHANCE = 12
"""Letters of several words that nobody says twice by chance."""
_PROBE = 24
"""Characters that show whether a text goes on repeating itself."""
_COPIED = 16
"""Characters of more than a few words that nobody begins with twice by chance."""
_CERTAIN = 40
"""Letters that are told again and not said twice, wherever they stand."""
_OPENING, _ALIKE, _FEWEST = 200, 0.7, 5
"""Characters of the beginning, the share of a new text's words in it that tells of a restart, and
of how many words at least."""
_OPENERS = frozenset(
    [
        *("the", "an", "in", "on", "of", "it", "its", "this", "these", "that", "those", "there"),
        *("here", "to", "let", "as", "when", "if", "while", "for", "by", "what", "how", "you"),
        *("we", "my", "sure", "okay", "certainly", "absolutely"),
        *("le", "la", "les", "un", "une", "der", "die", "das", "ein", "eine", "el", "los", "las"),
    ]
)
"""What a sentence begins with, and hardly ever a name: the capital is the sentence's."""
_GOES_ON = re.compile(r"[,.;:!?)\]]\s")
_SENTENCE = re.compile(r"[A-Z][a-z]*(?: [a-z]+){3}")
_STEM = 5
"""Letters by which forms of a word are known."""
_FIRST_ITEM = re.compile(r"(?m)^[ \t]*(?:\*\*)?1[.)]\s")


@dataclass(frozen=True, slots=True)
class NotAContinuation:
    """The answer does not carry the text on; `reason` says why, for people."""

    reason: str


@dataclass(frozen=True, slots=True)
class Join:
    """Where an answer goes on with the text: after its first `skipped` characters.

    `owed` is white space that the text already ends with and that may come again, `between` what is
    missing at the seam, `closing` what ends the answer without being part of it.
    """

    skipped: int = 0
    owed: str = ""
    between: str = ""
    closing: str = ""


_EITHER = NotAContinuation("it may or may not tell words again")


class Stretch:
    """Reads one answer that was told to go on from a text. Not thread safe."""

    def __init__(self, told: str, unsent: str, context: str = "") -> None:
        """`unsent` is the end of the text that was not shown; `context` has words to know by."""
        self._told = told
        self._unsent = unsent
        self._edge = Edge(told, context)
        self._retelling = Retelling(told)
        self._opening_length = self._followed = 0

    def read(self, held: str, *, is_last: bool) -> Join | NotAContinuation | None:
        """What to make of all that came so far, or None if more must be seen first."""
        if refuses(held):
            return NotAContinuation("it refuses or asks back")
        opening = opening_of(held[: 2 * HELD])
        retelling = self._follow(held, opening)
        is_early = not is_last and len(held) - opening.length < HELD
        if not is_last and retelling.may_grow and (is_early or retelling.is_following):
            return None
        found = retelling.found
        if found is not None and self._means_something(found):
            if is_early and len(held) - opening.length - found.length < _PROBE:
                return None
            joined = self._after(found, held, opening)
            if joined is not None:
                return joined
        if self._plainly_goes_on(held):
            return Join(owed=self._unsent)
        return None if is_early else self._by_the_letter(held, opening)

    def _follow(self, held: str, opening: Opening) -> Retelling:
        if opening.length != self._opening_length:
            self._retelling = Retelling(self._told)
            self._opening_length = self._followed = opening.length
        self._retelling.follow(held[self._followed :])
        self._followed = len(held)
        return self._retelling

    # -- told again -----------------------------------------------------------------------------

    def _after(self, found: Overlap, held: str, opening: Opening) -> Join | NotAContinuation | None:
        """Where to go on after a repetition; None if it is by chance."""
        skipped = opening.length + found.length
        before = self._retelling.told[: found.starts_at].rstrip()
        is_spaced_once = held[0] == " " and held[1:2] != " "  # more of them indent a line
        if not opening.length and is_spaced_once and self._is_open and before:
            # Who tells words again does not begin with the space between them.
            return None if weight(found.told) < _CERTAIN else _EITHER
        rest, probe = held[skipped:], min(_PROBE, len(found.told))
        is_next = folded(rest.lstrip())[:probe] == found.told[:probe]
        is_twice = is_next or before.endswith(found.told) or is_periodic(found.told)
        if is_twice or not self._is_no_chance(found, rest):
            return _EITHER
        return Join(skipped, owed=self._edge.ending, closing=self._closing(opening, before))

    def _means_something(self, found: Overlap) -> bool:
        """Whether there are words in it, or all that the last line has so far."""
        last_line = self._told.rstrip().rpartition("\n")[2]
        return bool(weight(found.told)) or found.told == folded(last_line.strip())

    def _is_no_chance(self, found: Overlap, rest: str) -> bool:
        """Whether it is so long, or so well placed, that it is told again and not said twice."""
        count, length = len(words(found.told)), weight(found.told)
        if length >= _CERTAIN:
            return True
        if count > _FEW and _NO_CHANCE > length > sum(map(str.isalnum, found.told)):
            return False  # where letters count as words, many a word is said twice
        if "\n" in self._edge.ending:  # a whole line may well come twice in a text
            last_line = self._told.rstrip().rpartition("\n")[2]
            return count > _FEW and length >= _NO_CHANCE and length > weight(folded(last_line))
        if count <= _FEW and rest[:1].isalpha() and length >= _FRAGMENT:
            return True  # the beginning of a word, and now all of it
        wanted = folded(last_words(self._told))
        is_wanted = found.told.endswith(wanted) and len(words(wanted)) >= _FEW
        is_whole = found.starts_at == 0 and length > _FEW
        return is_wanted or is_whole or count > _FEW or (count == _FEW and length >= _NO_CHANCE)

    def _closing(self, opening: Opening, before: str) -> str:
        """What ends the wrapping, unless it was opened by the text itself."""
        if opening.wrapping == "fence":
            return "" if self._edge.is_in_code else opening.closing
        if opening.wrapping == "quote":
            is_own = before.endswith('"') or self._told.count('"') % 2 == 1
            return "" if is_own else opening.closing
        return ""

    # -- new ------------------------------------------------------------------------------------

    def _plainly_goes_on(self, held: str) -> bool:
        """Whether it begins as only the middle of a text does: with a space and no capital."""
        is_spaced = held[0] == " " and self._is_open
        return is_spaced and bool(held[1:2].strip()) and not held[1:2].isupper()

    @property
    def _is_open(self) -> bool:
        """Whether what was shown of the text ends in no white space."""
        return self._edge.ending == self._unsent

    def _by_the_letter(self, held: str, opening: Opening) -> Join | NotAContinuation:
        if reason := self._misfit(held, opening):
            return NotAContinuation(reason)
        is_fence_again = self._edge.is_in_code and opening.fence and not opening.is_announced
        skipped = opening.length if opening.is_announced or is_fence_again else 0
        new = held[skipped:]
        if reason := self._restarts(new):
            return NotAContinuation(reason)
        return Join(skipped, owed=self._unsent, between=self._edge.missing_space(new))

    def _misfit(self, held: str, opening: Opening) -> str:
        """Why what stands before the new text cannot be told from it, or nothing."""
        told, wrapping = self._told, opening.wrapping
        if opening.is_announced:
            fits = not wrapping and self._fits_unseen(held[opening.length :])
            return "" if fits else "it announces itself, and nothing shows where it goes on"
        if announces(held):
            return "it announces itself"
        is_fence_again = self._edge.is_in_code and opening.fence
        if wrapping == "fence" and not is_fence_again and told.rpartition("\n")[2].strip():
            return "it opens a code fence in the middle of a line"
        if wrapping == "quote" and held[opening.length :][:1].isalnum():
            if told[-1:].isalnum() or told.endswith(held[opening.length - 1]):
                return "it puts a quotation mark before a word"
        elif wrapping == "dots" and not told.endswith(("..", "\u2026")):
            return "it begins with dots"
        return ""

    def _fits_unseen(self, rest: str) -> bool:
        """Whether what follows an announcement shows by itself that it follows the text."""
        edge = self._edge
        if rest[:1].isspace() or edge.ending:
            is_spaced_once = (rest[:1] == " ") != (edge.ending == " ")
            return is_spaced_once and bool(rest[1:2].strip())
        return edge.makes_a_word(rest) or bool(edge.last_word and _GOES_ON.match(rest))

    def _restarts(self, new: str) -> str:
        """Why it is the beginning of an answer and not the rest of one, or nothing."""
        told, copied = self._retelling.told, self._retelling.copied
        if self._retelling.is_following and weight(new) >= _CERTAIN:
            return "it says nothing new"
        start = told[:copied]
        if copied >= _COPIED and len(words(start)) > _FEW and told.find(start, 1) < 0:
            return "it begins anew, and then differs"
        if _SENTENCE.match(new) and not self._edge.may_take_a_sentence:
            return "it begins a sentence where none may stand"
        return "" if self._edge.is_in_code else self._begins_anew(new)

    def _begins_anew(self, new: str) -> str:
        if _FIRST_ITEM.match(new) and _FIRST_ITEM.search(self._told):
            return "it begins its list anew"
        if new[:1].isupper() and (self._breaks_in(new) or self._begins_alike(new)):
            return "it begins anew"
        return ""

    def _breaks_in(self, new: str) -> bool:
        """Whether it begins a sentence where one is still open."""
        edge = self._edge
        if "\n" in edge.ending or edge.makes_a_word(new):
            return False
        if first_word(new).lower() in _OPENERS and self._is_in_sentence:
            return True
        if not new[1:2].islower():
            return False  # an acronym, mostly
        if edge.ending or edge.touches(new):  # who goes on would say the space, or no capital
            return not edge.may_take_a_capital
        return self._told[-1:] in {",", ";"} or edge.is_unspaced_sentence(new)

    @property
    def _is_in_sentence(self) -> bool:
        last = self._told.rstrip()[-1:]
        return last.isalnum() or last in ",;-\u2013\u2014(&"

    def _begins_alike(self, new: str) -> bool:
        """Whether its words are those of the beginning."""
        first, told = " ".join(new.split()[:_FEW]), self._told.lstrip()
        if first and told.startswith(first) and told.find(first, 1) < 0:
            return True
        known, said = _stems(self._told[:_OPENING]), _stems(new[:HELD])
        return len(said) >= _FEWEST and len(said & known) >= _ALIKE * len(said)


def _stems(text: str) -> set[str]:
    """The beginnings of the words that mean something."""
    return {word[:_STEM] for word in words(folded(text)) if len(word) >= _STEM - 1}
