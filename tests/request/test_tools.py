"""Tools and the choice between them: what no provider could read is refused before it is sent."""

from __future__ import annotations

from datetime import datetime, timezone
from types import MappingProxyType
from typing import Any

import pytest

from freelm_integrations import ConfigError
from tests.request.made import TOOL, made

OTHER = {"type": "function", "function": {"name": "fetch"}}
SEARCH = {"type": "web_search", "web_search": {"depth": 2}}


def named(name: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


def test_tools_and_their_choice_go_together() -> None:
    """A choice between no tools is left out: every provider would refuse it."""
    request = made(tools=[TOOL], tool_choice="required")
    bare = made(tools=[], tool_choice="required")

    assert (request.tools, request.tool_choice) == ((TOOL,), "required")
    assert (bare.tools, bare.tool_choice) == ((), None)


@pytest.mark.parametrize(
    "tools",
    [
        [TOOL],
        [TOOL, OTHER],
        [SEARCH],
        [SEARCH, SEARCH],
        [{"function": {"name": "look"}}],
        [{"type": "function", "function": {"name": "look", "parameters": None}}],
        [{"type": "function", "function": {"name": "look", "parameters": {}, "strict": True}}],
    ],
)
def test_what_a_provider_may_know_is_kept(tools: Any) -> None:
    """A type of tool that we do not know may be one of theirs."""
    assert made(tools=tools).tools == tuple(tools)
    assert all(kept is given for kept, given in zip(made(tools=tools).tools, tools, strict=True))


def test_tools_may_come_frozen_or_one_by_one() -> None:
    """They are plain when they are sent."""
    tools = (MappingProxyType(tool) for tool in (TOOL, OTHER))

    assert made(tools=tools).tools == (TOOL, OTHER)


@pytest.mark.parametrize("tools", [TOOL, [print], "look", [None], 5, [TOOL, "look"], b"look"])
def test_tools_that_are_no_dicts_are_an_error(tools: Any) -> None:
    """What a framework turns into dicts, its front end takes."""
    with pytest.raises(ConfigError, match="tools is a list of dicts"):
        made(tools=tools)


@pytest.mark.parametrize(
    ("tools", "words"),
    [
        ([{}], "tools[0] has neither type nor function"),
        ([{"name": "look", "input_schema": {}}], "tools[0] has neither type nor function"),
        ([TOOL, {"function_declarations": []}], "tools[1] has neither type nor function"),
        ([{"type": "function", "name": "look"}], "tools[0] has no function"),
        ([{"type": "function", "function": "look"}], "tools[0] has a str for a function"),
        ([{"type": "function", "function": None}], "for a function"),
        ([{"type": []}], "tools[0] has no function"),
        ([named("")], "tools[0].function.name is empty"),
        ([named(" ")], "tools[0].function.name is empty"),
        ([named(None)], "tools[0].function.name is missing"),
        ([{"type": "function", "function": {}}], "tools[0].function.name is missing"),
        ([named(5)], "tools[0].function.name is an int"),
        ([TOOL, OTHER, TOOL], "tools[2] has the name of another: 'look'"),
        (
            [{"function": {"name": "look", "parameters": []}}],
            "tools[0].function.parameters is a list, not a JSON schema",
        ),
        (
            [{"function": {"name": "look", "parameters": {"default": {"at": datetime.now}}}}],
            "tools[0].function.parameters.default.at is a builtin",
        ),
        (
            [{**SEARCH, "since": datetime(2026, 1, 1, tzinfo=timezone.utc)}],
            "tools[0].since is a datetime",
        ),
    ],
)
def test_what_is_no_tool_is_named_with_its_place(tools: Any, words: str) -> None:
    """Before a call is spent on it."""
    with pytest.raises(ConfigError) as raised:
        made(tools=tools)

    assert words in str(raised.value)


@pytest.mark.parametrize(
    "choice",
    ["auto", "none", "required", "any", None, named("look"), {"type": "allowed_tools", "x": []}],
)
def test_a_choice_is_a_word_or_names_a_tool(choice: Any) -> None:
    """Or is of a type that a provider may know."""
    assert made(tools=[TOOL, OTHER], tool_choice=choice).tool_choice == choice


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ("requierd", "did you mean 'required'"),
        ("look", "by a dict that names it"),
        ("", "valid: auto, none, required, any"),
        (5, "a word or a dict, not an int"),
        (True, "a word or a dict, not a bool"),
        (["look"], "a word or a dict, not a list"),
        (named("lok"), "unknown tool in tool_choice 'lok': did you mean 'look'?"),
        (named("other"), "valid: look, fetch"),
        (named(None), "tool_choice names no tool"),
        ({"type": "function", "name": "look"}, "tool_choice names no tool"),
        ({"type": "x", "y": object()}, "tool_choice.y is an object"),
    ],
)
def test_a_choice_of_what_is_not_there_is_named_with_the_nearest(choice: Any, words: str) -> None:
    """A provider would say so one by one."""
    with pytest.raises(ConfigError) as raised:
        made(tools=[TOOL, OTHER], tool_choice=choice)

    assert words in str(raised.value)
