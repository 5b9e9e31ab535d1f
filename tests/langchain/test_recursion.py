"""Schemas that refer to themselves: the model is told all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.tools import StructuredTool
from pydantic import BaseModel

from freelm_integrations.langchain import ChatFreeLLM
from freelm_integrations.langchain.recursion import recursive_schema
from freelm_integrations.langchain.tools import to_response_format, to_tools

if TYPE_CHECKING:
    from freelm_integrations.lab import Lab


class Node(BaseModel):
    """A tree."""

    name: str
    below: list[Node] = []


class Left(BaseModel):
    """One of two."""

    right: Right | None = None


class Right(BaseModel):
    """The other."""

    left: Left | None = None


class Holder(BaseModel):
    """What holds a tree."""

    tree: Node


class Plain(BaseModel):
    """What comes to an end."""

    name: str


class Outer(BaseModel):
    """What comes to an end, though it refers."""

    plain: Plain


def grow(tree: Node) -> str:
    """Grow a tree."""
    return tree.name


@pytest.mark.parametrize("given", [Node, Left, Holder, StructuredTool.from_function(grow)])
def test_a_schema_without_end_keeps_its_references(given: Any) -> None:
    """The root is an object, and every reference leads somewhere."""
    schema = to_tools([given])[0]["function"]["parameters"]

    assert schema == recursive_schema(given)
    assert schema["type"] == "object"
    assert "$ref" in str(schema["properties"])
    assert schema["$defs"]


@pytest.mark.parametrize("given", [Plain, Outer, {"type": "object"}, grow, None])
def test_any_other_is_written_out_by_core(given: Any) -> None:
    """Which not every endpoint can do by itself."""
    assert recursive_schema(given) is None


def test_a_response_format_is_told_whole_too() -> None:
    """As strictly as asked."""
    schema = to_response_format(Node, strict=True)["json_schema"]["schema"]

    assert schema["properties"]["below"]["items"] == {"$ref": "#/$defs/Node"}
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("method", ["function_calling", "json_schema", "json_mode"])
def test_a_tree_comes_back_as_a_tree(lab: Lab, method: Any) -> None:
    """From whoever takes such a schema."""
    chain = ChatFreeLLM().with_structured_output(Node, method=method)

    assert isinstance(chain.invoke("Give a tree as JSON, called oak."), Node)
