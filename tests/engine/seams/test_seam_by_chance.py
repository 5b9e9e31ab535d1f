"""Seams at random places: no character is lost or doubled, and nothing wrong is ever glued on."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freelm_integrations.engine.seams.seam import NotAContinuation, Seam, continuation_messages

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


def answered(seam: Seam, answer: str, sizes: random.Random) -> str | NotAContinuation:
    """What is passed on of an answer that comes in pieces of random size."""
    passed: list[str] = []
    while answer:
        size = sizes.choice((1, 2, 3, 5, 8, 40))
        piece, answer = answer[:size], answer[size:]
        said = seam.feed(piece)
        if isinstance(said, NotAContinuation):
            return said
        passed.append(said)
    said = seam.end()
    return said if isinstance(said, NotAContinuation) else "".join([*passed, said])


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


def repeats_from(text: str, partial: str, separators: str) -> str:
    """The text from the last of the separators before its end, or all of it."""
    shown = partial.rstrip()
    start = max(shown.rfind(one) + len(one) for one in separators.split("|"))
    return text[start:].lstrip(" ") if start > 1 else text


MANNERS = {
    "exactly": lambda text, shown: text[len(shown) :],
    "the whole again": lambda text, shown: text,
    "the sentence again": lambda text, shown: repeats_from(text, shown, ". |\n\n"),
    "announced": lambda text, shown: "Sure, here is the rest:\n\n" + text[len(shown) :],
    "announced, the sentence again": lambda text, shown: (
        "Here's the continuation:\n\n" + repeats_from(text, shown, ". |\n\n")
    ),
    "announced, the whole again": lambda text, shown: f"Certainly!\n\n{text}",
    "dots first": lambda text, shown: "..." + text[len(shown) :],
    "refused": lambda text, shown: "I'm sorry, I can't continue that text.",
}
LEAST = {"exactly": 0.97, "the whole again": 0.97, "the sentence again": 0.7}
"""The share of cuts that must come out well; of the others none may come out wrong."""


@pytest.mark.parametrize("manner", MANNERS)
@pytest.mark.parametrize("text", TEXTS, ids=["prose", "code"])
def test_who_was_told_to_go_on_carries_on_exactly_or_not_at_all(text: str, manner: str):
    """At every place of a text; a whole that is told again is always known for what it is."""
    sizes = random.Random(7)
    well = 0
    places = range(12, len(text) - 1)
    wrong: list[tuple[str, str]] = []
    for place in places:
        partial = text[:place]
        seam = Seam(partial, is_prefilled=False, messages=ASKED)
        answer = MANNERS[manner](text, sent(partial, is_prefilled=False))
        said = answered(seam, answer, sizes)
        if isinstance(said, NotAContinuation):
            continue
        well += said == text[place:]
        if said != text[place:]:
            wrong.append((partial[-30:], said[:30]))

    assert wrong == []
    assert well >= LEAST.get(manner, 0.0) * len(places)


OTHERS = [
    "The town by the sea has a market that opens early in the morning, when boats return.",
    "Every morning the fishing boats return to the harbour, and the town wakes up slowly.",
    "Here is a short description of a harbour town and the people who live and work in it.",
]


@pytest.mark.parametrize("other", OTHERS)
def test_another_beginning_is_never_glued_into_a_sentence(other: str):
    """Wherever in a sentence the first answer broke off."""
    sizes = random.Random(7)
    inside = [place for place in range(12, 380) if PROSE[place - 1].isalpha()]
    seams = [Seam(PROSE[:place], is_prefilled=False, messages=ASKED) for place in inside]
    said = [answered(seam, other, sizes) for seam in seams]
    glued = [PROSE[:place][-20:] for place, one in zip(inside, said, strict=True) if one == other]

    assert glued == []
