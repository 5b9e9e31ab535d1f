"""Why a request is turned down, and the tables in which each provider keeps its words for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from freelm_integrations.lab.asked import Asked

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Refusal:
    """One line of a dialect's table of errors; the message may name facts in braces."""

    status: int
    message: str
    type: str | None = None
    code: str | int | None = None
    param: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def throttles(self) -> bool:
        """Whether it says that a limit is reached."""
        return self.status == HTTPStatus.TOO_MANY_REQUESTS


@dataclass(frozen=True)
class Refused:
    """Why a request is turned down: a line of the table, and the facts its message names."""

    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])


def seconds_told(wait: float) -> str:
    """A wait as a header tells it: with its fraction, if a test asked for one."""
    return f"{wait:g}"


Check = Callable[[Asked], Refused | None]

# The facts every message may count on; those of the case at hand go before them.
USUAL_FACTS: Mapping[str, Any] = {
    "model": "this-model",
    "wait": 7.0,
    "limit": 30,
    "used": 30,
    "requested": 1,
    "unit": "requests",
    "per": 60.0,
    "left": 0,
    "name": "field",
    "org": "org_lab00000000000000000000",
    "context": 131_072,
    "size": 140_000,
    "now": 0.0,
    "path": "/",
    "method": "POST",
    "generated": "",
    "detail": "invalid value",
}


def refuse_fields(asked: Asked, banned: Iterable[str], kind: str = "unsupported") -> Refused | None:
    """Turn down the first field of the request that this provider does not know."""
    name = next((name for name in asked.body if name in banned), None)
    return None if name is None else Refused(kind, {"name": name, "value": asked.body[name]})
