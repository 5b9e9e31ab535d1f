"""Forms of answer that a prompt asks for in words: a choice, keywords, JSON, a step of an agent."""

from __future__ import annotations

import json
import re

from freelm_integrations.lab.loose import Json, compact, fields, parse, words_of
from freelm_integrations.lab.mind.evidence import Evidence, best_choice, key_words, stems
from freelm_integrations.lab.mind.judging import judged
from freelm_integrations.lab.mind.schema import fill
from freelm_integrations.lab.mind.searching import searched
from freelm_integrations.lab.mind.tools import plan_calls

_SENTENCE = re.compile(r"[^.!?\n]+[.!?]?")
_FENCED = re.compile(r"-{5,}\s*\n(.+?)\n\s*-{5,}", re.DOTALL)
_LABELLED = re.compile(
    r"(?:context|passages?|documents?|sources?)\b[^\n:]{0,40}:\s*(.+?)"
    r"(?:\n\s*(?:query|question|given|answer)\b|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_QUERY = re.compile(
    r"\b(?:query|question)(?: is as follows)?:\s*(.+?)\s*(?:\n|answer:|\Z)", re.IGNORECASE
)
_KEYS = re.compile(r"['\"`](\w+)['\"`]")
_AGENT_TOOL = re.compile(
    r"Tool Name: (\S+)\s*\nTool Description: (.*?)\nTool Args: (\{.*?\})\s*(?=\n|\Z)", re.DOTALL
)
_STEP = re.compile(r"Action: (\S+)\s*\nAction Input: (.*)")
_OBSERVATION = "Observation:"
_DEMANDED = "Here's a JSON schema to follow"  # whatever else the prompt holds
_UNIQUE = re.compile(r"Give (\d+) unique keywords")
_SHORTEST_SENTENCE = 8  # letters


def formed(prompt: str, system: str) -> str | None:
    """The answer in the form the prompt asks for, or None if it asks for none."""
    return (
        _chosen(prompt)
        or searched(prompt)
        or judged(prompt, system)
        or (_schema_told(prompt) if _DEMANDED in prompt else None)
        or _keywords(prompt)
        or _from_context(prompt, system)
        or json_with_keys(prompt)
    )


def _chosen(prompt: str) -> str | None:
    """One of the numbered choices, in words or in JSON as the prompt has it."""
    choice = best_choice(prompt)
    reason = "It shares most words with the question."
    if choice is not None and "ANSWER: <number" in prompt:
        return f"ANSWER: {choice}. {reason}"
    if choice is not None and "<insert reason for choice>" in prompt:
        return compact([{"choice": choice, "reason": reason}]).decode()
    return None


def _keywords(prompt: str) -> str | None:
    asked = _UNIQUE.search(prompt)
    if asked is not None:
        return ", ".join(key_words(prompt[: asked.start()], int(asked[1])))
    if "KEYWORDS: <keywords>" not in prompt:
        return None
    fenced = _FENCED.search(prompt)
    return "KEYWORDS: " + ", ".join(key_words(fenced[1] if fenced else prompt))


def _from_context(prompt: str, system: str) -> str | None:
    """The sentence of the passages at hand that has most in common with the question."""
    for text in (prompt, system):
        found = _FENCED.search(text) or _LABELLED.search(text)
        if found is None or not re.search("context|passage|document|source", text, re.IGNORECASE):
            continue
        query = _QUERY.search(text[found.end() :]) or _QUERY.search(text[: found.start()])
        sentence = _best_sentence(found[1], query[1] if query else prompt)
        if sentence:
            return f"According to the context, {sentence}"
    return None


def _best_sentence(context: str, question: str) -> str | None:
    found = (sentence.strip(" -\t") for sentence in _SENTENCE.findall(context))
    usable = [one for one in found if len(one) > _SHORTEST_SENTENCE and not re.match(r"\w+: ", one)]
    asked = stems(question)
    return max(usable, key=lambda one: len(stems(one) & asked), default=None)


def json_with_keys(prompt: str) -> str | None:
    """JSON where the prompt asks for it and shows a schema, or at least quotes its keys."""
    if "json" not in prompt.lower():
        return None
    told = _schema_told(prompt)
    if told is not None:
        return told
    keys = [key for key in dict.fromkeys(_KEYS.findall(prompt)) if key.lower() != "json"]
    if not keys:
        return None
    properties: Json = {key: {"type": "string"} for key in keys}
    schema: Json = {"type": "object", "properties": properties, "required": keys}
    return compact(fill(schema, Evidence(prompt))).decode()


def json_told(system: str, prompt: str) -> str | None:
    """JSON for the prompt where the system's words show the schema that answers are to fit."""
    if "json schema" not in system.lower() or _schema_told(system) is None:
        return None
    return _schema_told(f"{prompt}\n{system}")


def _schema_told(prompt: str) -> str | None:
    """JSON for the last schema the prompt shows, filled from the rest of the prompt."""
    if "{{" in prompt and "}}" in prompt:  # LlamaIndex doubles the braces of schemas in words
        undoubled = prompt.replace("{{", "{").replace("}}", "}")
        return _filled_from(undoubled) or _filled_from(prompt)
    return _filled_from(prompt)


def _filled_from(prompt: str) -> str | None:
    shown: tuple[Json, int, int] | None = None
    start = prompt.find("{")
    while start >= 0:
        try:
            value, end = json.JSONDecoder().raw_decode(prompt, start)
        except ValueError:
            end = start + 1
        else:
            schema = fields(value)
            if {"properties", "items"} & set(schema):
                shown = (schema, start, end)
        start = prompt.find("{", end)
    if shown is None:
        return None
    schema, start, end = shown
    return compact(fill(schema, Evidence(prompt[:start] + prompt[end:]))).decode()


def agent_step(messages: list[Json]) -> str | None:
    """The next step in the Thought, Action, Observation form; None unless the messages ask for it.

    The answer given when no tool is needed any more is the last observation, or empty if there
    was none: the caller fills that in.
    """
    texts = [words_of(message.get("content")) for message in messages]
    if not any("Action Input:" in text and "Tool Name:" in text for text in texts[:1]):
        return None
    body: Json = {"tools": _agent_tools(texts[0]), "messages": _as_tool_use(messages[1:])}
    calls = plan_calls({**body, "parallel_tool_calls": False})
    if not calls:
        return "Thought: I can answer without using any more tools.\nAnswer: " + _observed(texts)
    call = calls[0]
    action = f"Action: {call.name}\nAction Input: {call.arguments}"
    return f"Thought: I need a tool to help me answer.\n{action}"


def _observed(texts: list[str]) -> str:
    seen = [text.partition(_OBSERVATION)[2].strip() for text in texts[1:] if _OBSERVATION in text]
    return seen[-1] if seen else ""


def _agent_tools(text: str) -> list[Json]:
    found = _AGENT_TOOL.findall(text)
    return [
        {"function": {"name": name, "description": told, "parameters": _schema(schema)}}
        for name, told, schema in found
    ]


def _schema(text: str) -> Json:
    return fields(parse(text.encode()))


def _as_tool_use(messages: list[Json]) -> list[Json]:
    """Steps told in text, as calls and results."""
    told: list[Json] = []
    for message in messages:
        text = words_of(message.get("content"))
        step = _STEP.search(text)
        if text.lstrip().startswith(_OBSERVATION):
            told.append({"role": "tool", "content": text.partition(_OBSERVATION)[2]})
        elif step and message.get("role") == "assistant":
            function = {"name": step[1], "arguments": step[2]}
            told.append({"role": "assistant", "tool_calls": [{"function": function}]})
        else:
            told.append(message)
    return told
