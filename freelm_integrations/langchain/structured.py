"""Answers that fit a schema, in the three ways LangChain knows: tool call, JSON schema, JSON."""

from __future__ import annotations

import json
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal, TypeGuard

from langchain_core.output_parsers import (
    BaseOutputParser,
    JsonOutputParser,
    PydanticOutputParser,
)
from langchain_core.output_parsers.openai_tools import JsonOutputKeyToolsParser, PydanticToolsParser
from langchain_core.runnables import Runnable, RunnableMap, RunnablePassthrough
from langchain_core.utils.pydantic import is_basemodel_subclass

from freelm_integrations.langchain.errors import InvalidOption
from freelm_integrations.langchain.tools import to_response_format, to_tools
from freelm_integrations.langchain.validated import Validated, unless_refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freelm_integrations.chat import Json
    from freelm_integrations.langchain.chat_model import ChatFreeLLM

SCHEMA = "freelm_schema"
"""The private keyword under which a JSON mode's schema travels to the prompt."""

Method = Literal["function_calling", "json_schema", "json_mode"]


def structured(
    model: ChatFreeLLM,
    schema: Json | type | None,
    *,
    method: Method,
    strict: bool | None,
    options: Json,
) -> tuple[Runnable[Any, Any], BaseOutputParser[Any]]:
    """The model bound to ask for the schema, and the parser of what it answers.

    Raises:
        InvalidOption: an unknown method, or no schema where the method needs one.
    """
    traced = _traced(method, schema, strict=strict)
    if method == "json_mode":
        asked: Json = {"response_format": {"type": "json_object"}}
        if schema is not None:  # no endpoint is told it in this mode, so the model must be
            asked[SCHEMA] = _json_schema(schema)
        return _checked(model.bind(**asked, **traced, **options), schema, _text_parser(schema))
    if schema is None:
        message = f"method {method!r} needs a schema; without one there is 'json_mode'"
        raise InvalidOption(message)
    if method == "json_schema":
        wanted = to_response_format(_unwrapped(schema), strict=strict)
        # As strictly as whoever answers can, unless told otherwise; no field is made mandatory.
        wanted["json_schema"].setdefault("strict", True)
        asked = {"response_format": wanted, **traced}
        return _checked(model.bind(**asked, **options), schema, _text_parser(schema))
    if method == "function_calling":
        # "any" and not the tool's name: every provider that can force a call knows it, and there is
        # but one tool.
        asked = {"tool_choice": "any", "strict": strict, **traced}
        parser, name = _call_parser(schema), _tool_name(schema)
        return _checked(model.bind_tools([schema], **asked, **options), schema, parser, tool=name)
    message = f"unknown method {method!r}: valid are function_calling, json_schema, json_mode"
    raise InvalidOption(message)


def told_schema(messages: list[Json], schema: Json | None) -> list[Json]:
    """The messages, with the schema in the system prompt unless they name its fields, quoted."""
    if schema is None:
        return messages
    said = " ".join(str(message.get("content")) for message in messages)
    names: Iterable[str] = schema.get("properties") or ()
    if names and all(any(f"{mark}{name}{mark}" in said for mark in "'\"`") for name in names):
        return messages
    hint = f"Answer with a JSON object that fits this JSON schema: {json.dumps(schema)}"
    first = messages[0] if messages else {}
    if first.get("role") == "system" and isinstance(first["content"], str):
        return [{**first, "content": f"{first['content']}\n\n{hint}"}, *messages[1:]]
    return [{"role": "system", "content": hint}, *messages]


def with_raw(bound: Runnable[Any, Any], parser: BaseOutputParser[Any]) -> Runnable[Any, Any]:
    """A chain that gives the raw message, the parsed value and the parsing error."""
    parsed = RunnablePassthrough.assign(
        parsed=itemgetter("raw") | unless_refused(parser), parsing_error=lambda _: None
    )
    unparsed = RunnablePassthrough.assign(parsed=lambda _: None)
    return RunnableMap(raw=bound) | parsed.with_fallbacks([unparsed], exception_key="parsing_error")


def _traced(method: Method, schema: Json | type | None, *, strict: bool | None) -> Json:
    """What core shows of it in traces; it takes this out before the call."""
    if schema is None:
        return {}
    kwargs: Json = {"method": method} if strict is None else {"method": method, "strict": strict}
    return {"ls_structured_output_format": {"kwargs": kwargs, "schema": schema}}


def _unwrapped(schema: Json | type) -> Json | type:
    """The JSON schema inside an OpenAI tool, if it is one."""
    if isinstance(schema, dict) and schema.get("type") == "function":
        function = schema["function"]
        return {"title": function["name"], **function.get("parameters", {})}
    return schema


def _is_class(schema: object) -> TypeGuard[type[Any]]:
    """Whether it is a Pydantic class, of either version: what validates by itself."""
    return isinstance(schema, type) and is_basemodel_subclass(schema)


def _json_schema(schema: Json | type) -> Json:
    converted: Json = to_response_format(_unwrapped(schema))["json_schema"]["schema"]
    return converted


def _checked(
    bound: Runnable[Any, Any],
    schema: Json | type | None,
    parser: BaseOutputParser[Any],
    *,
    tool: str | None = None,
) -> tuple[Runnable[Any, Any], BaseOutputParser[Any]]:
    """The bound model, its answers read before they are handed on; and the parser."""
    required: Iterable[str] = ()
    if schema is not None and not _is_class(schema):
        required = _json_schema(schema).get("required") or ()
    return Validated(bound, parser, tool=tool, required=required), parser


def _tool_name(schema: Json | type) -> str:
    return str(to_tools([schema])[0]["function"]["name"])


def _text_parser(schema: Json | type | None) -> BaseOutputParser[Any]:
    if _is_class(schema):
        return PydanticOutputParser[Any](pydantic_object=schema)
    return JsonOutputParser()


def _call_parser(schema: Json | type) -> BaseOutputParser[Any]:
    if _is_class(schema):
        return PydanticToolsParser(tools=[schema], first_tool_only=True)
    return JsonOutputKeyToolsParser(key_name=_tool_name(schema), first_tool_only=True)
