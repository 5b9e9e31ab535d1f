"""Where the command writes: answers and tables to standard output, all else to standard error."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

_NARROWEST = 40


def prepare() -> None:
    """Make standard streams take any text; a stream that is closed becomes one that swallows it."""
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal may lack letters a model has
    stdin: object = sys.stdin
    if isinstance(stdin, io.TextIOWrapper):
        stdin.reconfigure(errors="replace")


def write(text: str) -> None:
    """Put out text as it is, at once. Raises OSError if nobody takes it."""
    sys.stdout.write(text)
    sys.stdout.flush()


def write_json(value: object) -> None:
    """Put out JSON for programs, indented."""
    write(json.dumps(value, indent=2, default=str) + "\n")


def say(text: str) -> None:
    """Tell the person something that is no answer, in the command's name."""
    _tell(f"freellm: {text}")


def note(message: Warning | str, *_: object, **__: object) -> None:
    """Tell a warning; stands in for `warnings.showwarning`."""
    _tell(f"note: {message}")


def remark(text: str) -> None:
    """Tell a person, and nobody but a person, an aside."""
    if sys.stderr.isatty():
        _tell(text)


def width() -> int | None:
    """The columns of the terminal that reads standard output; None if it is none."""
    if not sys.stdout.isatty():
        return None
    return max(_NARROWEST, shutil.get_terminal_size().columns)


def give_up_output() -> None:
    """Stop writing for good: what is still held back would fail again when Python ends."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # standard output is no file
        sys.stdout = io.StringIO()


def _tell(text: str) -> None:
    try:
        sys.stdout.flush()
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except OSError:  # there is nobody left to tell
        pass
