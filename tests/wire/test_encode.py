"""Requests go out in each provider's accent, and the caller's objects stay as they were."""

from __future__ import annotations

import copy
import json
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.chat import Request
from freelm_integrations.wire.openai import ChatCompletions
from freelm_integrations.wire.requests.messages import alnum9
from tests.wire import dialects
from tests.wire.dialects import DECLARED, PLAIN

USER = {"role": "user", "content": "hi"}
TOOL = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Add.",
        "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}},
    },
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}


def call(tool_id="call_abc", name="add", arguments='{"a": 1}', **extra):
    function = {"name": name, "arguments": arguments}
    return {"id": tool_id, "type": "function", "function": function, **extra}


def sent(dialect, *messages, model="m", tags=(), dropped=frozenset(), **request):
    asked = Request(messages=messages or (USER,), **request)
    return json.loads(dialect.encode(asked, model, tags=tags, dropped=dropped))


def wire(dialect, *messages, **rest):
    return sent(dialect, *messages, **rest)["messages"]


def test_a_plain_request_is_sent_as_it_is():
    """Model, messages and parameters; nothing is added, None is not sent."""
    body = sent(PLAIN, USER, params={"temperature": 0.5, "top_p": None, "seed": 7})

    assert body == {"model": "m", "messages": [USER], "temperature": 0.5, "seed": 7}


@pytest.mark.parametrize(
    ("dialect", "params", "expected"),
    [
        (dialects.MISTRAL, {"seed": 1}, {"random_seed": 1}),
        (dialects.MISTRAL, {"max_completion_tokens": 9}, {"max_tokens": 9}),
        (dialects.MISTRAL, {"max_completion_tokens": 9, "max_tokens": 5}, {"max_tokens": 9}),
        (dialects.MISTRAL, {"temperature": 2.0}, {"temperature": 1.5}),
        (dialects.MISTRAL, {"temperature": 0}, {"temperature": 0}),
        (dialects.MISTRAL, {"top_p": 0}, {"top_p": 0.001}),
        (dialects.MISTRAL, {"user": "u", "logit_bias": {}, "store": True}, {}),
        (dialects.GROQ, {"max_tokens": 9}, {"max_completion_tokens": 9}),
        (
            dialects.GROQ,
            {"max_tokens": 9, "max_completion_tokens": 8},
            {"max_completion_tokens": 8},
        ),
        (dialects.GROQ, {"logprobs": True, "top_k": 3, "user": "u"}, {"user": "u"}),
        (dialects.GOOGLE, {"seed": 1, "presence_penalty": 0, "max_tokens": 9}, {"max_tokens": 9}),
        (dialects.CEREBRAS, {}, {"max_completion_tokens": 4096}),
        (dialects.CEREBRAS, {"max_tokens": 9}, {"max_completion_tokens": 9}),
        (dialects.NIM, {"metadata": {}, "user": "u"}, {"max_tokens": 4096}),
        (
            DECLARED["nim"],
            {"temperature": 0, "top_p": 0.5},
            {"temperature": 0, "max_tokens": 4096},
        ),
        (dialects.NIM, {"seed": 3, "max_completion_tokens": 7}, {"seed": 3, "max_tokens": 7}),
        (dialects.LOCAL, {"max_completion_tokens": 7}, {"max_tokens": 7}),
        (dialects.OPENROUTER, {"top_k": 3}, {"top_k": 3}),
        (PLAIN, {"n": 3, "stream": True, "stream_options": {}, "model": "x"}, {}),
        (PLAIN, {"parallel_tool_calls": False}, {}),
        (PLAIN, {"stop": ["a"]}, {"stop": ["a"]}),
    ],
)
def test_parameters_go_by_the_names_and_rules_of_the_provider(dialect, params, expected):
    """Renamed, moved into range, dropped, or defaulted."""
    body = sent(dialect, params=params)

    assert {name: body[name] for name in body if name not in {"model", "messages"}} == expected


@pytest.mark.parametrize(
    ("dialect", "model", "tags", "effort", "expected"),
    [
        (PLAIN, "m", (), "low", "low"),
        (PLAIN, "m", ("fast",), "low", None),
        (PLAIN, "m", ("reasoning",), "low", "low"),
        (dialects.GROQ, "openai/gpt-oss-20b", ("reasoning",), "none", "low"),
        (dialects.GROQ, "qwen/qwen3.6-27b", ("reasoning",), "high", "default"),
        (dialects.GROQ, "qwen/qwen3.6-27b", ("reasoning",), "none", "none"),
        (dialects.MISTRAL, "mistral-small-latest", ("reasoning",), "low", "none"),
        (dialects.MISTRAL, "mistral-small-latest", ("reasoning",), "medium", "high"),
        (dialects.GOOGLE, "gemini-3.8-flash", ("reasoning",), "none", "low"),
        (dialects.GOOGLE, "gemini-3.5-flash", ("reasoning",), "none", "minimal"),
        (dialects.GOOGLE, "gemini-2.5-flash", ("reasoning",), "none", "none"),
        (dialects.NIM, "nvidia/nemotron-3-super-120b", ("reasoning",), "medium", "high"),
        (DECLARED["nim"], "deepseek-ai/deepseek-v4-pro", ("reasoning",), "high", "high"),
        (DECLARED["nim"], "deepseek-ai/deepseek-v4-pro", ("reasoning",), "none", None),
    ],
)
def test_effort_is_said_in_the_models_own_words(dialect, model, tags, effort, expected):
    """And not at all to a model known not to think."""
    body = sent(dialect, model=model, tags=tags, params={"reasoning_effort": effort})

    assert body.get("reasoning_effort") == expected


def test_a_model_that_thinks_gets_more_room_by_default():
    """Where the provider's own default would be thought away."""
    assert sent(dialects.NIM, tags=("reasoning",))["max_tokens"] == 8192


def test_extra_body_goes_last_and_untouched():
    """What the caller puts there overrides everything, whatever the rules say."""
    extra = {"extra_body": {"seed": 5, "temperature": 9, "nvext": {"a": 1}}}
    body = sent(dialects.GOOGLE, params={"temperature": 1, **extra})

    assert (body["seed"], body["temperature"], body["nvext"]) == (5, 9, {"a": 1})
    assert "extra_body" not in body


@pytest.mark.parametrize(
    ("dialect", "expected"), [(PLAIN, {"include_usage": True}), (dialects.MISTRAL, None)]
)
def test_usage_is_asked_for_in_streams_where_it_must_be(dialect, expected):
    """Some send it anyway, and some refuse the option."""
    body = sent(dialect, streaming=True)

    assert body["stream"] is True
    assert body.get("stream_options") == expected


@pytest.mark.parametrize(
    ("refused", "gone"),
    [
        ("temperature", "temperature"),
        ("seed", "random_seed"),
        ("random_seed", "random_seed"),
        ("stream_options", "stream_options"),
        ("store,temperature", "temperature"),
        ("messages,model,tools", None),
    ],
)
def test_a_parameter_the_model_refused_is_left_out(refused, gone):
    """By our name or the provider's, alone or with others; the request itself stays."""
    params = {"temperature": 1, "seed": 2}
    body = sent(
        dialects.MISTRAL, params=params, streaming=True, tools=(TOOL,), dropped=frozenset({refused})
    )

    assert gone not in body
    assert {"messages", "model", "tools"} <= set(body)


def test_a_message_field_the_model_refused_is_left_out():
    """Named with its place, as the fault names it."""
    named = {**USER, "name": "bob"}

    assert wire(PLAIN, named) == [named]
    assert wire(PLAIN, named, dropped=frozenset({"messages.name"})) == [USER]


@pytest.mark.parametrize(
    ("dialect", "choice", "expected"),
    [
        (PLAIN, "auto", "auto"),
        (PLAIN, "any", "required"),
        (dialects.MISTRAL, "required", "any"),
        (dialects.GROQ, "required", "required"),
        (PLAIN, {"type": "function", "function": {"name": "add"}}, "same"),
        (dialects.LOCAL, {"type": "function", "function": {"name": "add"}}, "required"),
        (PLAIN, None, None),
    ],
)
def test_tool_choice_is_in_the_providers_words(dialect, choice, expected):
    """A server that cannot be told a name gets that tool alone."""
    other = {"type": "function", "function": {"name": "sub"}}
    body = sent(dialect, tools=(TOOL, other), tool_choice=choice)

    assert body.get("tool_choice") == (choice if expected == "same" else expected)
    assert len(body["tools"]) == (1 if dialect is dialects.LOCAL else 2)


def test_a_choice_without_tools_is_not_sent():
    """Several providers refuse it."""
    assert "tool_choice" not in sent(PLAIN, tool_choice="auto")


def test_a_tool_without_parameters_takes_an_empty_object():
    """The field is mandatory at some."""
    body = sent(PLAIN, tools=({"type": "function", "function": {"name": "now"}},))

    empty = {"type": "object", "properties": {}}
    assert body["tools"][0]["function"] == {"name": "now", "parameters": empty}


@pytest.mark.parametrize(("required", "strict"), [(["a"], True), ([], False)])
def test_a_schema_with_options_is_not_asked_for_strictly_where_that_closes_it(required, strict):
    """Groq and Cerebras refuse a strict one; as a wish it is still told."""
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": required}
    wanted = {"name": "x", "schema": schema, "strict": True}
    tool = {"type": "function", "function": {"name": "f", "parameters": schema, "strict": True}}

    body = sent(dialects.GROQ, response_format={"type": "json_schema", "json_schema": wanted})
    assert body["response_format"]["json_schema"]["strict"] is strict
    assert ("additionalProperties" in body["response_format"]["json_schema"]["schema"]) is strict
    assert sent(dialects.GROQ, tools=(tool,))["tools"][0]["function"]["strict"] is strict
    assert wanted["strict"] is True
    assert tool["function"]["strict"] is True


@pytest.mark.parametrize(
    ("name", "model", "params", "gone"),
    [
        ("groq", "qwen/qwen3.8-27b", {"include_reasoning": True}, "reasoning_format"),
        (
            "openrouter",
            "m",
            {"reasoning": {"effort": "low"}, "reasoning_effort": "high"},
            "reasoning_effort",
        ),
        (
            "google",
            "gemini-3.8-flash",
            {
                "reasoning_effort": "low",
                "extra_body": {
                    "extra_body": {"google": {"thinking_config": {"include_thoughts": True}}}
                },
            },
            "reasoning_effort",
        ),
    ],
)
def test_of_two_parameters_that_exclude_each_other_one_is_sent(name, model, params, gone):
    """Both together are a 400 there."""
    assert gone not in sent(DECLARED[name], model=model, params=params)


def test_strict_goes_only_where_it_is_known():
    """Google's schema of tools has no such field."""
    strict = {"type": "function", "function": {**TOOL["function"], "strict": True}}

    assert sent(PLAIN, tools=(strict,))["tools"][0]["function"]["strict"] is True
    assert "strict" not in sent(dialects.GOOGLE, tools=(strict,))["tools"][0]["function"]


@pytest.mark.parametrize(
    ("dialect", "stays"), [(PLAIN, True), (dialects.CEREBRAS, False), (dialects.GROQ, False)]
)
def test_a_format_beside_tools_is_sent_only_where_it_may_stand(dialect, stays):
    """Elsewhere the very combination is a 400."""
    assert ("response_format" in sent(dialect, tools=(TOOL,), response_format=FORMAT)) is stays
    assert sent(dialect, response_format=FORMAT)["response_format"]["type"] == "json_schema"


def test_mistral_ids_are_nine_characters_and_stay_pairs():
    """Foreign ids are hashed alike in calls and results; its own stay as they are."""
    history = (
        USER,
        {"role": "assistant", "content": None, "tool_calls": [call(), call("abcdefgh1")]},
        {"role": "tool", "tool_call_id": "call_abc", "content": "1"},
        {"role": "tool", "tool_call_id": "abcdefgh1", "content": "2"},
    )
    shaped = wire(dialects.MISTRAL, *history)
    ids = [call["id"] for call in shaped[1]["tool_calls"]]

    assert ids == [shaped[2]["tool_call_id"], shaped[3]["tool_call_id"]]
    assert ids[1] == "abcdefgh1"
    assert len(ids[0]) == 9
    assert wire(dialects.MISTRAL, *history) == shaped


@given(st.text(max_size=60))
def test_any_id_has_a_stable_short_form(tool_id):
    """Nine letters and digits, and itself where it is that already."""
    short = alnum9(tool_id)

    assert len(short) == 9
    assert short.isascii()
    assert short.isalnum()
    assert alnum9(short) == short


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        (PLAIN, {"content": None}),
        (dialects.MISTRAL, {"content": ""}),
        (dialects.GROQ, {}),
        (dialects.NIM, {"content": ""}),
        (dialects.OPENROUTER, {"content": None}),
    ],
)
@pytest.mark.parametrize("content", ["", None, []])
def test_missing_content_beside_calls_is_said_as_the_provider_wants(dialect, expected, content):
    """Null, empty, or not at all."""
    message = wire(dialect, USER, {"role": "assistant", "content": content, "tool_calls": [call()]})

    shown = {key: message[1][key] for key in message[1] if key not in {"role", "tool_calls"}}
    assert shown == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('{"a": 1}', '{"a": 1}'),
        ("", "{}"),
        (" ", "{}"),
        (None, "{}"),
        ({"a": 1}, '{"a": 1}'),
        ('{"a": ', '{"invalid_arguments": "{\\"a\\": "}'),
    ],
)
def test_replayed_arguments_are_always_valid_json(arguments, expected):
    """A call the model once wrote badly must not poison every later turn."""
    said = wire(PLAIN, USER, {"role": "assistant", "tool_calls": [call(arguments=arguments)]})

    assert said[1]["tool_calls"][0]["function"]["arguments"] == expected


def test_an_assistant_who_says_nothing_is_left_out():
    """Neither text nor calls is refused by most."""
    assert wire(PLAIN, USER, {"role": "assistant", "content": ""}, USER) == [USER, USER]


def test_roles_and_their_order_are_mended():
    """Mistral: no developer, no system after an answer, no user right after a tool's result."""
    history = (
        {"role": "developer", "content": "d"},
        USER,
        {"role": "assistant", "content": "", "tool_calls": [call("abcdefgh1")]},
        {"role": "tool", "tool_call_id": "abcdefgh1", "content": "1", "name": "add"},
        {"role": "system", "content": "s"},
    )
    shaped = wire(dialects.MISTRAL, *history)

    roles = ["system", "user", "assistant", "tool", "assistant", "user"]
    assert [message["role"] for message in shaped] == roles
    assert shaped[-1]["content"] == "s"
    assert shaped[3]["name"] == "add"


def test_system_messages_stand_first_where_templates_want_them():
    """Later ones become the user's, earlier ones stay."""
    system = {"role": "system", "content": "s"}

    roles = [message["role"] for message in wire(dialects.NIM, system, system, USER, system)]
    assert roles == ["system", "system", "user", "user"]


def test_system_messages_are_gathered_where_they_count_as_one():
    """In their order, before all others."""
    said = [{"role": "system", "content": text} for text in "abc"]
    gathered = ChatCompletions(system_place="gathered")

    assert wire(gathered, said[0], USER, said[1], USER, said[2]) == [*said, USER, USER]
    assert wire(gathered, USER, said[0]) == [said[0], USER]


@pytest.mark.parametrize(
    ("dialect", "kept"), [(PLAIN, True), (dialects.MISTRAL, False), (dialects.NIM, False)]
)
def test_names_go_where_they_are_known(dialect, kept):
    """A `name` on a user message is a 422 at some."""
    assert ("name" in wire(dialect, {**USER, "name": "bob"})[0]) is kept


def test_fields_nobody_else_understands_are_left_out():
    """What one provider or front end put into a message must not break the next."""
    message = {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "t"}, {"type": "text", "text": "a"}],
        "reasoning_content": "r",
        "reasoning": "r",
        "refusal": None,
        "annotations": [],
        "audio": None,
    }

    assert wire(PLAIN, USER, message)[1] == {"role": "assistant", "content": "a"}


IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}


@pytest.mark.parametrize(
    ("dialect", "content", "expected"),
    [
        (PLAIN, [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "a\nb"),
        (PLAIN, ["a", "b"], "a\nb"),
        (PLAIN, [{"type": "text", "text": "a"}, IMAGE], [{"type": "text", "text": "a"}, IMAGE]),
        (PLAIN, [{**IMAGE, "image_url": "data:x"}], [{**IMAGE, "image_url": {"url": "data:x"}}]),
        (
            ChatCompletions(image_url="string"),
            [IMAGE],
            [{**IMAGE, "image_url": "data:image/png;base64,AA=="}],
        ),
        (dialects.OPENROUTER, [{"type": "text", "text": "a"}], [{"type": "text", "text": "a"}]),
        (PLAIN, 7, "7"),
        (PLAIN, None, ""),
    ],
)
def test_content_takes_the_form_the_provider_reads(dialect, content, expected):
    """Text alone is a string, images are objects or bare addresses."""
    assert wire(dialect, {"role": "user", "content": content})[0]["content"] == expected


SIGNED = {"google": {"thought_signature": "c2ln"}}


@pytest.mark.parametrize(
    ("dialect", "model", "extra", "expected"),
    [
        (dialects.GOOGLE, "gemini-3.8-flash", SIGNED, SIGNED),
        (dialects.GOOGLE, "gemini-3.8-flash", {**SIGNED, "other": {"x": 1}}, SIGNED),
        (
            dialects.GOOGLE,
            "gemini-3.8-flash",
            None,
            {"google": {"thought_signature": "skip_thought_signature_validator"}},
        ),
        (dialects.GOOGLE, "gemini-2.5-flash", None, None),
        (dialects.GROQ, "openai/gpt-oss-20b", SIGNED, None),
        (dialects.MISTRAL, "ministral-8b-latest", SIGNED, None),
    ],
)
def test_signatures_go_back_to_their_maker_and_to_nobody_else(dialect, model, extra, expected):
    """Verbatim where they belong; a stand-in where one is needed and none was made."""
    made = call("abcdefgh1", **({} if extra is None else {"extra_content": extra}))
    message = {"role": "assistant", "content": None, "tool_calls": [made, call("abcdefgh2")]}
    calls = wire(dialect, USER, message, model=model)[1]["tool_calls"]

    assert calls[0].get("extra_content") == expected
    assert "extra_content" not in calls[1]


def test_reasoning_details_go_back_to_the_model_that_made_them():
    """Unchanged, even empty; another model or provider never sees them."""
    own = {"reasoning_details": [{"type": "reasoning.text", "text": "t"}], "model": "a"}
    message = {"role": "assistant", "content": "x", "extra_content": {"openrouter": own}}

    same = wire(dialects.OPENROUTER, USER, message, model="a")[1]
    assert same["reasoning_details"] == own["reasoning_details"]
    for dialect, model in ((dialects.OPENROUTER, "b"), (dialects.GOOGLE, "a"), (PLAIN, "a")):
        assert wire(dialect, USER, message, model=model)[1] == {"role": "assistant", "content": "x"}


def test_a_trailing_assistant_message_is_marked_as_the_answers_beginning():
    """Mistral refuses one without the mark."""
    partial = {"role": "assistant", "content": "Once"}

    assert wire(dialects.MISTRAL, USER, partial)[1] == {**partial, "prefix": True}
    assert wire(dialects.MISTRAL, USER, partial, USER)[1] == partial
    assert wire(PLAIN, USER, partial)[1] == partial


def test_json_is_mentioned_where_it_must_be():
    """Only where it is asked for, and nobody has said the word."""
    wanted = {"type": "json_object"}
    system = {"role": "system", "content": "Be kind."}

    assert wire(dialects.MISTRAL, USER, response_format=wanted)[0]["role"] == "system"
    shaped = wire(dialects.MISTRAL, system, USER, response_format=wanted)
    assert shaped[0]["content"] == "Be kind.\nAnswer in JSON."
    assert wire(dialects.MISTRAL, USER) == [USER]
    spoken = {"role": "user", "content": "As json, please"}
    assert wire(dialects.MISTRAL, spoken, response_format=wanted) == [spoken]
    assert wire(PLAIN, USER, response_format=wanted) == [USER]


def test_frozen_values_can_be_sent():
    """Mappings, tuples and sets of other kinds become JSON's own."""
    body = sent(PLAIN, params={"metadata": MappingProxyType({"a": ("b",)}), "stop": {"x"}})

    assert body["metadata"] == {"a": ["b"]}
    assert body["stop"] == ["x"]


def test_what_has_no_form_in_json_is_named():
    """A mistake of the caller, told by its type and never by its value."""
    with pytest.raises(TypeError, match="object"):
        sent(PLAIN, params={"metadata": object()})


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_json_has_no_word_for_is_not_sent(number):
    """No provider could read such a body."""
    with pytest.raises(ValueError, match="JSON"):
        sent(PLAIN, params={"temperature": number})


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a\ud83d", "a\ufffd"), ("\ude00a", "\ufffda"), ("\ud83d\ude00", "\U0001f600")],
)
def test_half_a_surrogate_pair_does_not_break_the_request(text, expected):
    """Text cut inside a character by somebody else is still sent, and its halves as one."""
    assert wire(PLAIN, {"role": "user", "content": text})[0]["content"] == expected


CONTENT = st.one_of(
    st.none(),
    st.text(max_size=5),
    st.lists(st.one_of(st.text(max_size=3), st.just(IMAGE), st.just({}), st.none()), max_size=3),
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "developer", "user", "assistant", "tool"])},
        optional={
            "content": CONTENT,
            "name": st.text(max_size=3),
            "tool_calls": st.one_of(
                st.none(), st.lists(st.one_of(st.just(call()), st.just({}), st.none()), max_size=2)
            ),
            "tool_call_id": st.text(max_size=4),
            "extra_content": st.one_of(st.none(), st.just(SIGNED)),
            "reasoning": st.text(max_size=3),
        },
    ),
    max_size=5,
)


@pytest.mark.parametrize("name", sorted(DECLARED))
@given(messages=MESSAGES, streaming=st.booleans(), wants_json=st.booleans())
def test_no_history_breaks_the_encoding_or_is_changed_by_it(name, messages, streaming, wants_json):
    """Any messages, every accent: valid JSON out, and the caller's objects as they were."""
    before = copy.deepcopy(messages)
    request = Request(
        messages=tuple(messages),
        tools=(TOOL,),
        response_format=FORMAT if wants_json else None,
        streaming=streaming,
    )
    body = json.loads(DECLARED[name].encode(request, "gemini-3-owl"))

    assert messages == before
    assert all(message.get("role") for message in body["messages"])
    assert {"type": "function", "function": TOOL["function"]} == TOOL
