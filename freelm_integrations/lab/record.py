"""What a played provider remembers of a request it was sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from freelm_integrations.lab.loose import Json

Ended = Literal["open", "complete", "cut", "client_left"]


@dataclass
class LabRequest:
    """One request as it arrived, and how it was answered.

    Never holds a key: `key` is its index in `LabProvider.keys`, None for a missing or unknown one.
    """

    method: str
    path: str  # "chat", "models", "embeddings", "key", or the raw path of anything else
    key: int | None
    model: str | None
    body: Json = field(repr=False)
    stream: bool
    at: float  # moment of arrival on the lab's clock, in seconds
    status: int | None = None  # the status answered; None while, or if, there was none
    fault: str | None = None  # the kind of the scripted fault that struck
    ended: Ended = "open"
