"""The last words of a text that was cut, by which an answer shows that it carries the text on.

They are kept from whoever is told in words to go on, and asked for as the first of its answer. So
who goes on exactly says them by itself, who does as it is told says them too, and who begins
anew, sums up or translates does not. What follows them follows the text, to the character.
"""

from __future__ import annotations

from typing import NamedTuple

from freelm_integrations.engine.seams.retelling import (
    folded,
    is_periodic,
    starts_of,
    weight,
    words,
)

LEAST_WORDS, LEAST_WEIGHT = 3, 12
"""Words, and letters of them, that nobody begins with by chance."""
LONGEST = 600
"""Characters of a text that repeats itself which are looked at for words it has only once."""


class Anchor(NamedTuple):
    """The text in two: `before`, without the white space at its end, and the words to begin with.

    `before` is empty where all of the text is needed. `ending` is the white space at its very end.
    """

    before: str
    words: str
    ending: str


def anchor_of(told: str) -> Anchor:
    """The fewest last words of a text, which is not blank, that are there once and are enough.

    They begin where a word does, and are all of the text where there are none.
    """
    text = told.rstrip()
    start = _start(text)
    return Anchor(text[:start].rstrip(), text[start:], told[len(text) :])


def _start(text: str) -> int:
    whole = folded(text)
    for starts in (starts_of(text, is_spaced=True), starts_of(text, is_spaced=False)):
        for start in reversed(starts):
            if len(text) - start > LONGEST:
                break
            if _is_distinctive(folded(text[start:]), whole):
                return start
    return len(text) - len(text.lstrip())


def _is_distinctive(part: str, whole: str) -> bool:
    """Whether this end of a text is enough, and the text nowhere says it before."""
    if weight(part) < LEAST_WEIGHT or len(words(part)) < LEAST_WORDS:
        return False
    return whole.find(part) == len(whole) - len(part) and not is_periodic(part)
