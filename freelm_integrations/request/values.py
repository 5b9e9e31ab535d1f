"""Values that JSON has a form for, and what callers mean by some that it has none for.

What is plain already is handed on as it is. Frozen mappings, tuples, sets and enumerations become
plain copies; all else is refused with the place where it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, TypeGuard, cast

from freelm_integrations.errors import ConfigError

DEEPEST = 100
"""Levels of lists and dicts in each other; what is deeper holds itself, or a parser's end."""
_LARGEST = 1.7976931348623157e308
_SHOWN = 60
_LEAVES = frozenset({str, bool, type(None)})
_ADVICE = (
    ("model_dump", "pass its model_dump()"),
    ("isoformat", "pass its isoformat()"),
    ("tolist", "pass its tolist()"),
    ("__await__", "await it first"),
    ("__dataclass_fields__", "pass dataclasses.asdict() of it"),
    ("decode", "pass text, or base64 in a data URI"),
    ("as_tuple", "pass it as a float or as text"),
    ("hex", "pass it as text"),
)
"""What to do about an object, by what it can; the first that fits."""


def plain(value: Any, where: str) -> Any:
    """The value as JSON's own types: itself if it is that already, else a copy.

    Raises:
        ConfigError: Something in it has no form in JSON; the message says where, as `where[0].name`
            counted from `where`.
    """
    return value if is_plain(value) else _copied(value, where, DEEPEST)


def is_plain(value: object, depth: int = DEEPEST) -> bool:
    """Whether it can be written as JSON as it stands: dicts, lists, strings, finite numbers."""
    kind = type(value)
    if kind in _LEAVES:
        return True
    if kind is dict:
        return _are_plain_fields(cast("dict[object, object]", value), depth - 1)
    if kind is list:
        return depth > 0 and all(
            type(item) is str or is_plain(item, depth - 1) for item in cast("list[object]", value)
        )
    return (kind is int or kind is float) and -_LARGEST <= cast("float", value) <= _LARGEST


def _are_plain_fields(fields: dict[object, object], depth: int) -> bool:
    """A plain loop: this is passed by every message and every line of a schema of every call."""
    if depth < 0:
        return False
    for name, item in fields.items():
        if type(name) is not str:
            return False
        kind = type(item)
        if kind is dict:
            if not _are_plain_fields(cast("dict[object, object]", item), depth - 1):
                return False
        elif kind not in _LEAVES and not is_plain(item, depth):
            return False
    return True


def is_mapping(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether it has fields."""
    return isinstance(value, dict) or isinstance(value, Mapping)  # noqa: SIM101 - quicker


def is_iterable(value: object) -> TypeGuard[Iterable[object]]:
    """Whether it can be gone through."""
    return isinstance(value, list) or isinstance(value, Iterable)  # noqa: SIM101 - quicker


def is_listed(value: object) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    """Whether it is a list or a tuple."""
    return isinstance(value, (list, tuple))


def kind_of(value: object) -> str:
    """Its type, with an article: what it says may be long, or a secret that went astray."""
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def _copied(value: object, where: str, depth: int) -> Any:
    if isinstance(value, (str, bool, int, float)) or value is None:
        return _leaf(value, where)
    if depth == 0:
        raise ConfigError(
            f"{where[:_SHOWN]}... is more than {DEEPEST} levels deep, or holds itself"
        )
    if is_mapping(value):
        return {
            _name(name, where): _copied(item, f"{where}.{name}", depth - 1)
            for name, item in cast("Mapping[object, object]", value).items()
        }
    if isinstance(value, (list, tuple, AbstractSet)):
        items = cast("Iterable[object]", value)
        return [_copied(item, f"{where}[{n}]", depth - 1) for n, item in enumerate(items)]
    advice = next((f": {told}" for can, told in _ADVICE if hasattr(value, can)), "")
    raise ConfigError(f"{where} is {kind_of(value)}, which JSON has no form for{advice}")


def _leaf(value: str | float | None, where: str) -> str | float | None:
    """As JSON writes it: a member of an enumeration by its value."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if not -_LARGEST <= value <= _LARGEST:
        shown = "a number of that size" if isinstance(value, int) else repr(float(value))
        raise ConfigError(f"{where} is {shown}, which JSON has no form for")
    return int(value) if isinstance(value, int) else float(value)


def _name(name: object, where: str) -> str:
    """A key of another type, as JSON writes it: `logit_bias` has token numbers for keys."""
    if isinstance(name, str):
        return str.__str__(name)
    if isinstance(name, bool) or name is None:
        return {True: "true", False: "false", None: "null"}[name]
    if isinstance(name, int):
        return str(int(name))
    raise ConfigError(f"{where} has a key of type {type(name).__name__}: keys are strings")
