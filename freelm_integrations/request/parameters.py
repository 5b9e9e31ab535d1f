"""The parameters of the chat-completions dialect, and what each of them takes.

The ranges are the widest that any provider's documentation names (2026-11); a dialect moves a value
into its own provider's. What lies outside of all, or is of another type, is an error here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from freelm_integrations.errors import ConfigError
from freelm_integrations.nearest import unknown
from freelm_integrations.request.values import is_listed, is_mapping, kind_of, plain

if TYPE_CHECKING:
    from collections.abc import Mapping


class Takes(NamedTuple):
    """What a parameter takes: in words, by type, and for numbers between which two, both in."""

    words: str
    kinds: tuple[type, ...]
    least: float = -math.inf
    most: float = math.inf


_SWITCH = Takes("True or False", (bool,))
_WORD = Takes("a string", (str,))
_TEXTS = Takes("a string or a list of strings", (str, list))
_FIELDS = Takes("a dict", (dict,))
_LIST = Takes("a list of strings", (list,))
_PENALTY = Takes("a number", (int, float), -2, 2)
_LENGTH = Takes("a whole number (without it there is no limit)", (int,), 1)

PARAMETERS: Mapping[str, Takes] = {
    "affinity": _WORD,  # not sent: which conversation the call belongs to
    "avoid": _LIST,  # not sent: who is to be asked last
    "extra_body": _FIELDS,
    "extra_headers": _FIELDS,
    "frequency_penalty": _PENALTY,
    "logit_bias": _FIELDS,
    "logprobs": _SWITCH,
    "max_completion_tokens": _LENGTH,
    "max_tokens": _LENGTH,
    "metadata": _FIELDS,
    "modalities": _LIST,
    "n": Takes("a whole number (a call has one answer: make several)", (int,), 1, 1),
    "parallel_tool_calls": _SWITCH,
    "prediction": _FIELDS,
    "presence_penalty": _PENALTY,
    "prompt_cache_key": _WORD,
    "prompt_cache_retention": _WORD,
    "reasoning_effort": _WORD,
    "safety_identifier": _WORD,
    "seed": Takes("a whole number", (int,)),
    "service_tier": _WORD,
    "stop": _TEXTS,
    "store": _SWITCH,
    "stream_options": _FIELDS,
    "temperature": Takes("a number", (int, float), 0, 2),
    "timeout": Takes("seconds", (int, float), 0.001),
    "top_k": Takes("a whole number", (int,), -1),
    "top_logprobs": Takes("a whole number", (int,), 0, 20),
    "top_p": Takes("a number", (int, float), 0, 1),
    "user": _WORD,
    "verbosity": _WORD,
    "web_search_options": _FIELDS,
}
"""Anything else goes into `extra_body`, which is sent verbatim."""

_NOT_EXTRA = frozenset({"messages", "model", "stream"})
"""What the routing of a call or the reading of its answer hangs on."""


def checked_parameters(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that are given (None is not), in JSON's own types.

    Raises:
        ConfigError: One is unknown, of a wrong type or out of range; names it and what is nearest.
    """
    checked: dict[str, Any] = {}
    for name in sorted(params.keys() - PARAMETERS.keys()):
        raise _unknown(name)
    for name, given in params.items():
        if given is not None:
            checked[name] = _checked(name, given, PARAMETERS[name])
    return checked


def _checked(name: str, given: object, takes: Takes) -> Any:
    value = given if name == "timeout" else plain(given, name)  # not sent, that may be infinite
    is_misplaced_bool = isinstance(value, bool) and bool not in takes.kinds
    if is_misplaced_bool or not isinstance(value, takes.kinds):
        raise ConfigError(f"{name} takes {takes.words}, not {kind_of(given)}")
    if isinstance(value, (int, float)):
        _check_range(name, value, takes)
    elif is_listed(value):
        _check_texts(name, value)
    elif name == "extra_body":
        _check_extra_body(value)
    return value


def _check_range(name: str, value: float, takes: Takes) -> None:
    if not takes.least <= value <= takes.most:
        nearest = takes.most if value > takes.most else takes.least
        raise ConfigError(
            f"{name}={value} is out of range: it takes {takes.words}, the nearest is {nearest:g}"
        )


def _check_texts(name: str, values: Any) -> None:
    for number, value in enumerate(values):
        if not isinstance(value, str):
            raise ConfigError(f"{name}[{number}] is {kind_of(value)}, not a string")


def _check_extra_body(extra: Any) -> None:
    """Sent to whichever route answers, another model's name would make all of them fail."""
    if is_mapping(extra) and (misplaced := sorted(_NOT_EXTRA.intersection(extra))):
        raise ConfigError(
            f"extra_body holds {misplaced[0]!r}, which is an argument (or method) of its own"
        )


def _unknown(name: str) -> ConfigError:
    if (advice := _ELSEWHERE.get(name)) is not None:
        return ConfigError(f"{name} is no parameter here: {advice}")
    wrong = unknown("parameter", name, sorted(PARAMETERS))
    stop = "" if wrong.endswith("?") else "."
    return ConfigError(f"{wrong}{stop} What only one provider knows goes into extra_body={{...}}")


_ELSEWHERE = {
    "audio": "answers are read as text",
    "function_call": "that is the old form of tool_choice",
    "functions": 'that is the old form of tools=[{"type": "function", "function": ...}]',
    "stream": "call stream() or stream_deltas()",
}
"""What existing code may pass, and what to write in its place."""
