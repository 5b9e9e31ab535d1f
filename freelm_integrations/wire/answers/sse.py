"""Bytes in, server-sent events out, split anywhere.

Lines end in LF, CRLF or CR; `data` lines of one event are joined by LF; comments and unknown fields
mean nothing. Beyond the standard, an event that the end of the stream leaves without its blank line
is still told, because providers drop that line.
"""

from __future__ import annotations

from typing import NamedTuple

_BOM = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One event: the text of its data lines, and its name where it was given one."""

    data: str
    name: str = ""


class EventReader:
    """The events of one stream, while its bytes come in. Not thread safe.

    `stray` gathers the lines before the first event that no event stream has: a server that answers
    with a page or a plain JSON body instead leaves it there.
    """

    __slots__ = ("_buffer", "_data", "_name", "_skip_lf", "_started", "_told", "stray")

    def __init__(self) -> None:
        """Start with nothing read."""
        self._buffer = b""
        self._data: list[str] = []
        self._name = ""
        self._skip_lf = False
        self._started = False
        self._told = False
        self.stray: list[bytes] = []

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes complete."""
        if b"\r" in data or self._skip_lf:
            data = self._plain_newlines(data)
        if self._buffer:
            data = self._buffer + data
        *lines, self._buffer = data.split(b"\n")
        return self._read(lines) if lines else []

    def end(self) -> list[Event]:
        """The event that was still open, now that no more bytes come."""
        lines = [self._buffer, b""] if self._buffer else [b""]
        self._buffer = b""
        return self._read(lines)

    def _plain_newlines(self, data: bytes) -> bytes:
        """The same lines with LF endings.

        A CR at the very end counts at once, and its LF is skipped when it comes.
        """
        if not data:
            return data
        if self._skip_lf and data.startswith(b"\n"):
            data = data[1:]
        self._skip_lf = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _read(self, lines: list[bytes]) -> list[Event]:
        if not self._started:
            self._started = True
            lines[0] = lines[0].removeprefix(_BOM)
        events: list[Event] = []
        pending = self._data
        for line in lines:
            if line[:6] == b"data: ":
                pending.append(line[6:].decode("utf-8", "replace"))
            elif not line:
                if pending:
                    events.append(Event("\n".join(pending), self._name))
                    pending.clear()
                    self._told = True
                self._name = ""
            else:
                self._field(line)
        return events

    def _field(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" ").decode("utf-8", "replace"))
        elif field == b"event":
            self._name = value.strip().decode("utf-8", "replace")
        elif field and not self._told and field not in {b"id", b"retry"}:
            self.stray.append(line)
