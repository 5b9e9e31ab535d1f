"""Played models go on with an answer that was begun elsewhere, each in the way it is told to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from freelm_integrations.engine.seams.seam import NotAContinuation, Seam, continuation_messages
from freelm_integrations.lab import Lab
from freelm_integrations.lab.mind.continuing import PREAMBLE, REFUSAL, RESTART, WAYS
from tests.lab.asking import NAMES, Asker, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKED = [{"role": "user", "content": "Tell me about cats"}]
TOLD = {"role": "user", "content": "Continue it from exactly the point where it stops."}
TEXT = (
    "Kittens play. Cats, which are older, sleep in the sun.\n\nAt night they hunt mice and voles."
)
CUT = TEXT.index("ch are older")


@pytest.fixture(scope="module")
def scripted() -> Iterator[Lab]:
    """A lab in which every provider says the same, in pieces of three characters."""
    said = [TEXT[place : place + 3] for place in range(0, len(TEXT), 3)]
    with Lab(words=lambda messages: said, limits=False) as running:
        yield running


@pytest.fixture(autouse=True)
def as_before(scripted: Lab) -> Iterator[None]:
    yield
    scripted.heal()
    for provider in scripted:
        provider.continues = "exact"


def begun(partial: str, *more: dict, **fields) -> list[dict]:
    return [*ASKED, {"role": "assistant", "content": partial, **fields}, *more]


def test_all_providers_say_the_same(lab: Lab, ask: Asker):
    """The words depend on the prompt alone, so that one can go on with what another began."""
    texts = [text_of(ask.events(provider)) for provider in lab]

    assert len(set(texts)) == 1
    assert texts[0]


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("exact", TEXT[CUT:]),
        ("repeat", TEXT),
        ("last_sentence", TEXT[TEXT.index("Cats") :]),
        ("preamble", PREAMBLE + TEXT[CUT:]),
        ("restart", RESTART),
        ("refusal", REFUSAL),
        ("lost_space", TEXT[CUT:]),
    ],
)
@pytest.mark.parametrize("name", ["groq", "nim", "cerebras", "mistral", "openrouter"])
def test_who_is_told_to_go_on_does_it_as_scripted(
    scripted: Lab, ask: Asker, name: str, way: str, said: str
):
    """Every way, at every provider, streamed or not."""
    scripted[name].continues = way
    asked = begun(TEXT[:CUT], TOLD)
    streamed = text_of(ask.events(scripted[name], messages=asked))
    whole = ask.post(scripted[name], messages=asked).json()["choices"][0]["message"]["content"]

    assert streamed == said
    assert whole == said


def test_every_way_is_played():
    """The table above is complete."""
    table = test_who_is_told_to_go_on_does_it_as_scripted.pytestmark[1].args[1]
    assert {way for way, _ in table} == WAYS


def test_a_space_is_lost(scripted: Lab, ask: Asker):
    """Where the rest would begin with one."""
    scripted["groq"].continues = "lost_space"
    place = TEXT.index(" play")
    events = ask.events(scripted["groq"], messages=begun(TEXT[:place], TOLD))

    assert text_of(events) == TEXT[place + 1 :]


@pytest.mark.parametrize(
    ("name", "model", "said"),
    [
        ("openrouter", None, TEXT[CUT:]),
        ("google", "gemini-3.1-flash-lite", TEXT[CUT:]),
        ("mistral", None, TEXT),  # the prefix comes back first
        ("groq", None, TEXT),  # begins anew
    ],
)
def test_a_trailing_answer_is_gone_on_with_by_those_who_do(
    scripted: Lab, ask: Asker, name: str, model: str | None, said: str
):
    """Whatever is scripted for those who are told to in words."""
    provider = scripted[name]
    provider.continues = "restart"
    prefix = {"prefix": True} if name == "mistral" else {}
    asked = begun(TEXT[:CUT], **prefix)
    events = ask.events(provider, messages=asked, model=model or provider.models[0])

    assert text_of(events) == said


def test_an_unknown_way_is_refused(scripted: Lab):
    """With the nearest known one."""
    with pytest.raises(ValueError, match="restart"):
        scripted["groq"].continues = "restat"


def test_a_text_of_somebody_else_s_is_no_beginning(scripted: Lab, ask: Asker):
    """The model begins its own answer."""
    events = ask.events(scripted["groq"], messages=begun("Dogs bark", TOLD))

    assert text_of(events) == TEXT


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("at", [0, 1, 5, 31])
def test_a_stream_is_cut_at_any_character(scripted: Lab, ask: Asker, name: str, at: int):
    """Between the pieces or inside one."""
    scripted[name].fail("cut", at=at)
    heard = text_of(ask.events(scripted[name]))

    assert heard.removeprefix("<thought>") in (TEXT[:at], "")
    assert heard == TEXT[:at] or name == "google"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("at", [0, 10])
def test_a_stream_may_stop_and_go_on(scripted: Lab, ask: Asker, name: str, at: int):
    """The pause takes nothing away."""
    whole = ask.events(scripted[name])
    scripted[name].fail("stop_and_go", at=at, pause=0.01)
    events = ask.events(scripted[name])

    assert text_of(events) == text_of(whole)
    assert events[-1] == whole[-1] or events[-1] != "[DONE]"


def test_a_whole_answer_may_stop_and_go_on(scripted: Lab, ask: Asker):
    """In the middle of its body."""
    scripted["groq"].fail("stop_and_go", pause=0.01)

    assert ask.post(scripted["groq"]).json()["choices"][0]["message"]["content"] == TEXT


@pytest.mark.parametrize("way", sorted(WAYS))
@pytest.mark.parametrize("at", [9, 14, 24, 40, 54, 56, 70])
def test_a_seam_holds_or_is_turned_down(scripted: Lab, ask: Asker, way: str, at: int):
    """A stream that is cut at a provider goes on at another, over real sockets."""
    scripted["nim"].fail("cut", at=at)
    scripted["groq"].continues = way
    partial = text_of(ask.events(scripted["nim"]))
    asked = continuation_messages(ASKED, partial, is_prefilled=False)
    seam = Seam(partial, is_prefilled=False, messages=ASKED)
    fed = seam.feed(text_of(ask.events(scripted["groq"], messages=list(asked))))
    rest = seam.end()
    is_turned_down = isinstance(fed, NotAContinuation) or isinstance(rest, NotAContinuation)

    assert partial == TEXT[:at]
    assert is_turned_down or partial + fed + rest == TEXT
    is_asked_anew = asked[-1] == ASKED[-1]  # there is too little of it to go on with
    assert is_turned_down == (way in ("restart", "refusal") and not is_asked_anew)
