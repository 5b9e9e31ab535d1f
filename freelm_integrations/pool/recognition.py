"""Which keys share an account, though nobody said so: their rate-limit headers move together.

One counter that two keys use falls with every request of either. So, from one key's answer to the
other's next, it falls by that one request, which the other's own requests do not explain. Keys of
two accounts never look like that unless somebody else uses them as well, and then by chance.

- Looked at are counts of requests, of the same model and window, with the same limit and reset.
- Evidence is an answer of one key after an answer of another that was there before it was asked,
  and while nothing else of it was under way. What fails may have been counted or not: then the key
  begins anew. Where an answer fits those of two others it is of one at most: that is no evidence.
- `ENOUGH` in a row are believed; an answer that does not fit ends a row. Others may have taken in
  between: what they may explain is no evidence, either way.
- A belief lasts for `BELIEVED_FOR`, and every further answer that fits renews it; two that do not
  end it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import TypeAlias

    Pair: TypeAlias = frozenset[str]

ENOUGH = 8
"""Answers in a row that fit."""
BELIEVED_FOR = 3_600.0
"""Seconds."""
REMEMBERED = 64
"""Answers of one window that are looked back on."""
PAIRS_KEPT = 256
"""So many rows are kept; past that all begin anew."""
SAME_MOMENT = 2.0
"""Seconds by which the reset of one counter may seem to move: it is told in whole ones."""


class Answer(NamedTuple):
    """What one key's answer said of a window, and whether nothing else was under way there.

    `account` is as stated. `began_at` and `at` are when it was asked and answered, `resets_at` when
    the window is full again (None: unsaid): moments on the call's clock.
    """

    account: str
    began_at: float
    at: float
    limit: float
    remaining: float
    per: float
    resets_at: float | None
    is_alone: bool


class Verdict(NamedTuple):
    """Whether two accounts are one."""

    one: str
    other: str
    are_one: bool


class Tally:
    """The answers about one window, by account; mutable, guarded by the pool's lock."""

    __slots__ = ("_answers", "_last", "_rows")

    def __init__(self) -> None:
        self._answers: deque[Answer] = deque(maxlen=REMEMBERED)
        self._last: dict[str, Answer] = {}
        self._rows: dict[Pair, int] = {}
        """How many answers in a row fitted two accounts; most keys share none, and have no row."""

    def heard(self, answer: Answer) -> list[Verdict]:
        """Take up an answer; what it says of its account and others."""
        last = self._last.pop(answer.account, None)
        self._last[answer.account] = answer
        if len(self._last) > REMEMBERED:
            del self._last[next(iter(self._last))]
        verdicts: list[Verdict] = []
        if last is not None and answer.is_alone and last.is_alone:
            moves = last.remaining - answer.remaining > 1
            if (moves or self._rows) and _may_be_compared(last, answer):
                verdicts = self._compare(last, answer, moves=moves)
        self._answers.append(answer)
        return verdicts

    def doubt(self, account: str) -> None:
        """Something of it failed: whether that was counted is not known."""
        self._last.pop(account, None)

    def _compare(self, last: Answer, answer: Answer, *, moves: bool) -> list[Verdict]:
        """With the latest of every other since its last one; `moves`: more than by itself."""
        seen: set[str] = set()
        fitting: list[str] = []
        verdicts: list[Verdict] = []
        for between, other in enumerate(reversed(self._answers)):
            if other is last:
                break
            if other.account in seen:
                continue
            seen.add(other.account)
            if self._last.get(other.account) is not other:
                continue
            fits = _fit(other, answer, between) if moves else False
            if fits:
                fitting.append(other.account)
            elif fits is not None:
                verdicts += self._judge(other.account, answer.account, fits=False)
        if len(fitting) == 1:
            verdicts += self._judge(fitting[0], answer.account, fits=True)
        return verdicts

    def _judge(self, one: str, other: str, *, fits: bool) -> list[Verdict]:
        pair = frozenset((one, other))
        row = self._rows.get(pair, 0)
        if fits:
            if len(self._rows) >= PAIRS_KEPT and not row:
                self._rows.clear()
            row = self._rows[pair] = min(ENOUGH, row + 1)
            return [Verdict(one, other, are_one=True)] if row == ENOUGH else []
        if row == ENOUGH:  # one odd answer may be the window's own doing
            self._rows[pair] = ENOUGH // 2
        elif row:
            del self._rows[pair]
            return [Verdict(one, other, are_one=False)]
        return []


def _fit(other: Answer, answer: Answer, between: int) -> bool | None:
    """Whether they are of one counter; None where that cannot be told."""
    if not other.is_alone or other.at > answer.began_at:
        return None
    if other.limit != answer.limit or not _reset_alike(other, answer, between):
        return False
    fell = other.remaining - answer.remaining
    if fell == 1:
        return True
    return None if 1 < fell <= 1 + between else False


def _may_be_compared(last: Answer, answer: Answer) -> bool:
    """Whether the window was neither changed nor reset between two answers of one key."""
    is_reset = last.resets_at is not None and last.resets_at <= answer.at
    return last.limit == answer.limit and not is_reset and answer.remaining < last.remaining


def _reset_alike(other: Answer, answer: Answer, between: int) -> bool:
    """Whether both are full again at one moment: it may move by what was taken in between."""
    if other.resets_at is None or answer.resets_at is None:
        return other.resets_at is answer.resets_at
    share = answer.per / answer.limit if answer.limit > 0 else 0.0
    moved = SAME_MOMENT + (1 + between) * share
    return abs(other.resets_at - answer.resets_at) <= moved
