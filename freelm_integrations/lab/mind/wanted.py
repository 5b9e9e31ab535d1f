"""Which of the tools on offer a question asks for, and in which order."""

from __future__ import annotations

import re
from dataclasses import dataclass

from freelm_integrations.lab.loose import Json, fields, items
from freelm_integrations.lab.mind.evidence import stem, stems

_SIGNS = {
    "+": "add sum plus",
    "*": "multiply product times",
    "-": "subtract minus",
    "/": "divide quotient",
}
_ENOUGH = 2.0  # score from which a tool that nobody demanded is called
_HANDS_OVER = frozenset({stem("handoff"), stem("transfer")})
_LATER = re.compile(r"\bthen\b|\bafter that\b|\d\s*\)\s*[-+*/]|[-+*/]\s*\(\s*\d|\bresult\b")


@dataclass(frozen=True)
class Tool:
    """One tool of a request."""

    name: str
    description: str
    schema: Json


def tools_of(body: Json) -> list[Tool]:
    """The tools a request offers."""
    found = [fields(fields(tool).get("function")) for tool in items(body.get("tools"))]
    return [
        Tool(
            str(tool.get("name", "")),
            str(tool.get("description") or ""),
            fields(tool.get("parameters")),
        )
        for tool in found
    ]


def likeliest(tools: list[Tool], question: str) -> Tool:
    """The tool that suits a question best, however badly."""
    return max(tools, key=lambda tool: _score(tool, question))


def wanted(tools: list[Tool], question: str, called: frozenset[str]) -> list[Tool]:
    """The tools to call next, given the names of those called since the question was put."""
    scores = {tool.name: _score(tool, question) for tool in tools if tool.name not in called}
    likely = [tool for tool in tools if scores.get(tool.name, 0.0) >= _ENOUGH]
    likely.sort(key=lambda tool: (-scores[tool.name], _place(tool, question)))
    named = [tool for tool in likely if _is_named(tool, question)]
    if called:
        return named[:1]
    if len(named) > 1 and not _LATER.search(question):
        return sorted(named, key=lambda tool: _place(tool, question))
    return likely[:1]


def _score(tool: Tool, question: str) -> float:
    asked = stems(question) | set(_signs(question))
    if _is_named(tool, question):
        return 5.0
    if stems(tool.name) & _HANDS_OVER:
        return 0.0
    return 2.0 * len(stems(tool.name) & asked) + len(stems(tool.description) & asked)


def _is_named(tool: Tool, question: str) -> bool:
    """Whether the question gives the tool's name, all of its words, or its sign of arithmetic."""
    if re.search(rf"\b{re.escape(tool.name)}\b", question, re.IGNORECASE):
        return True
    parts = stems(tool.name)
    return bool(parts) and (parts <= stems(question) or bool(parts & set(_signs(question))))


def _place(tool: Tool, question: str) -> int:
    """Where in the question the tool comes in; signs in brackets come first."""
    parts = stems(tool.name)
    signs = _signs(question)
    signed = [signs[part] for part in parts if part in signs]
    spoken = [found.start() for found in re.finditer(r"[\w]+", question) if stems(found[0]) & parts]
    return min([*signed, *spoken], default=len(question))


def _signs(question: str) -> dict[str, int]:
    """Stems of what the signs of arithmetic in a question are called, and where each comes in."""
    places: dict[str, int] = {}
    for sign, names in _SIGNS.items():
        found = re.search(rf"\d\)?\s*{re.escape(sign)}\s*\(?\d", question)
        if found:
            inside = question.rfind("(", 0, found.start()) > question.rfind(")", 0, found.start())
            place = found.start() - (len(question) if inside else 0)
            places.update({stem(name): place for name in names.split()})
    return places
