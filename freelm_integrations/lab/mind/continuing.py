"""What a played model says when it is to go on with an answer that was begun elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from freelm_integrations.lab.loose import Json, words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Continuing = Literal[
    "exact",  # goes on where the text stops, to the character
    "repeat",  # gives all of it, from the beginning
    "last_sentence",  # begins with the last sentence, or line, once more
    "preamble",  # announces itself first
    "restart",  # begins another answer
    "refusal",  # says that it cannot
    "lost_space",  # leaves out the white space it would begin with
]
WAYS: frozenset[str] = frozenset(get_args(Continuing))

PREAMBLE = "Sure, here is the continuation:\n\n"
REFUSAL = "I'm sorry, but I don't see any text to continue. Could you share it?"
RESTART = (
    "Several things come to mind here. Some would rather speak of the weather, others keep to what "
    "they know; both have their reasons, and neither is in a hurry."
)

_ASKS = re.compile(r"\b(?:continu|resum|carry on|go on|pick up)", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?]\s+|\n+")


@dataclass(frozen=True)
class Begun:
    """An answer that was begun: the messages it answers, and what there is of it.

    `is_told` says whether the user asks in words to go on; else the answer simply stands last.
    """

    messages: list[Json]
    partial: str
    is_told: bool


def begun_in(messages: list[Json]) -> Begun | None:
    """The answer to go on with, or None where the messages ask for a new one."""
    texts = [words_of(message.get("content")) for message in messages]
    roles = [message.get("role") for message in messages]
    if roles and roles[-1] == "assistant":
        return Begun(messages[:-1], texts[-1], is_told=False)
    if roles[-2:] == ["assistant", "user"] and _ASKS.search(texts[-1]):
        return Begun(messages[:-2], texts[-2], is_told=True)
    return None


def carried_on(begun: Begun, whole: str, way: Continuing = "exact") -> str | None:
    """What is said in answer, in one way of going on; None if the text is not one it would write.

    Who was given the text as the beginning of its own answer always goes on exactly.
    """
    for partial in (begun.partial, begun.partial.rstrip()):
        if partial and whole.startswith(partial):
            return _SAID[way if begun.is_told else "exact"](whole, len(partial))
    return None


def _from_last_sentence(whole: str, length: int) -> str:
    ends = [found.end() for found in _SENTENCE_END.finditer(whole, 0, length)]
    starts = [end for end in ends if end < len(whole[:length].rstrip())]
    return whole[starts[-1] if starts else 0 :]


_SAID: Mapping[Continuing, Callable[[str, int], str]] = {
    "exact": lambda whole, length: whole[length:],
    "repeat": lambda whole, _: whole,
    "last_sentence": _from_last_sentence,
    "preamble": lambda whole, length: PREAMBLE + whole[length:],
    "restart": lambda _whole, _length: RESTART,
    "refusal": lambda _whole, _length: REFUSAL,
    "lost_space": lambda whole, length: whole[length:].lstrip(),
}
