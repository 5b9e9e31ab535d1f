"""Calls as they happen: on a terminal, in a pipe, and where rich is missing."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.events import Exhausted

pytest.importorskip("rich")

from rich.text import Text

from freelm_integrations.display import Screen, print_summary
from freelm_integrations.display.frame import Frame, seamed
from freelm_integrations.display.transcript import Transcript
from tests.display.calls import GROQ, HEDGED, REFUSED, STITCHED, console, started, told


def shown(target, events, *, texts=()):
    """What is seen of a call; `texts` are the pieces of text after so many events."""
    screen = Screen(target)
    with screen.section("A call"):
        for place, event in enumerate(events):
            screen(event)
            for piece in dict(texts).get(place, ()):
                screen.write(piece)
    print_summary(screen.timeline, target)
    return target.file.getvalue()


ANSWER = {4: ("Hel", "lo.")}
PARTS = {1: ("Hel", "lo"), 7: (", you", " all.")}


def test_in_a_pipe_each_event_is_a_line_and_there_are_no_control_codes():
    """A log for whoever reads it."""
    text = shown(console(terminal=False), REFUSED, texts=ANSWER)

    assert "\x1b" not in text
    assert "1. groq small:free:: rate limited (429) after 100 ms" in text
    assert "\nHello.\n" in text
    assert text.isascii()


def test_in_a_pipe_a_hedge_and_whom_it_outpaced_are_told():
    """In the order in which it happened."""
    lines = shown(console(terminal=False), HEDGED).splitlines()

    assert lines[2:5] == [
        "  2. nim large: asked as a hedge, others being silent",
        "  1. groq small:free:: outpaced after 1000 ms of silence",
        "  2. nim large: first words 300 ms after the question",
    ]


def test_in_a_pipe_the_text_is_broken_where_the_answer_was():
    """What was told in between stands in between, and both parts show that they belong together."""
    lines = shown(console(terminal=False), STITCHED, texts=PARTS).splitlines()

    assert lines[3:8] == [
        "Hello...",
        "  1. groq small:free:: connection broke in mid-answer after 100 ms",
        "  2. nim large: did not carry on after 100 ms",
        "  3. mistral ministral: carries on after 5 characters",
        "..., you all.",
    ]


def test_a_break_that_nobody_mends_leaves_no_dots_in_the_next_answer():
    """They belong to the call that broke off."""
    screen = Screen(console(terminal=False))
    for event in STITCHED[:2]:
        screen(event)
    screen.write("Hello")
    screen(STITCHED[2])
    screen(started(1, GROQ, call=2))
    screen.write("Another")

    assert screen.console.file.getvalue().endswith("Another")
    assert "...Another" not in screen.console.file.getvalue()


def test_no_line_in_a_pipe_is_folded():
    """Programs read them."""
    target = console(terminal=False, width=40)
    Screen(target).say("word " * 30 + "end")

    assert target.file.getvalue().count("\n") == 1


def test_on_a_terminal_the_table_is_redrawn_and_its_last_state_stays():
    """The text stands below it."""
    text = shown(console(terminal=True), REFUSED, texts=ANSWER)

    assert "\x1b" in text
    assert "rate limited (429), key rests 20 s" in text
    assert "Hello." in text


def test_on_a_terminal_the_seam_has_a_mark_and_the_rest_a_colour():
    """It can be told which part came from whom."""
    text = shown(console(terminal=True), STITCHED, texts=PARTS)

    assert "carried on after 5 characters" in text
    assert "Hello┊, you all." in Text.from_ansi(text).plain


def test_a_terminal_without_such_letters_gets_a_plain_mark():
    """Nothing fails to be printed."""
    assert seamed(["Hello", ", you"], "ascii").plain == "Hello|, you"


def test_while_it_is_redrawn_the_end_of_a_long_text_is_kept_in_sight():
    """What lies above the upper edge could not be redrawn; in the end all of it is there."""
    text = "\n".join(f"line {number}" for number in range(50))
    rows = told(*REFUSED).attempts()
    seen = {}
    for is_cropped in (True, False):
        target = console(terminal=True, height=10)
        target.print(Frame(rows, [text], is_cropped=is_cropped))
        seen[is_cropped] = target.file.getvalue()

    assert seen[True].count("\n") <= 10
    assert "line 49" in seen[True]
    assert "groq" in seen[False]
    assert seen[False].count("\n") > 50


@pytest.mark.parametrize("parts", [["word " * 20_000], ["begun " * 10_000, "ended " * 10_000]])
def test_of_a_very_long_text_only_the_end_is_laid_out_again_and_again(parts):
    """A frame costs no more at the end of a long answer than in its midst."""
    target = console(terminal=True, height=10_000)
    target.print(Frame([], parts, is_cropped=True))

    seen = Text.from_ansi(target.file.getvalue()).plain
    assert 16_000 < len(seen) < 34_000
    assert seen.rstrip().endswith(parts[-1].rstrip()[-50:])


def test_a_section_shows_its_own_calls_only():
    """Earlier ones are above."""
    target = console(terminal=True)
    screen = Screen(target)
    for event in REFUSED:
        screen(event)
    target.file.truncate(0)
    with screen.section("Another"):
        screen(started(1, GROQ, call=2))

    assert "nim" not in target.file.getvalue()


def test_an_interrupted_section_leaves_the_terminal_as_it_was():
    """The cursor is shown again, and the last state stays."""
    target = console(terminal=True)
    screen = Screen(target)

    def interrupted() -> None:
        with screen.section("A call"):
            screen(REFUSED[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert target.file.getvalue().rstrip().endswith("\x1b[?25h")
    assert "trying" in target.file.getvalue()


def test_who_is_left_without_an_answer_is_told_why():
    """Even outside a section."""
    target = console(terminal=False)
    Screen(target)(Exhausted(call=1, at=0.0, attempts=3, reason="all are resting"))

    assert "no whole answer: all are resting" in target.file.getvalue()


def test_without_rich_the_extra_is_named(monkeypatch):
    """Rather than a module nobody asked for."""
    monkeypatch.setitem(sys.modules, "rich", None)

    with pytest.raises(ImportError, match=r"freelm-integrations\[cli\]"):
        Screen()


def test_a_seam_is_told_within_its_own_call():
    """The second call of a section begins after the text of the first."""
    text = Transcript()
    text.begin(1)
    text.write("One. ")
    text.begin(2)
    text.write("Two")
    text.mark(2, 3)
    text.begin(2)
    text.write(" and a half.")

    assert text.parts() == ["One. Two", " and a half."]


@given(pieces=st.lists(st.text(max_size=5)), seams=st.lists(st.integers(0, 30)))
def test_no_letter_is_lost_or_doubled_at_a_seam(pieces, seams):
    """Whatever is told of it, and be it before the text comes."""
    text = Transcript()
    for seam in seams:
        text.mark(1, seam)
    for piece in pieces:
        text.write(piece)

    parts = text.parts()
    assert "".join(parts) == "".join(pieces)
    assert all(parts) or len(parts) == 1
