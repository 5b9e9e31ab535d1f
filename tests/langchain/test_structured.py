"""Tools, choices and schemas as users of LangChain write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.messages import AIMessage
from pydantic import BaseModel, Field
from pydantic.v1 import BaseModel as V1Model
from typing_extensions import TypedDict

from freelm_integrations.errors import ConfigError
from freelm_integrations.langchain import ChatFreeLLM
from freelm_integrations.langchain.structured import told_schema
from freelm_integrations.langchain.tools import to_choice, to_response_format, to_tools

if TYPE_CHECKING:
    from freelm_integrations.lab import Lab


class City(BaseModel):
    """A city."""

    name: str = Field(description="its name")


class OldCity(V1Model):
    """A city."""

    name: str


class CityDict(TypedDict):
    """A city."""

    name: str


SCHEMA = {
    "title": "City",
    "description": "A city.",
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
}
TOOL = {
    "type": "function",
    "function": {
        "name": "City",
        "description": "A city.",
        "parameters": {
            "type": "object",
            "properties": {"name": {"type": "string"}},
            "required": ["name"],
        },
    },
}
TOOLS = to_tools([City])
NAMED = {"type": "function", "function": {"name": "City"}}


@pytest.mark.parametrize(
    ("choice", "wire"),
    [
        (None, None),
        (False, None),
        (True, "required"),
        ("any", "required"),
        ("required", "required"),
        ("auto", "auto"),
        ("none", "none"),
        ("City", NAMED),
        (NAMED, NAMED),
        ({"type": "function", "name": "City"}, NAMED),
        ({"type": "tool", "name": "City"}, NAMED),
        ({"type": "any"}, "required"),
        ({"type": "auto"}, "auto"),
    ],
    ids=repr,
)
def test_every_way_to_choose_a_tool_has_one_shape(choice: Any, wire: Any) -> None:
    """LangChain's words, OpenAI's and Anthropic's."""
    assert to_choice(choice, TOOLS) == wire


@pytest.mark.parametrize("choice", ["Cty", {"type": "tool", "name": "Cty"}, 3], ids=repr)
def test_a_choice_of_no_tool_is_refused(choice: Any) -> None:
    """With the names there are."""
    with pytest.raises(ConfigError, match="tool_choice"):
        to_choice(choice, TOOLS)


@pytest.mark.parametrize("method", ["function_calling", "json_schema", "json_mode"])
@pytest.mark.parametrize("schema", [City, OldCity, CityDict, SCHEMA, TOOL], ids=str)
@pytest.mark.parametrize("include_raw", [False, True])
def test_every_kind_of_schema_gives_its_kind_of_value(
    lab: Lab, schema: Any, method: Any, include_raw: bool
) -> None:
    """Classes give instances, everything else dicts; the raw message comes along if asked for."""
    llm = ChatFreeLLM().with_structured_output(schema, method=method, include_raw=include_raw)

    value: Any = llm.invoke("Tell me of the city of Oslo, as JSON.")

    if include_raw:
        assert isinstance(value["raw"], AIMessage)
        assert value["parsing_error"] is None
        value = value["parsed"]
    name = value["name"] if isinstance(value, dict) else value.name
    assert (
        isinstance(value, schema if schema in {City, OldCity} else dict)
        if isinstance(schema, type)
        else name
    )
    assert isinstance(name, str)


def test_a_value_that_does_not_fit_is_told_beside_the_raw_message(lab: Lab) -> None:
    """`include_raw` raises nothing."""

    class Never(BaseModel):
        name: int = Field(gt=5, lt=6)

    llm = ChatFreeLLM().with_structured_output(Never, method="json_mode", include_raw=True)

    result: Any = llm.invoke("as JSON with a 'name'")

    assert result["parsed"] is None
    assert result["parsing_error"] is not None


@pytest.mark.parametrize(
    ("schema", "method"), [(City, "telepathy"), (None, "json_schema"), (None, "function_calling")]
)
def test_a_method_that_cannot_be_is_refused(schema: Any, method: Any) -> None:
    """When the chain is built, not when it runs."""
    with pytest.raises(ConfigError, match="method"):
        ChatFreeLLM().with_structured_output(schema, method=method)


def test_strictness_is_told_only_if_given() -> None:
    """Some endpoints refuse the word."""
    assert "strict" not in to_response_format(City)["json_schema"]
    assert to_response_format(City, strict=True)["json_schema"]["strict"] is True
    assert "strict" not in to_tools([City])[0]["function"]
    assert to_tools([City], strict=True)[0]["function"]["strict"] is True


@pytest.mark.parametrize(
    "form", [{"type": "json_object"}, {"type": "json_schema", "json_schema": {}}]
)
def test_a_response_format_stays_as_it_is(form: dict[str, Any]) -> None:
    """Agents bind ready ones."""
    assert to_response_format(form) == form


HI = {"role": "user", "content": "hi"}


def test_json_mode_tells_the_model_the_schema() -> None:
    """The endpoint is told none in this mode; it stands in the system prompt, made if need be."""
    alone, system = told_schema([HI], SCHEMA)[0], {"role": "system", "content": "Be brief."}
    added = told_schema([system, HI], SCHEMA)

    assert alone["role"] == "system"
    assert '"title": "City"' in alone["content"]
    assert added[0]["content"].startswith("Be brief.\n\nAnswer with a JSON object")
    assert system["content"] == "Be brief."
    assert len(added) == 2


def test_json_mode_says_nothing_to_a_prompt_that_names_the_fields() -> None:
    """Whoever wrote the prompt knows best."""
    told = [{"role": "user", "content": "JSON with a 'name' key"}]

    assert told_schema(told, SCHEMA) is told
    assert told_schema([HI], None) == [HI]
