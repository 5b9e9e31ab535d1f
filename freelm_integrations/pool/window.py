"""One limit's window: how much was taken, when it comes back, and what the server says of it.

Rules:
- A rolling window is a log of what was taken, and each taking counts for the whole length of the
  window. A provider may count fixed minutes, sliding ones or a bucket that refills steadily: all
  three admit whatever never exceeds the limit in any stretch of that length, while our own
  refilling bucket would let nearly twice the limit through in one.
- Takings come back on a grid of 1/512 of the length, rounded up and one step late: that bounds the
  log, and outlasts the jitter of the way to the server. It costs at most 0.4 % of the limit.
- A calendar window is a log of one entry that comes back at the calendar moment.
- Never blocked for ever: a taking larger than the whole limit may go when nothing else counts, and
  what a server reads out moves the limit up as well as down.
- Questions change nothing; what has come back is only cleared away by the commands.
- What other processes took is one amount, as the ledger last told it. It surely counts until the
  first part of it comes back; from then on it is doubted: the ledger is to be asked, and only the
  headroom still reckons with it, less and less.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, TypeAlias

from freelm_integrations.pool.ceiling import FULL_ENOUGH, Ceiling, Trust
from freelm_integrations.pool.resets import next_reset

if TYPE_CHECKING:
    from freelm_integrations.clock import Clock
    from freelm_integrations.pool.ledger.claim import Count
    from freelm_integrations.providers.spec import Limit, Reset, Unit
    from freelm_integrations.wire.refusals.hints import Reading

GRAIN = 512
"""Steps of the grid on which a rolling window's takings come back."""

SPARE_SHARE = 0.3
"""The share of a window below which nothing of it is spent on insurance."""
SCARCE_FROM = 3_600.0
"""Seconds: a quota of calls that is longer in coming back than this is scarce."""
FORGOTTEN_AFTER = 60.0
"""Seconds after which a count that seems older than the last one is of a ledger begun anew."""
SPARE_CALLS = 100
"""Calls of a scarce quota that are never spent on insurance."""

Source = Literal["declared", "header", "learned"]
"""Whence a limit is known: our sheets, the server's own words, or its refusals."""


class Entry:
    """An amount that counts until `back_at`. Cleared: no longer in its window's log."""

    __slots__ = ("amount", "back_at", "is_cleared")

    def __init__(self, amount: float, back_at: float) -> None:
        self.amount = amount
        self.back_at = back_at
        self.is_cleared = False


Taken: TypeAlias = "tuple[Window, Entry, float, int]"
"""What a lease holds of one window: the window, where it is counted, how much, and the window's
count of moves just after. A plain tuple: one is made for every window of every lease."""


class Window:
    """Mutable, guarded by the pool's lock. All moments are on the call's clock."""

    __slots__ = (
        "_ceiling",
        "_clock",
        "_doubted_from",
        "_grain",
        "_log",
        "_told",
        "_told_at",
        "_used",
        "amount",
        "declared",
        "is_heard",
        "moves",
        "name",
        "open",
        "others",
        "others_until",
        "per",
        "resets",
        "since",
        "source",
        "unit",
    )

    def __init__(self, limit: Limit, clock: Clock, *, source: Source = "declared") -> None:
        self.unit: Unit = limit.unit
        self.per = limit.per
        self.resets: Reset = limit.resets
        self.amount = limit.amount
        self.declared = limit.amount
        self.source: Source = source
        self.since: float | None = None
        """When the limit was learned (UTC); None while it is as declared."""
        self.is_heard = False
        """Whether another process learned it, and told."""
        self.moves = 0
        """How often something was taken or settled: tells a reading whether it is old news."""
        self.open = 0
        """Takings not settled yet."""
        self.name: str | None = None
        """What the ledger calls it; None where it is not shared."""
        self.others = 0.0
        """What other processes took of it, as far as was told."""
        self.others_until = -math.inf
        self._ceiling: Ceiling | None = None
        self._doubted_from = -math.inf
        self._told = -1
        self._told_at = -math.inf
        self._clock = clock
        self._grain = limit.per / GRAIN
        self._log: list[Entry] = []
        self._used = 0.0

    # ------------------------------------------------------------------ questions

    def used(self, now: float) -> float:
        """What counts against the limit; above it where more was used than had been leased."""
        used = self._used
        for entry in self._log:
            if entry.back_at > now:
                break
            used -= entry.amount
        return max(0.0, used) + self._likely(now) if self.others else max(0.0, used)

    def _likely(self, now: float) -> float:
        """What probably still counts of what others took."""
        if now < self._doubted_from:
            return self.others
        span = self.others_until - self._doubted_from
        left = self.others_until - now
        return self.others * left / span if left > 0 and span > 0 else 0.0

    def remaining(self, now: float) -> float:
        """What is left, from 0 to the limit."""
        return max(0.0, self.amount - self.used(now))

    def headroom(self, now: float) -> float:
        """The unused share, 0 to 1."""
        return self.remaining(now) / self.amount if self.amount > 0 else 0.0

    def ready_at(self, now: float, need: float) -> float:
        """When `need`, or at least 1, fits: -inf if it does now, inf if the limit is nothing."""
        if self.amount <= 0:
            return math.inf
        excess = min(max(need, 1.0), self.amount) - self.amount
        own_at = self._own_ready_at(now, self._used + excess)
        if not self.others or now >= self._doubted_from:
            return own_at
        fits = self.used(now) + excess <= _SLACK
        return -math.inf if fits else max(self._doubted_from, own_at)

    def _own_ready_at(self, now: float, excess: float) -> float:
        """When so much of our own is back; -inf if it is by now."""
        for entry in self._log:
            if entry.back_at <= now:
                excess -= entry.amount
        if excess <= _SLACK:
            return -math.inf
        for entry in self._log:
            if entry.back_at > now:
                excess -= entry.amount
                if excess <= _SLACK:
                    return entry.back_at
        return self._log[-1].back_at if self._log else -math.inf

    def changes_at(self, now: float) -> float:
        """When the next part comes back by itself: inf if nothing is out."""
        others_at = self._doubted_from if self.others and self._doubted_from > now else math.inf
        for entry in self._log:
            if entry.back_at > now:
                return min(entry.back_at, others_at)
        return others_at

    def resets_at(self, now: float) -> float | None:
        """When all of it is back; None when all is already."""
        own = self._log[-1].back_at if self._log else -math.inf
        resets_at = max(own, self.others_until) if self.others else own
        return resets_at if resets_at > now else None

    def has_to_spare(self, now: float) -> bool:
        """Whether so much is left that some may be spent on an attempt that may not be needed."""
        left = self.remaining(now)
        if self.unit == "requests" and self.per >= SCARCE_FROM and left < SPARE_CALLS:
            return False
        return left >= SPARE_SHARE * self.amount

    # ------------------------------------------------------------------ commands

    def clear(self, now: float) -> float:
        """Clear away what has come back; what still counts."""
        log = self._log
        while log and log[0].back_at <= now:
            entry = log.pop(0)
            entry.is_cleared = True
            self._used -= entry.amount
        if not log:
            self._used = 0.0  # sheds what rounding left
        return self._used

    def fits(self, now: float, need: float) -> bool:
        """Whether `need`, or at least 1, may be taken now; clears as it looks."""
        used = self.clear(now) if self._log else 0.0
        if self.others and now < self._doubted_from:
            used += self.others
        if used + max(need, 1.0) <= self.amount + _SLACK:
            return True
        return used <= _SLACK and self.amount > 0

    def take(self, now: float, need: float) -> Taken:
        """Count `need` from now on, at most the whole limit; the caller has seen that it fits."""
        self.moves += 1
        self.open += 1
        if self._ceiling is not None and self.source == "learned":
            self._try_more(self._ceiling, now)
        took = min(self.amount, need)
        self._used += took
        log = self._log
        back_at = self._back_at(now)
        if log and log[-1].back_at == back_at:
            entry = log[-1]
            entry.amount += took
        else:
            entry = Entry(took, back_at)
            if log and log[-1].back_at > back_at:
                self._insert(entry)
            else:
                log.append(entry)
        return self, entry, took, self.moves

    def settle(self, entry: Entry, now: float, *, took: float, used: float) -> None:
        """Put what a lease really used in the place of what it took, exactly once."""
        self.moves += 1
        self.open -= 1
        if used == took:
            return
        if entry.is_cleared:
            if used > took:
                self._count(used - took, self._back_at(now))
            return
        change = max(used - took, -entry.amount)
        entry.amount += change
        self._used += change

    def reckon(self, count: Count, now: float, *, behind: float) -> bool:
        """Take from the ledger what all have used together; whether that changed anything.

        `behind` is what to add to its moments for those of the call's clock. An older count than
        was heard is no news.
        """
        if count.moves < self._told and now - self._told_at < FORGOTTEN_AFTER:
            return False
        self._told, self._told_at = count.moves, now
        others = max(0.0, count.used - self.clear(now))
        if others <= _SLACK:
            others = 0.0
        if not others and not self.others:
            return False
        self.others = others
        self._doubted_from, self.others_until = count.next_at + behind, count.resets_at + behind
        return True

    def learn(self, reading: Reading, now: float, *, is_alone: bool, unseen: float = 0.0) -> None:
        """Correct the limit and the count by what the server says.

        Args:
            reading: What it said; of this window's unit and length.
            now: When it said so.
            is_alone: Nothing else is open, or was taken or settled since the request it answers was
                leased. Otherwise it may be old news, and is believed only where it says that less
                is left.
            unseen: What the server may not have counted yet of that request.
        """
        if reading.limit is not None and 0 < reading.limit < math.inf:
            self._learned(reading.limit, "header", self._clock.utc())
        if reading.remaining is None or self.amount <= 0:
            return
        used = self.clear(now) + (self._likely(now) if self.others else 0.0)
        excess = used - (self.amount - min(max(0.0, reading.remaining), self.amount))
        if excess < 0:
            self._count(-excess, self._back_at(now, reading.resets_after))
        elif is_alone and excess > unseen:
            self._give_back(excess - unseen)

    def refused(self, entry: Entry, now: float) -> bool:
        """A request that was counted there was refused for its number, with no limit named.

        Where the count says that there was room, what was let in is believed to be the limit;
        whether it is.
        """
        if self._ceiling is None:
            self._ceiling = Ceiling(self.per)
        refused = self._ceiling.refused(entry.back_at, now)
        let_in = max(1.0, math.floor(self.used(now)) - self.open - refused)
        if self.source == "header" or let_in >= self.amount or let_in < FULL_ENOUGH * self.amount:
            return False
        self._learned(let_in, "learned", self._clock.utc())
        self._ceiling.lower(now, self.per)
        return True

    def guess(self, amount: float, now: float, seconds: float) -> bool:
        """Believe for so long what others found of theirs; whether it does.

        Not where something was found or said here, or more was let in already.
        """
        if self.source != "declared" and not self.is_guess:
            return False
        refused = 0 if self._ceiling is None else self._ceiling.refusals(now)
        if amount >= self.declared or self.used(now) - self.open - refused > amount:
            return False
        if self._ceiling is None:
            self._ceiling = Ceiling(self.per)
        self._ceiling.guessed(now, seconds)
        self._learned(amount, "learned", self._clock.utc())
        return True

    @property
    def is_guess(self) -> bool:
        """Whether its limit is what others found of theirs: no news to tell of it."""
        return self.source == "learned" and self._ceiling is not None and self._ceiling.is_guess

    @property
    def has_ceiling(self) -> bool:
        """Whether refusals have taught something of its limit, now or before."""
        return self._ceiling is not None

    @property
    def trust(self) -> Trust | None:
        """How long a limit that refusals taught is trusted; None where none did."""
        return self._ceiling.trust if self._ceiling and self.source == "learned" else None

    def hear(self, amount: float, *, since: float | None = None) -> None:
        """Believe what the server told another process of the limit."""
        if 0 < amount < math.inf:
            self._learned(amount, "header", since, is_heard=True)

    def hear_ceiling(
        self, amount: float, *, since: float | None, until: float, length: float
    ) -> None:
        """Believe what refusals taught another process; what the server said itself stands."""
        if self.source == "header" or not 0 < amount < math.inf:
            return
        if self._ceiling is None:
            self._ceiling = Ceiling(self.per)
        self._ceiling.told(Trust(until, length))
        self._learned(amount, "learned", since, is_heard=True)

    def unlearn(self) -> None:
        """Go by what is declared again, where refusals had taught otherwise."""
        if self.source == "learned":
            self.amount, self.source = self.declared, "declared"
            self.since, self.is_heard = None, False

    def _learned(
        self, amount: float, source: Source, since: float | None, *, is_heard: bool = False
    ) -> None:
        self.amount, self.source = amount, source
        self.since, self.is_heard = since, is_heard

    def _try_more(self, ceiling: Ceiling, now: float) -> None:
        amount = ceiling.raised(self.amount, self.declared, now)
        if amount >= self.declared:
            self.unlearn()
        elif amount > self.amount:
            self._learned(amount, "learned", self._clock.utc())

    def absorb(self, other: Window, now: float) -> None:
        """Count what was counted in another, which is the same one.

        Of what the server had told of both, the larger count holds; else they add up.
        """
        counted = other.clear(now)
        if self.source == "header":
            counted -= self.clear(now)
        for entry in other._log:
            part = min(entry.amount, counted)
            if part > 0:
                counted -= part
                self._count(part, entry.back_at)

    def declare(self, amount: float) -> None:
        """Take a new declaration of the limit; what a server said of it stands."""
        self.declared = amount
        if self.source == "declared":
            self.amount = amount

    # ------------------------------------------------------------------ the log

    def _back_at(self, now: float, resets_after: float | None = None) -> float:
        if resets_after is not None and 0 < resets_after < math.inf:
            return now + resets_after
        if self.resets == "rolling":
            grain = self._grain
            return (math.ceil((now + self.per) / grain) + 1) * grain
        if self._log and self._log[-1].back_at > now:
            return self._log[-1].back_at
        utc = self._clock.utc()
        return now + (next_reset(self.resets, utc) - utc)

    def _count(self, amount: float, back_at: float) -> None:
        """Count what did not come through a lease."""
        self._used += amount
        self._insert(Entry(amount, back_at))

    def _insert(self, entry: Entry) -> None:
        """Keep the log in the order of return; rare, so plainly sorted."""
        self._log.append(entry)
        self._log.sort(key=_return)

    def _give_back(self, excess: float) -> None:
        """Uncount, the oldest first."""
        for entry in self._log:
            part = min(entry.amount, excess)
            entry.amount -= part
            self._used -= part
            excess -= part
            if excess <= 0:
                return


_SLACK = 1e-9


def _return(entry: Entry) -> float:
    return entry.back_at
