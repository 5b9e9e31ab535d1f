"""JSON schemas of tools and of answers, checked for what nobody could take.

Only what is wrong in any reading of JSON Schema is refused: a dialect brings the rest down to what
its provider takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from freelm_integrations.errors import ConfigError
from freelm_integrations.nearest import nearest
from freelm_integrations.request.values import is_listed, is_mapping, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")
_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_SINGLE = frozenset(
    {"items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"}
)
_LISTED = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_HERE = "#/"
_LONGEST = 60


def check_parameters(parameters: Mapping[str, Any], where: str) -> None:
    """Raise ConfigError where a tool's parameters are no object's schema; says where."""
    kind = parameters.get("type")
    if isinstance(kind, str) and kind.casefold() in TYPES and kind.casefold() != "object":
        raise ConfigError(
            f"{where}.type is {kind!r}: a tool's parameters are an object, which may hold "
            "one as a property"
        )
    check_schema(parameters, where)


def check_schema(schema: Mapping[str, Any], where: str) -> None:
    """Raise ConfigError where this is no JSON schema, or points at what is not in it."""
    references = set[str]()
    if _is_usual(schema, references) and all(
        _is_there(one.removeprefix(_HERE), schema) for one in references
    ):
        return
    waiting = [(where, cast("object", schema))]
    while waiting:
        place, node = waiting.pop()
        if is_mapping(node):
            _check_words(node, place)
            if (reference := node.get("$ref")) is not None:
                _check_reference(reference, schema, place)
            waiting += _inner(node, place)
        elif not isinstance(node, bool):
            raise ConfigError(f"{place} is {kind_of(node)}, not a JSON schema (a dict)")


def _is_usual(node: object, references: set[str]) -> bool:
    """Whether there is nothing to look at closely but these references.

    Every tool of every call passes here, and nearly all need no more.
    """
    if type(node) is not dict:
        return type(node) is bool
    for key, value in cast("dict[str, Any]", node).items():
        rule = _USUAL.get(key)
        if rule is not None and not rule(value, references):
            return False
    return True


def _is_usual_type(value: object, _: set[str]) -> bool:
    return type(value) is str and value in TYPES


def _is_list(value: object, _: set[str]) -> bool:
    return type(value) is list


def _are_usual_fields(value: object, references: set[str]) -> bool:
    if type(value) is not dict:
        return False
    return all(_is_usual(item, references) for item in cast("dict[str, Any]", value).values())


def _are_usual_items(value: object, references: set[str]) -> bool:
    if type(value) is not list:
        return False
    return all(_is_usual(item, references) for item in cast("list[object]", value))


def _is_usual_reference(value: object, references: set[str]) -> bool:
    if type(value) is not str or not value.startswith(_HERE):
        return False
    references.add(value)
    return True


_USUAL: Mapping[str, Callable[[Any, set[str]], bool]] = {
    "type": _is_usual_type,
    "$ref": _is_usual_reference,
    **dict.fromkeys(("required", "enum"), _is_list),
    **dict.fromkeys(_NAMED, _are_usual_fields),
    **dict.fromkeys(_LISTED, _are_usual_items),
    **dict.fromkeys(_SINGLE, _is_usual),
}


def _check_words(node: Mapping[str, Any], place: str) -> None:
    kind = node.get("type")
    if kind is not None:
        for name in cast("list[object]", kind) if is_listed(kind) else (kind,):
            _check_type(name, place)
    names = node.get("required")
    if names is not None and not isinstance(names, bool) and not is_listed(names):
        raise ConfigError(f"{place}.required is {kind_of(names)}, not a list of names")
    if not is_listed(node.get("enum", ())):
        raise ConfigError(f"{place}.enum is {kind_of(node['enum'])}, not a list")


def _check_type(name: object, place: str) -> None:
    if isinstance(name, str) and (name in TYPES or name.casefold() in TYPES):
        return
    if not isinstance(name, str):
        raise ConfigError(f"{place}.type is {kind_of(name)}, not one of {', '.join(TYPES)}")
    guess = nearest(name, TYPES)
    meant = f"did you mean {guess!r}?" if guess else f"one of {', '.join(TYPES)}"
    raise ConfigError(f"{place}.type is {name[:_LONGEST]!r}, which JSON has not: {meant}")


def _check_reference(reference: object, schema: Mapping[str, Any], place: str) -> None:
    if not isinstance(reference, str):
        raise ConfigError(f"{place}.$ref is {kind_of(reference)}, not a string")
    if "$id" in schema:
        return  # it may have names of its own
    shown = reference[:_LONGEST]
    if not reference.startswith("#"):
        raise ConfigError(
            f"{place}.$ref is {shown!r}: no provider looks elsewhere, put it under $defs"
        )
    if reference.startswith(_HERE) and not _is_there(reference.removeprefix(_HERE), schema):
        raise ConfigError(f"{place}.$ref is {shown!r}, and nothing is there")


def _is_there(path: str, schema: Mapping[str, Any]) -> bool:
    found: Any = schema
    for part in path.split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if is_mapping(found):
            found = found.get(name)
        elif is_listed(found) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            return False
    return found is not None


def _inner(node: Mapping[str, Any], place: str) -> Iterator[tuple[str, object]]:
    for key in node:
        value = node[key]
        if key in _NAMED:
            if not is_mapping(value):
                raise ConfigError(f"{place}.{key} is {kind_of(value)}, not a dict of schemas")
            yield from ((f"{place}.{key}.{name}", item) for name, item in value.items())
        elif key in _LISTED or (key == "items" and is_listed(value)):
            if not is_listed(value):
                raise ConfigError(f"{place}.{key} is {kind_of(value)}, not a list of schemas")
            items = cast("list[object]", value)
            yield from ((f"{place}.{key}[{n}]", item) for n, item in enumerate(items))
        elif key in _SINGLE and value is not None:
            yield f"{place}.{key}", value
