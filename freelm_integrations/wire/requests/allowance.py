"""What a provider's own page about a key says of its quota, where there is one.

OpenRouter's `GET /key` (seen live 2026-09) costs nothing and tells the free calls of the day: fifty
or a thousand, and how many are left. No header does so before they are used up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.wire.refusals.hints import Reading
from freelm_integrations.wire.shapes import mapping, parsed

if TYPE_CHECKING:
    from freelm_integrations.chat import Json

_DAY = 86_400.0


def parse_allowance(body: bytes) -> tuple[Reading, ...]:
    """The windows that it tells of; none where it tells of none, or is something else."""
    data = mapping(mapping(parsed(body.decode("utf-8-sig", "replace"))).get("data"))
    daily = mapping(data.get("free_model_daily_requests"))
    limit, left = _number(daily, "limit"), _number(daily, "remaining")
    if left is None and limit is not None and (used := _number(daily, "used")) is not None:
        left = max(0.0, limit - used)
    if limit is None and left is None:
        return ()
    return (Reading("requests", _DAY, limit, left),)


def _number(told: Json, name: str) -> float | None:
    value = told.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 <= value < float("inf") else None
