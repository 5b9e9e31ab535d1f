"""JSON schemas brought down to what a provider takes. A schema only gets wider by it: answers are validated by the caller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freelm_integrations.wire.shapes import mapping, sequence, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freelm_integrations.chat import Json

_MAX_DEPTH = 24
_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_SINGLE = (
    "items",
    "additionalProperties",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
)
_LISTED = ("anyOf", "oneOf", "allOf", "prefixItems")


@dataclass(frozen=True, slots=True)
class SchemaRules:
    """What a provider's schemas may hold.

    `inline`: `$ref` is replaced by what it points at (a recursive one by any object). `without`: keywords left out.
    `const_as_enum`: `const` becomes an `enum` of one. `single_type`: a list of types becomes `anyOf`, or `nullable`.
    `closed`: objects say `additionalProperties: false` at every level wherever `strict` is asked for.
    """

    inline: bool = False
    without: frozenset[str] = frozenset()
    const_as_enum: bool = False
    single_type: bool = False
    closed: bool = False

    @property
    def changes_nothing(self) -> bool:
        """Whether every schema goes as it is."""
        return self == ANY_SCHEMA


ANY_SCHEMA = SchemaRules()


def fit(schema: Mapping[str, Any], rules: SchemaRules, *, strict: bool = False) -> Json:
    """A copy of the schema that keeps to the rules; never raises, whatever the schema."""
    if rules.changes_nothing:
        return dict(schema)
    return _Fitting(dict(schema), rules, closed=rules.closed and strict).node(schema, 0, ())


class _Fitting:
    def __init__(self, root: Json, rules: SchemaRules, *, closed: bool) -> None:
        self._root = root
        self._rules = rules
        self._closed = closed

    def node(self, schema: Mapping[str, Any], depth: int, seen: tuple[str, ...]) -> Json:
        if depth > _MAX_DEPTH:
            return {"type": "object"}
        if self._rules.inline and isinstance(schema.get("$ref"), str):
            return self._inlined(schema, depth, seen)
        fitted: Json = {
            key: self._child(key, value, depth, seen)
            for key, value in schema.items()
            if key not in self._rules.without
        }
        return self._plain(fitted, schema)

    def _child(self, key: str, value: Any, depth: int, seen: tuple[str, ...]) -> Any:
        if key in _NAMED and isinstance(value, dict):
            named: Json = value
            return {name: self._value(item, depth, seen) for name, item in named.items()}
        if key in _SINGLE:
            return self._value(value, depth, seen)
        if key in _LISTED:
            return [self._value(item, depth, seen) for item in sequence(value)]
        return value

    def _value(self, value: Any, depth: int, seen: tuple[str, ...]) -> Any:
        return self.node(mapping(value), depth + 1, seen) if isinstance(value, dict) else value

    def _plain(self, fitted: Json, schema: Mapping[str, Any]) -> Json:
        if self._rules.const_as_enum and "const" in schema:
            fitted.pop("const", None)
            if isinstance(schema["const"], str):
                fitted["enum"] = [schema["const"]]
        if self._rules.single_type and isinstance(schema.get("type"), list):
            _single_type(fitted)
        if self._closed and schema.get("type") == "object":
            fitted["additionalProperties"] = False
        return fitted

    def _inlined(self, schema: Mapping[str, Any], depth: int, seen: tuple[str, ...]) -> Json:
        reference = text(schema.get("$ref"))
        if reference in seen:
            return {"type": "object"}
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return self.node({**self._target(reference), **beside}, depth + 1, (*seen, reference))

    def _target(self, reference: str) -> Json:
        target: object = self._root
        for part in reference.removeprefix("#").strip("/").split("/"):
            if part:
                target = mapping(target).get(part.replace("~1", "/").replace("~0", "~"))
        return mapping(target)


def _single_type(fitted: Json) -> None:
    types = [name for name in sequence(fitted.pop("type", None)) if isinstance(name, str)]
    others = [name for name in types if name != "null"]
    if len(others) == 1:
        fitted["type"] = others[0]
    elif others:
        fitted["anyOf"] = [{"type": name} for name in others]
    if "null" in types:
        fitted["nullable"] = True
