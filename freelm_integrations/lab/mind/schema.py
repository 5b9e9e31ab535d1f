"""Values that fit a JSON schema and, where names and types suggest it, say what the prompt says."""

from __future__ import annotations

import math
from typing import Any

from freelm_integrations.lab.loose import Json, fields, items
from freelm_integrations.lab.mind.evidence import Evidence, best_choice, stems
from freelm_integrations.lab.mind.strings import string_for

_CHOICES = frozenset({"index", "choice"})  # numbers that name one of the choices given
_DEEPEST = 6  # levels after which optional and recursive parts are left out


class Filler:
    """Fills one schema from one prompt."""

    def __init__(self, root: Json, evidence: Evidence) -> None:
        self._root = root
        self._evidence = evidence

    def fill(self) -> Any:
        """A value the whole schema accepts."""
        return self._value(self._root, "", 0)

    def _value(self, schema: Json, name: str, depth: int) -> Any:
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self._choice(items(schema["enum"]))
        branches = items(schema.get("anyOf")) or items(schema.get("oneOf"))
        if branches:
            return self._branch([fields(branch) for branch in branches], schema, name, depth)
        return self._typed(self._type(schema, name), schema, name, depth)

    def _resolved(self, schema: Json) -> Json:
        for _ in range(20):  # a chain of references, never a circle
            if "$ref" in schema:
                others = {key: value for key, value in schema.items() if key != "$ref"}
                schema = {**self._referred(str(schema["$ref"])), **others}
            elif schema.get("allOf"):
                schema = self._merged(schema)
            else:
                break
        return schema

    def _referred(self, path: str) -> Json:
        place: Any = self._root
        for step in path.removeprefix("#").strip("/").split("/"):
            place = (
                fields(place).get(step.replace("~1", "/").replace("~0", "~"), {}) if step else place
            )
        return fields(place)

    def _merged(self, schema: Json) -> Json:
        whole = {key: value for key, value in schema.items() if key != "allOf"}
        for part in items(schema["allOf"]):
            inner = self._resolved(fields(part))
            properties = {**fields(whole.get("properties")), **fields(inner.get("properties"))}
            required = [*items(whole.get("required")), *items(inner.get("required"))]
            whole = {**whole, **inner, "properties": properties, "required": required}
        return whole

    def _choice(self, values: list[Any]) -> Any:
        spoken = self._evidence.text.lower()
        for value in values:
            if isinstance(value, str) and value and value.lower().replace("_", " ") in spoken:
                return value
        return values[0]

    def _branch(self, branches: list[Json], schema: Json, name: str, depth: int) -> Any:
        solid = [branch for branch in branches if self._resolved(branch).get("type") != "null"]
        if not solid or (
            len(solid) < len(branches) and (depth >= _DEEPEST or self._evidence.denies(name))
        ):
            return None
        inherited = {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf")}
        chosen = max(solid, key=self._likeness)
        return self._value({**inherited, **chosen}, name, depth)

    def _likeness(self, branch: Json) -> int:
        whole = self._resolved(branch)
        told = f"{whole.get('title', '')} {whole.get('description', '')}"
        return len(stems(told) & stems(self._evidence.text))

    def _type(self, schema: Json, name: str) -> str:
        kind = schema.get("type")
        kinds = [str(one) for one in items(schema.get("type"))]
        if kinds:
            solid = [one for one in kinds if one != "null"]
            denied = len(solid) < len(kinds) and self._evidence.denies(name)
            return solid[0] if solid and not denied else "null"
        if isinstance(kind, str):
            return kind
        if "properties" in schema:
            return "object"
        return "array" if "items" in schema or "prefixItems" in schema else "string"

    def _typed(self, kind: str, schema: Json, name: str, depth: int) -> Any:
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, name, depth)
        if kind in ("integer", "number"):
            return self._number(schema, name, whole=kind == "integer")
        if kind == "boolean":
            return not self._evidence.denies(name)
        return None if kind == "null" else string_for(schema, name, self._evidence)

    def _object(self, schema: Json, depth: int) -> Json:
        required = set(items(schema.get("required")))
        filled: Json = {}
        for name, inner in fields(schema.get("properties")).items():
            if name in required or (depth < _DEEPEST and self._is_wanted(name, fields(inner))):
                filled[name] = self._value(fields(inner), name, depth + 1)
        missing = [name for name in required if name not in filled]
        filled.update({str(name): self._value({}, str(name), depth + 1) for name in missing})
        return filled

    def _is_wanted(self, name: str, schema: Json) -> bool:
        """An optional property is left out if its default will do or the prompt denies it."""
        if self._evidence.denies(name):
            return False
        return "default" not in schema or bool(stems(name) & stems(self._evidence.text))

    def _array(self, schema: Json, name: str, depth: int) -> list[Any]:
        fixed = [
            self._value(fields(part), name, depth + 1) for part in items(schema.get("prefixItems"))
        ]
        inner = self._resolved(fields(schema.get("items")))
        least, most = int(schema.get("minItems", 0)), int(schema.get("maxItems", 3))
        if fixed or depth >= _DEEPEST:
            wanted = least
        else:
            wanted = max(least, min(most, self._natural_length(inner)))
        rest = [self._value(inner, name, depth + 1) for _ in range(max(0, wanted - len(fixed)))]
        return _distinct([*fixed, *rest]) if schema.get("uniqueItems") else [*fixed, *rest]

    def _natural_length(self, inner: Json) -> int:
        if inner.get("type") in ("integer", "number"):
            return max(1, len(self._evidence.numbers))
        return 2

    def _number(self, schema: Json, name: str, *, whole: bool) -> float | int:
        chosen = best_choice(self._evidence.text) if name in _CHOICES else None
        given = self._evidence.next_number() if chosen is None else float(chosen)
        value = _within(1.0 if given is None else given, schema, 1.0 if whole else 0.001)
        step = schema.get("multipleOf")
        if isinstance(step, (int, float)) and step > 0:
            value = math.ceil(value / step) * step
        return int(value) if whole or value == int(value) else value


def _within(value: float, schema: Json, step: float) -> float:
    """The value, or the nearest one the bounds of a schema allow."""
    low = schema.get("minimum")
    above = schema.get("exclusiveMinimum")
    high = schema.get("maximum")
    below = schema.get("exclusiveMaximum")
    if isinstance(low, (int, float)):
        value = max(value, low)
    if isinstance(above, (int, float)) and not isinstance(above, bool):
        value = max(value, above + step)
    if isinstance(high, (int, float)):
        value = min(value, high)
    if isinstance(below, (int, float)) and not isinstance(below, bool):
        value = min(value, below - step)
    return value


def _distinct(values: list[Any]) -> list[Any]:
    seen: list[Any] = []
    for place, value in enumerate(values):
        fresh = f"{value} {place + 1}" if isinstance(value, str) and value in seen else value
        fresh = fresh + place if isinstance(fresh, int) and fresh in seen else fresh
        if fresh not in seen:
            seen.append(fresh)
    return seen


def fill(schema: Json, evidence: Evidence) -> Any:
    """A value that fits a JSON schema, taken from the prompt where it offers one."""
    return Filler(schema, evidence).fill()
