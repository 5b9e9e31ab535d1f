"""Where tables are drawn, and what can be drawn there."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_PLAIN_WIDTH = 110


def make_console(file: IO[str] | None = None) -> Console:
    """Make a console on this file or standard output, wide enough for the tables in a pipe.

    Raises:
        ImportError: rich is missing; names the extra.
    """
    need_rich()
    from rich.console import Console  # noqa: PLC0415 - rich is an extra

    console = Console(file=file)
    if not console.is_terminal and not console.is_jupyter:
        console.width = _PLAIN_WIDTH
    return console


def is_plain(console: Console) -> bool:
    """Whether nothing can be redrawn there: a pipe, a notebook, a dumb terminal."""
    return console.is_dumb_terminal or not console.is_terminal or console.is_jupyter


def need_rich() -> None:
    """Raise ImportError that names the extra if rich is missing."""
    try:
        import rich  # noqa: F401, PLC0415  # pyright: ignore[reportUnusedImport]
    except ImportError as error:
        message = 'tables need an extra: pip install "freelm-integrations[cli]"'
        raise ImportError(message) from error
