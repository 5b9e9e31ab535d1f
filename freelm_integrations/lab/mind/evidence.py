"""What a prompt holds that an answer can use: numbers, quotes, places, names, dates, key words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from freelm_integrations.lab.loose import names

if TYPE_CHECKING:
    from collections.abc import Iterable

_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w])|(?<=\()-?\d+(?:\.\d+)?")
_QUOTED = re.compile(
    r"[\"“«「]([^\"”»」]{1,200})[\"”»」]|(?<!\w)['\u2018]([^'\u2019]{1,200})['\u2019](?!\w)"
)
_NAMED = re.compile(r"\b(?:named|called|name is|I am|I'm)\s+([^\W\d_][\w'-]*(?:\s+[A-Z][\w'-]*)*)")
_PLACE = re.compile(
    r"\b(?:in|at|to|from|for|of|near)\s+((?:[A-Z][\w'.-]*)(?:\s+[A-Z][\w'.-]*)*(?:,\s*[A-Z][A-Za-z]+)?)"
)
_PROPER = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z][\w'-]+(?:\s+[A-Z][\w'-]+)*")
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_EMAIL = re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.]+\b")
_URL = re.compile(r"https?://[^\s\"'<>)]+")
_CHOICE = re.compile(r"^\((\d+)\)\s*(.+)$", re.MULTILINE)
_SHORTEST_STEM = 3
_WORD = re.compile(r"[^\W\d_][\w'-]*")

STOP_WORDS = names(
    "a about above after again all also an and any are as at be because been before "
    "being between both but by can could did do does doing down during each few for from "
    "further get give had has have having he her here him his how i if in into is it its "
    "just let like make many may me might more most much must my name no nor not now of "
    "off on once one only or other our out over own please provide return same say "
    "several she should show so some such tell than that the their them then there these "
    "they this those through to too under until up us use used using very want was we "
    "were what when where which while who whom whose why will with would write you your "
    "answer question query context information given following below result value tool "
    "function call"
)


def words(text: str) -> list[str]:
    """The words of a text in lower case, in order."""
    return [word.lower() for word in _WORD.findall(text)]


def key_words(text: str, most: int = 6) -> list[str]:
    """The first words that mean something, each once."""
    return list(
        dict.fromkeys(word for word in words(text) if word not in STOP_WORDS and len(word) > 1)
    )[:most]


def stem(word: str) -> str:
    """A word without its commonest endings, so that forms of it compare equal."""
    for ending in ("ication", "ing", "ies", "ion", "er", "ed", "ly", "es", "s", "y", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word[: -len(ending)]
    return word


def stems(text: str) -> set[str]:
    """Stems of the words that mean something; names such as `get_weather` fall into their parts."""
    return {stem(word) for word in words(text.replace("_", " ")) if word not in STOP_WORDS}


class Evidence:
    """The usable facts of one prompt. Numbers are handed out in order, each once."""

    def __init__(self, text: str, numbers: Iterable[float] = ()) -> None:
        self.text = text
        self.dates: list[str] = _DATE.findall(text)
        self.emails: list[str] = _EMAIL.findall(text)
        self.urls: list[str] = _URL.findall(text)
        self.quoted: list[str] = [first or second for first, second in _QUOTED.findall(text)]
        self.named: list[str] = _NAMED.findall(text)
        self.places: list[str] = [place.rstrip(".") for place in _PLACE.findall(text)]
        self.proper: list[str] = _PROPER.findall(text)
        plain = _DATE.sub(" ", text)
        self.numbers = [*numbers, *(float(number) for number in _NUMBER.findall(plain))]
        self._given = 0

    def next_number(self) -> float | None:
        """The next number nobody asked for yet; the last one again is not given."""
        if self._given >= len(self.numbers):
            return None
        self._given += 1
        return self.numbers[self._given - 1]

    def denies(self, name: str) -> bool:
        """Whether the prompt says `no ...` or `without ...` of this name."""
        spoken = re.escape(name.replace("_", " "))
        return bool(
            re.search(
                rf"\b(?:no|without|not)\s+(?:any\s+|an?\s+|the\s+)?{spoken}",
                self.text,
                re.IGNORECASE,
            )
        )


def best_choice(text: str) -> int | None:
    """The number of the choice, of those numbered like `(1) ...`, that suits the question best."""
    choices = _CHOICE.findall(text)
    if not choices:
        return None
    quoted = re.findall(r"question: '(.*?)'", text, re.DOTALL)
    asked = stems(quoted[-1] if quoted else text.rsplit("\n", 1)[-1])
    best = max(choices, key=lambda choice: len(stems(choice[1]) & asked))
    return int(best[0])
