"""What goes on the wire: a whole body, a flow of bytes, or a deliberate mishap."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

JSON = "application/json"
SSE = "text/event-stream"


class Mishap(enum.Enum):
    """How a connection ends when it does not end well."""

    RESET = "reset"  # RST
    CLOSE = "close"  # FIN, whatever is still owed
    HANG = "hang"  # nothing more, until the client leaves or the lab closes


def _no_headers() -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class Whole:
    """An answer whose body is known."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=_no_headers)
    content_type: str = JSON


@dataclass(frozen=True)
class Flow:
    """An answer whose body comes piece by piece; a `Mishap` among the pieces ends it there."""

    frames: AsyncGenerator[bytes | Mishap, None]
    headers: Mapping[str, str] = field(default_factory=_no_headers)
    content_type: str = SSE
    length: int | None = None  # told in advance as Content-Length; None: chunked
    status: int = 200


Reply = Whole | Flow | Mishap
