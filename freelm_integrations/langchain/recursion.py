"""Schemas that refer to themselves, kept whole.

Core writes every reference out, and where that would never end it leaves an empty schema: whoever
answers is then not told what stands there (seen with langchain-core 1.7.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from langchain_core.tools import BaseTool
from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freelm_integrations.chat import Json

_PREFIX = "#/$defs/"


def recursive_schema(given: Any) -> Json | None:
    """The JSON schema of a class, or of a tool's arguments, with its references.

    None for one that comes to an end without, and for all else.
    """
    source: object = given.tool_call_schema if isinstance(given, BaseTool) else given
    if not (isinstance(source, type) and issubclass(source, BaseModel)):
        return None
    schema = source.model_json_schema()
    definitions: Json = schema.get("$defs", {})
    if not any(name in _reached(name, definitions) for name in definitions):
        return None
    root = schema.get("$ref")
    return schema if root is None else {**definitions[_name(root)], "$defs": definitions}


def _reached(name: str, definitions: Json) -> set[str]:
    """All that a definition refers to, itself or through others."""
    seen: set[str] = set()
    waiting = list(_refs(definitions[name]))
    while waiting:
        one = waiting.pop()
        if one not in seen and one in definitions:
            seen.add(one)
            waiting += _refs(definitions[one])
    return seen


def _refs(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in cast("Json", schema).items():
            if key == "$ref" and isinstance(value, str):
                yield _name(value)
            else:
                yield from _refs(value)
    elif isinstance(schema, list):
        for one in schema:  # pyright: ignore[reportUnknownVariableType] - JSON
            yield from _refs(one)


def _name(reference: str) -> str:
    return reference.removeprefix(_PREFIX)
