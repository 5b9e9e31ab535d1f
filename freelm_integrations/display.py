"""Tables of calls, for a terminal or a notebook: tried, failed, rested, answered. Needs rich.

    screen = Screen()
    llm = ChatFreeLLM(on_event=screen)
    with screen.section("A call"):
        for piece in llm.stream("Hello"):
            screen.write(piece.text)
    print_summary(screen.timeline)
    print_models(llm.models())

On a terminal each section is one table that is redrawn in place; in a pipe, in a notebook or on a
dumb terminal it is one line an event, and no control codes.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Protocol, cast

from freelm_integrations.chat import fault_words
from freelm_integrations.events import AttemptFailed, CallCommitted, Exhausted, Resumed, RouteCooled
from freelm_integrations.rendering import NUMBERS, capacity_rows, health_rows, model_rows
from freelm_integrations.table import table_text
from freelm_integrations.timeline import Timeline, span

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence

    from rich.console import Console, RenderableType
    from rich.live import Live
    from rich.table import Table

    from freelm_integrations.events import Event
    from freelm_integrations.timeline import Attempt

__all__ = [
    "Screen",
    "Timeline",
    "attempts_table",
    "make_console",
    "print_capacity",
    "print_health",
    "print_models",
    "print_summary",
    "print_table",
]

_COLOURS = {"trying": "yellow", "failed": "red", "answers": "green", "answered": "green"}
_PLAIN_WIDTH = 110


class Screen:
    """Shows calls as they happen and keeps them in `timeline`. An observer: `on_event=screen`."""

    def __init__(self, console: Console | None = None) -> None:
        """Draw on this console, or on standard output.

        Raises:
            ImportError: rich is missing; names the extra.
        """
        self.console = make_console() if console is None else console
        self.timeline = Timeline()
        self._live: Live | None = None
        self._first = 0
        self._text: list[str] = []
        self._is_mid_line = False

    def __call__(self, event: Event) -> None:
        """Take an event and show it."""
        self.timeline(event)
        if self._live is not None:
            self._live.update(self._frame())
            return
        if line := _line(event):
            self.say(line)

    def say(self, words: str) -> None:
        """Print a line of our own."""
        self._break_line()
        self.console.print(words, highlight=False, markup=False, emoji=False)

    def write(self, piece: str) -> None:
        """Show the next piece of an answer's text."""
        self._text.append(piece)
        if self._live is not None:
            self._live.update(self._frame())
        else:
            self.console.file.write(piece)
            self.console.file.flush()
            self._is_mid_line = not piece.endswith("\n")

    def heading(self, title: str) -> None:
        """Print a title over what follows."""
        self._break_line()
        self.console.print()
        self.console.rule(title, align="left", characters="-" if self._is_plain else "─")

    @contextmanager
    def section(self, title: str) -> Generator[None]:
        """Show what happens inside under a title, redrawn in place where that is possible."""
        self._first, self._text = len(self.timeline.attempts()), []
        self.heading(title)
        if self._is_plain:
            yield
            self._break_line()
            return
        with self._redrawn():
            yield

    @property
    def _is_plain(self) -> bool:
        console = self.console
        return console.is_dumb_terminal or not console.is_terminal or console.is_jupyter

    @contextmanager
    def _redrawn(self) -> Generator[None]:
        from rich.live import Live  # noqa: PLC0415 - rich is an extra

        with Live(self._frame(), console=self.console, vertical_overflow="visible") as live:
            self._live = live
            try:
                yield
            finally:
                self._live = None
                live.update(self._frame())

    def _frame(self) -> RenderableType:
        from rich.console import Group  # noqa: PLC0415 - rich is an extra
        from rich.text import Text  # noqa: PLC0415 - rich is an extra

        rows = self.timeline.attempts()[self._first :]
        return Group(attempts_table(rows), Text("".join(self._text)))

    def _break_line(self) -> None:
        if self._is_mid_line:
            self.console.print()
            self._is_mid_line = False


def attempts_table(rows: Iterable[Attempt]) -> Table:
    """A table of attempts, as a rich renderable."""
    table = _table(("#", "provider", "model", "key", "outcome", "ms"))
    for row in rows:
        cells = (str(row.number), row.provider, row.model, row.key, row.words, _ms(row.ms))
        _add_row(table, cells, style=_COLOURS.get(row.outcome, "dim"))
    return table


def print_summary(timeline: Timeline, console: Console | None = None) -> None:
    """Print what each provider did."""
    rows = [
        {
            "provider": row.provider,
            "attempts": row.attempts,
            "failed": ", ".join(f"{fault_words(kind)} {n}" for kind, n in row.failed.items()),
            "answers": row.answers,
            "median ms": _ms(row.median_ms),
        }
        for row in timeline.summary()
    ]
    print_table(rows, console=console)


def print_models(models: Iterable[_Listed], *, console: Console | None = None) -> None:
    """Print what `models()` of a client gives: a row a model."""
    print_table(_filled(model_rows(model.to_dict() for model in models)), console=console)


def print_health(rows: Iterable[Mapping[str, Any]], *, console: Console | None = None) -> None:
    """Print what `health()` of a client gives: a row a key, without its windows."""
    print_table(_filled(health_rows(rows)), console=console)


def print_capacity(rows: Iterable[Mapping[str, Any]], *, console: Console | None = None) -> None:
    """Print what `capacity()` of a client gives: a row a window, models that stand alike in one."""
    print_table(_filled(capacity_rows(rows)), console=console)


def print_table(rows: Iterable[Mapping[str, Any]], *, console: Console | None = None) -> None:
    """Print rows; the names in any of them are the headings. What is no text is put briefly.

    In a pipe no line is ever folded.
    """
    rows = list(rows)
    headings = tuple(dict.fromkeys(name for row in rows for name in row))
    cells = [[_cell(row.get(name)) for name in headings] for row in rows]
    console = make_console() if console is None else console
    if not (console.is_terminal or console.is_jupyter):
        console.file.write(table_text(headings, cells, right=NUMBERS))
        return
    table = _table(headings)
    for row in cells:
        _add_row(table, row)
    console.print(table)


class _Listed(Protocol):
    """A `ModelInfo`, which this module need not know."""

    def to_dict(self) -> dict[str, Any]: ...


def _filled(rows: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """The rows without the columns that say nothing."""
    names = [name for name in (rows[0] if rows else ()) if any(row[name] for row in rows)]
    return [{name: row[name] for name in names} for row in rows]


def _line(event: Event) -> str:
    """What an event is worth in a log; empty for those that say nothing new."""
    if isinstance(event, RouteCooled):
        return f"     {event.scope} rests {span(event.cools_for)}"
    if isinstance(event, AttemptFailed):
        said = f"{fault_words(event.kind, event.status)} after {_ms(event.ms)} ms"
        return f"  {event.attempt}. {event.provider} {event.model}: {said}"
    if isinstance(event, CallCommitted):
        said = f"first words {_ms(event.ms)} ms after the question"
        return f"  {event.attempt}. {event.provider} {event.model}: {said}"
    if isinstance(event, Resumed):
        return f"  {event.attempt}. {event.to_provider} {event.to_model}: carries on the answer"
    return f"  nobody answered: {event.reason}" if isinstance(event, Exhausted) else ""


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"  # noqa: PLR2004
    if isinstance(value, (list, tuple)):
        return ", ".join(_cell(one) for one in cast("Sequence[object]", value))
    return str(value)


def _table(headings: Iterable[str]) -> Table:
    _need_rich()
    from rich.table import Table  # noqa: PLC0415 - rich is an extra

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        is_number = heading in NUMBERS
        table.add_column(heading, justify="right" if is_number else "left", overflow="fold")
    return table


def _add_row(table: Table, cells: Iterable[str], *, style: str = "") -> None:
    """Add the cells as they stand: `:free:` in a model's name is no emoji."""
    from rich.text import Text  # noqa: PLC0415 - rich is an extra

    table.add_row(*map(Text, cells), style=style)


def make_console(file: IO[str] | None = None) -> Console:
    """Make a console on this file or standard output, wide enough for the tables in a pipe."""
    _need_rich()
    from rich.console import Console  # noqa: PLC0415 - rich is an extra

    console = Console(file=file)
    if not console.is_terminal and not console.is_jupyter:
        console.width = _PLAIN_WIDTH
    return console


def _need_rich() -> None:
    try:
        import rich  # noqa: F401, PLC0415  # pyright: ignore[reportUnusedImport]
    except ImportError as error:
        message = 'tables need an extra: pip install "freelm-integrations[cli]"'
        raise ImportError(message) from error
