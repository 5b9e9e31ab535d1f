"""Schemas that refer to themselves are told from those that merely refer."""

from __future__ import annotations

from typing import Any

import pytest

from freelm_integrations.routing.recursion import refers_to_itself


def tool(**schema: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f", "parameters": schema}}


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


LEAF = {"type": "string"}
CHAIN = {f"d{n}": {"properties": {"next": ref(f"d{n + 1}")}} for n in range(3_000)}


@pytest.mark.parametrize(
    ("holder", "does"),
    [
        (tool(properties={"a": LEAF}), False),
        (tool(properties={"a": ref("A"), "b": ref("A")}, **{"$defs": {"A": LEAF}}), False),
        (tool(properties={"a": {"$ref": "#"}}), True),
        (
            tool(properties={"a": ref("A")}, **{"$defs": {"A": {"items": {"anyOf": [ref("A")]}}}}),
            True,
        ),
        (
            tool(
                properties={"a": ref("A")},
                **{"$defs": {"A": {"items": ref("B")}, "B": {"items": ref("A")}}},
            ),
            True,
        ),
        (tool(properties={"a": LEAF}, **{"$defs": {"A": {"items": ref("A")}}}), False),
        (tool(properties={"a": ref("gone")}), False),
        (tool(properties={"a": ref("d0")}, **{"$defs": CHAIN}), False),
        ({"type": "json_schema", "json_schema": {"schema": {"items": {"$ref": "#"}}}}, True),
        ({"type": "json_object"}, False),
        ({"type": "web_search"}, False),
        (tool(properties=5), False),
    ],
)
def test_only_a_way_back_is_a_recursion(holder: dict[str, Any], does: bool) -> None:
    """However long the way, within reason, and only where it is gone."""
    assert refers_to_itself(holder) is does
