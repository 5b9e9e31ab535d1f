"""A table on a terminal or in a notebook: fits the width it gets, with a style a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.table import table_lines

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from rich.console import Console, ConsoleOptions
    from rich.text import Text

_NARROW = 60
"""Columns below which there is no room for what only wide terminals need to leave out."""


class Sheet:
    """A rich renderable. Cells are shown as they stand: `:free:` in a model's name is no emoji."""

    def __init__(
        self,
        headings: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        right: Collection[str] = (),
        styles: Sequence[str] = (),
        spare: Sequence[str] = (),
        spare_if_narrow: Sequence[str] = (),
    ) -> None:
        """Show these rows; `right` are the headings of numbers, `styles` one a row or none.

        The columns of `spare` go first where it is too wide, those of `spare_if_narrow` next, but
        only below 60 columns.
        """
        self._headings = headings
        self._rows = rows
        self._right = right
        self._styles = ("bold", *styles, *[""] * (len(rows) - len(styles)))
        self._spare = spare
        self._spare_if_narrow = spare_if_narrow

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Draw it; what cannot be folded to fit is cut at the edge."""
        from rich.text import Text  # noqa: PLC0415 - rich is an extra

        width = min(options.max_width, console.width)
        spare = (*self._spare, *self._spare_if_narrow) if width < _NARROW else self._spare
        drawn = table_lines(self._headings, self._rows, width=width, right=self._right, spare=spare)
        for lines, style in zip(drawn, self._styles, strict=True):
            for line in lines:
                yield Text(line, style=style, no_wrap=True, overflow="ellipsis")
