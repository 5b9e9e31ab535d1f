"""Whether a claim is granted, and which mark prevails: what the homes in Python have in common.

`take.lua` and `settle.lua` say the same in Redis's language.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

from freelm_integrations.pool.breaker import PATIENCE
from freelm_integrations.pool.ledger.claim import LONGEST, Denied, Granted, News

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from freelm_integrations.pool.ledger.claim import Answer, Claim, Correction, Mark
    from freelm_integrations.pool.ledger.page import Page


class Noted(NamedTuple):
    """A mark as it is kept: its place in the order of writing, and whose it is."""

    seq: int
    writer: str
    mark: Mark


class Probe(NamedTuple):
    """Who probes a half-open breaker; `until` its claim has lapsed."""

    holder: str
    until: float


def next_seq(last: int, utc: float) -> int:
    """A number above all given before, also where a ledger that was emptied begins anew."""
    return max(last + 1, int(utc * 1e6))


def prevails(old: Mark, new: Mark, utc: float) -> bool:
    """Whether a new mark takes the place of an old one of the same subject and fact."""
    return (
        new.fact != "rest"
        or new.value is None
        or old.value is None
        or old.until <= utc
        or new.rests_until >= old.rests_until
    )


def kept(mark: Mark, utc: float) -> Mark:
    """The mark with a moment at which to forget it."""
    return mark if mark.until <= utc + LONGEST else mark._replace(until=utc + LONGEST)


def heard(
    noted: Iterable[Noted], writer: str, seen: int, utc: float
) -> tuple[tuple[Mark, ...], int]:
    """Others' marks among the new ones, and up to where all is seen now."""
    marks: list[Mark] = []
    for seq, author, mark in noted:
        seen = max(seen, seq)
        if author != writer and mark.until > utc:
            marks.append(mark)
    return tuple(marks), seen


def judge(
    claim: Claim,
    pages: Sequence[Page],
    heard: tuple[tuple[Mark, ...], int],
    probe: Probe | None,
    utc: float,
) -> Answer:
    """Grant the claim and count its draws, or say why not; a home then keeps what was changed."""
    for draw, page in zip(claim.draws, pages, strict=True):
        if page.backs:  # asked here for speed: both are for the few that have something to do
            page.clear(utc)
            page.heal(draw.back_at)
    refused = _refusal(claim, pages, heard[0], probe, utc)
    if refused is None:
        for draw, page in zip(claim.draws, pages, strict=True):
            page.take(draw, claim.expires_at, utc)
    counts = [page.count(draw.window) for draw, page in zip(claim.draws, pages, strict=True)]
    news = News(tuple(counts), *heard)
    return Granted(news) if refused is None else Denied(*refused, news)


def _refusal(
    claim: Claim, pages: Sequence[Page], marks: tuple[Mark, ...], probe: Probe | None, utc: float
) -> tuple[float, Literal["window", "mark", "probe"]] | None:
    for mark in marks:
        if mark.subject in claim.subjects and _bars(mark, claim, utc):
            return max(mark.rests_until, utc), "mark"
    if probe is not None and probe.until > utc and probe.holder != claim.id:
        return utc + PATIENCE, "probe"
    ready_at = -math.inf
    for draw, page in zip(claim.draws, pages, strict=True):
        if not page.fits(draw.amount, draw.limit):
            ready_at = max(ready_at, page.ready_at(draw.amount, draw.limit))
    return None if ready_at == -math.inf else (ready_at, "window")


def _bars(mark: Mark, claim: Claim, utc: float) -> bool:
    return mark.rests_until > utc or (mark.needs_probe and mark.subject != claim.probe)


def settle_pages(corrections: Sequence[Correction], pages: Sequence[Page], utc: float) -> None:
    """Correct the pages, one for each correction."""
    for correction, page in zip(corrections, pages, strict=True):
        page.clear(utc)
        page.settle(correction, utc)
