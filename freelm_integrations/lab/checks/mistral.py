"""What Mistral turns down in a chat request before it looks at anything else."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from freelm_integrations.lab.asked import Asked, calls_of
from freelm_integrations.lab.loose import Json, fields, items, names
from freelm_integrations.lab.refusals import Check, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_KNOWN = names(
    "model messages temperature top_p max_tokens stop random_seed n presence_penalty "
    "frequency_penalty parallel_tool_calls prediction metadata safe_prompt "
    "prompt_cache_key service_tier guardrails stream stream_options tools tool_choice "
    "response_format reasoning_effort prompt_mode"
)


_KNOWN_IN_MESSAGE: Mapping[str, frozenset[str]] = {
    "system": frozenset({"role", "content"}),
    "user": frozenset({"role", "content"}),
    "assistant": frozenset({"role", "content", "tool_calls", "prefix"}),
    "tool": frozenset({"role", "content", "tool_call_id", "name"}),
}


_MAY_FOLLOW: Mapping[str, frozenset[str]] = {
    "system": frozenset({"user", "assistant", "system"}),
    "user": frozenset({"assistant", "user", "system"}),
    "assistant": frozenset({"user", "tool", "assistant"}),
    "tool": frozenset({"tool", "assistant"}),
}


def extra_field(name: str, body: Json) -> Refused:
    """Turn down a field of the body that the schema does not know."""
    return _extra_field(["body", name], body[name])


def _check_fields(asked: Asked) -> Refused | None:
    name = next((name for name in asked.body if name not in _KNOWN), None)
    return None if name is None else extra_field(name, asked.body)


def _extra_field(where: list[str | int], value: object) -> Refused:
    return Refused("unsupported", {"name": str(where[-1]), "loc": where, "input": value})


def _check_message_fields(asked: Asked) -> Refused | None:
    for place, message in enumerate(asked.messages):
        role = str(message.get("role"))
        if role not in _KNOWN_IN_MESSAGE:
            return _extra_field(["body", "messages", place, "role"], role)
        for name in message:
            if name not in _KNOWN_IN_MESSAGE[role]:
                return _extra_field(["body", "messages", place, role, name], message[name])
    return None


def _check_order(asked: Asked) -> Refused | None:
    roles = [str(message.get("role")) for message in asked.messages]
    for before, after in pairwise(roles):
        if after not in _MAY_FOLLOW[before]:
            return _wrong_order(f"Unexpected role '{after}' after role '{before}'")
    if roles[0] not in ("system", "user"):
        return _wrong_order(f"Expected first role to be system or user but got {roles[0]}")
    last = asked.messages[-1]
    if roles[-1] in ("assistant", "system") and last.get("prefix") is not True:
        return _wrong_order(
            f"Expected last role User or Tool (or Assistant with prefix True) but got {roles[-1]}"
        )
    return None


def _wrong_order(detail: str) -> Refused:
    return Refused("wrong_order", {"detail": detail})


def _check_calls(asked: Asked) -> Refused | None:
    owed: list[str] = []
    for message in asked.messages:
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in owed:
                return _wrong_order("Unexpected tool call id in tool results")
            owed.remove(str(message.get("tool_call_id")))
        elif owed:
            return _wrong_order("Not the same number of function calls and responses")
        fault = _fault_of_turn(message)
        if fault is not None:
            return fault
        owed += [str(call.get("id")) for call in calls_of(message)]
    return _wrong_order("Not the same number of function calls and responses") if owed else None


def _fault_of_turn(message: Json) -> Refused | None:
    calls = calls_of(message)
    if message.get("role") == "assistant" and not calls and not message.get("content"):
        return Refused("empty_turn")
    for call in calls:
        name = str(fields(call.get("function")).get("name"))
        if not re.fullmatch(r"[A-Za-z0-9]{9}", str(call.get("id"))):
            detail = (
                f"Tool call id was {call.get('id')} but must be a-z, A-Z, 0-9, with a length of 9."
            )
            return Refused("wrong_call", {"detail": detail})
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
            return Refused(
                "wrong_call",
                {"detail": f"Function name was {name} but must be a-z, A-Z, 0-9, _ or -."},
            )
    return None


def _check_features(asked: Asked) -> Refused | None:
    effort = asked.body.get("reasoning_effort")
    if effort not in (None, "none") and not asked.model.has("reasoning"):
        return Refused("malformed", {"detail": "reasoning_effort is not supported for this model"})
    tools = [fields(fields(tool).get("function")) for tool in items(asked.body.get("tools"))]
    if any("parameters" not in tool for tool in tools):
        where: list[str | int] = ["body", "tools", 0, "function", "parameters"]
        return Refused(
            "unsupported", {"name": "parameters", "loc": where, "input": None, "missing": True}
        )
    return None


CHECKS: Sequence[Check] = (
    _check_fields,
    _check_message_fields,
    _check_order,
    _check_calls,
    _check_features,
)
