"""The table of what a fault means: who cools, for how long, and what the attempt gives back.

Rules:
- The fault's own scope and retry-after win over the table's; a retry-after of 0 cools nothing.
- A cooldown without a retry-after doubles each time its target fails again after having rested, up
  to a cap; a success there starts it anew.
- A fault that does not feed the breaker shows that the server is alive, and closes it.
- Seconds are guesses where nothing is published; NIM's are the ones observed (15 s doubling to 30
  min, read 2026-11).
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freelm_integrations.wire.faults import FaultKind, Scope

Refund = Literal["nothing", "tokens", "all"]

MINUTE = 60.0
HOUR = 3_600.0
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one kind of fault means.

    `scope` is what cools when the fault names nothing; `cools_for` (s) how long the first time, 0
    for not at all, and `cap` (s) the longest it doubles to. `refunds` is what of the lease was not
    used up: a request that was refused before inference costs no tokens, one that never arrived
    costs nothing. `is_transient`: the same route may be tried again within the call.
    `blames_request`: counts as one provider that finds the request itself at fault.
    """

    scope: Scope = "call"
    cools_for: float = 0.0
    cap: float = 0.0
    _: KW_ONLY
    feeds_breaker: bool = False
    retires_key: bool = False
    refunds: Refund = "nothing"
    is_transient: bool = False
    blames_request: bool = False

    def seconds(self, strikes: int) -> float:
        """How long the cooldown after the `strikes`-th fault in a row (from 1) lasts."""
        return min(self.cap, self.cools_for * 2.0 ** min(strikes - 1, 40))


_WEATHER = Verdict(feeds_breaker=True, is_transient=True)
_REQUEST = Verdict(refunds="tokens")

VERDICTS: Mapping[FaultKind, Verdict] = MappingProxyType(
    {
        "throttled": Verdict("route", 15.0, 30 * MINUTE, refunds="tokens", is_transient=True),
        "overloaded": Verdict("model", 30.0, 10 * MINUTE, refunds="tokens", is_transient=True),
        "server_error": _WEATHER,
        "timeout": _WEATHER,
        "unreachable": Verdict(feeds_breaker=True, is_transient=True, refunds="all"),
        "broken": _WEATHER,
        "cut": _WEATHER,
        # The model's doing, not the server's: another sample may well say something.
        "empty": Verdict(is_transient=True),
        "only_thinking": Verdict(is_transient=True),
        # Ours: the minute's tokens left it little room.
        "cramped": Verdict(is_transient=True),
        # It answered, only not what was asked: another route may.
        "astray": Verdict(),
        "unauthorized": Verdict("key", retires_key=True, refunds="tokens"),
        "unpaid": Verdict("key", HOUR, DAY, refunds="tokens"),
        "forbidden": Verdict("route", 10 * MINUTE, DAY, refunds="tokens"),
        "blocked": Verdict("provider", 10 * MINUTE, 6 * HOUR, refunds="tokens"),
        "model_gone": Verdict("model", 6 * HOUR, DAY, refunds="tokens"),
        "not_on_plan": Verdict("route", 6 * HOUR, DAY, refunds="tokens"),
        "unsupported": _REQUEST,
        "tool_failed": Verdict(is_transient=True),
        "bad_parameter": _REQUEST,
        "too_large": _REQUEST,
        "too_long": _REQUEST,
        "moderated": Verdict(refunds="tokens", blames_request=True),
        "malformed": Verdict(refunds="tokens", blames_request=True),
    }
)
