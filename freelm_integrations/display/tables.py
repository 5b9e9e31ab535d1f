"""What is known of calls and providers as tables. Needs rich."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

from freelm_integrations.chat import fault_words
from freelm_integrations.display.consoles import make_console
from freelm_integrations.display.sheet import Sheet
from freelm_integrations.rendering import NUMBERS, capacity_rows, health_rows, model_rows
from freelm_integrations.table import table_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

    from freelm_integrations.timeline import Attempt, Timeline

ONWARD = "cyan"
"""The colour of what was carried on, in the table and in the text."""
_COLOURS: Mapping[str, str] = {
    "trying": "yellow",
    "failed": "red",
    "broke_off": "red",
    "answers": "green",
    "answered": "green",
}
_NUMBERS = NUMBERS | {"outpaced", "carried on"}


def attempts_table(rows: Iterable[Attempt]) -> Sheet:
    """A table of attempts, as a rich renderable that fits itself to the width it gets."""
    rows = list(rows)
    return Sheet(
        ("#", "provider", "model", "key", "outcome", "ms"),
        [
            (str(row.number), row.provider, row.model, row.key, row.words, _ms(row.ms))
            for row in rows
        ],
        right=_NUMBERS,
        styles=[_colour(row) for row in rows],
        spare=("key",),
        spare_if_narrow=("model",),
    )


def print_summary(timeline: Timeline, console: Console | None = None) -> None:
    """Print what each provider did."""
    rows = [
        {
            "provider": row.provider,
            "attempts": str(row.attempts),
            "failed": ", ".join(f"{fault_words(kind)} {n}" for kind, n in row.failed.items()),
            "outpaced": _count(row.dropped),
            "carried on": _count(row.carried_on),
            "answers": str(row.answers),
            "median ms": _ms(row.median_ms),
        }
        for row in timeline.summary()
    ]
    _print(_filled(rows), console, spare_if_narrow=("median ms", "outpaced", "carried on"))


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
    _print(rows, console)


def _print(
    rows: Iterable[Mapping[str, Any]],
    console: Console | None,
    *,
    spare_if_narrow: Sequence[str] = (),
) -> None:
    rows = list(rows)
    headings = tuple(dict.fromkeys(name for row in rows for name in row))
    cells = [[_cell(row.get(name)) for name in headings] for row in rows]
    console = make_console() if console is None else console
    if not (console.is_terminal or console.is_jupyter):
        console.file.write(table_text(headings, cells, right=_NUMBERS))
        return
    console.print(Sheet(headings, cells, right=_NUMBERS, spare_if_narrow=spare_if_narrow))


class _Listed(Protocol):
    """A `ModelInfo`, which this module need not know."""

    def to_dict(self) -> dict[str, Any]: ...


def _filled(rows: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """The rows without the columns that say nothing."""
    names = [name for name in (rows[0] if rows else ()) if any(row[name] for row in rows)]
    return [{name: row[name] for name in names} for row in rows]


def _colour(row: Attempt) -> str:
    if row.carries_on_at is not None and row.kind is None:
        return ONWARD
    return _COLOURS.get(row.outcome, "dim")


def _count(number: int) -> str:
    return str(number) if number else ""


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
