# ruff: noqa: RUF001 - other scripts have commas of their own
"""Ways in which a model that is told in words to go on with a text answers, well or badly.

The lab knows some of them (`lab/mind/continuing.py`); these are without sockets, and many more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freelm_integrations.engine.seams.seam import NotAContinuation, Seam, continuation_messages
from freelm_integrations.lab.mind.continuing import PREAMBLE, REFUSAL, RESTART

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Told:
    """What a model has before it, and has in mind.

    `whole` is the text it would write, `shown` as much of it as stands in the conversation before
    it is told to go on, `wanted` the words it is told to begin with.
    """

    whole: str
    shown: str
    wanted: str

    @property
    def next(self) -> str:
        """The text from where it was shown to break off."""
        return self.whole[len(self.shown) :]

    @property
    def after(self) -> str:
        """The text from after the words it was to begin with."""
        return self.whole[self.whole.index(self.wanted, len(self.shown)) + len(self.wanted) :]

    def from_words(self, count: int) -> str:
        """The text from so many words before its end so far."""
        said = self.whole[: len(self.whole) - len(self.after)]
        start = len(said)
        for word in reversed(said.split()[-count:]):
            start = said.rindex(word, 0, start)
        return self.whole[start:]


def _low(text: str) -> str:
    return text[:1].lower() + text[1:]


def _from_sentence(told: Told) -> str:
    start = max(told.shown.rfind(". ") + 2, told.shown.rfind("\n") + 1)
    return told.whole[start:] if start > 1 else told.whole


SUM = "In short, the harbour wakes early, nobody hurries, and coffee costs twenty-five crowns."
FRENCH = "Les mouettes se disputent chaque corde. À six heures, la boulangerie ouvre ses volets."
CHINESE = "海鸥为每一根绳子争吵。六点面包店开门时，拍卖已经结束。"
SORRY = "I apologize for the interruption.\n\n"

GOES_ON: Mapping[str, Callable[[Told], str]] = {
    "exactly": lambda told: told.next,
    "without the first space": lambda told: told.next.lstrip(),
    "the whole again": lambda told: told.whole,
    "the sentence again": _from_sentence,
    "twenty-five words again": lambda told: told.from_words(25),
    "announced": lambda told: PREAMBLE + told.next.lstrip(),
    "announced, the whole again": lambda told: f"Certainly!\n\n{told.whole}",
    "announced, the sentence again": lambda told: (
        f"Here's the continuation:\n\n{_from_sentence(told)}"
    ),
    "in a code fence": lambda told: f"```\n{told.next.lstrip()}\n```",
    "announced, in a code fence": lambda told: f"{PREAMBLE}```markdown\n{told.next.lstrip()}\n```",
    "in quotation marks": lambda told: f'"{told.next.lstrip()}"',
    "dots first": lambda told: f"...{told.next.lstrip()}",
    "apologising": lambda told: SORRY + told.next.lstrip(),
}
"""What goes on with the text, whatever else it does: it should be carried on."""

GOES_ASTRAY: Mapping[str, Callable[[Told], str]] = {
    "after the words": lambda told: told.after,
    "after the words, a space lost": lambda told: told.after.lstrip(),
    "announced, after the words": lambda told: PREAMBLE + told.after.lstrip(),
    "in a code fence, after the words": lambda told: f"```\n{told.after}\n```",
    "dots, after the words": lambda told: f"...{told.after.lstrip()}",
    "apologising, after the words": lambda told: SORRY + told.after.lstrip(),
    "one word again": lambda told: told.from_words(1),
    "two words again": lambda told: told.from_words(2),
    "another answer": lambda _: RESTART,
    "another answer in small letters": lambda _: _low(RESTART),
    "another answer after a space": lambda _: f" {RESTART}",
    "another answer after an empty line": lambda _: f"\n\n{RESTART}",
    "another answer, announced": lambda _: PREAMBLE + RESTART,
    "another answer in a code fence": lambda _: f"```\n{RESTART}\n```",
    "the beginning, then another": lambda told: f"{told.whole[:30]} {_low(RESTART)}",
    "a sum": lambda _: SUM,
    "a sum in small letters": lambda _: _low(SUM),
    "in French": lambda _: FRENCH,
    "in French, from the middle": lambda _: _low(FRENCH),
    "in Chinese": lambda _: CHINESE,
    "a refusal": lambda _: REFUSAL,
    "the words alone": lambda told: told.wanted,
}
"""What may lead astray: carried on only where it is certain."""


ASKED = ({"role": "user", "content": "Go on and on"},)
BELIEVED = "the words alone"
"""Who has nothing to add to a whole sentence is believed, as nobody could know better."""


def answered(seam: Seam, answer: str, sizes: random.Random) -> str | NotAContinuation:
    """What is passed on of an answer that comes in pieces of random size."""
    passed: list[str] = []
    while answer:
        size = sizes.choice((1, 2, 3, 5, 8, 40))
        piece, answer = answer[:size], answer[size:]
        said = seam.feed(piece)
        if isinstance(said, NotAContinuation):
            return said
        passed.append(said)
    said = seam.end()
    return said if isinstance(said, NotAContinuation) else "".join([*passed, said])


def end_of(text: str, place: int, manner: Callable[[Told], str], sizes: random.Random) -> str:
    """How an answer in that manner is taken where a text was cut: right, turned down or wrong: how."""
    partial = text[:place]
    if not partial.strip():
        return "right"  # nothing was said
    messages = continuation_messages(ASKED, partial, is_prefilled=False)
    begun = [str(one["content"]) for one in messages if one["role"] == "assistant"]
    wanted = str(messages[-1 if begun else 0]["content"]).rpartition("on:\n\n")[2]
    is_anew = not begun and manner in GOES_ON.values()  # then there is nothing to announce
    answer = text if is_anew else manner(Told(text, begun[0] if begun else "", wanted))
    said = answered(Seam(partial, is_prefilled=False, messages=ASKED), answer, sizes)
    if isinstance(said, NotAContinuation) or not answer:  # of nothing at all a decoder complains
        return "turned down"
    if said == text[place:] or partial + said == answer:  # all of another answer is one as well
        return "right"
    if manner is GOES_ASTRAY[BELIEVED] and not said:
        return "believed"
    return f"wrong: {partial[-30:]} -> {said}"
