"""Short sensible texts made from the prompt: always the same for the same messages."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from freelm_integrations.lab.loose import Json, compact, words_of
from freelm_integrations.lab.mind.continuing import begun_in, carried_on
from freelm_integrations.lab.mind.evidence import key_words
from freelm_integrations.lab.mind.forms import agent_step, formed, json_told, json_with_keys
from freelm_integrations.lab.mind.tools import last_result

if TYPE_CHECKING:
    from collections.abc import Iterable

_PIECE = re.compile(r"\s*(?:\w{1,6}|[^\w\s])|\s+")

_OPENINGS = (
    "Here is a short answer about {subject}.",
    "In short, on {subject}:",
    "Let me say a few words about {subject}.",
    "A brief reply on {subject} follows.",
)
_MIDDLES = (
    "The question touches {first}, which is best taken one step at a time.",
    "What matters most here is {first}, and the rest follows from it.",
    "Most people begin with {first} and look at the details later.",
    "There is more than one view of {first}; this is the common one.",
)
_ENDINGS = (
    "This text was made by the lab, so it is the same every time.",
    "It is a plain answer of the lab, stable from run to run.",
    "Ask again and the lab will say exactly this once more.",
)


def plain_words(messages: list[Json]) -> Iterable[str]:
    """The pieces of a deterministic answer to these messages."""
    return pieces(answer_to(messages))


def pieces(text: str) -> list[str]:
    """A text cut into pieces about the size of tokens; joined they are the text."""
    return _PIECE.findall(text)


def answer_to(messages: list[Json]) -> str:
    """A deterministic answer; the rest of it where the messages ask to go on with a part of it."""
    begun = begun_in(messages)
    whole = _fresh(messages if begun is None else begun.messages)
    rest = None if begun is None else carried_on(begun, whole)
    return whole if rest is None else rest


def json_answer(messages: list[Json]) -> str:
    """A JSON object for a request that asks for JSON and gives no schema."""
    prompt = " ".join(words_of(message.get("content")) for message in messages)
    return json_with_keys(prompt) or compact({"answer": _essay(prompt)}).decode()


def _fresh(messages: list[Json]) -> str:
    prompt, system = _texts(messages, "user")[-1:], " ".join(_texts(messages, "system"))
    asked = prompt[0] if prompt else system
    told = json_told(system, asked)
    if told is not None:
        return told
    result = last_result(messages)
    if result is not None:
        return f"The tool says: {result}" if result else "The tool gave nothing back."
    step = agent_step(messages)
    if step is not None:
        return step + _essay(asked) if step.endswith("Answer: ") else step
    return formed(asked, system) or _essay(asked)


def _texts(messages: list[Json], role: str) -> list[str]:
    return [words_of(message.get("content")) for message in messages if message.get("role") == role]


def _essay(prompt: str) -> str:
    """Three sentences on the prompt's key words, chosen by its hash."""
    seed = hashlib.sha256(prompt.encode()).digest()
    subject = key_words(prompt, 4) or ["this"]
    facts = {"subject": ", ".join(subject), "first": subject[0]}
    parts = (_OPENINGS, _MIDDLES, _ENDINGS)
    chosen = [part[seed[place] % len(part)] for place, part in enumerate(parts)]
    return " ".join(chosen).format_map(facts)
