"""Messages stand in an order that the provider, or its model's template, takes."""

from __future__ import annotations

import json

import pytest

from freelm_integrations.chat import Request
from freelm_integrations.wire.openai import ChatCompletions
from tests.wire.dialects import DECLARED
from tests.wire.test_pairs import calls, result

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
FIRST = "(The beginning of this conversation is left out.)"
ALTERNATING = ChatCompletions(alternating=("owl",), system_place="first")
USER_FIRST = ChatCompletions(starts_with_user=True)
FULL = ChatCompletions(empty_content=False)


def said(role, content):
    return {"role": role, "content": content}


def wire(dialect, messages, model="owl-7b"):
    return json.loads(dialect.encode(Request(messages=tuple(messages)), model))["messages"]


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([said("user", "a"), said("user", "b")], [said("user", "a\n\nb")]),
        ([said("user", "a"), said("user", "")], [said("user", "a")]),
        (
            [said("user", [IMAGE]), said("user", "b")],
            [said("user", [IMAGE, {"type": "text", "text": "b"}])],
        ),
        (
            [said("system", "a"), said("system", "b"), said("user", "c"), said("system", "d")],
            [said("system", "a\n\nb"), said("user", "c\n\nd")],
        ),
        (
            [said("assistant", "Hm."), calls("a"), result("a"), said("assistant", "7.")],
            [calls("a", content="Hm."), result("a"), said("assistant", "7.")],
        ),
        (
            [calls("a", "b"), result("a"), result("b")],
            [calls("a", "b"), result("a"), result("b")],
        ),
    ],
)
def test_messages_of_one_role_in_a_row_become_one(messages, expected):
    """Text with text, parts with parts, calls with the words before them; never results."""
    assert wire(ALTERNATING, messages) == expected


def test_other_models_keep_their_messages_apart():
    """It is the template that wants it, not the provider."""
    messages = [said("user", "a"), said("user", "b")]

    assert wire(ALTERNATING, messages, "wren-7b") == messages


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([said("user", "a")], [said("user", "a")]),
        ([said("assistant", "a")], [said("user", FIRST), said("assistant", "a")]),
        (
            [said("system", "s"), calls("a"), result("a")],
            [said("system", "s"), said("user", FIRST), calls("a"), result("a")],
        ),
        ([said("system", "s"), said("system", "t")], [said("system", "s"), said("user", "t")]),
        ([result("a")], [said("user", "Result of a tool:\n7")]),
    ],
)
def test_the_user_speaks_first_where_nobody_else_may(messages, expected):
    """A memory that was cut short may begin with anything."""
    assert wire(USER_FIRST, messages) == expected


@pytest.mark.parametrize("content", ["", None, [], [{"type": "text", "text": ""}]])
def test_nothing_is_said_in_words_where_it_may_not_be_empty(content):
    """Google refuses empty content; an instruction that says nothing is left out."""
    messages = [said("system", content), said("user", content), calls("a"), result("a", content)]

    assert wire(FULL, messages) == [said("user", "(empty)"), calls("a"), result("a", "(empty)")]


def test_empty_parts_are_left_out():
    """Beside others, and for everybody."""
    parts = [{"type": "text", "text": ""}, IMAGE]

    assert wire(ChatCompletions(), [said("user", parts)]) == [said("user", [IMAGE])]


@pytest.mark.parametrize("model", ["google/gemma-4-31b-it", "mistralai/mistral-9"])
def test_templates_that_answer_a_user_alone_are_told_to_go_on(model):
    """NIM's Gemma and Mistral refuse an assistant who has the last word."""
    messages = [said("user", "a"), said("assistant", "b")]

    assert wire(DECLARED["nim"], messages, model) == [*messages, said("user", "Go on.")]
    assert wire(DECLARED["nim"], messages, "openai/gpt-oss-20b") == messages


@pytest.mark.parametrize(
    ("messages", "roles"),
    [
        ([said("user", "a"), said("system", "b")], ["user", "user"]),
        ([said("system", "a"), said("system", "b")], ["system", "user"]),
        ([said("user", "a"), calls("x"), result("x"), said("system", "b")], None),
    ],
)
def test_mistral_is_never_told_the_last_word_by_the_system(messages, roles):
    """Its 3230 wants a user, a tool, or an answer that is begun."""
    told = [message["role"] for message in wire(DECLARED["mistral"], messages)]

    assert told == (roles or ["user", "assistant", "tool", "assistant", "user"])
