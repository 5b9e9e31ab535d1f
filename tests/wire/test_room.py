"""After an answer of mere thinking the same request goes out with more room and less thinking."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.chat import Request
from freelm_integrations.providers import PROVIDERS
from freelm_integrations.wire.openai import ChatCompletions
from tests.wire import dialects
from tests.wire.dialects import DECLARED, PLAIN

USER = {"role": "user", "content": "hi"}
SYSTEM = {"role": "system", "content": "Be kind."}
NO_TEMPLATE_THINKING = {"chat_template_kwargs": {"enable_thinking": False}}
SWITCHED = ChatCompletions(
    efforts={"owl": {"none": None, "minimal": None}, "": {"minimal": "low"}},
    less_thinking={
        "owl": {**NO_TEMPLATE_THINKING, "reasoning_effort": None},
        "oss": {"reasoning_effort": "low"},
    },
    quiet_word={"owl": "/no_think"},
)


def sent(dialect, *messages, model="m", params=None, **how):
    request = Request(messages=messages or (USER,), params=params or {})
    return json.loads(dialect.encode(request, model, **how))


@pytest.mark.parametrize(
    ("params", "output", "expected"),
    [
        ({"max_tokens": 2000}, None, {"max_tokens": 4000}),
        ({"max_tokens": 16}, None, {"max_tokens": 1024}),
        ({"max_tokens": 0}, None, {"max_tokens": 1024}),
        ({"max_tokens": 2000}, 3000, {"max_tokens": 3000}),
        ({"max_tokens": 16}, 512, {"max_tokens": 512}),
        ({"max_tokens": 4000}, 3000, {"max_tokens": 4000}),
        ({"max_completion_tokens": 2000, "max_tokens": 9}, None, {"max_completion_tokens": 4000}),
        ({"max_tokens": "many"}, None, {"max_tokens": "many"}),
        ({}, None, {}),
        ({}, 3000, {}),
    ],
)
def test_the_room_is_doubled_where_it_was_limited(params, output, expected):
    """To 1,024 tokens at least, never beyond the model's longest answer, and never made less."""
    body = sent(PLAIN, params=params, output=output, roomier=True)

    assert {name: body[name] for name in body if name not in {"model", "messages"}} == expected


@pytest.mark.parametrize(
    ("output", "roomier", "expected"),
    [(None, False, 4096), (None, True, 8192), (6000, True, 6000), (2000, False, 2000)],
)
def test_a_default_of_ours_is_doubled_as_well(output, roomier, expected):
    """And keeps to the model's longest answer in any case."""
    assert sent(dialects.NIM, output=output, roomier=roomier)["max_tokens"] == expected


@pytest.mark.parametrize(
    ("dialect", "params", "expected"),
    [
        (dialects.NIM, {}, 700),
        (PLAIN, {}, 700),
        (dialects.NIM, {"max_tokens": 3000}, 3000),
        (dialects.NIM, {"max_completion_tokens": 3000}, 3000),
        (dialects.NIM, {"extra_body": {"max_tokens": 3000}}, 3000),
    ],
)
def test_a_room_takes_the_place_of_the_default_and_of_nothing_else(dialect, params, expected):
    """What the caller asks for is never touched."""
    assert sent(dialect, params=params, room=700)["max_tokens"] == expected


@pytest.mark.parametrize(
    ("name", "tags", "output", "expected"),
    [
        ("cerebras", (), None, 2_048),
        ("cerebras", ("reasoning",), None, 4_096),
        ("cerebras", ("reasoning",), 1_000, 1_000),
        ("groq", ("reasoning",), None, None),
        ("groq", (), 1_000, None),
    ],
)
def test_the_default_is_told_beforehand(name, tags, output, expected):
    """It is the very limit that is sent."""
    dialect = PROVIDERS[name].dialect
    body = sent(dialect, tags=tags, output=output)

    assert dialect.default_output(tags, output) == expected
    assert body.get("max_completion_tokens") == expected


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"max_tokens": 5}, {"max_tokens": 16}),
        ({"max_completion_tokens": 15}, {"max_completion_tokens": 16}),
        ({"max_tokens": 16}, {"max_tokens": 16}),
        ({"max_tokens": 500}, {"max_tokens": 500}),
        ({"max_tokens": "few"}, {"max_tokens": "few"}),
        ({}, {}),
    ],
)
def test_a_limit_below_the_least_one_is_raised_where_it_was_refused(params, expected):
    """A model that takes no less gives no less; everywhere else the caller's limit stands."""
    least = frozenset({"max_tokens.16", "max_tokens.8"})
    body = sent(PLAIN, params=params, dropped=least)

    assert {name: body[name] for name in body if name not in {"model", "messages"}} == expected
    assert sent(PLAIN, params={"max_tokens": 5})["max_tokens"] == 5


@pytest.mark.parametrize(
    ("refused", "asked", "expected"),
    [
        ("none", "none", "minimal"),
        ("none minimal", "none", "low"),
        ("none minimal", "minimal", "low"),
        ("none minimal medium xhigh max", "medium", "low"),
        ("none minimal medium xhigh max", "max", "high"),
        ("none", "low", "low"),
        ("low", "low", "minimal"),
        ("none", "ultra", "ultra"),
        ("none minimal low medium high xhigh max", "low", "low"),
    ],
)
def test_an_effort_the_model_does_not_take_becomes_the_nearest_one(refused, asked, expected):
    """Of two as near the smaller."""
    known = frozenset(f"reasoning_effort.{word}" for word in refused.split())

    body = sent(PLAIN, params={"reasoning_effort": asked}, dropped=known)

    assert body["reasoning_effort"] == expected


@pytest.mark.parametrize(
    ("reasoning", "stays"),
    [
        ({"enabled": False}, False),
        ({"effort": "none"}, False),
        ({"effort": "low"}, True),
        ({"exclude": True}, True),
    ],
)
def test_a_model_that_must_think_is_not_told_otherwise(reasoning, stays):
    """In OpenRouter's own object either."""
    known = frozenset({"reasoning_effort.none"})
    body = sent(DECLARED["openrouter"], params={"reasoning": reasoning}, dropped=known)

    assert ("reasoning" in body) is stays


@pytest.mark.parametrize(
    ("model", "params", "expected"),
    [
        ("owl", {}, NO_TEMPLATE_THINKING),
        ("owl", {"reasoning_effort": "high"}, NO_TEMPLATE_THINKING),
        (
            "owl",
            {"chat_template_kwargs": {"a": 1, "enable_thinking": True}},
            {"chat_template_kwargs": {"a": 1, "enable_thinking": False}},
        ),
        ("gpt-oss-20b", {"reasoning_effort": "high"}, {"reasoning_effort": "low"}),
        ("gpt-oss-20b", {}, {"reasoning_effort": "low"}),
        ("wren", {"reasoning_effort": "high"}, {"reasoning_effort": "high"}),
    ],
)
def test_thinking_is_lessened_in_the_words_of_the_model(model, params, expected):
    """Merged into what the caller set beside it; left alone where no way is declared."""
    body = sent(SWITCHED, model=model, params=params, roomier=True)

    assert {name: body[name] for name in body if name not in {"model", "messages"}} == expected


@pytest.mark.parametrize(
    ("model", "effort", "tags", "expected"),
    [
        ("owl", "none", (), NO_TEMPLATE_THINKING),
        ("owl", "minimal", ("reasoning",), NO_TEMPLATE_THINKING),
        ("owl", "none", ("fast",), {}),
        ("owl", "high", (), {"reasoning_effort": "high"}),
        ("wren", "none", (), {"reasoning_effort": "none"}),
    ],
)
def test_an_effort_of_none_is_said_by_the_switch_where_there_is_no_word_for_it(
    model, effort, tags, expected
):
    """At the first attempt already, and to models that may think."""
    body = sent(SWITCHED, model=model, params={"reasoning_effort": effort}, tags=tags)

    assert {name: body[name] for name in body if name not in {"model", "messages"}} == expected
    assert (body["messages"][0]["role"] == "system") is (expected is NO_TEMPLATE_THINKING)


def test_the_quiet_word_ends_the_system_message():
    """Or is all there is of it; the caller's own message stays as it was."""
    assert sent(SWITCHED, model="owl", roomier=True)["messages"] == [
        {"role": "system", "content": "/no_think"},
        USER,
    ]
    shaped = sent(SWITCHED, SYSTEM, USER, model="owl", roomier=True)["messages"]
    assert shaped == [{"role": "system", "content": "Be kind.\n/no_think"}, USER]
    assert SYSTEM["content"] == "Be kind."


def test_what_the_model_was_seen_to_refuse_stays_out():
    """The switch as well as any parameter."""
    refused = frozenset({"chat_template_kwargs"})

    assert "chat_template_kwargs" not in sent(SWITCHED, model="owl", roomier=True, dropped=refused)


def test_what_the_caller_put_into_extra_body_has_the_last_word():
    """Even where it asks for the thinking that left no room."""
    params = {"extra_body": {"reasoning_effort": "high"}}

    assert sent(SWITCHED, model="oss", params=params, roomier=True)["reasoning_effort"] == "high"


@pytest.mark.parametrize("name", sorted(DECLARED))
@given(
    limit=st.none() | st.integers(1, 100_000),
    output=st.none() | st.integers(1, 70_000),
    effort=st.sampled_from([None, "none", "low", "high"]),
    model=st.sampled_from(["openai/gpt-oss-20b", "qwen3.8-27b", "gemini-3.8-flash", "m"]),
)
def test_every_accent_gives_no_less_room_than_before(name, limit, output, effort, model):
    """Whatever the caller limited, and only the room and the thinking change."""
    params = {"max_tokens": limit, "reasoning_effort": effort, "temperature": 0.5}
    tags = ("reasoning",)
    before = sent(DECLARED[name], model=model, params=params, tags=tags, output=output)
    after = sent(DECLARED[name], model=model, params=params, tags=tags, output=output, roomier=True)

    for key in ("max_tokens", "max_completion_tokens"):
        assert after.get(key, 0) >= before.get(key, 0)
    assert before["temperature"] == after["temperature"]
    assert before["messages"][-1] == after["messages"][-1]


# These cannot think less: their sheets name no way.
_MUST_THINK = {"gemma", "minimax", "compound", "command-a-plus", "glm-4.7-flash", "step"}


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        (spec.name, model)
        for spec in PROVIDERS.values()
        for model in spec.models
        if "reasoning" in model.tags and not any(part in model.id for part in _MUST_THINK)
    ],
    ids=str,
)
def test_every_declared_model_that_thinks_can_be_asked_to_think_less(provider, model):
    """The second request differs from the first in more than its room."""
    how = {"model": model.id, "tags": model.tags, "output": model.output}
    before = sent(DECLARED[provider], **how)
    after = sent(DECLARED[provider], **how, roomier=True)
    room = {"max_tokens", "max_completion_tokens"}

    assert {k: v for k, v in after.items() if k not in room} != {
        k: v for k, v in before.items() if k not in room
    }


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        ("openrouter", "acme/owl:free", {"reasoning": {"effort": "low"}}),
        ("groq", "openai/gpt-oss-20b", {"reasoning_effort": "low"}),
        ("groq", "qwen/qwen3.6-27b", {"reasoning_effort": "none"}),
        ("google", "gemini-3.5-flash-lite", {"reasoning_effort": "minimal"}),
        ("google", "gemini-3.8-flash", {"reasoning_effort": "low"}),
        ("google", "gemini-2.5-flash", {"reasoning_effort": "none"}),
        ("google", "gemma-4-31b-it", {}),
        ("nim", "z-ai/glm-5.3", {"chat_template_kwargs": {"enable_thinking": False}}),
        ("nim", "moonshotai/kimi-k3", {"chat_template_kwargs": {"thinking": False}}),
        ("nim", "nvidia/nemotron-3-super-120b-a12b", {"reasoning_effort": "none"}),
        ("mistral", "mistral-small-latest", {"reasoning_effort": "none"}),
        ("cerebras", "gpt-oss-120b", {"reasoning_effort": "low"}),
        ("zai", "glm-4.7-flash", {"thinking": {"type": "disabled"}}),
    ],
)
def test_the_sheets_words_for_less_thinking_are_sent(provider, model, expected):
    """As read in 2026-11; the model's own words, wherever the provider has several."""
    names = {"reasoning", "reasoning_effort", "chat_template_kwargs", "thinking"}
    params = {"reasoning_effort": "high"} if provider != "google" else {}
    body = sent(DECLARED[provider], model=model, params=params, tags=("reasoning",), roomier=True)

    assert {name: body[name] for name in names & body.keys()} == expected


@pytest.mark.parametrize(
    ("model", "effort", "expected"),
    [
        ("qwen/qwen9", "high", {"enable_thinking": True}),
        ("qwen/qwen9", "none", {"enable_thinking": False}),
        ("z-ai/glm-5.3", "low", {"enable_thinking": True}),
        ("nvidia/nemotron-3.5-lightning-30b-a3b", "medium", {"enable_thinking": True}),
        ("moonshotai/kimi-k3", "max", {"thinking": True}),
        ("deepseek-ai/deepseek-v4-pro", "none", {"thinking": False}),
        ("openai/gpt-oss-20b", "high", None),
        ("minimaxai/minimax-m3", "high", None),
        ("qwen/qwen9", None, None),
    ],
)
def test_nim_is_asked_for_thinking_by_the_switch_of_the_family(model, effort, expected):
    """More of it as well as less, where no word for the effort is known."""
    body = sent(DECLARED["nim"], model=model, params={"reasoning_effort": effort})

    assert body.get("chat_template_kwargs") == expected


def test_what_was_begun_goes_on_without_thinking_anew():
    """Mistral's prefix is of the answer itself."""
    begun = ({"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hoo"})
    request = Request(messages=begun, params={"reasoning_effort": "high"})
    body = json.loads(DECLARED["mistral"].encode(request, "mistral-small-latest"))

    assert body["messages"][-1]["prefix"] is True
    assert "reasoning_effort" not in body
