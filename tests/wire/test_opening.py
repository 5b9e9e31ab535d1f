"""What is no answer is not shown, and what is one is shown whole."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.chat import Request, fold
from freelm_integrations.wire.answers.opening import Opening
from freelm_integrations.wire.faults import Fault
from freelm_integrations.wire.openai import ChatCompletions

GUARDED = ChatCompletions(not_answers={"owl": ("safe", "unsafe")})
VERDICTS = ("safe", "unsafe")


def told(pieces, *, verdicts=VERDICTS, has_calls=False) -> tuple[str, bool]:
    """What was shown, and whether it was a verdict."""
    opening = Opening(expects_calls=False, verdicts=verdicts)
    shown = "".join(opening.feed(piece) for piece in pieces)
    return shown + opening.end(has_calls=has_calls), opening.has_judged


@pytest.mark.parametrize(
    ("text", "is_verdict"),
    [
        ("safe", True),
        ("unsafe", True),
        ("\n Safe. \n", True),
        ("**unsafe**", True),
        ("unsafe\nS1", True),
        ("unsafe\nS1, S10", True),
        ("safety first", False),
        ("safe travels", False),
        ("unsafe\nS1 is the category", False),
        ("unsafe\nS", False),
        ("It is safe", False),
        ("saf", False),
        ("unsafe to say", False),
        ("S1", False),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 100])
def test_a_guard_models_word_is_no_answer(text, is_verdict, size):
    """Alone or with marks and categories; as the beginning of a sentence it is one."""
    pieces = [text[n : n + size] for n in range(0, len(text), size)]

    assert told(pieces) == (("" if is_verdict else text), is_verdict)


def test_nobody_else_is_held_back():
    """Where no verdicts are declared, or beside tool calls, the word is text."""
    assert told(["safe"], verdicts=()) == ("safe", False)
    assert told(["safe"], has_calls=True) == ("safe", False)


@given(text=st.text("unsafeS1, .\n*", max_size=14), cuts=st.lists(st.integers(0, 14), max_size=5))
def test_held_text_is_shown_whole_or_not_at_all(text, cuts):
    """However it is cut; only spaces and verdicts are left out."""
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    shown, is_verdict = told([text[a:b] for a, b in pairwise(places)])

    assert (shown, is_verdict) == told([text])
    if text.strip() and not is_verdict:
        assert shown == text


@pytest.mark.parametrize(
    ("model", "prompt", "is_fault"),
    [
        ("owl-7b", "Is this tea safe?", True),
        ("owl-7b", [{"type": "text", "text": "hi"}], True),
        ("owl-7b", "Answer safe or unsafe: tea", False),
        ("wren-7b", "hi", False),
    ],
)
def test_a_prompt_may_ask_for_the_very_word(model, prompt, is_fault):
    """And models that are not declared may say it any time."""
    request = Request(messages=({"role": "user", "content": prompt},))
    decoder = GUARDED.decoder(request, model)
    decoder.feed(b'{"choices":[{"message":{"content":"safe"},"finish_reason":"stop"}]}')
    said = decoder.end()

    if is_fault:
        assert isinstance(said, Fault)
        assert said.kind == "empty"
    else:
        assert fold(said).text == "safe"
