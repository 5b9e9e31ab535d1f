"""Whether a schema refers to itself: some servers make a grammar of it, and find no end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freelm_integrations.chat import Json, Message

_MOST = 4_000
"""References that are followed; what has more is let through."""
_DEEPEST = 200


def refers_to_itself(holder: Message) -> bool:
    """Whether any `$ref` of the schema in a tool or a response format leads back to itself."""
    root = _schema_in(holder)
    return root is not None and _Search(root).finds()


def _schema_in(holder: Message) -> Json | None:
    for outer, inner in (("function", "parameters"), ("json_schema", "schema")):
        described: object = holder.get(outer)
        if isinstance(described, Mapping):
            schema = cast("Json", described).get(inner)
            return cast("Json", schema) if isinstance(schema, Mapping) else None
    return None


class _Search:
    """One schema gone through from its root, each reference once."""

    def __init__(self, root: Json) -> None:
        self._root = root
        self._left = _MOST
        self._done: set[str] = set()

    def finds(self) -> bool:
        return self._leads_back(self._root, ("#",))

    def _leads_back(self, node: object, above: tuple[str, ...]) -> bool:
        for reference in _references(node):
            self._left -= 1
            if reference in above:
                return True
            if reference in self._done or self._left < 0 or len(above) > _DEEPEST:
                continue
            self._done.add(reference)
            if self._leads_back(self._target(reference), (*above, reference)):
                return True
        return False

    def _target(self, reference: str) -> object:
        found: object = self._root
        for part in reference.removeprefix("#").strip("/").split("/"):
            if part and isinstance(found, Mapping):
                fields = cast("Json", found)
                found = fields.get(part.replace("~1", "/").replace("~0", "~"))
        return found


def _references(node: object) -> Iterator[str]:
    """Every `$ref` in it, but those that only others point at."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            fields = cast("Json", one)
            reference = fields.get("$ref")
            if isinstance(reference, str):
                yield reference
            waiting += [item for name, item in fields.items() if name not in _ASIDE]
        elif isinstance(one, Sequence) and not isinstance(one, str):
            waiting += cast("Sequence[object]", one)


_ASIDE = frozenset({"$defs", "definitions", "examples", "default", "enum", "const"})
