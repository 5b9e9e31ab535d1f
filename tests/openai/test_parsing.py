"""Answers read into the caller's own classes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import openai as sdk
import pytest
from openai.lib._pydantic import to_strict_json_schema
from pydantic import BaseModel, Field, ValidationError

from freelm_integrations import ConfigError
from freelm_integrations import openai as shim
from freelm_integrations.openai.objects import (
    ChatCompletionMessage,
    ChatCompletionMessageToolCall,
    Choice,
    Function,
)
from freelm_integrations.openai.parsing import format_of, parsed_completion

if TYPE_CHECKING:
    from freelm_integrations.lab import Lab

USER = {"role": "user", "content": "Where is Oslo?"}


class Place(BaseModel):
    """Somewhere."""

    name: str
    kind: Literal["city", "lake"] = "city"
    note: str | None = None


class Journey(BaseModel):
    """Several places."""

    stops: list[Place]
    best: Place = Field(description="the best of them")
    by_name: dict[str, int] = {}


@dataclass
class Point:
    """A plain class."""

    x: int
    y: int


def answer(content: str | None, *calls: tuple[str, str], finish: str = "stop") -> Any:
    tool_calls = [
        ChatCompletionMessageToolCall(id="c", function=Function(name=name, arguments=arguments))
        for name, arguments in calls
    ]
    message = ChatCompletionMessage(content=content, tool_calls=tool_calls or None)
    choice = Choice(message=message, finish_reason=finish)
    return shim.ChatCompletion(id="i", choices=[choice], created=1, model="m")


def objects_in(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [found for item in schema for found in objects_in(item)]
    if not isinstance(schema, dict):
        return []
    found = [found for item in schema.values() for found in objects_in(item)]
    return [*found, schema] if schema.get("type") == "object" and "properties" in schema else found


@pytest.mark.parametrize("wanted", [Place, Journey])
def test_the_schema_asked_for_is_strict_as_that_sdks(wanted: Any) -> None:
    """Closed, every field required."""
    form = format_of(wanted)
    schema = form["json_schema"]["schema"]

    assert (form["type"], form["json_schema"]["strict"]) == ("json_schema", True)
    assert form["json_schema"]["name"] == wanted.__name__
    assert set(schema["required"]) == set(to_strict_json_schema(wanted)["required"])
    assert objects_in(schema)
    for one in objects_in(schema):
        assert one["additionalProperties"] is False
        assert one["required"] == list(one["properties"])


@pytest.mark.parametrize("wanted", [str, list[Place], 5, "json", print, int | str])
def test_what_is_no_class_with_fields_is_refused(wanted: Any) -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigError, match="response_format is"):
        format_of(wanted)


@pytest.mark.parametrize("wanted", [None, {"type": "json_object"}])
def test_a_dict_is_sent_as_it_is_and_not_read(wanted: Any) -> None:
    """As there."""
    assert format_of(wanted) is wanted
    assert parsed_completion(answer("{}"), wanted, None).choices[0].message.parsed is None


@pytest.mark.parametrize(
    "content",
    [
        '{"name": "Oslo"}',
        ' {"name": "Oslo", "kind": "city", "note": null}\n',
        '```json\n{"name": "Oslo"}\n```',
        '```\n{"name": "Oslo"}\n```\n',
    ],
)
def test_an_answer_is_read_with_or_without_a_fence(content: str) -> None:
    """Free models put one round JSON however they are asked."""
    done = parsed_completion(answer(content), Place, None)

    assert done.choices[0].message.parsed == Place(name="Oslo")
    assert done.choices[0].message.content == content
    assert json.loads(done.model_dump_json())["choices"][0]["message"]["parsed"]["name"] == "Oslo"


@pytest.mark.parametrize("content", ["Oslo is a city.", '{"name": 5}', "```\n```", "[]"])
def test_an_answer_that_is_no_such_object_is_an_error_of_pydantic(content: str) -> None:
    """As there."""
    with pytest.raises(ValidationError):
        parsed_completion(answer(content), Place, None)


@pytest.mark.parametrize(
    ("finish", "name"),
    [("length", "LengthFinishReasonError"), ("content_filter", "ContentFilterFinishReasonError")],
)
def test_half_an_answer_is_not_read(finish: str, name: str) -> None:
    """It is on the error, under both names."""
    half = answer('{"name', finish=finish)
    for wanted in (Place, None):
        with pytest.raises(getattr(sdk, name)) as raised:
            parsed_completion(half, wanted, None)

        assert isinstance(raised.value, getattr(shim, name))
        assert raised.value.completion is half


def test_arguments_of_strict_tools_are_read() -> None:
    """Into the class where the SDK's own function made the tool; others are left as they are."""
    strict = {"type": "function", "function": {"name": "look", "strict": True}}
    loose = {"type": "function", "function": {"name": "fetch"}}
    made = sdk.pydantic_function_tool(Place)
    calls = [
        ("look", '{"a": 1}'),
        ("fetch", '{"a": 1}'),
        ("Place", '{"name": "Oslo"}'),
        ("x", "{}"),
    ]
    done = parsed_completion(answer(None, *calls), None, [strict, loose, made, {"type": "web"}])
    told = done.choices[0].message.tool_calls

    assert told is not None
    assert [call.function.parsed_arguments for call in told] == [
        {"a": 1},
        None,
        Place(name="Oslo"),
        None,
    ]


@pytest.mark.parametrize("wanted", [Place, Point])
def test_a_call_gives_an_object(client: shim.OpenAI, lab: Lab, wanted: Any) -> None:
    """The schema goes along, and what comes back is of the class."""
    done = client.chat.completions.parse(messages=[USER], response_format=wanted, temperature=0)

    assert isinstance(done.choices[0].message.parsed, wanted)
    assert done.freelm["provider"] in {"groq", "mistral"}


def test_a_call_with_tools_may_parse_neither(client: shim.OpenAI) -> None:
    """A tool made by that SDK's own function is sent like any, from any iterable."""
    tools = (tool for tool in [sdk.pydantic_function_tool(Place)])
    done = client.chat.completions.parse(messages=[USER], tools=tools, tool_choice="required")
    (call,) = done.choices[0].message.tool_calls or ()

    assert isinstance(call.function.parsed_arguments, Place)
    assert done.choices[0].message.parsed is None


async def test_the_asyncio_client_does_the_same(lab: Lab) -> None:
    """And refuses the same."""
    async with shim.AsyncOpenAI(share=False) as client:
        done = await client.chat.completions.parse(messages=[USER], response_format=Place)
        for wrong in ({"response_format": str}, {"stream": True}, {"tools": 5}):
            with pytest.raises(ConfigError):
                await client.chat.completions.parse(messages=[USER], **wrong)

    assert isinstance(done.choices[0].message.parsed, Place)
