"""JSON in a Markdown fence comes out of it, and nothing else is taken for one."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.chat import Request, fold
from freelm_integrations.wire.answers.fences import Unfencer
from tests.wire.dialects import DECLARED


def taken(pieces) -> str:
    unfencer = Unfencer()
    return "".join(unfencer.feed(piece) for piece in pieces) + unfencer.end()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('```json\n{"a": 1}\n```', '{"a": 1}'),
        ('```\n{"a": 1}\n```\n', '{"a": 1}'),
        ('\n```JSON \r\n{"a": 1}\r\n```', '{"a": 1}'),
        ('```json\n{"a": 1}', '{"a": 1}'),
        ('{"a": "```json\\n"}', '{"a": "```json\\n"}'),
        ('```json\n{"a": "``` b"}\n```', '{"a": "``` b"}'),
        ("``", "``"),
        ("```json", "```json"),
        ("```json is a fence", "```json is a fence"),
        (" {}\n", " {}\n"),
        ("", ""),
    ],
)
def test_a_fence_around_the_whole_answer_is_taken_off(text, expected):
    """Whatever pieces it comes in; what only looks like one stays."""
    assert taken([text]) == expected
    assert taken(list(text)) == expected


@given(text=st.text("`json\n {}", max_size=24), cuts=st.lists(st.integers(0, 24), max_size=6))
def test_where_it_is_cut_makes_no_difference(text, cuts):
    """And what does not begin with a fence is not touched."""
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    said = taken([text[a:b] for a, b in pairwise(places)])

    assert said == taken([text])
    if not text.lstrip().startswith("```"):
        assert said == text


@pytest.mark.parametrize(
    ("response_format", "expected"),
    [
        ({"type": "json_object"}, "{}"),
        ({"type": "text"}, "```json\n{}\n```"),
        (None, "```json\n{}\n```"),
    ],
)
def test_it_is_taken_off_only_where_json_was_asked_for(response_format, expected):
    """Elsewhere the fence is what the user wants to see."""
    said = b'{"choices":[{"message":{"content":"```json\\n{}\\n```"},"finish_reason":"stop"}]}'
    request = Request(
        messages=({"role": "user", "content": "hi"},), response_format=response_format
    )
    decoder = DECLARED["google"].decoder(request, "gemini-3.8-flash")
    decoder.feed(said)

    assert fold(decoder.end()).text == expected
