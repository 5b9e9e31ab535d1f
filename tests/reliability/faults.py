"""What goes wrong at the first of two providers, and what is to come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freelm_integrations.lab import LabProvider

CUT_AFTER = 20
"""Pieces (about tokens) of some forty after which answers break off."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault of the lab, struck until it is healed.

    `ends` are the kinds a failed attempt may be told to have ended with, `seconds` how long its
    caller may be kept from the answer, `is_inside` whether a stream had shown text before it.
    """

    kind: str
    more: Mapping[str, Any]
    ends: frozenset[str]
    seconds: float
    is_inside: bool

    @property
    def is_slow(self) -> bool:
        """Whether there is silence to be waited out."""
        return self.seconds > QUICK

    def strike(self, provider: LabProvider, key: int) -> None:
        """From now on, whoever comes with that key."""
        provider.fail(self.kind, key=key, times=None, **self.more)  # type: ignore[arg-type]


QUICK = 1.0
"""Seconds within which a fault that shows at once is answered elsewhere, on a busy machine."""
WARM, COLD, STALL = 3.0, 6.0, 3.0
"""Seconds: a silent provider whose pace is known, one whose pace is not, and a stall in midst."""


def _at_once(kind: str, *ends: str, **more: Any) -> Fault:
    return Fault(kind=kind, more=more, ends=frozenset(ends), seconds=QUICK, is_inside=False)


def _inside(kind: str, *ends: str, seconds: float = QUICK, **more: Any) -> Fault:
    more = {"after": CUT_AFTER, **more}
    return Fault(kind=kind, more=more, ends=frozenset(ends), seconds=seconds, is_inside=True)


def _silent(kind: str, **more: Any) -> Fault:
    ends = frozenset({"outpaced", "timeout"})
    return Fault(kind=kind, more=more, ends=ends, seconds=WARM, is_inside=False)


FAULTS: Mapping[str, Fault] = {
    "429": _at_once("rate_limited", "throttled"),
    "503": _at_once("overloaded", "overloaded"),
    "401": _at_once("unauthorized", "unauthorized"),
    "404": _at_once("model_gone", "model_gone"),
    "502 page": _at_once("bad_gateway_html", "server_error", "overloaded"),
    "connection refused": _at_once("refuse", "broken", "unreachable"),
    "reset before headers": _at_once("reset_before_headers", "broken"),
    "tool_use_failed": _at_once("tool_failed", "tool_failed"),
    "error event first": _at_once("error_event", "overloaded", "server_error", after=0),
    "empty body": _at_once("empty_body", "empty", "cut"),
    "empty": _at_once("empty_answer", "empty"),
    "thinking only": _at_once("thinking_only", "only_thinking"),
    "garbage after headers": _at_once("garbage", "empty", "cut", "broken", "garbled", after=0),
    "hang before headers": _silent("hang"),
    "hang after headers": _silent("hang_after_headers"),
    "keep-alives for ever": _silent("keepalives", after=0),
    "one byte a second": _silent("trickle", after=0),
    "broken line at 20": _inside("garbage", "empty", "cut", "broken", "garbled"),
    "clean close at 20": _inside("cut", "cut", "empty"),
    "closed at 20": _inside("truncated", "broken", "cut", "empty"),
    "reset at 20": _inside("reset", "broken"),
    "error event at 20": _inside("error_event", "overloaded", "server_error"),
    "stall at 20": _inside("stall", "timeout", "outpaced", seconds=STALL),
    "keep-alives at 20": _inside("keepalives", "timeout", "outpaced", seconds=STALL),
    "one byte a second at 20": _inside("trickle", "timeout", "outpaced", seconds=STALL),
    "long stop at 20": _inside("stop_and_go", "timeout", "outpaced", seconds=STALL, pause=20.0),
}
SHORT_STOP = _inside("stop_and_go", seconds=WARM, pause=0.3)
"""One that goes on by itself before anybody has to."""
