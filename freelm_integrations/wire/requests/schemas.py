"""JSON schemas brought down to what a provider takes.

A schema only gets wider by it: answers are validated by the caller, against the schema as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from freelm_integrations.wire.shapes import is_mapping, is_sequence, mapping, sequence, text, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from freelm_integrations.chat import Json

_MAX_DEPTH = 24
_MAX_NODES = 5000
_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_SINGLE = frozenset(
    {"items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"}
)
_LISTED = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_DEFINITIONS = frozenset({"$defs", "definitions"})
_ALTERNATIVES = 2  # fewer are none
_ANYTHING: Json = {"type": "object"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaRules:
    """What a provider's schemas may hold.

    `inline`: `$ref` is replaced by what it points at (a recursive one by any object).
    `recursive`: whether a `$ref` may lead back to where it stands; else such a schema is inlined.
    `without`: keywords left out; `oneOf` then becomes `anyOf`, and `allOf` is merged.
    `only`: the keywords that are left of the others, None for all.
    `formats`: the only values of `format` sent, None for all.
    `plain_types`: one type each (a list of them becomes `anyOf`, `null` becomes `nullable`),
    `const` becomes an `enum` of one, enums hold strings only, arrays say what their items are.
    `closed`: objects of a strict schema say `additionalProperties: false` at every level.
    """

    inline: bool = False
    recursive: bool = True
    without: frozenset[str] = frozenset()
    only: frozenset[str] | None = None
    formats: frozenset[str] | None = None
    plain_types: bool = False
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
    if not rules.recursive:
        rules = _unrolling(rules) if _is_recursive(schema) else replace(rules, recursive=True)
        if rules.changes_nothing:
            return dict(schema)
    return _Fitting(dict(schema), rules, closed=rules.closed and strict).node(schema, 0, ())


def _unrolling(rules: SchemaRules) -> SchemaRules:
    return replace(rules, inline=True, recursive=True, without=rules.without | _DEFINITIONS)


def _is_recursive(schema: Mapping[str, Any]) -> bool:
    """Whether a reference in it leads back to itself, by whatever way."""
    try:
        return _leads_back(dict(schema), schema, (), set())
    except RecursionError:
        return True


def _leads_back(root: Json, value: object, through: tuple[str, ...], cleared: set[str]) -> bool:
    """Whether one in `value`, reached `through` others, does; `cleared` are known not to."""
    if is_sequence(value):
        return any(_leads_back(root, item, through, cleared) for item in value)
    if not is_mapping(value):
        return False
    reference = text(value.get("$ref"))
    if reference in through:
        return True
    if reference and reference not in cleared:
        if _leads_back(root, _target(root, reference), (*through, reference), cleared):
            return True
        cleared.add(reference)
    rest = (item for name, item in value.items() if name not in _DEFINITIONS)
    return any(_leads_back(root, item, through, cleared) for item in rest)


def can_be_closed(schema: object) -> bool:
    """Whether every object in the schema has named properties alone, all of them required.

    Only then it can be asked for strictly where that means closed objects (Groq and Cerebras,
    2026-11): an optional property could only be made nullable, which its caller does not expect.
    """
    try:
        return _is_closable(schema)
    except RecursionError:
        return False


def _is_closable(schema: object) -> bool:
    if is_sequence(schema):
        return all(_is_closable(item) for item in schema)
    if not is_mapping(schema):
        return True
    names = mapping(schema.get("properties"))
    if schema.get("type") == "object" or names:
        more = schema.get("additionalProperties", False)
        if "properties" not in schema or more is not False:
            return False
        if not names.keys() <= set(words(schema.get("required"))):
            return False
    return all(_is_closable(item) for item in (*names.values(), *_inner(schema)))


def _inner(schema: Json) -> Iterator[object]:
    for key, value in schema.items():
        if key in _NAMED and key != "properties":
            yield from mapping(value).values()
        elif key in _SINGLE or key in _LISTED:
            yield value


class _Fitting:
    """One schema being copied. Bounded, because references can multiply without being circular."""

    def __init__(self, root: Json, rules: SchemaRules, *, closed: bool) -> None:
        self._root = root
        self._rules = rules
        self._closed = closed
        self._nodes = 0

    def node(self, schema: Mapping[str, Any], depth: int, seen: tuple[str, ...]) -> Json:
        self._nodes += 1
        if depth > _MAX_DEPTH or self._nodes > _MAX_NODES:
            return dict(_ANYTHING)
        if self._rules.inline and isinstance(schema.get("$ref"), str):
            return self._inlined(schema, depth, seen)
        without = self._rules.without
        source = _reworded(schema, without)
        fitted = {
            key: self._child(key, value, depth, seen)
            for key, value in source.items()
            if key not in without and not self._is_foreign(key, value)
        }
        if self._rules.plain_types:
            _make_plain(fitted, source)
        if self._closed and source.get("type") == "object":
            fitted["additionalProperties"] = False
        return fitted

    def _is_foreign(self, key: str, value: Any) -> bool:
        """Whether nobody there knows the keyword, or this format."""
        only, formats = self._rules.only, self._rules.formats
        if only is not None and key not in only:
            return True
        if key != "format" or formats is None:
            return False
        return not isinstance(value, str) or value not in formats

    def _child(self, key: str, value: Any, depth: int, seen: tuple[str, ...]) -> Any:
        if key in _NAMED and is_mapping(value):
            return {name: self._value(item, depth, seen) for name, item in value.items()}
        if key in _SINGLE:
            return self._value(value, depth, seen)
        if key in _LISTED:
            return [self._value(item, depth, seen) for item in sequence(value)]
        return value

    def _value(self, value: Any, depth: int, seen: tuple[str, ...]) -> Any:
        return self.node(value, depth + 1, seen) if is_mapping(value) else value

    def _inlined(self, schema: Mapping[str, Any], depth: int, seen: tuple[str, ...]) -> Json:
        reference = text(schema.get("$ref"))
        if reference in seen:
            return dict(_ANYTHING)
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return self.node(
            {**_target(self._root, reference), **beside}, depth + 1, (*seen, reference)
        )


def _target(root: Json, reference: str) -> Json:
    target: object = root
    for part in reference.removeprefix("#").strip("/").split("/"):
        if part:
            target = mapping(target).get(part.replace("~1", "/").replace("~0", "~"))
    return mapping(target) or _ANYTHING


def _reworded(schema: Mapping[str, Any], without: frozenset[str]) -> Json:
    """The same schema with alternatives and unions said in the keywords that are left."""
    said = dict(schema)
    if "oneOf" in without and "oneOf" in said:
        said.setdefault("anyOf", said["oneOf"])
    if "allOf" in without:
        for part in sequence(said.pop("allOf", None)):
            said = _merged(said, mapping(part))
    return said


def _merged(said: Json, part: Json) -> Json:
    merged = {**part, **said}
    for key in ("properties", "$defs"):
        if key in part and key in said:
            merged[key] = {**mapping(part[key]), **mapping(said[key])}
    if "required" in part and "required" in said:
        both = (*sequence(said["required"]), *sequence(part["required"]))
        merged["required"] = list(dict.fromkeys(name for name in both if isinstance(name, str)))
    return merged


def _make_plain(fitted: Json, source: Json) -> None:
    fitted.pop("const", None)
    if isinstance(source.get("const"), str):
        fitted["enum"] = [source["const"]]
    if isinstance(source.get("type"), list):
        _one_type(fitted)
    if "anyOf" in fitted:
        _without_null(fitted)
    if fitted.get("type") == "array":
        fitted.setdefault("items", {"type": "string"})
    if "enum" in fitted and not all(isinstance(item, str) for item in sequence(fitted["enum"])):
        del fitted["enum"]


def _without_null(fitted: Json) -> None:
    """Say of alternatives with null that the value may be null; a single one stands for itself."""
    said = sequence(fitted["anyOf"])
    others = [item for item in said if mapping(item).get("type") != "null"]
    if len(others) == len(said):
        return
    fitted["nullable"] = True
    fitted["anyOf"] = others
    if len(others) < _ALTERNATIVES:
        del fitted["anyOf"]
        for only in others:
            fitted.update({key: value for key, value in only.items() if key not in fitted})


def _one_type(fitted: Json) -> None:
    types = [name for name in sequence(fitted.pop("type", None)) if isinstance(name, str)]
    others = [name for name in types if name != "null"]
    if len(others) == 1:
        fitted["type"] = others[0]
    elif others:
        fitted.setdefault("anyOf", [{"type": name} for name in others])
    if "null" in types:
        fitted["nullable"] = True
