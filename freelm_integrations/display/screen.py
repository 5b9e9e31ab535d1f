"""Calls as they happen: a table redrawn in place over the text, or a line an event."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from freelm_integrations.display.consoles import is_plain, make_console
from freelm_integrations.display.frame import Frame
from freelm_integrations.display.lines import event_line
from freelm_integrations.display.transcript import Transcript
from freelm_integrations.events import AttemptStarted, CallCommitted, Resumed
from freelm_integrations.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Generator

    from rich.console import Console, RenderableType

    from freelm_integrations.events import Event

_FRAMES_A_SECOND = 12
_LINE = 80
"""Columns of a heading where nothing is known of a terminal's width."""
_BROKEN_OFF = "..."
"""Stands at both ends of a break, without a space: those around it are the text's own."""


class Screen:
    """Shows calls as they happen and keeps them in `timeline`. An observer: `on_event=screen`."""

    def __init__(self, console: Console | None = None) -> None:
        """Draw on this console, or on standard output.

        Raises:
            ImportError: rich is missing; names the extra.
        """
        self.console = make_console() if console is None else console
        self.timeline = Timeline()
        self._is_live = False
        self._earlier: frozenset[int] = frozenset()
        self._text = Transcript()
        self._is_mid_line = False
        self._is_broken_off = False

    def __call__(self, event: Event) -> None:
        """Take an event and show it."""
        self.timeline(event)
        if isinstance(event, AttemptStarted) and event.attempt == 1:
            self._text.begin(event.call)
            self._is_broken_off = False
        if isinstance(event, Resumed):
            self._text.mark(event.call, event.at_character)
        if not self._is_live:
            self._tell(event)

    def say(self, words: str) -> None:
        """Print a line of our own."""
        self._break_line()
        if self._is_plain:
            self._put(f"{words}\n")
        else:
            self.console.print(words, highlight=False, markup=False, emoji=False)

    def write(self, piece: str) -> None:
        """Show the next piece of an answer's text."""
        self._text.write(piece)
        if self._is_live or not piece:
            return
        self._put(_BROKEN_OFF + piece if self._is_broken_off else piece)
        self._is_broken_off = False
        self._is_mid_line = not piece.endswith("\n")

    def heading(self, title: str) -> None:
        """Print a title over what follows."""
        self._break_line()
        if self._is_plain:
            self._put(f"\n{title} ".ljust(_LINE + 1, "-") + "\n")
        else:
            self.console.print()
            self.console.rule(title, align="left")

    @contextmanager
    def section(self, title: str) -> Generator[None]:
        """Show what happens inside under a title, redrawn in place where that is possible."""
        self._earlier, self._text = frozenset(self.timeline.calls()), Transcript()
        self.heading(title)
        if self._is_plain:
            yield
            self._break_line()
            return
        with self._redrawn():
            yield

    @property
    def _is_plain(self) -> bool:
        return is_plain(self.console)

    @contextmanager
    def _redrawn(self) -> Generator[None]:
        from rich.live import Live  # noqa: PLC0415 - rich is an extra

        live = Live(
            console=self.console,
            get_renderable=self._frame,
            refresh_per_second=_FRAMES_A_SECOND,
            vertical_overflow="crop",
        )
        with live:
            self._is_live = True
            try:
                yield
            finally:
                self._is_live = False

    def _frame(self) -> RenderableType:
        rows = [row for row in self.timeline.attempts() if row.call not in self._earlier]
        return Frame(rows, self._text.parts(), is_cropped=self._is_live)

    def _tell(self, event: Event) -> None:
        if self._is_broken_off and isinstance(event, CallCommitted):
            return  # that it carries on is told next
        attempt = self.timeline.attempt(event.call, getattr(event, "attempt", 0))
        line = event_line(event, attempt)
        if not line:
            return
        if self._is_mid_line and attempt is not None and attempt.outcome == "broke_off":
            self._put(_BROKEN_OFF)
            self._is_broken_off = True
        self.say(line)

    def _break_line(self) -> None:
        if self._is_mid_line:
            self._put("\n")
            self._is_mid_line = False

    def _put(self, text: str) -> None:
        """Write as it is, lines and answers to the same place: a notebook would tear them apart."""
        self.console.file.write(text)
        self.console.file.flush()
