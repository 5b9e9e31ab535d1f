"""Whether an answer that was told in words to go on with a text does so, and from where.

Such an answer may go on exactly, tell all or some of the text again, announce itself, begin anew,
sum up, translate, refuse, or lose the space at the seam. Rules:
- It carries the text on if it begins with the words it was to begin with (see `anchor`), or earlier
  in the text and comes by them; what follows them follows the text, to the character. An
  announcement, a code fence, a quotation mark or dots may stand before.
- Without them only what cannot begin anything is taken: a space and a small letter, or a comma,
  where the text stands in the midst of a sentence.
- An answer that has nothing else to say completes no text that is open in the midst of a word or
  sentence. Better no continuation than a wrong one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from freelm_integrations.engine.seams.anchor import anchor_of
from freelm_integrations.engine.seams.opening import opening_of, refuses
from freelm_integrations.engine.seams.retelling import Retelling, folded
from freelm_integrations.engine.seams.wrapping import FENCE_LINE

if TYPE_CHECKING:
    from freelm_integrations.engine.seams.opening import Opening

HELD = 120
"""Characters after what stands before an answer within which it must have shown that it goes on."""
_GOES_ON = re.compile(r" [^\W_]|[,;:)\]](?=\s)")
"""What nothing begins with that is not the middle of a text."""
_ENDS = re.compile(r"(?:[.!?\u2026\u3002\uff01\uff1f\u061f\u0964][^\w\s]*|`{3}|~{3})\s*\Z")
"""What a text may be complete with: the end of a sentence, a fence."""
_INDENTS = re.compile(r"\n[ \t]")


@dataclass(frozen=True, slots=True)
class NotAContinuation:
    """The answer does not carry the text on; `reason` says why, for people."""

    reason: str


@dataclass(frozen=True, slots=True)
class Join:
    """Where an answer goes on with the text: after its first `skipped` characters.

    `owed` is white space that the text already ends with and that may come again, `closing` what
    ends the answer without being part of it. `must_add`: it is none if nothing follows.
    """

    skipped: int = 0
    owed: str = ""
    closing: str = ""
    must_add: bool = False


NOTHING_NEW = NotAContinuation("it adds nothing to a text that is not complete")
_REFUSES = NotAContinuation("it refuses or asks back")
_NOT_THE_WORDS = NotAContinuation("it does not begin with the words it was to begin with")
_OTHER_SPACES = NotAContinuation("it goes on with other white space than the text ends with")


class Stretch:
    """Reads one answer that was told to go on with a text, which is not blank. Not thread safe."""

    def __init__(self, told: str) -> None:
        """`told` is all of the text."""
        self._told = told
        _, wanted, self._ending = anchor_of(told)
        self._wanted = folded(wanted)
        self._readings: dict[int, Retelling] = {}
        """What is told again, by how many characters may stand before it."""

    def read(self, held: str, *, is_last: bool) -> Join | NotAContinuation | None:
        """What to make of all that came so far, or None if more must be seen first."""
        opening = opening_of(held[: 2 * HELD])
        self._follow(held, opening)
        for start, reading in self._readings.items():
            if reading.found is not None and len(reading.found.told) >= len(self._wanted):
                end = start + reading.found.length
                return self._after(held, end, opening.closing, is_last=is_last)
        if not is_last and any(reading.may_grow for reading in self._readings.values()):
            return None
        if refuses(held):
            return _REFUSES
        if self._plainly_goes_on(held):
            return Join(must_add=True)
        is_early = not is_last and len(held) - opening.length < HELD
        return None if is_early else _NOT_THE_WORDS

    def _follow(self, held: str, opening: Opening) -> None:
        """Read on from the beginning, and from what may stand before the text."""
        starts = sorted({0, opening.announced, opening.length})
        readings = {start: self._readings.get(start) or Retelling(self._told) for start in starts}
        for start, reading in readings.items():
            reading.follow(held[start + reading.length :])
        self._readings = readings

    def _after(
        self, held: str, end: int, closing: str, *, is_last: bool
    ) -> Join | NotAContinuation | None:
        """Where to go on, with the white space that the text ends with counted once."""
        ending, rest = self._ending, held[end:]
        if rest.startswith(ending):
            return Join(end + len(ending), closing=closing, must_add=self._is_open)
        new = rest.lstrip()
        spaces = rest[: len(rest) - len(new)]
        if not new and not is_last:
            return None
        if new and (not spaces or _INDENTS.search(f"{ending}|{spaces}")):
            return _OTHER_SPACES
        return Join(end + len(spaces), closing=closing, must_add=self._is_open)

    @cached_property
    def _is_open(self) -> bool:
        """Whether the text does not end as complete ones do."""
        is_in_code = len(FENCE_LINE.findall(self._told)) % 2 == 1
        return is_in_code or not _ENDS.search(self._told)

    def _plainly_goes_on(self, held: str) -> bool:
        """Whether it begins as only the middle of a text does, and not with the wanted words."""
        if self._ending or not self._is_open or not _GOES_ON.match(held) or held[1:2].isupper():
            return False
        first = self._wanted.split(" ", 1)[0]
        is_new = self._readings[0].found is None
        return is_new and not folded(held).lstrip().startswith(first)
