"""Loosely typed JSON: what is missing or of another type counts as empty."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

Json = dict[str, Any]


def fields(value: object) -> Json:
    """The value if it is a JSON object, else an empty one."""
    return cast("Json", value) if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """The value if it is a JSON array, else an empty one."""
    return list(cast("Iterable[Any]", value)) if isinstance(value, list) else []


def words_of(content: object) -> str:
    """The text of a message's content, be it a string or a list of parts."""
    if isinstance(content, str):
        return content
    texts = [fields(part).get("text") for part in items(content)]
    return "\n".join(text for text in texts if isinstance(text, str))


def whole_number(value: object) -> int | None:
    """The value if it is an integer (and not a boolean), else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def compact(value: object) -> bytes:
    """The value as JSON without spaces, letters of any script kept as they are."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def parse(body: bytes) -> object:
    """The JSON value of a body, or None if it holds none."""
    try:
        return cast("object", json.loads(body))
    except ValueError:
        return None


def names(text: str) -> frozenset[str]:
    """The words of a text as a set: for long lists of names."""
    return frozenset(text.split())
