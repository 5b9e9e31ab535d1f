"""When a played model calls a tool, which one, and with what."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from freelm_integrations.lab.mind.tools import plan_calls

if TYPE_CHECKING:
    from freelm_integrations.lab import Lab
    from tests.lab.asking import Asker


def tool(name: str, description: str = "", **properties: str) -> dict[str, Any]:
    """A tool whose parameters are all needed; values name their types."""
    schema = {
        "type": "object",
        "properties": {key: {"type": kind} for key, kind in properties.items()},
        "required": list(properties),
    }
    function = {"name": name, "description": description, "parameters": schema}
    return {"type": "function", "function": function}


ADD = tool("add", "Add two numbers", a="integer", b="integer")
MULTIPLY = tool("multiply", "Multiply two numbers", a="integer", b="integer")
WEATHER = tool("get_weather", "Get the weather in a city", city="string")
MAGIC = tool("magic_function", "Applies a magic function to an input.", input="integer")
NOTHING = tool("magic_function_no_args", "Calculates a magic function.")
HANDOFF = tool("handoff", "Useful for handing off to another agent.", to_agent="string")
ALL = [ADD, MULTIPLY, WEATHER, MAGIC, NOTHING, HANDOFF]

ASKED = [
    # question, tools, choice, calls
    ("magic_function(3)? Use the tool.", [MAGIC], "required", [("magic_function", {"input": 3})]),
    ("What is magic_function_no_args()?", [NOTHING], "any", [("magic_function_no_args", {})]),
    (
        "Hello!",
        [MAGIC, WEATHER],
        {"type": "function", "function": {"name": "magic_function"}},
        None,
    ),
    ("What is 3 + 4", [ADD], "required", [("add", {"a": 3, "b": 4})]),
    ("What is 3 * 4?", ALL, "auto", [("multiply", {"a": 3, "b": 4})]),
    ("What is 5 * (1 + 2)?", ALL, "auto", [("add", {"a": 1, "b": 2})]),
    ("Weather in Rome?", ALL, "auto", [("get_weather", {"city": "Rome"})]),
    (
        "Weather in Rome and Paris?",
        ALL,
        "auto",
        [("get_weather", {"city": "Rome"}), ("get_weather", {"city": "Paris"})],
    ),
    ("Tell me a story about trees", ALL, "auto", []),
    ("Weather in Rome?", ALL, "none", []),
    ("Weather in Rome?", [], "auto", []),
]


@pytest.mark.parametrize(("question", "tools", "choice", "calls"), ASKED)
def test_a_question_leads_to_the_calls_it_asks_for(
    question: str, tools: list, choice: Any, calls: list | None
):
    """None: some call of the tool that was demanded."""
    body = {
        "messages": [{"role": "user", "content": question}],
        "tools": tools,
        "tool_choice": choice,
    }
    planned = [(call.name, json.loads(call.arguments)) for call in plan_calls(body)]

    if calls is None:
        assert [name for name, _ in planned] == [choice["function"]["name"]]
    else:
        assert planned == calls


def test_parallel_calls_can_be_switched_off():
    """Then the first comes alone."""
    body = {
        "messages": [{"role": "user", "content": "Weather in Rome and Paris?"}],
        "tools": [WEATHER],
        "parallel_tool_calls": False,
    }

    assert len(plan_calls(body)) == 1


def play(lab: Lab, ask: Asker, question: str) -> tuple[list[tuple[str, dict]], str]:
    """Run the loop an agent runs, with real arithmetic behind the tools."""
    does = {"add": lambda a, b: a + b, "multiply": lambda a, b: a * b}
    messages: list[dict[str, Any]] = [{"role": "user", "content": question}]
    made: list[tuple[str, dict]] = []
    for _ in range(5):
        reply = ask.post(lab["groq"], messages=messages, tools=[ADD, MULTIPLY]).json()
        message = reply["choices"][0]["message"]
        if not message.get("tool_calls"):
            return made, message["content"]
        messages.append({"role": "assistant", "tool_calls": message["tool_calls"]})
        for call in message["tool_calls"]:
            name, given = call["function"]["name"], json.loads(call["function"]["arguments"])
            made.append((name, given))
            told = str(does[name](**given))
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": told})
    raise AssertionError("the agent never came to an end")


@pytest.mark.parametrize(
    ("question", "made", "answer"),
    [
        ("What is 3 * 4?", [("multiply", {"a": 3, "b": 4})], "12"),
        (
            "What is (121 + 2) * 5?",
            [("add", {"a": 121, "b": 2}), ("multiply", {"a": 123, "b": 5})],
            "615",
        ),
        ("Say hello", [], "hello"),
    ],
)
def test_an_agent_comes_to_an_end(lab: Lab, ask: Asker, question: str, made: list, answer: str):
    """One tool after another where one needs the other's result, and a text that quotes the last."""
    assert play(lab, ask, question)[0] == made
    assert answer in play(lab, ask, question)[1]


def test_arguments_are_never_cut_short(lab: Lab, ask: Asker):
    """A call is whole or not made at all."""
    reply = ask.post(
        lab["mistral"],
        messages=[{"role": "user", "content": "Weather in Rome?"}],
        tools=[WEATHER],
        max_tokens=3,
    ).json()
    calls = reply["choices"][0]["message"]["tool_calls"]

    assert json.loads(calls[0]["function"]["arguments"]) == {"city": "Rome"}


@pytest.mark.parametrize("name", ["groq", "google", "nim", "openrouter", "cerebras", "mistral"])
def test_a_schema_in_the_response_format_is_kept(lab: Lab, ask: Asker, name: str):
    """By every provider's chat models that can."""
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city", "days"],
        "additionalProperties": False,
    }
    model = "gemini-3.5-flash" if name == "google" else lab[name].models[0]
    text = ask.post(
        lab[name],
        model=model,
        messages=[{"role": "user", "content": "Plan 4 days in Rome"}],
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "plan", "strict": True, "schema": schema},
        },
    ).json()["choices"][0]["message"]["content"]

    assert json.loads(text) == {"city": "Rome", "days": 4}


def test_json_mode_gives_the_keys_the_prompt_names(lab: Lab, ask: Asker):
    """Without a schema."""
    text = ask.post(
        lab["groq"],
        messages=[{"role": "user", "content": "A joke as JSON with 'setup' and 'punchline' keys."}],
        response_format={"type": "json_object"},
    ).json()["choices"][0]["message"]["content"]

    assert set(json.loads(text)) == {"setup", "punchline"}


def test_who_must_call_calls_what_it_has_not_called_yet():
    """An agent would ask for the same weather for ever."""
    messages = [
        {"role": "user", "content": "What is the weather in Oslo?"},
        {"role": "assistant", "tool_calls": [{"function": {"name": "get_weather"}}]},
        {"role": "tool", "content": "Rain."},
    ]

    body = {"messages": messages, "tools": [WEATHER, ADD], "tool_choice": "required"}

    assert [call.name for call in plan_calls(body)] == ["add"]
