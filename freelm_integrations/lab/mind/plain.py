"""Short sensible texts made from the prompt: always the same for the same messages."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from freelm_integrations.lab.loose import Json, compact, fields, parse, words_of
from freelm_integrations.lab.mind.evidence import Evidence, key_words, stems
from freelm_integrations.lab.mind.schema import fill
from freelm_integrations.lab.mind.tools import last_result

if TYPE_CHECKING:
    from collections.abc import Iterable

_SENTENCE = re.compile(r"[^.!?\n]+[.!?]?")
_CONTEXT = re.compile(
    r"(?:context(?: information)?[^\n:]*:|context information is below\.|passages?:|documents?:)"
    r"\s*(.+?)"
    r"(?:\n-{5,}|\n\s*(?:query|question|given the|answer)\b|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_QUERY = re.compile(
    r"(?:query|question|original query)(?: is as follows)?:\s*(.+?)\s*(?:\n|answer:|\Z)",
    re.IGNORECASE,
)
_CONTINUE = re.compile(r"\b(?:continu|resum|carry on|go on|pick up)", re.IGNORECASE)
_PIECE = re.compile(r"\s*(?:\w{1,6}|[^\w\s])|\s+")
_SHORTEST_SENTENCE = 8  # letters
_KEYS = re.compile(r"['\"`](\w+)['\"`]")

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
    asked, partial = _split(messages)
    whole = _fresh(asked)
    for begun in (partial, partial.rstrip()):
        if begun and whole.startswith(begun):
            return whole[len(begun) :]
    return whole


def _split(messages: list[Json]) -> tuple[list[Json], str]:
    """The conversation up to the question, and the beginning of an answer to carry on."""
    texts = [words_of(message.get("content")) for message in messages]
    roles = [message.get("role") for message in messages]
    if roles and roles[-1] == "assistant":
        return messages[:-1], texts[-1]
    if roles[-2:] == ["assistant", "user"] and _CONTINUE.search(texts[-1]):
        return messages[:-2], texts[-2]
    return messages, ""


def _fresh(messages: list[Json]) -> str:
    result = last_result(messages)
    if result is not None:
        return f"The tool says: {result}" if result else "The tool gave nothing back."
    system = " ".join(
        words_of(message.get("content")) for message in messages if message.get("role") == "system"
    )
    users = [
        words_of(message.get("content")) for message in messages if message.get("role") == "user"
    ]
    prompt = users[-1] if users else system
    if "Action Input:" in f"{system}{prompt}":
        return _react(messages, f"{system}\n{prompt}")
    return _from_context(prompt, system) or _json_asked(prompt) or _essay(prompt)


def _from_context(prompt: str, system: str) -> str | None:
    for text in (prompt, system):
        found = _CONTEXT.search(text)
        if found is None:
            continue
        query = _QUERY.search(text[found.end(1) :])
        asked = query[1] if query else (prompt if text is system else text[found.end(1) :])
        sentence = _best_sentence(found[1], asked)
        if sentence:
            return f"According to the context, {sentence}"
    return None


def _best_sentence(context: str, question: str) -> str | None:
    sentences = [sentence.strip(" -\t") for sentence in _SENTENCE.findall(context)]
    asked = stems(question)
    usable = [
        one
        for one in sentences
        if len(one) > _SHORTEST_SENTENCE and not re.match(r"\w+(?:_\w+)*: ", one)
    ]
    return max(usable, key=lambda one: len(stems(one) & asked), default=None)


def _json_asked(prompt: str) -> str | None:
    """A JSON object where the prompt asks for one and names its keys."""
    if "json" not in prompt.lower():
        return None
    names = [name for name in dict.fromkeys(_KEYS.findall(prompt)) if name.lower() != "json"]
    if not names:
        return None
    schema: Json = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in names},
        "required": names,
    }
    return compact(fill(schema, Evidence(prompt))).decode()


def json_answer(messages: list[Json]) -> str:
    """A JSON object for a request that asks for JSON and gives no schema."""
    prompt = " ".join(words_of(message.get("content")) for message in messages)
    return _json_asked(prompt) or compact({"answer": _essay(prompt)}).decode()


def _essay(prompt: str) -> str:
    seed = hashlib.sha256(prompt.encode()).digest()
    subject = key_words(prompt, 4) or ["this"]
    facts = {"subject": ", ".join(subject), "first": subject[0]}
    parts = (_OPENINGS, _MIDDLES, _ENDINGS)
    chosen = [part[seed[place] % len(part)] for place, part in enumerate(parts)]
    return " ".join(chosen).format_map(facts)


def _react(messages: list[Json], prompt: str) -> str:
    """The Thought / Action / Observation form that some agents ask for in text."""
    observed = re.findall(r"Observation:\s*(.+)", words_of(messages[-1].get("content")))
    if observed:
        return (
            f"Thought: I can answer without using any more tools.\nAnswer: {observed[-1].strip()}"
        )
    tools = re.findall(r"Tool Name: (\w+)|^> ?(\w+)", prompt, re.MULTILINE)
    names = [first or second for first, second in tools]
    question = words_of(messages[-1].get("content"))
    wanted = next((name for name in names if stems(name) & stems(question)), None)
    if wanted is None:
        return f"Thought: I can answer without using any more tools.\nAnswer: {_essay(question)}"
    schema = _react_schema(prompt, wanted)
    arguments = compact(fill(schema, Evidence(question))).decode()
    return f"Thought: I need a tool to help me answer.\nAction: {wanted}\nAction Input: {arguments}"


def _react_schema(prompt: str, name: str) -> Json:
    found = re.search(
        rf"Tool Name: {name}\b.*?Tool Args: (\{{.*?\}})\s*(?:\n\n|\n>|\nTool|\Z)", prompt, re.DOTALL
    )
    parsed = _parsed(found[1]) if found else {}
    return parsed or {
        "type": "object",
        "properties": {"input": {"type": "string"}},
        "required": ["input"],
    }


def _parsed(text: str) -> Json:
    return fields(parse(text.encode()))
