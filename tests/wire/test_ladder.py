"""JSON and tool calls are asked for in the best way a model has not refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.chat import Request, fold
from freelm_integrations.wire.faults import Fault
from freelm_integrations.wire.openai import ChatCompletions
from freelm_integrations.wire.requests.ladder import (
    ANSWER,
    FORCED,
    JSON,
    SCHEMA,
    STRICT,
    refused_rung,
)
from tests.wire.dialects import DECLARED, PLAIN

USER = {"role": "user", "content": "hi"}
CITY = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
FORMAT = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY, "strict": True}}
OBJECT = {"type": "json_object"}
TOOL = {"type": "function", "function": {"name": "add", "parameters": CITY}}
NAMED = {"type": "function", "function": {"name": "add"}}
RUNGS = (STRICT, SCHEMA, JSON, FORCED)
APART = ChatCompletions(format_with_tools=False)


def sent(*refused, dialect=PLAIN, tags=("tools",), **request):
    asked = Request(messages=(USER,), **request)
    return json.loads(dialect.encode(asked, "m", tags=tags, dropped=frozenset(refused)))


def words(body):
    return " ".join(m["content"] for m in body["messages"] if m["role"] == "system")


def test_a_model_that_has_refused_nothing_is_asked_as_the_caller_asked():
    """No word is added."""
    body = sent(response_format=FORMAT)

    assert body["response_format"] == FORMAT
    assert body["messages"] == [USER]


def test_below_a_strict_schema_is_the_schema():
    """Everything but the strictness stays."""
    described = sent(STRICT, response_format=FORMAT)["response_format"]["json_schema"]

    assert described == {"name": "city", "schema": CITY}


def test_below_the_schema_is_json_with_the_schema_in_words():
    """The provider still enforces JSON."""
    body = sent(SCHEMA, response_format=FORMAT)

    assert body["response_format"] == OBJECT
    assert json.dumps(CITY) in words(body)


def test_below_json_is_a_tool_that_takes_the_answer():
    """Its arguments are the schema, and it must be called."""
    body = sent(SCHEMA, JSON, response_format=FORMAT)

    assert "response_format" not in body
    assert body["tool_choice"] == "required"
    assert body["tools"][0]["function"]["name"] == ANSWER
    assert body["tools"][0]["function"]["parameters"] == CITY


LIST = {"type": "json_schema", "json_schema": {"name": "l", "schema": {"type": "array"}}}


@pytest.mark.parametrize(
    ("refused", "tags", "asked"),
    [
        ((SCHEMA, JSON, FORCED), ("tools",), FORMAT),
        ((SCHEMA, JSON), ("fast",), FORMAT),  # it calls no tools
        ((SCHEMA, JSON), ("tools",), LIST),  # arguments are an object
        ((JSON,), ("tools",), OBJECT),  # without a schema a tool helps nobody
    ],
)
def test_at_the_bottom_there_are_words_alone(refused, tags, asked):
    """Whatever a model takes, it takes words."""
    body = sent(*refused, tags=tags, response_format=asked)

    assert body.keys() == {"model", "messages"}
    assert "JSON" in words(body)


def test_tools_and_a_schema_that_do_not_go_together_leave_the_schema_in_words():
    """The tools are what the caller has to call; the answer after them must be JSON even so."""
    body = sent(dialect=APART, response_format=FORMAT, tools=(TOOL,))

    assert "response_format" not in body
    assert [tool["function"]["name"] for tool in body["tools"]] == ["add"]
    assert json.dumps(CITY) in words(body)


@pytest.mark.parametrize(("choice", "told"), [("required", "tool"), (NAMED, "add")])
def test_who_cannot_be_made_to_call_a_tool_is_told_to(choice, told):
    """The choice is left to it."""
    body = sent(FORCED, tools=(TOOL,), tool_choice=choice)

    assert "tool_choice" not in body
    assert told in words(body)


@pytest.mark.parametrize("choice", [None, "auto", "none"])
def test_a_free_choice_stays_free(choice):
    """Nothing is told to who was not to be made to do anything."""
    assert words(sent(FORCED, tools=(TOOL,), tool_choice=choice)) == ""


SAID = [
    ("unsupported", "This model does not support response format `json_schema`", (), SCHEMA),
    ("unsupported", "json_schema is not supported", (STRICT,), SCHEMA),
    ("unsupported", "response_format is not supported", (SCHEMA,), JSON),
    ("unsupported", "strict mode is not supported by this model", (), STRICT),
    ("malformed", "additionalProperties must be false with strict", (), STRICT),
    ("malformed", "additionalProperties must be false with strict", (STRICT,), None),
    ("malformed", "response_format: invalid", (), None),  # perhaps the caller's fault
    ("unsupported", "this model does not see images", (), None),
    ("throttled", "too many json_schema requests", (), None),
    ("unsupported", "tools are not supported", (SCHEMA, JSON), FORCED),
    ("unsupported", "tools are not supported", (SCHEMA, JSON, FORCED), None),
]


@pytest.mark.parametrize(("kind", "message", "refused", "learned"), SAID)
def test_a_refusal_of_the_form_says_which_rung_it_refuses(kind, message, refused, learned):
    """Only what is said of the form, by who could not cope with it."""
    request = Request(messages=(USER,), response_format=FORMAT)

    assert refused_rung(request, frozenset(refused), Fault(kind=kind, message=message)) == learned


@pytest.mark.parametrize("message", ["tool_choice 'required' is not supported", "no forced tool"])
def test_a_refused_choice_of_tools_is_a_rung_of_its_own(message):
    """Also where no JSON is asked for."""
    request = Request(messages=(USER,), tools=(TOOL,), tool_choice="required")
    fault = Fault(kind="unsupported", message=message)

    assert refused_rung(request, frozenset(), fault) == FORCED
    assert refused_rung(request, frozenset({FORCED}), fault) is None


@given(st.lists(st.sampled_from(RUNGS), unique=True), st.sampled_from([FORMAT, OBJECT, None]))
def test_stepping_down_ends(refused, asked):
    """Whoever refuses everything is asked a bounded number of ways, the last in words alone."""
    request = Request(messages=(USER,), response_format=asked)
    fault = Fault(kind="unsupported", message="strict json_schema response_format tool_choice tool")
    known = frozenset(refused)
    for _ in range(len(RUNGS) + 1):
        rung = refused_rung(request, known, fault)
        if rung is None:
            break
        assert rung not in known
        known |= {rung}

    assert rung is None
    assert sent(*known, response_format=asked).keys() == {"model", "messages"}


def called(name, *pieces, streaming):
    """An answer that is a tool call."""
    parts = [
        {"index": 0, "function": {"arguments": piece}, **({"id": "c1"} if not n else {})}
        for n, piece in enumerate(pieces)
    ]
    parts[0]["function"]["name"] = name
    if not streaming:
        function = {"name": name, "arguments": "".join(pieces)}
        message = {"content": "Sure!", "tool_calls": [{"id": "c1", "function": function}]}
        choice = {"message": message, "finish_reason": "tool_calls"}
        return [json.dumps({"choices": [choice]}).encode()]
    chunks = [{"choices": [{"delta": {"tool_calls": [part]}}]} for part in parts]
    chunks.append({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]})
    return [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks]


@pytest.mark.parametrize("streaming", [False, True])
def test_arguments_of_the_answering_tool_are_the_answers_text(streaming):
    """Piece by piece as they come; the caller never sees that there was a tool."""
    request = Request(messages=(USER,), response_format=FORMAT, streaming=streaming)
    decoder = PLAIN.decoder(request, "m")
    deltas = [
        delta
        for chunk in called(ANSWER, '{"name": ', '"Oslo"}', streaming=streaming)
        for delta in decoder.feed(chunk)
    ]
    answer = fold([*deltas, *decoder.end()])

    assert answer.text == '{"name": "Oslo"}'
    assert answer.tool_calls == ()
    assert answer.finish_reason == "stop"


def test_any_other_tool_stays_a_tool():
    """What was not asked for is not retold."""
    request = Request(messages=(USER,), response_format=FORMAT)
    decoder = PLAIN.decoder(request, "m")
    deltas = [d for chunk in called("other", "{}", streaming=False) for d in decoder.feed(chunk)]

    assert fold([*deltas, *decoder.end()]).tool_calls[0].name == "other"


@pytest.mark.parametrize(("choice", "word"), [("required", "calling a tool"), (NAMED, "add")])
def test_a_forced_call_is_asked_for_in_words_as_well_where_it_may_be_ignored(choice, word):
    """Ollama does so in silence; llama.cpp heeds it, so that it is sent all the same."""
    body = sent(dialect=DECLARED["local"], tools=(TOOL,), tool_choice=choice)

    assert body["tool_choice"] == "required"
    assert word in words(body)
    assert words(sent(dialect=DECLARED["local"], tools=(TOOL,), tool_choice="auto")) == ""
    assert words(sent(tools=(TOOL,), tool_choice=choice)) == ""


@pytest.mark.parametrize("form", [FORMAT, OBJECT])
def test_json_about_images_is_asked_for_in_words_where_it_fails(form):
    """Groq's Qwen breaks JSON when it looks at a picture."""
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    asked = Request(messages=({"role": "user", "content": [picture]},), response_format=form)
    body = json.loads(DECLARED["groq"].encode(asked, "qwen/qwen3.8-27b", tags=("vision",)))

    assert "response_format" not in body
    assert "JSON" in words(body)
    assert "response_format" in sent(dialect=DECLARED["groq"], response_format=form)
