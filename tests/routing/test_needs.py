"""What a request needs is read off it: abilities, and room."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.chat import Request
from freelm_integrations.routing.needs import (
    BRIEF,
    IMAGE_TOKENS,
    Counts,
    Needs,
    needs_of,
)

TOOL = {"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}
CALL = {"id": "1", "type": "function", "function": {"name": "find", "arguments": "{}"}}


def said(content, **more):
    return Request(messages=({"role": "user", "content": content},), **more)


@pytest.mark.parametrize(
    ("request_", "needs"),
    [
        (said("x" * 400), Needs(prompt=104)),
        (said(""), Needs(prompt=4)),
        (said(None), Needs(prompt=4)),
        (said("模型" * 100), Needs(prompt=154)),  # 3 bytes each, so 3/4 of a token
        (said("x", params={"max_tokens": 9}), Needs(prompt=5, output=9)),
        (
            said("x", params={"max_tokens": 9, "max_completion_tokens": 7}),
            Needs(prompt=5, output=7),
        ),
        (said("x", params={"max_tokens": None}), Needs(prompt=5)),
        (
            said([{"type": "text", "text": "abcd"}, {"type": "image_url", "image_url": {}}]),
            Needs(prompt=5 + IMAGE_TOKENS, vision=True, counts=Counts(images=1)),
        ),
        (
            said(["abcd", {"type": "input_audio"}]),
            Needs(prompt=5 + IMAGE_TOKENS, parts=frozenset({"audio"})),
        ),
        (said("", tool_choice="required"), Needs(prompt=4, forced_tool=True)),
        (said("", tool_choice="auto"), Needs(prompt=4)),
        (said("", response_format={"type": "json_object"}), Needs(prompt=10)),
    ],
)
def test_needs_are_read_off_the_request(request_, needs):
    """Four bytes a token, four tokens a message; images, tools and forms as they stand."""
    assert needs_of(request_) == needs


def test_tools_and_schemas_are_needed_and_counted():
    """They travel with the prompt."""
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    needs = needs_of(said("", tools=(TOOL,) * 10, tool_choice="auto", response_format=form))

    assert needs.tools
    assert needs.json_schema
    assert 200 < needs.prompt < 300


def test_tool_calls_in_the_history_are_counted():
    """An assistant message may have no content at all."""
    call = {"id": "1", "type": "function", "function": {"name": "find", "arguments": "x" * 4000}}
    request = Request(messages=({"role": "assistant", "content": None, "tool_calls": [call]},))

    assert needs_of(request).prompt > 1000


def test_what_is_set_aside_includes_the_answer():
    """As long as asked for, else a usual length."""
    assert Needs(prompt=10, output=5).tokens == 15
    assert Needs(prompt=10).tokens == 10


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.sampled_from(("role", "content", "tool_calls")), json_values)))
def test_no_message_is_too_odd_to_be_weighed(messages):
    """Whatever stands in it, the size is a number and nothing raises."""
    assert needs_of(Request(messages=tuple(messages))).prompt >= 4 * len(messages)


@pytest.mark.parametrize(
    ("part", "vision", "parts"),
    [
        ({"type": "image_url", "image_url": {"url": "data:"}}, True, set()),
        ({"image_url": "https://x.example/y.png"}, True, set()),
        ({"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}, False, {"audio"}),
        ({"type": "file", "file": {"file_data": "", "filename": "a.pdf"}}, False, {"files"}),
        ({"type": "document_url", "document_url": "https://x.example"}, False, {"files"}),
        ({"type": "video_url", "video_url": {"url": "data:"}}, False, {"video"}),
        ({"type": "hologram", "hologram": 1, "text": "x"}, False, {"hologram"}),
        ({"type": "text", "text": "x"}, False, set()),
        ({"type": "thinking", "thinking": "x"}, False, set()),
        ({"text": "x"}, False, set()),
        ({"type": None}, False, set()),
        ({"type": ["image_url"]}, False, set()),
        (7, False, set()),
    ],
)
def test_a_part_that_is_no_text_needs_somebody_who_takes_it(part, vision, parts):
    """Types nobody knows stand for themselves."""
    needs = needs_of(said([{"type": "text", "text": "What is this?"}, part]))

    assert (needs.vision, needs.parts) == (vision, frozenset(parts))


@pytest.mark.parametrize(
    ("request_", "is_parallel"),
    [
        (said("", tools=(TOOL,), params={"parallel_tool_calls": True}), True),
        (said("", tools=(TOOL,), params={"parallel_tool_calls": False}), False),
        (said("", params={"parallel_tool_calls": True}), False),  # of what?
        (said("", tools=(TOOL,)), False),
        (Request(messages=({"role": "assistant", "tool_calls": [CALL, CALL]},)), True),
        (Request(messages=({"role": "assistant", "tool_calls": [CALL]},)), False),
        (Request(messages=({"role": "assistant", "tool_calls": None},)), False),
    ],
)
def test_several_calls_at_once_are_asked_for_or_stand_in_the_history(request_, is_parallel):
    """A model that makes one at a time refuses such a history as well."""
    assert needs_of(request_).parallel_calls is is_parallel


DATA = "data:image/png;base64,AAAA"


@pytest.mark.parametrize(
    ("request_", "counts"),
    [
        (said("x"), Counts()),
        (said("x", params={"stop": "."}), Counts()),
        (said("x", params={"stop": [".", "!"]}), Counts(stops=2)),
        (said("x", tools=(TOOL,) * 3), Counts(tools=3)),
        (
            said([{"type": "image_url", "image_url": {"url": "https://owls.example/1.png"}}] * 2),
            Counts(images=2, links=2),
        ),
        (
            said([{"type": "image_url", "image_url": DATA}]),  # the address bare
            Counts(images=1, inline=len(DATA)),
        ),
        (
            said([{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}]),
            Counts(inline=4),
        ),
        (said([{"type": "image_url", "image_url": 7}]), Counts(images=1)),
    ],
)
def test_what_there_may_be_too_many_of_is_counted(request_, counts):
    """Tools, stop sequences, images, those given by a link, and characters written out."""
    assert needs_of(request_).counts == counts


@pytest.mark.parametrize(
    ("url", "kinds"),
    [
        ("data:image/png;base64,AAAA", {"png"}),
        ("data:image/JPG;base64,AAAA", {"jpeg"}),
        ("data:image/svg+xml;base64,AAAA", {"svg"}),
        ("data:image/vnd.microsoft.icon;base64,AAAA", {"vnd.microsoft.icon"}),
        ("data:;base64,AAAA", set()),
        ("data:application/pdf;base64,AAAA", set()),
        ("https://x.example/cat.tiff", set()),
    ],
)
def test_kinds_of_images_are_read_off_those_written_out(url, kinds):
    """Nobody knows what a link leads to."""
    part = {"type": "image_url", "image_url": {"url": url}}

    assert needs_of(said([part])).images == kinds


def test_a_schema_that_refers_to_itself_is_a_need():
    """In a tool or in the form of the answer."""
    schema = {"properties": {"a": {"$ref": "#"}}}
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    form = {"type": "json_schema", "json_schema": {"name": "f", "schema": schema}}

    assert needs_of(said("x", tools=(tool, tool))).counts == Counts(tools=2, recursions=2)
    assert needs_of(said("x", response_format=form)).counts == Counts(recursions=1)


@pytest.mark.parametrize(("output", "is_brief"), [(None, False), (BRIEF, True), (BRIEF + 1, False)])
def test_an_answer_is_brief_where_thinking_would_not_fit(output, is_brief):
    """An answer of unknown length is not."""
    assert Needs(output=output).is_brief is is_brief
