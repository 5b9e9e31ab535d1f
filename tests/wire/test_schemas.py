"""Schemas are brought down to what a provider takes, and only ever get wider."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.wire.requests.schemas import ANY_SCHEMA, SchemaRules, can_be_closed, fit
from tests.wire import dialects

GOOGLE = dialects.GOOGLE.schema
CEREBRAS = dialects.CEREBRAS.schema
NIM = SchemaRules(recursive=False)
NODE = {"$ref": "#/$defs/Node"}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "const": "a"}, {"type": "string", "enum": ["a"]}),
        ({"const": 1}, {}),
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": ["string", "integer"]}, {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        ({"type": "array"}, {"type": "array", "items": {"type": "string"}}),
        (
            {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "A"},
            {"type": "string", "nullable": True, "title": "A"},
        ),
        (
            {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
            {"anyOf": [{"type": "string"}, {"type": "integer"}], "nullable": True},
        ),
        ({"anyOf": [{"type": "null"}]}, {"nullable": True}),
        ({"type": "integer", "enum": [1, 2]}, {"type": "integer"}),
        ({"type": "string", "format": "uuid"}, {"type": "string"}),
        ({"type": "string", "format": "date-time"}, {"type": "string", "format": "date-time"}),
        ({"oneOf": [{"type": "string"}]}, {"anyOf": [{"type": "string"}]}),
        (
            {"allOf": [{"properties": {"a": {}}, "required": ["a"]}], "required": ["b"]},
            {"properties": {"a": {}}, "required": ["b", "a"]},
        ),
        (
            {"properties": {"const": {"type": "string"}}, "additionalProperties": False},
            {"properties": {"const": {"type": "string"}}},
        ),
        (
            {"properties": {"x": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"type": "number"}}},
            {"properties": {"x": {"type": "number"}}},
        ),
        (
            {"$defs": {"Node": {"properties": {"next": NODE}}}, "properties": {"n": NODE}},
            {"properties": {"n": {"properties": {"next": {"type": "object"}}}}},
        ),
        ({"$ref": "#/nowhere", "description": "d"}, {"type": "object", "description": "d"}),
    ],
)
def test_google_gets_its_own_subset(schema, expected):
    """References inlined, constants as enums, one type each, the rest left out."""
    assert fit(schema, GOOGLE) == expected


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "object", "properties": {}}, True),
        ({"type": "object", "properties": {"a": {}}, "required": ["a"]}, True),
        ({"type": "object", "properties": {"a": {}}}, False),
        ({"type": "object"}, False),
        ({"type": "object", "additionalProperties": {"type": "string"}}, False),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "array", "items": {"$ref": "#/$defs/A"}}},
                "required": ["a"],
                "$defs": {"A": {"type": "object", "properties": {"b": {}}}},
            },
            False,
        ),
        ({"anyOf": [{"type": "string"}, {"properties": {"a": {}}}]}, False),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, True),
    ],
)
def test_a_schema_with_options_cannot_be_closed(schema, expected):
    """Every object needs named properties, all of them required."""
    assert can_be_closed(schema) is expected


def test_a_schema_without_end_cannot_be_closed():
    """It overflows no stack."""
    schema: dict = {"type": "string"}
    for _ in range(100_000):
        schema = {"items": schema}

    assert can_be_closed(schema) is False
    while schema:  # taken apart from the top, as its end would overflow the stack as well
        schema = schema.pop("items", None)


def test_a_strict_schema_is_closed_at_every_level_where_that_is_the_rule():
    """`additionalProperties: false` everywhere, and only for strict ones."""
    schema = {"type": "object", "properties": {"a": {"type": "object"}, "b": {"pattern": "x"}}}

    closed = fit(schema, CEREBRAS, strict=True)
    assert closed["additionalProperties"] is False
    assert closed["properties"] == {"a": {"type": "object", "additionalProperties": False}, "b": {}}
    assert "additionalProperties" not in fit(schema, CEREBRAS)


def test_without_rules_nothing_changes():
    """The schema goes as it is."""
    assert fit({"$ref": "#", "x": 1}, ANY_SCHEMA) == {"$ref": "#", "x": 1}


def test_references_that_multiply_are_bounded():
    """A schema of a kilobyte must not become one of a gigabyte."""
    defs = {
        f"A{n}": {"properties": {x: {"$ref": f"#/$defs/A{n + 1}"} for x in "abcdef"}}
        for n in range(12)
    }
    fitted = fit({"$ref": "#/$defs/A0", "$defs": defs}, SchemaRules(inline=True))

    assert len(str(fitted)) < 1_000_000


ANY = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.sampled_from(["object", "#/$defs/a", ""])
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("type", "$ref", "$defs", "anyOf", "allOf", "oneOf", "items", "properties"),
                    *("const", "enum", "format", "required", "a"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


TREE = {"type": "object", "properties": {"next": {"type": "array", "items": NODE}}}


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"n": NODE}, "$defs": {"Node": TREE}},
        {"type": "object", "properties": {"again": {"$ref": "#"}}},
        {"properties": {"a": {"properties": {"b": {"$ref": "#/properties/a"}}}}},
        {"$ref": "#/definitions/A", "definitions": {"A": {"anyOf": [{"$ref": "#/definitions/B"}]},
         "B": {"properties": {"a": {"$ref": "#/definitions/A"}}}}},
    ],
)  # fmt: skip
def test_what_leads_back_to_itself_is_cut_where_it_may_not(schema):
    """NIM's servers take references, but none that never ends."""
    fitted = str(fit(schema, NIM))

    assert "$ref" not in fitted
    assert "$defs" not in fitted
    assert fit(schema, ANY_SCHEMA) == schema


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": NODE, "b": NODE}, "$defs": {"Node": {"type": "string"}}},
        {"properties": {"$ref": {"type": "string"}}},
        {"$ref": "#/nowhere"},
        {"properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}}},
    ],
)
def test_references_that_end_stay(schema):
    """They are usually fine, and shorter."""
    assert fit(schema, NIM) == schema


def test_many_references_are_soon_followed():
    """Each is looked through once, however often it is made."""
    defs = {
        f"A{n}": {"properties": {x: {"$ref": f"#/$defs/A{n + 1}"} for x in "abcdef"}}
        for n in range(40)
    }
    schema = {"$ref": "#/$defs/A0", "$defs": defs}

    assert fit(schema, NIM) == schema


@pytest.mark.parametrize("rules", [GOOGLE, CEREBRAS, NIM, dialects.GROQ.schema])
@given(
    schema=st.dictionaries(st.sampled_from(["$ref", "$defs", "properties", "allOf", "type"]), ANY)
)
def test_no_schema_breaks_the_fitting_or_is_changed_by_it(rules, schema):
    """Whatever it holds."""
    before = copy.deepcopy(schema)
    fit(schema, rules, strict=True)

    assert schema == before


UNKNOWN = ("title", "default", "x-order", "minProperties", "contentEncoding", "discriminator")


@pytest.mark.parametrize("keyword", UNKNOWN)
def test_google_is_told_no_keyword_that_nobody_knows_it_to_take(keyword):
    """At any depth; a property may well be called so."""
    inner = {"type": "string", "description": "d", keyword: 1}
    schema = {"type": "object", "properties": {keyword: inner}, keyword: 1}

    assert fit(schema, dialects.DECLARED["google"].schema) == {
        "type": "object",
        "properties": {keyword: {"type": "string", "description": "d"}},
    }
