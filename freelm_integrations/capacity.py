"""What is left: the windows of all keys, added up over accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.errors import ConfigError
from freelm_integrations.planning import plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypeAlias

    from freelm_integrations.chat import Json
    from freelm_integrations.planning import Plan
    from freelm_integrations.pool.snapshot import KeyRow, WindowRow
    from freelm_integrations.providers.spec import Limit

    Declared: TypeAlias = Mapping[str, Mapping[str, tuple[Limit, ...]]]
    """Provider id -> model -> the limits of that model alone."""
    Name: TypeAlias = tuple[str, str | None, str, float]


class Capacity(list["Json"]):
    """What is left: a row a window, see `capacity_of`; and what fits into it."""

    def __init__(self, rows: Iterable[Json], utc: float) -> None:
        """`utc`: when that was so (epoch s)."""
        super().__init__(rows)
        self.utc = utc

    def plan(self, calls: int, *, tokens_each: int = 1_000, within: float | None = None) -> Plan:
        """Whether so many calls fit, and the schedule.

        Args:
            calls: How many, 1 or more.
            tokens_each: What each uses, prompt and answer together.
            within: Seconds from now; None: before midnight (UTC), when most daily limits reset.

        Raises:
            ConfigError: A number is out of range.
        """
        if calls < 1 or tokens_each < 0 or (within is not None and within <= 0):
            raise ConfigError("a plan takes 1 call or more, 0 tokens or more, and time ahead")
        return plan(self, calls, tokens_each=tokens_each, utc=self.utc, within=within)


def capacity_of(rows: Iterable[KeyRow], declared: Declared | None = None) -> list[Json]:
    """A row a window: provider, model, unit, per (s), resets, limit, remaining, and their source.

    `source` is where the limit is known from: declared, header (the server's words), learned (from
    refusals); `learned_at` when that was (epoch s; of several accounts the last), None while it is
    as declared; `is_heard`, whether another process learned it, and told.
    `model` is None where all models of an account count together. `resets_after` (s) is when the
    last of the accounts is whole again, None if nothing is out; `accounts` how many are added up.
    Keys that share an account count once; a retired key nothing. Models of `declared` that nobody
    was asked for yet have all of their limits left.
    """
    seen: set[tuple[str, str]] = set()
    found: dict[Name, Json] = {}
    for row in rows:
        if row.state == "retired" or (row.provider, row.account) in seen:
            continue
        seen.add((row.provider, row.account))
        for window in row.windows:
            _add_window(found, row.provider, window)
        used = {window.model for window in row.windows}
        for model, limits in (declared or {}).get(row.provider, {}).items():
            for limit in () if model in used else limits:
                name = (row.provider, model, limit.unit, limit.per)
                total = _total(found, name, "declared", limit.resets)
                _add(total, limit.amount, limit.amount, None)
    return list(found.values())


def _add_window(found: dict[Name, Json], provider: str, window: WindowRow) -> None:
    name = (provider, window.model, window.unit, window.per)
    total = _total(found, name, window.source, window.resets)
    _add(total, window.limit, window.remaining, window.resets_after)
    total["learned_at"] = _latest(total["learned_at"], window.learned_at)
    total["is_heard"] = total["is_heard"] or window.is_heard


def _total(found: dict[Name, Json], name: Name, source: str, resets: str) -> Json:
    provider, model, unit, per = name
    empty: Json = {
        "provider": provider,
        "model": model,
        "unit": unit,
        "per": per,
        "resets": resets,
        "limit": 0.0,
        "remaining": 0.0,
        "resets_after": None,
        "accounts": 0,
        "source": source,
        "learned_at": None,
        "is_heard": False,
    }
    return found.setdefault(name, empty)


def _add(total: Json, limit: float, remaining: float, resets_after: float | None) -> None:
    total["limit"] += limit
    total["remaining"] += remaining
    total["accounts"] += 1
    total["resets_after"] = _latest(total["resets_after"], resets_after)


def _latest(known: float | None, new: float | None) -> float | None:
    return max((one for one in (known, new) if one is not None), default=None)
