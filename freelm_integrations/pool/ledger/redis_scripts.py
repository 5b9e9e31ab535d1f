"""What Redis is asked and what its answers mean: no I/O, so both clients say the same.

Rules:
- All keys of a provider carry it as their hash tag, so a script touches one slot of a cluster.
- All keys expire: windows when they are empty, marks after `LONGEST`, settled ids after
  `REMEMBER_FOR`.
- Numbers travel as text that reads back to the same double.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from freelm_integrations.pool.breaker import PATIENCE
from freelm_integrations.pool.ledger.claim import (
    LONGEST,
    Count,
    Denied,
    Granted,
    Mark,
    News,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from freelm_integrations.pool.ledger.claim import (
        Answer,
        Claim,
        Correction,
        Fact,
        Question,
        Settlement,
    )

PREFIX = "freelm:1"
"""Before every key: ours, and the version of what they hold."""
REMEMBER_FOR = 600
"""Seconds for which a settlement told twice is recognised."""
COUNTS_FOR = 600.0
"""Seconds for which a writer counts as active after its last claim."""

ScriptName = Literal["take", "settle", "look"]


class Request(NamedTuple):
    """A script to run with these keys and arguments."""

    script: ScriptName
    keys: list[str]
    arguments: list[str]


def script_text(name: ScriptName) -> str:
    """The script with the page's arithmetic before it."""
    folder = Path(__file__).parent
    return "\n".join((folder / f"{part}.lua").read_text("utf-8") for part in ("page", name))


class Phrases:
    """Requests under one prefix."""

    def __init__(self, prefix: str = PREFIX) -> None:
        self._prefix = prefix

    def take(self, claim: Claim, utc: float) -> Request:
        """Ask for a claim."""
        place = self._place(claim.provider)
        pages = [f"{place}page:{draw.window}" for draw in claim.draws]
        shared = [f"{place}{name}" for name in ("marks", "news", "workers")]
        arguments = [_said(utc), claim.id, claim.writer, str(claim.seen), _said(claim.expires_at)]
        arguments += [claim.probe or "", _said(COUNTS_FOR)]
        for draw in claim.draws:
            arguments += [_said(draw.amount), _said(draw.limit), _said(draw.back_at)]
        arguments += claim.subjects
        return Request("take", [*shared, f"{place}probe:{claim.probe}", *pages], arguments)

    def settle(self, settlement: Settlement, utc: float) -> Request:
        """Tell a settlement."""
        place = self._place(settlement.provider)
        keys = [f"{place}{name}" for name in ("marks", "news", "ends", "workers")]
        keys += [f"{place}probe:{settlement.probe}", f"{place}done:{settlement.id}"]
        arguments = [_said(utc), settlement.id, settlement.writer, str(settlement.seen)]
        arguments += [settlement.probe or "", str(REMEMBER_FOR), _said(LONGEST)]
        for correction in settlement.corrections:
            keys.append(f"{place}page:{correction.window}")
            arguments += _corrected(correction)
        for mark in settlement.marks:
            arguments += _marked(mark)
        return Request("settle", keys, arguments)

    def look(self, question: Question, utc: float) -> Request:
        """Ask how things stand."""
        place = self._place(question.provider)
        keys = [f"{place}{name}" for name in ("marks", "news", "workers")]
        keys += [f"{place}page:{window}" for window in question.windows]
        return Request("look", keys, [_said(utc), question.writer, str(question.seen)])

    def _place(self, provider: str) -> str:
        """What all keys of a provider begin with; a brace would end the tag too soon."""
        tag = provider.replace("%", "%25").replace("{", "%7B").replace("}", "%7D")
        return f"{self._prefix}:{{{tag}}}:"


def answer(reply: object, claim: Claim, utc: float) -> Answer:
    """What `take` said."""
    why, ready_at, *rest = cast("Sequence[Any]", reply)
    news = _news(rest, [draw.window for draw in claim.draws])
    word = _text(why)
    if word == "":
        return Granted(news)
    if word == "probe":
        return Denied(utc + PATIENCE, "probe", news)
    return Denied(float(ready_at), "mark" if word == "mark" else "window", news)


def settled(reply: object, settlement: Settlement) -> News:
    """What `settle` said."""
    return _news(cast("Sequence[Any]", reply), [one.window for one in settlement.corrections])


def seen(reply: object, question: Question) -> News:
    """What `look` said."""
    return _news(cast("Sequence[Any]", reply), question.windows)


def _news(reply: Sequence[Any], windows: Iterable[str]) -> News:
    counts, marks, seen, workers = reply
    return News(
        tuple(
            [
                Count(window, float(used), float(next_at), float(resets_at), int(moves))
                for window, (used, next_at, resets_at, moves) in zip(windows, counts, strict=True)
            ]
        ),
        tuple([_mark(row) for row in marks]),
        int(seen),
        max(1, int(workers)),
    )


def _mark(row: Sequence[Any]) -> Mark:
    subject, fact, holds, value, until, rests_until, needs_probe = row
    return Mark(
        _text(subject),
        cast("Fact", _text(fact)),
        _text(value) if holds else None,
        float(until),
        float(rests_until),
        bool(needs_probe),
    )


def _corrected(one: Correction) -> list[str]:
    fields = [one.back_at, one.took, one.used, one.moves, one.again_at]
    fields += (None,) * 4 if one.said is None else one.said
    return ["" if value is None else _said(value) for value in fields]


def _marked(mark: Mark) -> list[str]:
    holds = mark.value is not None
    return [
        *(mark.subject, mark.fact, str(int(holds)), mark.value or ""),
        *(_said(mark.until), _said(mark.rests_until), str(int(mark.needs_probe))),
    ]


def _said(number: float) -> str:
    """In words every Lua reads: not all of them know `inf`."""
    if math.isinf(number):
        return "1e999" if number > 0 else "-1e999"
    return repr(number)


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
