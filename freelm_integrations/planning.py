"""Whether so many calls fit into what is left, and when each part of them could be made.

Rules:
- A plan asks every model as soon and as often as its windows let it: nobody else uses them
  meanwhile, and nothing fails. It is the best case of what is known now.
- What is out of a rolling window comes back all at once when the last part does, and a part taken
  comes back a window's length later.
- Models without any known limit are left out: nothing can be said of them.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from freelm_integrations.pool.resets import next_reset

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freelm_integrations.chat import Json
    from freelm_integrations.providers.spec import Reset

DAY = 86_400.0
STEPS_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStep:
    """So many calls of one model, `after` seconds from now."""

    after: float
    provider: str
    model: str | None
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What becomes of so many calls. `fits`: all can be made `within` so many seconds.

    `possible` is how many can be, `done_after` (s) when the last of them sets off (None if that is
    too late), `steps` when which, the earliest first. `based_on` are the rows of `capacity()` that
    it goes by: each says where its limit is known from.
    """

    calls: int
    tokens_each: int
    within: float
    possible: int
    done_after: float | None
    steps: tuple[PlanStep, ...]
    based_on: tuple[Json, ...]
    made_at: float
    """When it was made (epoch s)."""

    @property
    def fits(self) -> bool:
        """Whether all of the calls can be made in time."""
        return self.done_after is not None

    def to_dict(self) -> Json:
        """A JSON-safe dict."""
        return {**asdict(self), "fits": self.fits}

    def __str__(self) -> str:
        """The verdict, the schedule, and which limits are known otherwise than by our sheets."""
        hours = self.within / 3600
        if self.done_after is not None:
            lines = [f"{self.calls} calls fit: the last sets off after {self.done_after:.0f} s"]
        else:
            lines = [f"{self.possible} of {self.calls} calls fit into the next {hours:.1f} hours"]
        for step in self.steps[:STEPS_SHOWN]:
            model = step.model or "any model"
            lines.append(f"  after {step.after:6.0f} s: {step.calls} by {step.provider} {model}")
        if len(self.steps) > STEPS_SHOWN:
            lines.append(f"  and {len(self.steps) - STEPS_SHOWN} steps more")
        lines += [
            f"  {_known(row, self.made_at)}" for row in self.based_on if row["source"] != "declared"
        ]
        return "\n".join(lines)


def _known(row: Json, made_at: float) -> str:
    """Whence and since when a limit is known that is not as declared."""
    whence = "the server's word" if row["source"] == "header" else "learned from refusals"
    at = row.get("learned_at")
    since = "" if at is None else f" {max(0.0, made_at - at) / 60:.0f} minutes ago"
    others = ", told by another process" if row.get("is_heard") else ""
    what = f"{row['limit']:g} {row['unit']} in {row['per']:g} s"
    return f"{row['provider']} {row['model'] or 'any model'}: {what} ({whence}{since}{others})"


class _Window:
    """One row of the capacity, as it would be used up."""

    def __init__(self, row: Json, utc: float) -> None:
        self.left: float = row["remaining"]
        self.counts_tokens = row["unit"] != "requests"
        self._limit: float = row["limit"]
        self._per: float = row["per"]
        self._resets: Reset = row["resets"]
        self._utc = utc
        self._back: list[tuple[float, float]] = []
        if self.left < self._limit and row["resets_after"] is not None:
            self._back.append((row["resets_after"], self._limit - self.left))

    def room(self, now: float, tokens: int) -> float:
        """How many calls it lets through now."""
        while self._back and self._back[0][0] <= now:
            self.left = min(self._limit, self.left + heapq.heappop(self._back)[1])
        each = tokens if self.counts_tokens else 1
        return math.floor(self.left / each + 1e-9) if each else math.inf

    def take(self, now: float, calls: int, tokens: int) -> None:
        amount = float(calls * tokens if self.counts_tokens else calls)
        self.left -= amount
        if self._resets == "rolling":
            back_at = now + self._per
        else:
            back_at = next_reset(self._resets, self._utc + now) - self._utc
        heapq.heappush(self._back, (back_at, amount))

    def next_at(self) -> float:
        """When a part comes back; inf if nothing is out."""
        return self._back[0][0] if self._back else math.inf


def plan(
    rows: Iterable[Json], calls: int, *, tokens_each: int, utc: float, within: float | None
) -> Plan:
    """The earliest schedule. `within` (s): until when; None for the next midnight in UTC."""
    known = tuple(rows)
    horizon = DAY - utc % DAY if within is None else within
    windows = [(row, _Window(row, utc)) for row in known]
    names = {(row["provider"], row["model"]) for row in known}
    by_model = {provider for provider, model in names if model is not None}
    due = [
        (0.0, place, name)
        for place, name in enumerate(sorted(names, key=str))
        if name[1] is not None or name[0] not in by_model
    ]
    steps: list[PlanStep] = []
    left, last_at = calls, 0.0
    while due and left > 0 and due[0][0] < horizon:
        now, place, (provider, model) = heapq.heappop(due)
        own = [
            window
            for row, window in windows
            if row["provider"] == provider and row["model"] in {model, None}
        ]
        room = min(window.room(now, tokens_each) for window in own)
        made = int(min(left, room))
        if made > 0:
            for window in own:
                window.take(now, made, tokens_each)
            steps.append(PlanStep(after=now, provider=provider, model=model, calls=made))
            left, last_at = left - made, now
        again_at = min(window.next_at() for window in own)
        if math.isfinite(again_at):
            heapq.heappush(due, (max(again_at, now + 1e-6), place, (provider, model)))
    return Plan(
        calls=calls,
        tokens_each=tokens_each,
        within=horizon,
        possible=calls - left,
        done_after=last_at if left <= 0 else None,
        steps=tuple(steps),
        based_on=known,
        made_at=utc,
    )
