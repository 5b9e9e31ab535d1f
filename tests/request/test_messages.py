"""Messages as callers write them, and what is no message."""

from __future__ import annotations

from datetime import datetime, timezone
from types import MappingProxyType
from typing import Any

import pytest
from pydantic import BaseModel

from freelm_integrations import ConfigError
from freelm_integrations.request.messages import FIELDS, ROLES
from freelm_integrations.wire.openai import MESSAGE_FIELDS
from tests.request.made import USER, made

WHEN = datetime(2026, 11, 22, tzinfo=timezone.utc)
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": {"at": WHEN}}}


class Said(BaseModel):
    """Another SDK's object."""

    role: str = "user"
    content: str = "hello"


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ("hello", (USER,)),
        ("", ({"role": "user", "content": ""},)),
        ([USER], (USER,)),
        ((USER, USER), (USER, USER)),
        ((one for one in [USER]), (USER,)),
        ([MappingProxyType(USER)], (USER,)),
        ([{"role": "assistant", "content": None}], ({"role": "assistant", "content": None},)),
        ([{"role": "tool", "content": 5}], ({"role": "tool", "content": 5},)),
        ([{"role": "user", "content": ["a", {"type": "text", "text": "b"}]}], None),
        ([{"role": "user", "content": [{"type": "anything", "of": "theirs"}]}], None),
        ([{"role": "assistant", "tool_calls": None}], None),
    ],
)
def test_messages_are_a_string_or_any_run_of_mappings(messages: Any, expected: Any) -> None:
    """A bare string is one user message; nothing is put in or left out."""
    request = made(messages)

    assert request.messages == (tuple(messages) if expected is None else expected)


def test_plain_messages_are_the_callers_own() -> None:
    """A copy would cost more than it gives; they are read only."""
    message = {"role": "user", "content": [{"type": "text", "text": "hello"}]}

    assert made([message]).messages[0] is message


def test_frozen_messages_become_plain_ones() -> None:
    """What is sent knows dicts and lists only; the caller's stay as they are."""
    parts = (MappingProxyType({"type": "text", "text": "hello"}),)
    message = MappingProxyType({"role": "user", "content": parts, "seen_at": WHEN})

    assert made([message]).messages == (
        {"role": "user", "content": [{"type": "text", "text": "hello"}]},
    )
    assert message["content"] is parts


@pytest.mark.parametrize("role", sorted(ROLES))
def test_every_role_of_the_dialect_is_known(role: str) -> None:
    """Also the old `function` and the new `developer`."""
    assert made([{"role": role, "content": "x"}]).messages[0]["role"] == role


def test_a_field_that_is_never_sent_may_hold_anything() -> None:
    """Callers keep things of their own in a history."""
    message = {**USER, "seen_at": WHEN}

    assert made([message]).messages == (USER,)
    assert message["seen_at"] is WHEN


def test_every_field_that_may_be_sent_is_checked() -> None:
    """Those of the dialect, and the extras of a provider."""
    assert MESSAGE_FIELDS | {"extra_content"} == FIELDS


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([], "messages is empty"),
        ((), "messages is empty"),
        ((one for one in []), "messages is empty"),
        (None, "not a NoneType"),
        (5, "not an int"),
        (USER, "put it into a list"),
        (b"hello", "not a bytes"),
        (Said(), "messages[0] is a tuple"),
        (["hello"], "messages[0] is a str"),
        ([USER, None], "messages[1] is a NoneType"),
        ([Said()], "messages[0] is a Said"),
        ([{"content": "hello"}], "messages[0] has no role"),
        ([{"role": "human", "content": "x"}], "role 'human' (did you mean 'user'?)"),
        ([{"role": "ai", "content": "x"}], "role 'ai' (did you mean 'assistant'?)"),
        ([{"role": "User", "content": "x"}], "role 'User' (did you mean 'user'?)"),
        ([{"role": "sytem", "content": "x"}], "role 'sytem' (did you mean 'system'?)"),
        ([{"role": ["user"], "content": "x"}], "messages[0] has a role of type list"),
        ([{"role": "x" * 99, "content": "x"}], "messages[0] has a role of 99 characters"),
        ([{"role": "user", "content": {"text": "x"}}], "messages[0].content is a dict"),
        ([{"role": "user", "content": [5]}], "messages[0].content[0] is an int"),
        ([{"role": "user", "content": ["a", None]}], "messages[0].content[1] is a NoneType"),
        ([{"role": "user", "content": [{"type": "text"}]}], "content[0].text is a NoneType"),
        ([{"role": "user", "content": [{"type": []}]}], "content[0].type is a list"),
        ([{"role": "user", "content": b"x"}], "messages[0].content is a bytes"),
        ([{"role": "user", "content": WHEN}], "messages[0].content is a datetime"),
        ([{"role": "user", "content": [Said()]}], "pass its model_dump()"),
        (
            [USER, {"role": "assistant", "tool_calls": [CALL]}],
            "function.arguments.at is a datetime",
        ),
        ([{"role": "assistant", "tool_calls": {"id": "c"}}], "messages[0].tool_calls is a dict"),
        ([{**USER, "name": 5}], "messages[0].name is an int, not a string"),
        ([{"role": "tool", "tool_call_id": 5}], "messages[0].tool_call_id is an int"),
        (
            [{"role": "assistant", "tool_calls": [{**CALL, "id": 5, "function": {"name": "f"}}]}],
            "messages[0].tool_calls[0].id is an int",
        ),
        ([{"role": "assistant", "tool_calls": ["c"]}], "messages[0].tool_calls[0] names no"),
        ([{"role": "assistant", "tool_calls": [{"id": "c"}]}], "tool_calls[0] names no function"),
        ([{"role": "assistant", "tool_calls": [{"function": {"name": ""}}]}], "names no function"),
    ],
)
def test_what_is_no_message_is_an_error_that_says_which(messages: Any, words: str) -> None:
    """With its place in the list, and what is meant by a message."""
    with pytest.raises(ConfigError) as raised:
        made(messages)

    assert words in str(raised.value)
    assert len(str(raised.value)) < 300
