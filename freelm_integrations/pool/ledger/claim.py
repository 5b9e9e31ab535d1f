"""What a ledger is told and what it answers: frozen values.

Rules:
- Every moment is UTC epoch seconds, passed in; `inf` is never.
- A window, a subject and a provider are stable strings that hold no secret: keys stand there as
  fingerprints.
- Whoever claims decided before, by what it knew; a ledger only says whether others know better.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

LONGEST = 32 * 86_400.0
"""Seconds after which a ledger forgets what it is not told again: a month's window and more."""
SKEW = 60.0
"""Seconds by which clocks may differ before one of them is taken to have been set back."""


Fact: TypeAlias = Literal["rest", "retired", "breaker", "latency", "refused", "limit"]


class Draw(NamedTuple):
    """What a claim takes of one window; it takes of none twice.

    `window` is its name, unlike that of any other provider's: see `window_id` of
    `ledger.windows`. `back_at` is when it comes back: see `back_at` there.
    """

    window: str
    amount: float
    limit: float
    back_at: float


class Mark(NamedTuple):
    """One thing learned of one subject, for all to know.

    A subject is whatever a fault or a limit applies to: a provider, account, key, model or route.
    A later mark of the same subject and fact takes the place of an earlier one, except that a
    `rest` is never shortened, only ended.
    """

    subject: str
    fact: Fact
    value: str | None
    """What was learned, as the writer spells it; None: it holds no more."""
    until: float
    """When it may be forgotten; a ledger does so after `LONGEST` in any case."""
    rests_until: float = -math.inf
    """No attempt may touch the subject before."""
    needs_probe: bool = False
    """After that, only a probe may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A lease to be confirmed: all its draws, or none.

    `id` names the lease and `writer` the pool that asks; both are unique among all that share the
    ledger. `subjects` are what the attempt touches. `probe` is the one of them whose half-open
    breaker it would probe. By `expires_at` the lease is settled or whoever took it has died.
    `seen` is from the last reply about this provider, 0 at first. `joins` is the id of another
    claim of this pool that may bring this one's part as well: while that is being asked, this one
    need not be.
    """

    id: str
    writer: str
    provider: str
    draws: tuple[Draw, ...] = ()
    subjects: tuple[str, ...] = ()
    probe: str | None = None
    expires_at: float
    seen: int = 0
    joins: str | None = None


class Count(NamedTuple):
    """One window as all share it.

    `next_at` is when a part comes back, `resets_at` when all of it is (both inf: nothing is out).
    `moves` tells a later settlement whether anybody else moved the window in between.
    """

    window: str
    used: float
    next_at: float
    resets_at: float
    moves: int


class News(NamedTuple):
    """What the reply to anything brings.

    `counts` are of the windows that were named, in their order. `marks` are what other writers
    have learned of the provider since `seen`, the oldest first; say the new `seen` next time.
    """

    counts: tuple[Count, ...] = ()
    marks: tuple[Mark, ...] = ()
    seen: int = 0
    workers: int = 1
    """Writers active in the last minutes, as far as the ledger knows."""


@dataclass(frozen=True, slots=True)
class Granted:
    """The claim is counted. Unless it is settled, it stays counted as if used."""

    news: News


@dataclass(frozen=True, slots=True)
class Denied:
    """Nothing was taken.

    `why`: a `window` is full, a `mark` that the claimer had not seen forbids it, or another
    `probe` is under way. `ready_at` is when it is worth asking again; where it is not later than
    now, the news say what must be heeded first.
    """

    ready_at: float
    why: Literal["window", "mark", "probe"]
    news: News


Answer: TypeAlias = Granted | Denied


class Said(NamedTuple):
    """What the server said is left of a window.

    `unseen` is what it may not have counted yet of the request it answers. What it counts beyond
    our own count comes back at `back_at`.
    """

    limit: float
    left: float
    unseen: float
    back_at: float


class Correction(NamedTuple):
    """What becomes of one draw: `used` in the place of `took`."""

    window: str
    back_at: float
    took: float
    used: float
    moves: int | None = None
    """The window's, just after it was taken; None: it was not taken from this ledger."""
    again_at: float | None = None
    """When what was used beyond `took` comes back if the draw already has; None: let it be."""
    said: Said | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """A lease closed: what it really used, and what was learned.

    `id` is the claim's: a settlement told twice counts once. `probe`: the claim's, its place is
    free again.
    """

    id: str
    writer: str
    provider: str
    corrections: tuple[Correction, ...] = ()
    marks: tuple[Mark, ...] = ()
    probe: str | None = None
    seen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is the count of these windows, and what was learned since `seen`? Changes nothing."""

    writer: str
    provider: str
    windows: tuple[str, ...] = ()
    seen: int = 0
