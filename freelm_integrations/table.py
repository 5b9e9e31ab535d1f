"""Rows as aligned text: unbroken where a program reads it, folded to fit where a person does."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

GAP = "  "
SLIGHT = 10
"""A column as narrow as this is never folded: there is nothing to gain."""

_SPACES = re.compile(r"\s+")
_SPACES_AND_VENDORS = re.compile(r"(?<=/)(?=\S)|\s+")
"""Where a cell may be folded: at spaces, and after the vendor in the id of a model."""


def table_text(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    width: int | None = None,
    right: Iterable[str] = (),
    spare: Iterable[str] = (),
) -> str:
    """A line a row under the headings, each ended by a line break; "" without any heading.

    With a `width` (columns) the columns headed as in `spare` are left out, one after the other,
    while the table is too wide; then cells are folded, the widest first, until it fits or nothing
    can be folded any more. Without one all is shown as it is. `right` are the headings of numbers.
    """
    rows = table_lines(headings, rows, width=width, right=right, spare=spare)
    return "".join(f"{line}\n" for row in rows for line in row)


def table_lines(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    width: int | None = None,
    right: Iterable[str] = (),
    spare: Iterable[str] = (),
) -> list[list[str]]:
    """The lines of the headings and of each row, as in `table_text`; none without any heading."""
    if not headings:
        return []
    cells = [[one_line(cell) for cell in row] for row in (headings, *rows)]
    if width is not None:
        cells = _without(cells, spare, width)
    widths = _widths(cells)
    if width is not None:
        widths = _squeezed(widths, _least(cells, widths), width - len(GAP) * (len(widths) - 1))
    at_right = [heading in set(right) for heading in cells[0]]
    return [list(_lines(row, widths, at_right)) for row in cells]


def one_line(text: str) -> str:
    """The text in one line and without control characters: a server may send any."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(plain.split())


def folded(text: str, width: int | None, at: re.Pattern[str] = _SPACES) -> list[str]:
    """The text in lines of so many columns at most, where it may be folded; one if None."""
    if width is None or columns(text) <= width:
        return [text]
    lines, start = [""], 0
    for found in (*at.finditer(text), None):
        word = text[start : None if found is None else found.end()]
        start = len(text) if found is None else found.end()
        if lines[-1] and columns((lines[-1] + word).rstrip()) > width:
            lines.append("")
        lines[-1] += word
    return [line.rstrip() for line in lines]


def columns(text: str) -> int:
    """How many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    wide = sum(east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(combining(letter) > 0 for letter in text)


def _without(cells: list[list[str]], spare: Iterable[str], width: int) -> list[list[str]]:
    for heading in spare:
        widths = _widths(cells)
        if sum(widths) + len(GAP) * (len(widths) - 1) <= width:
            break
        if heading in cells[0]:
            place = cells[0].index(heading)
            cells = [[*row[:place], *row[place + 1 :]] for row in cells]
    return cells


def _widths(cells: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(columns, column)) for column in zip(*cells, strict=True)]


def _least(cells: Sequence[Sequence[str]], widths: Sequence[int]) -> list[int]:
    """How narrow each column can be made."""
    longest = [max(map(_longest_word, column)) for column in zip(*cells, strict=True)]
    return [max(word, min(width, SLIGHT)) for word, width in zip(longest, widths, strict=True)]


def _longest_word(text: str) -> int:
    return max((columns(word) for word in _SPACES_AND_VENDORS.split(text)), default=0)


def _squeezed(widths: Sequence[int], least: Sequence[int], total: int) -> list[int]:
    """The widths with as much taken off the widest columns as is needed and can be."""
    found = list(widths)
    while sum(found) > total:
        spare = [place for place, width in enumerate(found) if width > least[place]]
        if not spare:
            break
        found[max(spare, key=found.__getitem__)] -= 1
    return found


def _lines(row: Sequence[str], widths: Sequence[int], at_right: Sequence[bool]) -> Iterator[str]:
    parts = [
        folded(cell, width, _SPACES_AND_VENDORS) for cell, width in zip(row, widths, strict=True)
    ]
    for pieces in zip_longest(*parts, fillvalue=""):
        padded = (
            " " * (width - columns(piece)) + piece
            if is_right
            else piece + " " * (width - columns(piece))
            for piece, width, is_right in zip(pieces, widths, at_right, strict=True)
        )
        yield GAP.join(padded).rstrip()
