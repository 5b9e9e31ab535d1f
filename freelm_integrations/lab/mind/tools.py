"""The tool calls a played model makes, and what it reads in their results."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from freelm_integrations.lab.loose import Json, compact, fields, items, parse, words_of
from freelm_integrations.lab.mind.evidence import Evidence
from freelm_integrations.lab.mind.schema import fill
from freelm_integrations.lab.mind.wanted import Tool, likeliest, tools_of, wanted

_BOTH = re.compile(
    r"\b(in|for|of|at)\s+([A-Z][\w' .-]*?)\s+and\s+(?:in |for |of |at )?([A-Z][\w'.-]*)"
)


@dataclass(frozen=True)
class PlannedCall:
    """A call a model decided on; `arguments` is JSON."""

    name: str
    arguments: str


def plan_calls(body: Json) -> list[PlannedCall]:
    """The calls the answer to this request consists of; none where it is to be text."""
    tools, choice = tools_of(body), body.get("tool_choice")
    if not tools or choice == "none":
        return []
    talk = _Talk([fields(message) for message in items(body.get("messages"))])
    named = fields(fields(choice).get("function")).get("name")
    if isinstance(named, str):
        return _calls([tool for tool in tools if tool.name == named], talk, alone=True)
    chosen = wanted(tools, talk.question, talk.called)
    if not chosen and choice in ("required", "any"):
        fresh = [tool for tool in tools if tool.name not in talk.called]
        chosen = [likeliest(fresh or tools, talk.question)]
    alone = body.get("parallel_tool_calls") is False
    return _calls(chosen[:1] if alone else chosen, talk, alone=alone)


class _Talk:
    """What a conversation comes to: the question, and what was done about it since."""

    def __init__(self, messages: list[Json]) -> None:
        places = [at for at, message in enumerate(messages) if message.get("role") == "user"]
        since = messages[places[-1] + 1 :] if places else messages
        self.question = words_of(messages[places[-1]].get("content")) if places else ""
        made = [fields(call) for message in since for call in items(message.get("tool_calls"))]
        functions = [fields(call.get("function")) for call in made]
        self.called = frozenset(str(function.get("name")) for function in functions)
        self.used = [
            value
            for function in functions
            for value in fields(parse(str(function.get("arguments", "")).encode())).values()
        ]
        results = [message for message in since if message.get("role") == "tool"]
        texts = [words_of(message.get("content")) for message in reversed(results)]
        self.results = [number for text in texts for number in Evidence(text).numbers][:1]


def _calls(tools: list[Tool], talk: _Talk, *, alone: bool) -> list[PlannedCall]:
    return [
        PlannedCall(tool.name, _arguments(tool, text, talk))
        for tool in tools
        for text in _stretches(tool, talk.question, alone=alone)
    ]


def _stretches(tool: Tool, question: str, *, alone: bool) -> list[str]:
    """What each call is about: one stretch for every `name(...)` or place, else all of it."""
    pattern = rf"\b{re.escape(tool.name)}\(([^()]*)\)"
    explicit = [found[1] for found in re.finditer(pattern, question)]
    if explicit:
        return list(dict.fromkeys(explicit[:1] if alone else explicit))
    both = _BOTH.search(question)
    if both and not alone and len(fields(tool.schema.get("properties"))) == 1:
        return [f"{question[: both.start()]}{both[1]} {place}" for place in (both[2], both[3])]
    return [question]


def _arguments(tool: Tool, text: str, talk: _Talk) -> str:
    evidence = Evidence(text)
    bracketed = re.search(r"\(([^()]*\d[^()]*)\)", text)
    if talk.results:
        fresh = [number for number in evidence.numbers if number not in talk.used]
        evidence.numbers = [*talk.results, *fresh]
    elif bracketed and text == talk.question:
        evidence.numbers = Evidence(bracketed[1]).numbers + evidence.numbers
    if not fields(tool.schema.get("properties")):
        return "{}"
    return compact(fill(tool.schema, evidence)).decode()


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
