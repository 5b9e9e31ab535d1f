"""What a terminal shows of a section: the table of attempts, and the text with its seams below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.display.tables import ONWARD, attempts_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions
    from rich.segment import Segment
    from rich.text import Text

    from freelm_integrations.timeline import Attempt

_SEAM, _PLAIN_SEAM = "┊", "|"
_STRETCH = 16_384
"""Characters by which a long text is shortened from its beginning: more than a terminal shows.

By as many at once, so that its lines stay as they are from frame to frame.
"""


class Frame:
    """One state of a section. Cropped, it keeps the end: that is where the text comes."""

    def __init__(
        self, attempts: Sequence[Attempt], parts: Sequence[str], *, is_cropped: bool
    ) -> None:
        """Show these attempts, and these parts of a text that meet at seams."""
        self._attempts = attempts
        self._parts = parts
        self._is_cropped = is_cropped

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        """Draw it, as high as the terminal at most if it is to be cropped."""
        from rich.console import Group  # noqa: PLC0415 - rich is an extra
        from rich.segment import Segment  # noqa: PLC0415 - rich is an extra

        parts = _end_of(self._parts) if self._is_cropped else self._parts
        text = seamed(parts, console.encoding)
        table = attempts_table(self._attempts)
        lines = console.render_lines(Group(table, "", text) if text else table, options, pad=False)
        room = max(1, options.size.height - 1)
        for line in lines[-room:] if self._is_cropped else lines:
            yield from line
            yield Segment.line()


def _end_of(parts: Sequence[str]) -> list[str]:
    """The last stretches of a text; with no part the fewer, as colours go by their place."""
    spare = (sum(map(len, parts)) - _STRETCH) // _STRETCH * _STRETCH
    kept: list[str] = []
    for part in parts:
        kept.append(part[max(0, spare) :])
        spare -= len(part)
    return kept


def seamed(parts: Sequence[str], encoding: str) -> Text:
    """The text in one, with a mark at every seam; what was carried on is of another colour."""
    from rich.text import Text  # noqa: PLC0415 - rich is an extra

    first, *others = parts
    text = Text(first)
    mark = _SEAM if encoding.casefold().startswith("utf") else _PLAIN_SEAM
    for part in others:
        text.append(mark, style=f"bold {ONWARD}")
        text.append(part, style=ONWARD)
    return text
