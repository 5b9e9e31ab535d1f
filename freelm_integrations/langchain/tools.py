"""Tools and tool choices as users of LangChain write them -> as the core client takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool

from freelm_integrations.langchain.errors import InvalidOption
from freelm_integrations.langchain.recursion import recursive_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freelm_integrations.chat import Json

AS_IS = ("auto", "none", "required")


def to_tools(tools: Sequence[Any], *, strict: bool | None = None) -> list[Json]:
    """OpenAI-shaped definitions of functions, classes, schemas, tools; `strict` only if given."""
    return [_to_tool(tool, strict=strict) for tool in tools]


def _to_tool(tool: Any, *, strict: bool | None) -> Json:
    shaped = convert_to_openai_tool(tool, strict=strict)
    if (whole := recursive_schema(tool)) is not None:
        function = {**shaped["function"], "parameters": {**whole, **_closed(strict)}}
        return {**shaped, "function": function}
    return shaped


def _closed(strict: bool | None) -> Json:  # noqa: FBT001 - private
    return {"additionalProperties": False} if strict else {}


def to_choice(choice: object, tools: Sequence[Json]) -> str | Json | None:
    """The OpenAI-shaped choice among `tools`; None (the default) for None and False.

    Raises:
        InvalidOption: the choice names no tool that is there.
    """
    if choice is None or choice is False or choice == "":
        return None
    if choice is True or choice == "any":
        return "required"
    if isinstance(choice, str):
        return choice if choice in AS_IS else _named(choice, tools)
    if isinstance(choice, dict):
        return _from_dict(cast("Json", choice), tools)
    message = f"tool_choice is a name, a bool or a dict, not {type(choice).__name__}"
    raise InvalidOption(message)


def _from_dict(choice: Json, tools: Sequence[Json]) -> str | Json:
    """OpenAI's own form, or Anthropic's."""
    if choice.get("type") == "function":
        return _named(choice.get("function", choice).get("name", ""), tools)
    if choice.get("type") == "tool":
        return _named(choice.get("name", ""), tools)
    if choice.get("type") in {"any", "auto", "none"}:
        return "required" if choice["type"] == "any" else str(choice["type"])
    return choice


def _named(name: str, tools: Sequence[Json]) -> Json:
    names = [str(tool.get("function", tool).get("name")) for tool in tools]
    if name not in names:
        message = f"tool_choice {name!r} is none of the tools: {', '.join(names)}"
        raise InvalidOption(message)
    return {"type": "function", "function": {"name": name}}


def to_response_format(schema: object, *, strict: bool | None = None) -> Json:
    """The response format that asks for a schema; one that is a response format already stays."""
    if isinstance(schema, dict) and cast("Json", schema).get("type") in {
        "json_schema",
        "json_object",
        "text",
    }:
        return cast("Json", schema)
    converted = convert_to_json_schema(cast("Any", schema), strict=strict)
    if (whole := recursive_schema(schema)) is not None:
        converted = {**converted, **whole, **_closed(strict)}
    asked: Json = {"name": converted.get("title") or "answer", "schema": converted}
    if "description" in converted:
        asked["description"] = converted["description"]
    if strict is not None:
        asked["strict"] = strict
    return {"type": "json_schema", "json_schema": asked}
