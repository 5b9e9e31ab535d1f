"""Tools and the choice between them, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from freelm_integrations.errors import ConfigError
from freelm_integrations.nearest import unknown
from freelm_integrations.request.schemas import check_parameters
from freelm_integrations.request.values import is_iterable, is_mapping, kind_of, plain

if TYPE_CHECKING:
    from freelm_integrations.chat import Message

CHOICES = ("auto", "none", "required", "any")
_SHAPE = '{"type": "function", "function": {"name": ..., "parameters": {...}}}'
_NAMED = '{"type": "function", "function": {"name": ...}}'


def checked_tools(tools: object) -> tuple[Message, ...]:
    """The tools as a tuple, in JSON's own types.

    A tool of another type than `function` is some provider's own, and none of our business.

    Raises:
        ConfigError: One is no tool, has no name, or the name of another; says which.
    """
    if not is_iterable(tools) or isinstance(tools, (Mapping, str, bytes)):
        raise ConfigError(f"tools is a list of dicts: {_SHAPE}")
    checked = tuple(_tool(tool, f"tools[{number}]") for number, tool in enumerate(tools))
    seen: set[str] = set()
    for number, name in enumerate(map(_name_of, checked)):
        if name in seen:
            raise ConfigError(f"tools[{number}] has the name of another: {name!r}")
        if name is not None:
            seen.add(name)
    return checked


def checked_choice(choice: object, tools: tuple[Message, ...]) -> str | Message | None:
    """The choice, if it is a word that is known or names one of the tools.

    Raises:
        ConfigError: It is and does neither; names the nearest that does.
    """
    if choice is None or (isinstance(choice, str) and choice in CHOICES):
        return choice
    names = [name for tool in tools if (name := _name_of(tool)) is not None]
    if isinstance(choice, str):
        if choice in names:
            raise ConfigError(f"tool_choice forces a tool by a dict that names it: {_NAMED}")
        raise ConfigError(unknown("tool_choice", choice, CHOICES))
    if not is_mapping(choice):
        raise ConfigError(f"tool_choice is a word or a dict, not {kind_of(choice)}")
    checked: Message = plain(choice, "tool_choice")
    if "function" in checked or checked.get("type") == "function":
        name = _name_of(checked)
        if name is None:
            raise ConfigError(f"tool_choice names no tool: {_NAMED}")
        if name not in names:
            raise ConfigError(unknown("tool in tool_choice", name, names))
    return checked


def _tool(tool: object, where: str) -> Message:
    if not is_mapping(tool):
        raise ConfigError(f"{where} is {kind_of(tool)}: tools is a list of dicts: {_SHAPE}")
    checked: Message = plain(tool, where)
    function: Any = checked.get("function")
    kind: object = checked.get("type")
    if function is None and isinstance(kind, str) and kind != "function":
        return checked
    if not is_mapping(function):
        raise ConfigError(f"{where} has {_lacking(checked)}: a tool is {_SHAPE}")
    name: object = function.get("name")
    if not isinstance(name, str) or not name.strip():
        raise ConfigError(f"{where}.function.name is {_empty(name)}: a tool needs a name")
    parameters: object = function.get("parameters")
    if parameters is not None and not is_mapping(parameters):
        raise ConfigError(
            f"{where}.function.parameters is {kind_of(parameters)}, not a JSON schema (a dict)"
        )
    if parameters is not None:
        check_parameters(parameters, f"{where}.function.parameters")
    return checked


def _lacking(tool: Message) -> str:
    if "function" in tool:
        return f"{kind_of(tool['function'])} for a function"
    return "no function" if "type" in tool else "neither type nor function"


def _empty(name: object) -> str:
    if name is None:
        return "missing"
    return "empty" if isinstance(name, str) else kind_of(name)


def _name_of(tool: Message) -> str | None:
    function: object = tool.get("function")
    name: object = function.get("name") if is_mapping(function) else None
    return name if isinstance(name, str) else None
