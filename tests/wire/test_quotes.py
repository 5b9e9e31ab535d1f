"""What is quoted in an error is told apart from what is said in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.wire.refusals.quotes import apart

QUOTING = [
    ("plain words", "plain words", "plain words"),
    ("unknown name 'top_k' here", "unknown name here", "unknown name 'top_k' here"),
    ('bad value "tell me about rate limits" here', "bad value here", "bad value here"),
    ("don't stop the model's users' words", *["don't stop the model's users' words"] * 2),
    ("it said `a b c` and “d e f” and «g h i»", "it said and and", "it said and and"),
    ("see https://docs.example/rate-limits for it", "see for it", "see for it"),
    (
        "{'msg': 'slow down please now'}",
        "{: 'slow down please now'}",
        "{'msg': 'slow down please now'}",
    ),
    ("{'input': 'slow'}", "{: }", "{'input': }"),
    ("[type=string, input_value='slow', x=1]", *["[type=string, input_value= , x=1]"] * 2),
    ('cut off: "tell me about rate lim', "cut off:", "cut off:"),
    ("value: 'temperature' is", "value: is", "value: 'temperature' is"),
]


@pytest.mark.parametrize(("words", "own", "naming"), QUOTING)
def test_own_words_and_names_are_told_from_quotations(words, own, naming):
    """Spaces apart."""
    assert ["".join(it.split()) for it in apart(words)] == [
        "".join(it.split()) for it in (own, naming)
    ]


@given(st.text(alphabet="ab '\"`“”«»=:{}\n", max_size=200))
def test_nothing_is_made_up(words):
    """Whatever the quotation marks, only words that were there remain, in their order."""
    for said in apart(words):
        rest = iter(words)
        assert all(sign in rest for sign in said if not sign.isspace())


@given(
    st.lists(st.sampled_from(["rate", "limit", "key", "of"]), min_size=3), st.sampled_from("'\"`")
)
def test_a_quotation_of_several_words_is_never_heard(words, mark):
    """Whichever mark it stands in."""
    said = f"no such thing: {mark}{' '.join(words)}{mark}."

    assert all("rate" not in it and "limit" not in it for it in apart(said))
