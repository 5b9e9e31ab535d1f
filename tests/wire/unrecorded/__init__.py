"""Refusals that nobody recorded: the same meanings in other words, as other servers might put them.

Made up for these tables, to see that it is the mechanism that decides, not the examples on file.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

UTC = 1_795_348_800.0
"""Sunday 2026-11-22, 12:00 UTC: twelve hours to midnight there, twenty to California's."""


class Case(NamedTuple):
    """A refusal, and the fault it is; `body` is sent as it is if it is a string, else as JSON."""

    status: int
    body: Any
    kind: str
    scope: str | None = None
    retry_after: float | None = None
    parameter: str | None = None
    headers: dict[str, str] | None = None
    provider: str = "other"

    @property
    def content(self) -> bytes:
        """The body's bytes."""
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()

    def __str__(self) -> str:
        """A test id."""
        said = f"{self.status} {' '.join(map(str, (self.headers or {}).values()))} {self.body}"
        return "".join(sign if sign.isalnum() else " " for sign in said)[:90].strip()


def error(message: str, **more: Any) -> dict[str, Any]:
    """The commonest envelope."""
    return {"error": {"message": message, **more}}


def told(status: int, kind: str, scope: str | None, *messages: str, **more: Any) -> list[Case]:
    """The same verdict on several messages."""
    return [Case(status, error(message), kind, scope, **more) for message in messages]
