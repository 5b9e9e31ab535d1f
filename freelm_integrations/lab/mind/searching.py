"""Steps of a search that LlamaIndex leaves to a model: sub-questions, other words, a ranking."""

from __future__ import annotations

import re

from freelm_integrations.lab.loose import compact, fields, parse
from freelm_integrations.lab.mind.evidence import key_words, stems

_TOOLS = re.compile(r"<Tools>\s*```json\s*(\{.*?\})\s*```", re.DOTALL)
_QUESTION = re.compile(r"<User Question>\s*(.+?)\s*(?:<Output>|\Z)", re.DOTALL)
_DOCUMENT = re.compile(r"(?m)^Document (\d+):\n([\s\S]+?)(?=\n\nDocument \d|\nQuestion:)")
_RANKED = re.compile(r"Question: (.+?)\n")
_SEVERAL = re.compile(r"[Gg]enerate (\d+) search queries, one on each line[\s\S]*?Query: (.+?)\n")
_ASPECTS = ("{}", "facts about {}", "{} explained", "examples of {}", "history of {}")
_BEST = 10  # points of relevance


def searched(prompt: str) -> str | None:
    """The step a prompt asks for, or None if it asks for none."""
    if "list of relevant sub-questions" in prompt:
        return _parts(prompt)
    if "Doc: 9, Relevance: 7" in prompt:
        return _ranking(prompt)
    several = _SEVERAL.search(prompt)
    return None if several is None else _queries(int(several[1]), several[2])


def _parts(prompt: str) -> str:
    """A part of the question for each of the tools; what stands last is no example."""
    tools, questions = _TOOLS.findall(prompt), _QUESTION.findall(prompt)
    known = fields(parse(tools[-1].encode())) if tools else {}
    asked = questions[-1] if questions else prompt
    items = [
        {"sub_question": f"What does {name} say on this: {asked}", "tool_name": name}
        for name in known
    ]
    return f"```json\n{compact({'items': items}).decode()}\n```"


def _ranking(prompt: str) -> str:
    """The documents that share words with the question, the likeliest first; one at least."""
    rest = prompt.partition("Let's try this now:")[2]
    question = _RANKED.search(rest)
    asked = stems(question[1] if question else rest)
    shared = [(len(stems(text) & asked), number) for number, text in _DOCUMENT.findall(rest)]
    shared.sort(key=lambda pair: -pair[0])
    told = [pair for pair in shared if pair[0]] or shared[:1]
    return "\n".join(f"Doc: {number}, Relevance: {min(_BEST, 5 + n)}" for n, number in told)


def _queries(most: int, query: str) -> str:
    """The same in other words, a line each."""
    subject = " ".join(key_words(query)) or query
    return "\n".join(_ASPECTS[n % len(_ASPECTS)].format(subject) for n in range(most))
