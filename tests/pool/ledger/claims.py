"""Claims and settlements in few words."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from freelm_integrations.pool.ledger.claim import (
    Claim,
    Correction,
    Draw,
    Granted,
    Question,
    Settlement,
)
from freelm_integrations.pool.ledger.windows import back_at

if TYPE_CHECKING:
    from freelm_integrations.pool.ledger.claim import Count, Mark, News, Said
    from freelm_integrations.pool.ledger.ledger import Ledger

MIDDAY = 1_795_348_800.0  # 2026-11-22 12:00 UTC
MINUTE = 60.0
_IDS = count()


def draw(window: str = "rpm", amount: float = 1, limit: float = 3, utc: float = MIDDAY) -> Draw:
    return Draw(window, amount, limit, back_at("rolling", MINUTE, utc))


def claim(*draws: Draw, writer: str = "one", **more) -> Claim:
    more = {"provider": "acme", "expires_at": MIDDAY + 600, "id": f"{writer}-{next(_IDS)}", **more}
    return Claim(draws=draws, writer=writer, **more)


def settlement(
    of: Claim,
    granted: Granted | None = None,
    *marks: Mark,
    used: float | None = None,
    said: Said | None = None,
    seen: int = 0,
) -> Settlement:
    """Closes a claim; `used` stands in for what its draws took."""
    counts = (None,) * len(of.draws) if granted is None else granted.news.counts
    return Settlement(
        id=of.id,
        writer=of.writer,
        provider=of.provider,
        probe=of.probe,
        seen=seen,
        marks=marks,
        corrections=tuple(
            correction(one, counted, used=used, said=said)
            for one, counted in zip(of.draws, counts, strict=True)
        ),
    )


def correction(
    one: Draw, counted: Count | None, *, used: float | None = None, said: Said | None = None
) -> Correction:
    took = min(one.amount, one.limit)
    moves = None if counted is None else counted.moves
    return Correction(
        one.window, one.back_at, took, took if used is None else used, moves, said=said
    )


def look(ledger: Ledger, *windows: str, utc: float = MIDDAY, writer: str = "any", seen=0) -> News:
    question = Question(writer=writer, provider="acme", windows=windows, seen=seen)
    return ledger.look(question, utc)


def used(ledger: Ledger, window: str = "rpm", utc: float = MIDDAY) -> float:
    return look(ledger, window, utc=utc).counts[0].used


def fill(ledger: Ledger, *, limit: float, utc: float = MIDDAY, amount: float = 1) -> int:
    """Take until it is full; how often."""
    taken = 0
    while isinstance(ledger.take(claim(draw(amount=amount, limit=limit, utc=utc)), utc), Granted):
        taken += 1
    return taken
