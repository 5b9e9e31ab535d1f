"""Schemas of tools and of answers: what nobody could take is refused, and it is said where."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.errors import ConfigError
from freelm_integrations.request.schemas import TYPES, check_parameters, check_schema

AT = "tools[0].function.parameters"


def of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "array", "items": {}}, f"{AT}.type is 'array'"),
        ({"type": "STRING"}, f"{AT}.type is 'STRING'"),
        (of(a={"type": "banana"}), f"{AT}.properties.a.type is 'banana'"),
        (of(a={"type": "strng"}), "did you mean 'string'?"),
        (of(a={"type": ["string", "nil"]}), f"{AT}.properties.a.type is 'nil'"),
        (of(a={"type": 5}), f"{AT}.properties.a.type is an int"),
        (of(a={"type": {"x": 1}}), f"{AT}.properties.a.type is a dict"),
        ({"type": "object", "properties": ["a"]}, f"{AT}.properties is a list"),
        (of(a="string"), f"{AT}.properties.a is a str, not a JSON schema"),
        (of(a=None), f"{AT}.properties.a is a NoneType"),
        ({**of(a={}), "required": "a"}, f"{AT}.required is a str"),
        (of(a={"enum": "x"}), f"{AT}.properties.a.enum is a str"),
        (of(a={"anyOf": {"type": "null"}}), f"{AT}.properties.a.anyOf is a dict"),
        (of(a={"anyOf": [{}, 5]}), f"{AT}.properties.a.anyOf[1] is an int"),
        (of(a={"items": {"type": "int"}}), f"{AT}.properties.a.items.type is 'int'"),
        (of(a={"$ref": "#/$defs/Gone"}), f"{AT}.properties.a.$ref is '#/$defs/Gone', and nothing"),
        (of(a={"$ref": "https://x.example/y.json"}), "no provider looks elsewhere"),
        (of(a={"$ref": ["#"]}), f"{AT}.properties.a.$ref is a list"),
        ({**of(), "$defs": {"B": {"type": "x"}}}, f"{AT}.$defs.B.type is 'x'"),
        ({**of(), "$defs": []}, f"{AT}.$defs is a list"),
    ],
)
def test_what_is_no_schema_is_refused_by_its_place(schema: dict[str, Any], said: str) -> None:
    """In any reading of JSON Schema."""
    with pytest.raises(ConfigError) as caught:
        check_parameters(schema, AT)

    assert said in str(caught.value)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object"},
        {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}},
        {"type": ["object", "null"]},
        of(a=True, b=False, c={}),
        of(a={"type": ["string", "null"], "enum": []}, b={"type": "string", "required": True}),
        of(type={"type": "string"}, required={"type": "string"}, properties={"type": "object"}),
        {**of(a={"$ref": "#/$defs/A"}), "$defs": {"A": {"anyOf": [{"$ref": "#/$defs/A"}, {}]}}},
        {**of(a={"$ref": "#/definitions/a~1b"}), "definitions": {"a/b": {"type": "null"}}},
        {**of(a={"$ref": "#/anyOf/1"}), "anyOf": [{}, {"type": "object"}]},
        of(a={"$ref": "#"}, b={"$ref": "#anchor"}),
        {"$id": "https://x.example/y", **of(a={"$ref": "https://x.example/y#/z"})},
        of(a={"items": [{"type": "string"}, {"type": "null"}], "additionalItems": False}),
        of(a={"x-unknown": {"type": "banana"}, "default": {"type": "banana"}, "items": None}),
    ],
)
def test_what_somebody_could_take_passes(schema: dict[str, Any]) -> None:
    """Whatever a dialect has to bring down."""
    check_parameters(schema, AT)


def test_an_answer_may_be_no_object() -> None:
    """Only a tool's parameters must be one."""
    check_schema({"type": "array", "items": {"type": "string"}}, "schema")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from([*TYPES, "#/properties/a", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "properties", "items", "anyOf", "$ref", "$defs", "required", "enum", "a"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["type", "properties", "$defs", "anyOf"]), anything))
def test_any_value_passes_or_is_refused(schema: dict[str, Any]) -> None:
    """With an error of ours, never another."""
    with suppress(ConfigError):
        check_parameters(schema, AT)
