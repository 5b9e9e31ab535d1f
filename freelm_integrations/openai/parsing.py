"""Answers as objects of the caller's own classes: the schema that asks for one, and its reading."""

from __future__ import annotations

import inspect
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pydantic import BaseModel, TypeAdapter

from freelm_integrations.errors import ConfigError, FreeLLMError
from freelm_integrations.openai.errors import (
    ContentFilterFinishReasonError,
    LengthFinishReasonError,
    OpenAIError,
    of_both,
)
from freelm_integrations.openai.objects import (
    ChatCompletion,
    ChatCompletionMessageToolCall,
    Choice,
    ParsedChatCompletion,
    ParsedChatCompletionMessage,
    ParsedChoice,
    ParsedFunction,
    ParsedFunctionToolCall,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_Model = TypeVar("_Model", bound=BaseModel)
_NAMED = ("properties", "$defs", "definitions")
_ENDINGS: dict[str, tuple[type[OpenAIError], str]] = {
    "length": (LengthFinishReasonError, "the answer was cut off: allow it more tokens"),
    "content_filter": (ContentFilterFinishReasonError, "the answer was withheld by a filter"),
}
_FENCE = "```"


def format_of(wanted: Any) -> Any:
    """The `response_format` that asks for such an object; a dict is one already.

    Raises:
        ConfigError: It is no class that pydantic can make a schema of.
    """
    if not _is_class(wanted):
        return wanted
    name = getattr(wanted, "__name__", "answer")
    schema = {"name": name, "schema": _schema_of(wanted), "strict": True}
    return {"type": "json_schema", "json_schema": schema}


def pydantic_function_tool(
    model: type[BaseModel], *, name: str | None = None, description: str | None = None
) -> dict[str, Any]:
    """A tool whose arguments are such an object; `parse` gives it as `parsed_arguments`.

    Without a name it has the class's, without a description the class's docstring.
    """
    function = _Function(name=name or model.__name__, strict=True, parameters=_schema_of(model))
    function.model = model
    if told := description or model.__doc__:
        function["description"] = inspect.cleandoc(told)
    return {"type": "function", "function": function}


class _Function(dict[str, Any]):
    """A function of a tool that remembers the class of its arguments, as that SDK's does."""

    model: type[BaseModel]


def parsed_completion(
    completion: ChatCompletion, wanted: Any, tools: Iterable[Any] | None
) -> ParsedChatCompletion:
    """The answer with `message.parsed`, and `parsed_arguments` of strict tools.

    Raises:
        LengthFinishReasonError: It is cut off (ContentFilterFinishReasonError: withheld).
        pydantic.ValidationError: It is no such object.
    """
    functions = {
        tool["function"]["name"]: tool["function"] for tool in tools or () if _is_tool(tool)
    }
    choices = [_choice(choice, completion, wanted, functions) for choice in completion.choices]
    return _grown(ParsedChatCompletion, completion, choices=choices)


def _choice(
    choice: Choice, completion: ChatCompletion, wanted: Any, functions: dict[str, Any]
) -> ParsedChoice:
    if (ending := _ENDINGS.get(choice.finish_reason)) is not None:
        error = of_both(FreeLLMError, ending[0])(ending[1])
        vars(error)["completion"] = completion
        raise error
    message = choice.message
    parsed = None
    if _is_class(wanted) and message.content:
        parsed = _adapter(wanted).validate_json(_unfenced(message.content))
    calls = [_call(call, functions) for call in message.tool_calls or ()]
    said = _grown(ParsedChatCompletionMessage, message, parsed=parsed, tool_calls=calls or None)
    return _grown(ParsedChoice, choice, message=said)


def _call(call: ChatCompletionMessageToolCall, functions: dict[str, Any]) -> ParsedFunctionToolCall:
    declared: Any = functions.get(call.function.name or "", {})
    model: Any = getattr(declared, "model", None)  # that SDK's pydantic_function_tool keeps it
    arguments: Any = None
    if isinstance(model, type) and issubclass(model, BaseModel):
        arguments = model.model_validate_json(call.function.arguments)
    elif declared.get("strict"):
        arguments = json.loads(call.function.arguments)
    function = _grown(ParsedFunction, call.function, parsed_arguments=arguments)
    return _grown(ParsedFunctionToolCall, call, function=function)


def _grown(into: type[_Model], source: BaseModel, **more: Any) -> _Model:
    """The same object with more to it; all of it is valid already."""
    return into.model_construct(None, **{**dict(source), **more})


def _is_class(wanted: object) -> bool:
    return wanted is not None and not isinstance(wanted, dict)


def _is_tool(tool: Any) -> bool:
    return isinstance(tool, dict) and isinstance(cast("dict[str, Any]", tool).get("function"), dict)


@lru_cache(maxsize=128)
def _adapter(wanted: Any) -> TypeAdapter[Any]:
    return TypeAdapter(wanted)


def _schema_of(wanted: Any) -> Any:
    try:
        schema = _adapter(wanted).json_schema()
    except Exception as error:  # pydantic has a dozen for what it cannot describe
        raise ConfigError(
            f"response_format is {type(wanted).__name__}: a dict, or a class pydantic can describe"
        ) from error
    if schema.get("type") != "object" and "$ref" not in schema:
        raise ConfigError("response_format is no class with fields: wrap it in a BaseModel")
    return _strict(schema)


def _strict(schema: object) -> Any:
    """Closed, with every field required, as strict answers have it (OpenAI's guide, 2026)."""
    if isinstance(schema, list):
        return [_strict(item) for item in cast("list[object]", schema)]
    if not isinstance(schema, dict):
        return schema
    fields = cast("dict[str, Any]", schema)
    strict = {
        key: {name: _strict(item) for name, item in value.items()}
        if key in _NAMED
        else _strict(value)
        for key, value in fields.items()
        if key != "default" or value is not None
    }
    if fields.get("type") == "object" and "properties" in fields:
        strict.setdefault("additionalProperties", False)
        strict["required"] = list(fields["properties"])
    return strict


def _unfenced(text: str) -> str:
    """Without the fence that many a model puts round JSON, schema or not."""
    said = text.strip()
    if not (said.startswith(_FENCE) and said.endswith(_FENCE)):
        return text
    return said.removesuffix(_FENCE).partition("\n")[2]
