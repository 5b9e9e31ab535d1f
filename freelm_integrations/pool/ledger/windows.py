"""When what is taken now comes back, on the calendar that all who share a ledger have in common."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from freelm_integrations.pool.resets import next_reset
from freelm_integrations.pool.window import GRAIN

if TYPE_CHECKING:
    from freelm_integrations.providers.spec import Reset


def back_at(resets: Reset, per: float, utc: float) -> float:
    """When an amount taken at `utc` (epoch s) from such a window of `per` seconds comes back.

    Rolling windows keep to the pool's grid, rounded up and one step late: so all that is taken
    within a step shares one entry, and clocks may differ by a step.
    """
    if resets != "rolling":
        return next_reset(resets, utc)
    grain = per / GRAIN
    return (math.ceil((utc + per) / grain) + 1) * grain


def same_until(resets: Reset, per: float, utc: float) -> float:
    """Before when what is taken comes back at the same moment as what is taken at `utc`."""
    if resets != "rolling":
        return next_reset(resets, utc)
    grain = per / GRAIN
    last = math.ceil((utc + per) / grain) * grain - per  # the step's very last moment
    return math.nextafter(max(last, utc), math.inf)


def window_id(*parts: str) -> str:
    """A window's or a subject's name from its parts: no two sequences of parts give the same."""
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)
