"""What providers refuse about a history, by their sheets: written here once more, apart from wire/."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

# docs.mistral.ai validator, 2026-08: who may follow whom.
_AFTER = {
    None: {"system", "user"},
    "system": {"user", "assistant", "system"},
    "user": {"assistant", "user", "system"},
    "assistant": {"user", "tool", "assistant"},
    "tool": {"tool", "assistant"},
}
_MISTRAL_FIELDS = {
    "system": {"role", "content"},
    "user": {"role", "content"},
    "assistant": {"role", "content", "tool_calls", "prefix"},
    "tool": {"role", "content", "tool_call_id", "name"},
}


def objections(provider: str, messages: list[dict[str, Any]], *, model: str = "m") -> list[str]:
    """Why that provider would refuse these messages; nothing where it would not."""
    found = [*_of_anybody(messages)]
    if provider == "mistral":
        found += _of_mistral(messages)
    if provider == "google":
        found += _of_google(messages)
    if provider in {"nim", "local"}:
        found += _of_templates(provider, messages, strict=provider == "local" or "gemma" in model)
    if provider == "nim" and "llama-3" in model:
        found += ["several calls" for one in messages if len(one.get("tool_calls", ())) > 1]
    if provider in {"cerebras", "nim"}:
        found += ["a part in a result" for one in messages if _has_parts_in_result(one)]
    return found


def _of_anybody(messages: list[dict[str, Any]]) -> list[str]:
    found, seen, position = [], set(), 0
    while position < len(messages):
        message = messages[position]
        position += 1
        if message["role"] not in {"system", "developer", "user", "assistant", "tool"}:
            found.append(f"unknown role {message['role']}")
        if message["role"] == "tool":
            found.append("a result without a call")
        calls = message.get("tool_calls", [])
        if message["role"] == "assistant" and not calls and not message.get("content"):
            found.append("an assistant who says nothing")
        results = messages[position : position + len(calls)]
        position += len(calls)
        if any(one["role"] != "tool" for one in results) or len(results) < len(calls):
            found.append("a call without a result")
        elif [call["id"] for call in calls] != [one["tool_call_id"] for one in results]:
            found.append("results of other calls")
        found += [word for call in calls for word in _of_call(call, seen)]
    return found


def _of_call(call: dict[str, Any], seen: set[str]) -> list[str]:
    found = []
    if not call["id"] or call["id"] in seen:
        found.append("an id that is missing or used twice")
    seen.add(call["id"])
    if not call["function"]["name"]:
        found.append("a call of nothing")
    try:
        json.loads(call["function"]["arguments"])
    except ValueError:
        found.append("arguments that are no JSON")
    return found


def _of_mistral(messages: list[dict[str, Any]]) -> list[str]:
    found, before = [], None
    for message in messages:
        role = message["role"]
        if role not in _AFTER[before]:
            found.append(f"{role} after {before}")
        before = role
        found += [f"{name} in {role}" for name in set(message) - _MISTRAL_FIELDS[role]]
        ids = [call["id"] for call in message.get("tool_calls", ())]
        ids += [message["tool_call_id"]] if role == "tool" else []
        found += [f"id {one!r}" for one in ids if not re.fullmatch("[A-Za-z0-9]{9}", one)]
    if messages and before == "assistant" and not messages[-1].get("prefix"):
        found.append("an assistant at the end")
    if before == "system":
        found.append("a system message at the end")
    return found


def _of_google(messages: list[dict[str, Any]]) -> list[str]:
    found, before = [], None
    for message in messages:
        role, content = message["role"], message.get("content")
        if message.get("tool_calls") and before not in {"user", "tool"}:
            found.append(f"calls after {before}")
        if content in ("", []) or (content is None and not message.get("tool_calls")):
            found.append(f"empty content of {role}")
        if isinstance(content, list) and any(part.get("text") == "" for part in content):
            found.append("an empty part")
        before = before if role == "system" else role
    return found


def _of_templates(who: str, messages: list[dict[str, Any]], *, strict: bool) -> list[str]:
    roles = [message["role"] for message in messages]
    talk = [role for role in roles if role != "system"]
    found = [] if roles == ["system"] * (len(roles) - len(talk)) + talk else ["a late system"]
    if talk[:1] == ["assistant"]:
        found.append("an assistant first")
    if strict and who == "nim" and talk[-1:] == ["assistant"]:
        found.append("an assistant at the end")
    if strict:
        found += [f"{a} twice" for a, b in pairwise(roles) if a == b and a in {"user", "system"}]
    return found


def _has_parts_in_result(message: dict[str, Any]) -> bool:
    return message["role"] == "tool" and not isinstance(message["content"], str)
