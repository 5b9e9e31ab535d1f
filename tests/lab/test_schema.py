"""Values made for a JSON schema fit it, and say what the prompt says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from freelm_integrations.lab.mind.evidence import Evidence
from freelm_integrations.lab.mind.schema import fill


def of(**properties: Any) -> dict[str, Any]:
    """An object schema that needs all of its properties."""
    return {"type": "object", "properties": properties, "required": list(properties)}


STRING, INTEGER, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}

FROM_THE_PROMPT = [
    # prompt, schema, value
    ("What is the value of magic_function(3)?", of(input=INTEGER), {"input": 3}),
    ("What is 3 + 4", of(a=INTEGER, b=INTEGER), {"a": 3, "b": 4}),
    ("Add 1.5 and -2", of(a=NUMBER, b=NUMBER), {"a": 1.5, "b": -2}),
    ("The weather in San Francisco, CA?", of(location=STRING), {"location": "San Francisco, CA"}),
    (
        "Create a customer named '你好啊集团'",
        of(customer_name=STRING),
        {"customer_name": "你好啊集团"},
    ),
    ("My name is Ada Lovelace.", of(name=STRING), {"name": "Ada Lovelace"}),
    ("Search for red shoes", of(query=STRING), {"query": "Search for red shoes"}),
    ("Write to ada@example.org", of(to={**STRING, "format": "email"}), {"to": "ada@example.org"}),
    ("Meet on 2026-12-24 at 5", of(day={**STRING, "format": "date"}), {"day": "2026-12-24"}),
    ("color: green, please", of(color=STRING), {"color": "green"}),
    ("I want it large", of(size={"enum": ["small", "large"]}), {"size": "large"}),
    (
        "A joke, no punchline",
        of(punchline={"anyOf": [STRING, {"type": "null"}]}),
        {"punchline": None},
    ),
    ("Compute 2 * (3 + 4)", of(expression=STRING), {"expression": "2 * (3 + 4)"}),
    ("Add up 1, 2 and 3", of(values={"type": "array", "items": INTEGER}), {"values": [1, 2, 3]}),
]


@pytest.mark.parametrize(("prompt", "schema", "value"), FROM_THE_PROMPT)
def test_values_come_from_the_prompt(prompt: str, schema: dict, value: Any):
    """Where names and types suggest which."""
    assert fill(schema, Evidence(prompt)) == value


TREE = {
    "$defs": {
        "Node": of(label=STRING, left={"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}),
    },
    "$ref": "#/$defs/Node",
}
AWKWARD = [
    of(a={**INTEGER, "minimum": 10, "maximum": 12}),
    of(a={**INTEGER, "exclusiveMinimum": -1000, "exclusiveMaximum": 0}),
    of(a={**NUMBER, "exclusiveMinimum": 0, "exclusiveMaximum": 1}),
    of(a={**INTEGER, "exclusiveMinimum": 5}),
    of(a={**INTEGER, "exclusiveMaximum": -5}),
    of(a={**INTEGER, "multipleOf": 7, "minimum": 8}),
    of(a={**STRING, "minLength": 40}),
    of(a={**STRING, "maxLength": 3}),
    of(a={**STRING, "pattern": r"^\d{5}$"}),
    of(a={**STRING, "pattern": r"^[A-Z]{3}-\d{3}$"}),
    of(a={"type": "array", "items": STRING, "minItems": 3, "uniqueItems": True}),
    of(a={"type": "array", "items": INTEGER, "minItems": 2, "maxItems": 2}),
    of(a={"type": "array", "prefixItems": [STRING, INTEGER], "minItems": 2}),
    of(a={"type": ["string", "null"]}),
    of(a={"const": "x"}),
    of(a={"type": "null"}),
    of(a={"type": "boolean"}),
    of(a={"oneOf": [of(kind={"const": "cat"}), of(kind={"const": "dog"})]}),
    {"allOf": [of(a=STRING), of(b=INTEGER)]},
    {"type": "array", "items": of(a=STRING)},
    {"type": "object", "additionalProperties": {"type": "string"}},
    {"type": "object", "required": ["unnamed"]},
    TREE,
    *(of(a={**STRING, "format": one}) for one in ("date", "date-time", "ipv4", "uuid", "email")),
]


@pytest.mark.parametrize("schema", AWKWARD)
@pytest.mark.parametrize("prompt", ["Hello!", "Take 3 and 4.5 from 'Ada' in Rome without a label"])
def test_what_is_made_fits(schema: dict, prompt: str):
    """Bounds, references, unions, formats: another implementation checks them."""
    value = fill(schema, Evidence(prompt))

    Draft202012Validator(schema, format_checker=FormatChecker()).validate(value)


LEAVES = st.sampled_from(
    [
        STRING,
        INTEGER,
        NUMBER,
        {"type": "boolean"},
        {"type": "null"},
        {"enum": ["x", "y"]},
        {"type": ["integer", "null"]},
    ]
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda one: {"type": "array", "items": one}, inner),
        st.builds(lambda one, two: {"anyOf": [one, two]}, inner, inner),
        st.builds(
            lambda properties, strict: {
                "type": "object",
                "properties": properties,
                "required": list(properties) if strict else [],
                "additionalProperties": False,
            },
            st.dictionaries(st.sampled_from(["name", "count", "city", "items"]), inner, max_size=3),
            st.booleans(),
        ),
    ),
    max_leaves=8,
)


@given(SCHEMAS, st.text(max_size=40))
def test_any_schema_is_filled(schema: dict, prompt: str):
    """Whatever the prompt."""
    Draft202012Validator(schema).validate(fill(schema, Evidence(prompt)))
