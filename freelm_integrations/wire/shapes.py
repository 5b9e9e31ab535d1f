"""Reading JSON whose shape is a promise at best: what was hoped for, or nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freelm_integrations.chat import Json

_T = TypeVar("_T")

NOTHING: Json = {}
"""An empty mapping to look things up in; never filled."""
_EMPTY: list[Any] = []
_LONGEST_NUMBER = 20


def is_mapping(value: object) -> TypeGuard[Json]:
    """Whether it is a JSON object."""
    return isinstance(value, dict)


def is_sequence(value: object) -> TypeGuard[list[Any]]:
    """Whether it is a JSON array."""
    return isinstance(value, list)


def mapping(value: object) -> Json:
    """The value if it is a JSON object, else an empty one."""
    return value if is_mapping(value) else NOTHING


def sequence(value: object) -> Sequence[Any]:
    """The value if it is a JSON array, else an empty one."""
    return value if is_sequence(value) else _EMPTY


def text(value: object) -> str:
    """The value if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def integer(value: object) -> int | None:
    """The value as an int if it is a whole number or spells one; None for all else."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if (
        isinstance(value, str)
        and len(value) < _LONGEST_NUMBER
        and value.removeprefix("-").isdecimal()
    ):
        return int(value)
    return None


def first_match(table: Mapping[str, _T], model: str) -> _T | None:
    """The value of the first key that is a part of the model's id, or None."""
    if not table:
        return None
    name = model.lower()
    return next((value for part, value in table.items() if part in name), None)


def is_named_in(parts: tuple[str, ...], model: str) -> bool:
    """Whether one of these is a part of the model's id."""
    if not parts:
        return False
    name = model.lower()
    return any(part in name for part in parts)


def words(value: object) -> tuple[str, ...]:
    """The strings of a JSON array, in order."""
    return tuple(item for item in sequence(value) if isinstance(item, str))


def parsed(value: str | bytes) -> object:
    """What the JSON text says, or None where it is no JSON at all."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None
