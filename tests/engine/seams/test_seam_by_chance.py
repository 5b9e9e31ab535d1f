"""Seams at random places: no character is lost or doubled, and nothing wrong is ever glued on."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freelm_integrations.engine.seams.anchor import anchor_of
from freelm_integrations.engine.seams.retelling import folded
from freelm_integrations.engine.seams.seam import Seam, continuation_messages
from tests.reliability.manners import GOES_ASTRAY, GOES_ON, answered, end_of
from tests.reliability.texts import WRITTEN

ASKED = ({"role": "user", "content": "Go on and on"},)
PROSE = """The harbour wakes before the town does. At five the first boats come in, their decks
silver with herring, and the gulls quarrel over every rope. By six, when the bakery opens its
shutters, the auction is over; a buyer from Bergen has paid too much again, and knows it.

Nobody hurries. "A fish doesn't get fresher," says old Marta, "because you run." She has sold
coffee on the quay for thirty-one years, from the same window, in the same blue cups. Her prices
have changed twice: in 1997, and when the bridge was built.

- Coffee, black: 25 kr
- Coffee with milk: 28 kr
- A bun, if any are left: 15 kr

In winter the light is brief, and the children walk to school with lamps. In summer it does not
leave at all. Café owners hang out curtains; visitors sleep badly and talk about it all day.
"""
CODE = """def totals(rows):
    count = 0
    total = 0.0
    for row in rows:
        if row is None:
            continue
        count += 1
        total += float(row["amount"])
    if count == 0:
        return None
    return {"count": count, "total": total, "mean": total / count}


print(totals([]))
print(totals([{"amount": "1.50"}]))
"""
TEXTS = [PROSE, CODE]
REPETITIVE = st.builds(
    lambda unit, times, rest: unit * times + rest,
    st.sampled_from(
        ["na ", ".", "ab", "x = 1\n", "| --- ", "\n", "  ", "hahaha, ", "\u0301a", "01"]
    ),
    st.integers(1, 12),
    st.sampled_from(["", "na", "Batman!", "\n", "done"]),
)
ANY_TEXT = st.one_of(st.text(max_size=80), REPETITIVE, st.sampled_from(TEXTS))
ALPHABET = st.text(alphabet="ab .\n", max_size=40)


def sent(partial: str, *, is_prefilled: bool) -> str:
    """What a model is shown of the text that it is to carry on."""
    messages = continuation_messages(ASKED, partial, is_prefilled=is_prefilled)
    return next((str(one["content"]) for one in messages if one["role"] == "assistant"), "")


@settings(max_examples=400, deadline=None)
@given(
    text=st.one_of(ANY_TEXT, ALPHABET),
    place=st.integers(0, 10_000),
    sizes=st.randoms(use_true_random=False),
    echoes=st.booleans(),
)
def test_who_continues_exactly_is_carried_on_exactly(
    text: str, place: int, sizes: random.Random, echoes: bool
):
    """Any text, cut anywhere, in any pieces, given back first or not."""
    partial = text[: place % (len(text) + 1)]
    shown = sent(partial, is_prefilled=True)
    seam = Seam(partial, is_prefilled=True, echoes=echoes, messages=ASKED)
    said = answered(seam, text if echoes else text[len(shown) :], sizes)

    assert said == text[len(partial) :] or not partial.strip()
    assert isinstance(said, str)


@settings(max_examples=400, deadline=None)
@given(
    text=st.one_of(ANY_TEXT, ALPHABET),
    place=st.integers(0, 10_000),
    sizes=st.randoms(use_true_random=False),
    known=st.sampled_from([None, False]),
)
def test_chance_is_not_taken_for_a_repetition(
    text: str, place: int, sizes: random.Random, known: bool | None
):
    """Of a model that gives nothing back, only a full repetition can mislead who does not know."""
    partial = text[: place % (len(text) + 1)]
    rest = text[len(sent(partial, is_prefilled=True)) :]
    is_misleading = known is None and partial.strip() and rest.startswith(partial.rstrip(" "))
    seam = Seam(partial, is_prefilled=True, echoes=known, messages=ASKED)

    assert (
        answered(seam, rest, sizes) == text[len(partial) :] or is_misleading or not partial.strip()
    )


@pytest.mark.parametrize("manner", GOES_ON)
@pytest.mark.parametrize("text", WRITTEN, ids=range(len(WRITTEN)))
def test_who_was_told_to_go_on_and_does_is_always_carried_on_exactly(text: str, manner: str):
    """At every place of a text."""
    sizes = random.Random(7)
    ends = Counter(end_of(text, place, GOES_ON[manner], sizes) for place in range(1, len(text) - 1))

    assert set(ends) == {"right"}


@pytest.mark.parametrize("manner", GOES_ASTRAY)
@pytest.mark.parametrize("text", WRITTEN, ids=range(len(WRITTEN)))
def test_what_leads_astray_is_never_glued_on(text: str, manner: str):
    """At every place of a text, the ends of its words, sentences, lines and paragraphs among them."""
    sizes = random.Random(7)
    ends = Counter(
        end_of(text, place, GOES_ASTRAY[manner], sizes) for place in range(1, len(text) - 1)
    )
    wrong = [end for end in ends if end.startswith("wrong")]

    assert not wrong


@settings(max_examples=300, deadline=None)
@given(told=st.text(alphabet="ab .\n哈", min_size=1, max_size=60).filter(str.strip))
def test_the_words_to_begin_with_are_there_once(told: str):
    """Or are all of the text; with what stands before and after them they make it up."""
    before, wanted, ending = anchor_of(told)

    assert told.rstrip().endswith(wanted)
    assert told == told.rstrip() + ending
    assert told.startswith(before)
    assert wanted.strip() == wanted != ""
    if before:
        assert folded(told.rstrip()).count(folded(wanted)) == 1
        assert before == told.rstrip()[: -len(wanted)].rstrip()
        assert sum(map(str.isalnum, wanted)) >= 4
