"""Reading JSON whose shape is a promise at best: each function gives what was hoped for, or nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freelm_integrations.chat import Json

NOTHING: Json = {}
"""An empty mapping to look things up in; never filled."""
_EMPTY: list[Any] = []


def mapping(value: object) -> Json:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else NOTHING


def sequence(value: object) -> Sequence[Any]:
    """The value if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else _EMPTY


def text(value: object) -> str:
    """The value if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def integer(value: object) -> int | None:
    """The value as an int if it is a whole number or spells one; None otherwise, and for booleans."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and len(value) < 20 and value.removeprefix("-").isdecimal():
        return int(value)
    return None


def words(value: object) -> tuple[str, ...]:
    """The strings of a JSON array, in order."""
    return tuple(item for item in sequence(value) if isinstance(item, str))


def parsed(value: str | bytes) -> object:
    """What the JSON text says, or None where it is no JSON at all."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None
