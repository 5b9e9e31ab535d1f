"""What is left: the windows of all keys, added up over accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freelm_integrations.chat import Json
    from freelm_integrations.pool.snapshot import KeyRow, WindowRow


def capacity_of(rows: Iterable[KeyRow]) -> list[Json]:
    """A row for every window: provider, model (None.

    All together), unit, per (s), limit, remaining.

    `resets_after` (s) is when the last of the accounts is whole again, None if nothing is out;
    `accounts` how many are added up. Keys that share an account count once; a retired key nothing.
    """
    seen: set[tuple[str, str]] = set()
    found: dict[tuple[object, ...], Json] = {}
    for row in rows:
        if row.state == "retired" or (row.provider, row.account) in seen:
            continue
        seen.add((row.provider, row.account))
        for window in row.windows:
            _add(found, row.provider, window)
    return list(found.values())


def _add(found: dict[tuple[object, ...], Json], provider: str, window: WindowRow) -> None:
    name = (provider, window.model, window.unit, window.per)
    total = found.setdefault(
        name,
        {
            "provider": provider,
            "model": window.model,
            "unit": window.unit,
            "per": window.per,
            "limit": 0.0,
            "remaining": 0.0,
            "resets_after": None,
            "accounts": 0,
            "source": window.source,
        },
    )
    total["limit"] += window.limit
    total["remaining"] += window.remaining
    total["accounts"] += 1
    known = [one for one in (total["resets_after"], window.resets_after) if one is not None]
    total["resets_after"] = max(known, default=None)
