"""Which tools a played model calls, and with what."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from freelm_integrations.lab.loose import Json, compact, fields, items, words_of
from freelm_integrations.lab.mind.evidence import Evidence, stem, stems
from freelm_integrations.lab.mind.schema import fill

_SIGNS = {
    "+": "add sum plus",
    "*": "multiply product times",
    "-": "subtract minus",
    "/": "divide quotient",
}
_ENOUGH = 2.0  # score from which a tool that nobody demanded is called
_HANDS_OVER = frozenset({"handoff", "transfer"})


@dataclass(frozen=True)
class PlannedCall:
    """A call a model decided on; `arguments` is JSON."""

    name: str
    arguments: str


@dataclass(frozen=True)
class _Tool:
    name: str
    description: str
    schema: Json


def plan_calls(body: Json) -> list[PlannedCall]:
    """The calls the answer to this request consists of; none where it is to be text."""
    tools = [_tool(fields(fields(tool).get("function"))) for tool in items(body.get("tools"))]
    choice = body.get("tool_choice")
    if not tools or choice == "none":
        return []
    messages = [fields(message) for message in items(body.get("messages"))]
    named = fields(fields(choice).get("function")).get("name")
    if isinstance(named, str):
        return _calls([tool for tool in tools if tool.name == named], messages)
    wanted = _wanted(tools, messages)
    if not wanted and choice in ("required", "any"):
        wanted = [max(tools, key=lambda tool: _score(tool, _question(messages)))]
    alone = body.get("parallel_tool_calls") is False
    return _calls(wanted[:1] if alone else wanted, messages, alone=alone)


def _tool(function: Json) -> _Tool:
    parameters = fields(function.get("parameters"))
    return _Tool(str(function.get("name", "")), str(function.get("description") or ""), parameters)


def _question(messages: list[Json]) -> str:
    """The last thing the user said."""
    for message in reversed(messages):
        if message.get("role") == "user":
            return words_of(message.get("content"))
    return ""


def _since_question(messages: list[Json]) -> list[Json]:
    places = [place for place, message in enumerate(messages) if message.get("role") == "user"]
    return messages[places[-1] + 1 :] if places else []


def _wanted(tools: list[_Tool], messages: list[Json]) -> list[_Tool]:
    """Tools the question asks for that were not called yet since it was put."""
    question = _question(messages)
    called = set(_names_called(_since_question(messages)))
    scores = [(tool, _score(tool, question)) for tool in tools if tool.name not in called]
    likely = sorted((pair for pair in scores if pair[1] >= _ENOUGH), key=lambda pair: -pair[1])
    if not likely:
        return []
    if called:
        likely = [pair for pair in likely if _is_named(pair[0], question)]
        return [tool for tool, _ in likely[:1]]
    named = [tool for tool, _ in likely if _is_named(tool, question)]
    return (
        _in_order(named, question) if len(named) > 1 and not _is_chain(question) else [likely[0][0]]
    )


def _names_called(messages: list[Json]) -> list[str]:
    calls = (fields(call) for message in messages for call in items(message.get("tool_calls")))
    return [str(fields(call.get("function")).get("name")) for call in calls]


def _is_chain(question: str) -> bool:
    return bool(re.search(r"\bthen\b|\bafter that\b|\d\s*\)\s*[-+*/]|\bresult\b", question))


def _in_order(tools: list[_Tool], question: str) -> list[_Tool]:
    return sorted(tools, key=lambda tool: question.find(tool.name) % (len(question) + 1))


def _signs(question: str) -> set[str]:
    found = [
        names
        for sign, names in _SIGNS.items()
        if re.search(rf"\d\)?\s*{re.escape(sign)}\s*\(?\d", question)
    ]
    return {stem(name) for names in found for name in names.split()}


def _is_named(tool: _Tool, question: str) -> bool:
    """Whether the question gives the tool's name, all of its words, or its sign of arithmetic."""
    parts = stems(tool.name)
    if re.search(rf"\b{re.escape(tool.name)}\b", question, re.IGNORECASE):
        return True
    return bool(parts) and (parts <= stems(question) or bool(parts & _signs(question)))


def _score(tool: _Tool, question: str) -> float:
    asked = stems(question) | _signs(question)
    if _is_named(tool, question):
        return 5.0 + len(stems(tool.name) & asked)
    if stems(tool.name) & {stem(word) for word in _HANDS_OVER}:
        return 0.0
    return 2.0 * len(stems(tool.name) & asked) + len(stems(tool.description) & asked)


def _calls(tools: list[_Tool], messages: list[Json], *, alone: bool = False) -> list[PlannedCall]:
    question = _question(messages)
    results = _numbers_of_results(_since_question(messages))
    calls: list[PlannedCall] = []
    for tool in tools:
        texts = _scenes(tool, question, several=len(tools) > 1 or not alone)
        calls += [PlannedCall(tool.name, _arguments(tool, text, results)) for text in texts]
    return calls


def _scenes(tool: _Tool, question: str, *, several: bool) -> list[str]:
    """What each call is about: one stretch for every `name(...)` or place, else all of it."""
    explicit = [
        found[0] for found in re.finditer(rf"\b{re.escape(tool.name)}\(([^()]*)\)", question)
    ]
    if explicit:
        return list(dict.fromkeys(explicit)) if several else explicit[:1]
    both = re.search(
        r"\b(in|for|of|at)\s+([A-Z][\w' .-]*?)\s+and\s+(?:in |for |of |at )?([A-Z][\w'.-]*)",
        question,
    )
    if both and several and len(fields(tool.schema.get("properties"))) == 1:
        return [f"{question[: both.start()]}{both[1]} {place}" for place in (both[2], both[3])]
    return [question]


def _numbers_of_results(messages: list[Json]) -> list[float]:
    """Numbers tools gave back, the newest first."""
    texts = [
        words_of(message.get("content")) for message in messages if message.get("role") == "tool"
    ]
    return [number for text in reversed(texts) for number in Evidence(text).numbers][:1]


def _arguments(tool: _Tool, text: str, results: list[float]) -> str:
    evidence = Evidence(text.replace(tool.name, " ") if "(" in text else text)
    if results:
        evidence.numbers = [*results, *evidence.numbers[2:]]
    value: Any = fill(tool.schema, evidence) if fields(tool.schema.get("properties")) else {}
    return compact(value).decode()


def last_result(messages: list[Json]) -> str | None:
    """What the tools said if the last word was theirs, else None."""
    if not messages or messages[-1].get("role") != "tool":
        return None
    told: list[str] = []
    for message in reversed(messages):
        if message.get("role") != "tool":
            break
        told.append(_readable(words_of(message.get("content"))))
    return "; ".join(reversed(told))


def _readable(result: str) -> str:
    try:
        value = fields(json.loads(result))
    except ValueError:
        return result
    return ", ".join(f"{name}: {part}" for name, part in value.items()) or result
