"""Thinking and answer come apart, whatever pieces they come in, and nothing of either is lost."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.wire.answers.thinking import Said, ThinkSplitter, details_said, parts_said

WORDS = st.text("ab <>/think\n", max_size=25)


def split(pieces, *, leading=True, flags=None) -> Said:
    splitter = ThinkSplitter("think", leading=leading)
    flags = flags or [False] * len(pieces)
    said = [splitter.feed(p, is_flagged=f) for p, f in zip(pieces, flags, strict=True)]
    said.append(splitter.end())
    return Said("".join(s.text for s in said), "".join(s.reasoning for s in said))


@pytest.mark.parametrize(
    ("pieces", "text", "reasoning"),
    [
        (["<think>a</think>b"], "b", "a"),
        (["<thi", "nk>a</th", "ink>b"], "b", "a"),
        (["\n <think>\na\n</think>\n\nb"], "b", "a\n"),
        (["<think></think>b"], "b", ""),
        (["<think>a"], "", "a"),
        (["<think>a</thi"], "", "a</thi"),
        (["<think>1 < 2 and a<b</think>b"], "b", "1 < 2 and a<b"),
        (["<thin ice"], "<thin ice", ""),
        (["<thi"], "<thi", ""),
        (["b <think>a</think>"], "b <think>a</think>", ""),
        (["<think>a</think>b <think>c</think>"], "b <think>c</think>", "a"),
        ([], "", ""),
    ],
)
def test_a_leading_tag_wraps_the_thinking(pieces, text, reasoning):
    """At the very beginning only, and closed or not."""
    assert split(pieces) == Said(text, reasoning)
    assert split(list("".join(pieces))) == Said(text, reasoning)


@pytest.mark.parametrize(
    ("pieces", "flags", "text", "reasoning"),
    [
        (["<think>a", "b", "</think>c"], [1, 1, 0], "c", "ab"),
        (["<th", "ink>a", "</thi", "nk>c"], [1, 1, 0, 0], "c", "a"),
        (["<think>a", "c"], [1, 0], "c", "a"),
        (["a", "c"], [1, 0], "c", "a"),
        (["<think>a</think>c"], [1], "c", "a"),
        (["c <think>", " d"], [0, 0], "c <think> d", ""),
        (["<think>a", "</think>c", "e", "d"], [1, 0, 1, 0], "cd", "ae"),
    ],
)
def test_flagged_pieces_are_thinking(pieces, flags, text, reasoning):
    """Where the provider flags them, and until it does no more."""
    flags = [bool(flag) for flag in flags]
    assert split(pieces, leading=False, flags=flags) == Said(text, reasoning)


@pytest.mark.parametrize(
    ("whole", "may_lack_opening", "expected"),
    [
        ("a</think>b", True, Said("b", "a")),
        ("\n<think>a</think>b", True, Said("b", "a")),
        ("a <think> b", True, Said("a <think> b")),
        ("The tag </think> closes it.", False, Said("The tag </think> closes it.")),
        ("<think>a</think>b", False, Said("b", "a")),
    ],
)
def test_only_some_models_leave_the_opening_tag_out(whole, may_lack_opening, expected):
    """In others a closing tag alone is part of the answer."""
    splitter = ThinkSplitter("think", leading=True, may_lack_opening=may_lack_opening)

    assert splitter.feed(splitter.opened(whole)) == expected


@given(thought=WORDS, answer=WORDS, cuts=st.lists(st.integers(0, 70), max_size=8))
def test_nothing_is_lost_or_doubled(thought, answer, cuts):
    """Any thinking, any answer, any pieces: the same two texts, but for breaks at the seams."""
    thought = thought.replace("</think>", "")
    whole = f"<think>{thought}</think>{answer}"
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    pieces = [whole[a:b] for a, b in pairwise(places)]

    said = split(pieces)
    assert said == split([whole])
    assert said.text == answer.lstrip("\r\n")
    assert said.reasoning == thought.lstrip("\r\n")


@given(pieces=st.lists(WORDS, max_size=6))
def test_text_without_tags_stays_as_it_is(pieces):
    """Not a character of a plain answer changes."""
    whole = "".join(pieces)
    if not whole.lstrip().startswith("<think>"):
        assert split(pieces) == Said(whole, "")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([{"type": "text", "text": "a"}, "b"], Said("ab")),
        ([{"type": "thinking", "thinking": [{"type": "text", "text": "a"}]}], Said("", "a")),
        ([{"type": "thinking", "thinking": "a"}, {"type": "text", "text": "b"}], Said("b", "a")),
        ([{"type": "reference", "reference_ids": [1]}, None, 7], Said()),
        ("no list", Said()),
    ],
)
def test_lists_of_parts_say_both(parts, expected):
    """Mistral's content while it thinks; unknown parts say nothing."""
    assert parts_said(parts) == expected


def test_reasoning_details_are_read_for_their_text():
    """Text and summaries show, what is encrypted does not."""
    details = [{"text": "a"}, {"summary": "b"}, {"type": "reasoning.encrypted", "data": "x"}, 7]

    assert details_said(details) == "ab"
