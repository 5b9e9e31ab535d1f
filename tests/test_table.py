"""Rows as aligned text: whole in a pipe, folded on a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.table import columns, folded, one_line, table_text

ROWS = [
    ["groq", "openai/gpt-oss-20b", "fast, tools, json_schema", "131,072"],
    ["openrouter", "nvidia/nemotron-3-super-120b-a12b:free", "large", "1"],
]
HEADINGS = ["provider", "id", "tags", "context"]


def table(width=None, **options):
    return table_text(HEADINGS, ROWS, width=width, right={"context"}, **options).splitlines()


def test_in_a_pipe_a_row_is_a_line():
    """However long; columns stand below their headings, numbers at the right, nothing trails."""
    head, first, second = table()

    assert head.split() == HEADINGS
    assert first.index("openai/") == second.index("nvidia/") == head.index("  id") + 2
    assert len(head) == len(first) == len(second)
    assert second.endswith("      1")
    assert table_text(["a", "b"], [["long", ""]]) == "a     b\nlong\n"


@pytest.mark.parametrize("width", [65, 70, 80, 90])
def test_on_a_terminal_no_line_is_wider_than_it(width):
    """Every word is still there, and an id is broken after its vendor only."""
    lines = table(width)
    words = " ".join(lines).split()

    assert max(map(columns, lines)) <= width
    assert {"fast,", "tools,", "json_schema", "131,072"} <= set(words)
    assert "nemotron-3-super-120b-a12b:free" in " ".join(lines)


def test_what_cannot_be_folded_overflows():
    """Better a long line than half a name."""
    lines = table(20)

    assert "nemotron-3-super-120b-a12b:free" in " ".join(lines)


def test_what_can_be_done_without_goes_first():
    """In its order, and only while the table is too wide."""
    whole, narrower, narrow = (table(width, spare=("tags", "context")) for width in (90, 75, 55))

    assert "json_schema" in whole[1]
    assert "json_schema" not in narrower[1]
    assert "131,072" in narrower[1]
    assert narrow[0].split() == ["provider", "id"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nb", "a b"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("  a \t b  ", "a b"),
        ("tab\x00\x07", "tab"),
        ("né 猫", "né 猫"),
        ("\u202eolleh", "olleh"),
    ],
)
def test_what_servers_say_cannot_move_the_cursor(text, line):
    """Control codes and directions are gone."""
    assert one_line(text) == line


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("猫猫", 4), ("é", 1), ("e\u0301", 1), ("", 0)]
)
def test_wide_letters_take_two_columns_and_accents_none(text, width):
    """As terminals show them."""
    assert columns(text) == width


def test_no_headings_no_table():
    """Nothing is printed."""
    assert table_text([], []) == ""
    assert table_text(["a"], []) == "a\n"


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.lists(st.lists(words, min_size=2, max_size=2), max_size=5), st.integers(1, 60))
def test_whatever_the_cells_hold_no_word_is_lost(rows, width):
    """And there is a line break for each line only."""
    said = table_text(["a", "b"], rows, width=width)
    kept = "".join(said.split())

    for row in rows:
        for cell in row:
            assert all(word in kept for word in one_line(cell).replace("/", "/ ").split())


@given(words, st.integers(1, 30))
def test_folding_loses_nothing(text, width):
    """Only spaces at the folds."""
    assert "".join("".join(folded(text, width)).split()) == "".join(text.split())
