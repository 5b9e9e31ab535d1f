"""What a pool tells the ledger it shares, and what it makes of the ledger's news.

Rules:
- The pool decides by what it knows; then a lease becomes a claim, which the ledger confirms or
  denies. News that come with any answer correct the windows, and let rest what others saw fail.
- All but `ask` is called under the pool's lock, and nothing here waits for a ledger.
- News are kept, so that routes met later know them too.
- Only what a ledger has confirmed is corrected there: a claim without an answer may not have been
  counted, and taking it back could give back what is another's.
"""

from __future__ import annotations

import math
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from freelm_integrations.pool import marks
from freelm_integrations.pool.allotment import LEAVES_WITHIN, Allotment, next_size
from freelm_integrations.pool.ledger.claim import (
    Claim,
    Correction,
    Draw,
    Granted,
    Mark,
    Question,
    Said,
    Settlement,
)
from freelm_integrations.pool.ledger.windows import back_at, same_until
from freelm_integrations.pool.limit_marks import (
    NAMED_FOR,
    ToldLimit,
    limit_mark,
    told_limit,
)
from freelm_integrations.pool.settlement import not_yet_counted, taken_for
from freelm_integrations.pool.shelf import Shelf, name_of, pace_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from freelm_integrations.chat import Usage
    from freelm_integrations.clock import Clock
    from freelm_integrations.pool.lease import Lease
    from freelm_integrations.pool.ledger.claim import Answer, News
    from freelm_integrations.pool.marks import Standing
    from freelm_integrations.pool.pace import Pacing
    from freelm_integrations.pool.scopes import (
        RouteState,
    )
    from freelm_integrations.pool.view import Route
    from freelm_integrations.pool.window import Window
    from freelm_integrations.providers.provider import Key, Provider
    from freelm_integrations.providers.spec import ModelSpec, Reset
    from freelm_integrations.wire.refusals.hints import Reading

HOLDS_FOR = 600.0
"""Seconds after which a lease that was not settled is taken for a dead process's."""
PROBES_FOR = 120.0
"""The same for one that probes a breaker: nobody else may meanwhile."""
FRESH_FOR = 1.0
"""Seconds for which a route without limits goes by the news there are."""
PACE_NOT_BEFORE = 1.0
"""Seconds for which a latency that was told is not told anew."""
PACE_AGAIN = 60.0
"""Seconds after which a latency is told again though it has hardly moved."""
A_MOMENT = 1.0
"""Seconds by which two moments may differ that are one: they are reckoned from two clocks."""
AT_ONCE = 400
"""Windows asked for in one question."""


class Sharing:
    """Mutable, guarded by the pool's lock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.begin_anew()

    def begin_anew(self) -> None:
        """Know nothing, under a new name: as another process, or after forgetting all."""
        self.writer = os.urandom(8).hex()
        self._claims = 0
        self._left: list[Settlement] = []
        self._shelves: dict[str, Shelf] = {}
        self._calendar: dict[Reset, tuple[float, float]] = {}

    def forget(self, provider: str) -> None:
        """Hear all news of a provider once more."""
        self._shelves.pop(provider, None)

    # ------------------------------------------------------------------ records

    def meet(self, route: Route, state: RouteState, now: float) -> None:
        """Take up a route's records, and tell them what was heard before they were met."""
        self._shelf(route.provider.id).meet(route, state, now, now - self._clock.utc())

    def meet_windows(self, route: Route, state: RouteState, now: float) -> None:
        """Name its windows, and add those that others were told of."""
        shelf = self._shelf(route.provider.id)
        shelf.meet_windows(route, state, now, self._clock)

    def _shelf(self, provider: str) -> Shelf:
        shelf = self._shelves.get(provider)
        if shelf is None:
            shelf = self._shelves[provider] = Shelf()
        return shelf

    # ------------------------------------------------------------------ asking

    def claim(self, lease: Lease, now: float) -> Claim | None:
        """What to ask for a lease; None where there is nothing to ask now."""
        route, state = lease.route, lease.state
        shelf = self._shelf(route.provider.id)
        if not (lease.taken or lease.is_probe) and now - shelf.heard_at < FRESH_FOR:
            return None
        utc = self._clock.utc()
        before = shelf.allotments.get(route)
        if before is not None and not lease.is_probe and before.serves(lease.taken, now, utc):
            lease.claim, lease.draws, lease.moves, lease.allotment = None, (), (), before
            return None
        lease.draws = draws = tuple(
            [self._draw(window, took, utc) for window, _, took, _ in lease.taken]
        )
        self._claims += 1
        lease.claim = claim = Claim(
            id=f"{self.writer}:{self._claims}",
            writer=self.writer,
            provider=route.provider.id,
            draws=draws,
            subjects=state.subjects,
            probe=state.subjects[marks.KEY] if lease.is_probe else None,
            expires_at=utc + (PROBES_FOR if lease.is_probe else HOLDS_FOR),
            seen=shelf.seen,
        )
        return claim if lease.is_probe else self._allotted(shelf, lease, claim, now)

    def _allotted(self, shelf: Shelf, lease: Lease, claim: Claim, now: float) -> Claim:
        """The claim, or several leases' worth of it."""
        route = lease.route
        before = shelf.allotments.get(route)
        if before is not None and before.is_promised(now):
            lease.allotment = None
            return replace(claim, joins=before.claim.id)
        windows = [window for window, *_ in lease.taken]
        size = next_size(before, windows, claim.draws, now)
        if shelf.leaving:
            self._see_off(route.provider.id, shelf, now)
        if before is not None and before.leases > 1:
            self._leave(route.provider.id, shelf, before)
        if size > 1:
            draws = tuple([draw._replace(amount=draw.amount * size) for draw in claim.draws])
            claim = replace(claim, id=f"{claim.id}:all", draws=draws)
        allotment = shelf.allotments[route] = Allotment(
            claim, size, now, before, windows=windows, same=self._same(windows)
        )
        lease.allotment = allotment if size > 1 else None
        return claim

    def _same(self, windows: Sequence[Window]) -> tuple[float, float]:
        """From now, up to when what is taken of these comes back when what is taken now does."""
        utc = self._clock.utc()
        ends = [same_until(window.resets, window.per, utc) for window in windows]
        return utc, min(ends, default=math.inf)

    def _leave(self, provider: str, shelf: Shelf, allotment: Allotment) -> None:
        """Another has taken its place."""
        if allotment.is_granted and not allotment.is_leaving:
            allotment.is_leaving = True
            if allotment.may_be_closed:
                self._close(provider, allotment)
            else:
                shelf.leaving.append(allotment)

    def _see_off(self, provider: str, shelf: Shelf, now: float) -> None:
        """Give back what is left of those whose leases are settled, or last too long."""
        staying: list[Allotment] = []
        for allotment in shelf.leaving:
            if allotment.may_be_closed or now - allotment.begun_at > LEAVES_WITHIN:
                self._close(provider, allotment)
            else:
                staying.append(allotment)
        shelf.leaving = staying

    def _last_of(self, provider: str, allotment: Allotment) -> list[Correction]:
        """What its last lease gives back for all."""
        allotment.is_closed = True
        self._shelf(provider).leaving.remove(allotment)
        return list(allotment.rest())

    def _close(self, provider: str, allotment: Allotment) -> None:
        if allotment.is_granted and not allotment.is_closed:
            allotment.is_closed = True
            self._left.append(
                Settlement(
                    id=f"{allotment.claim.id}:left",
                    writer=self.writer,
                    provider=provider,
                    corrections=allotment.rest(),
                    seen=self._shelf(provider).seen,
                )
            )

    def left(self, *, of_all: bool = False) -> list[Settlement]:
        """What was allotted and not used, to be given back: of all routes, or of those renewed."""
        if of_all:
            for provider, shelf in self._shelves.items():
                for allotment in (*shelf.allotments.values(), *shelf.leaving):
                    self._close(provider, allotment)
                shelf.allotments.clear()
                shelf.leaving.clear()
        left, self._left = self._left, []
        return left

    def _draw(self, window: Window, took: float, utc: float) -> Draw:
        return Draw(str(window.name), took, window.amount, self._back_at(window, utc))

    def _back_at(self, window: Window, utc: float) -> float:
        resets = window.resets
        if resets == "rolling":
            return back_at(resets, window.per, utc)
        known = self._calendar.get(resets)
        if known is None or not known[0] <= utc < known[1]:
            known = self._calendar[resets] = (utc, back_at(resets, window.per, utc))
        return known[1]

    def questions(self, provider: str, windows: Sequence[str]) -> list[Question]:
        """What to ask to know how these windows stand, and all that was learned."""
        seen = self._shelf(provider).seen
        return [
            Question(
                writer=self.writer,
                provider=provider,
                windows=tuple(windows[start : start + AT_ONCE]),
                seen=seen,
            )
            for start in range(0, max(1, len(windows)), AT_ONCE)
        ]

    # ------------------------------------------------------------------ telling

    def settlement(
        self,
        lease: Lease,
        used: Sequence[float],
        readings: Sequence[Reading],
        usage: Usage | None,
        learned: Sequence[Mark],
    ) -> Settlement | None:
        """What to tell of a closed lease; None if that is nothing."""
        claim, provider = lease.claim, lease.route.provider.id
        corrections: list[Correction] = []
        if lease.moves is not None:
            allotment = lease.allotment
            if allotment is not None:
                allotment.open -= 1
            if readings or allotment is None or not allotment.put_back(lease.taken, used):
                corrections = self._corrections(lease, used, readings, usage)
            elif allotment.may_be_closed:
                corrections = self._last_of(provider, allotment)
        probe = None if claim is None else claim.probe
        if not (corrections or learned or probe):
            return None
        if claim is None:
            self._claims += 1
        return Settlement(
            id=f"{self.writer}:{self._claims}:" if claim is None else claim.id,
            writer=self.writer,
            provider=provider,
            corrections=tuple(corrections),
            marks=tuple(learned),
            probe=probe,
            seen=self._shelf(provider).seen,
        )

    def _corrections(
        self,
        lease: Lease,
        used: Sequence[float],
        readings: Iterable[Reading],
        usage: Usage | None,
    ) -> list[Correction]:
        utc = self._clock.utc()
        said: dict[int, Said] = {}
        for reading in readings:
            taken = taken_for(lease, reading)
            if taken is not None and reading.remaining is not None:
                window, _, took, _ = taken
                unseen = 0.0 if window.unit == "requests" else not_yet_counted(usage, took)
                back = self._said_back_at(window, reading, utc)
                said[id(window)] = Said(window.amount, reading.remaining, unseen, back)
        moves = lease.moves or (None,) * len(lease.taken)
        draws = lease.draws or (
            () if lease.allotment is None else lease.allotment.draws_of(lease.taken)
        )
        return [
            Correction(
                draw.window,
                draw.back_at,
                draw.amount,
                use,
                moved,
                None if use <= draw.amount else self._back_at(window, utc),
                said.get(id(window)) if said else None,
            )
            for draw, (window, *_), use, moved in zip(draws, lease.taken, used, moves, strict=True)
        ]

    def _said_back_at(self, window: Window, reading: Reading, utc: float) -> float:
        after = reading.resets_after
        if after is not None and 0 < after < math.inf:
            return utc + after
        return self._back_at(window, utc)

    def marks(self, marks: Sequence[Mark], provider: str) -> Settlement:
        """To tell marks that go with no lease."""
        self._claims += 1
        return Settlement(
            id=f"{self.writer}:{self._claims}:",
            writer=self.writer,
            provider=provider,
            marks=tuple(marks),
            seen=self._shelf(provider).seen,
        )

    def learned(self, lease: Lease, before: Standing | None, now: float) -> list[Mark]:
        """Marks for what a settlement has changed; without `before` that is the latency at most."""
        state = lease.state
        learned: list[Mark] = []
        if before is not None:
            utc = self._clock.utc()
            learned += marks.changes(state, before, utc=utc, behind=now - utc)
        if (pace := self._pace(lease.route, state.pacing, now)) is not None:
            learned.append(pace)
        return learned

    def _pace(self, route: Route, pacing: Pacing, now: float) -> Mark | None:
        shelf = self._shelf(route.provider.id)
        first, whole, told_at = shelf.told.get(route, _UNTOLD)
        if now - told_at < PACE_NOT_BEFORE:
            return None
        is_due = now - told_at > PACE_AGAIN and (pacing.first, pacing.whole) != (first, whole)
        if not (
            is_due or marks.has_moved(first, pacing.first) or marks.has_moved(whole, pacing.whole)
        ):
            return None
        shelf.told[route] = (pacing.first, pacing.whole, now)
        return marks.pace_mark(pace_of(route), pacing, self._clock.utc())

    def limits(self, lease: Lease, now: float) -> Iterator[Mark]:
        """Marks for what was learned of its windows' limits, where others do not know it yet."""
        route, state = lease.route, lease.state
        for window in state.account.shared.values():
            yield from self._limit(window, route.provider.id, route.key.account, "*", now)
        for window in state.quota.own.values():
            yield from self._limit(
                window, route.provider.id, route.key.account, route.model.id, now
            )

    def _limit(
        self, window: Window, provider: str, account: str, model: str, now: float
    ) -> Iterator[Mark]:
        if window.name is None or window.is_heard or window.is_guess:
            return
        shelf, utc = self._shelf(provider), self._clock.utc()
        known = shelf.marks.get((window.name, "limit"))
        if known is None and window.source == "declared":
            return
        mark = limit_mark(window, account, model, utc=utc, behind=now - utc)
        told = None if known is None else told_limit(known)
        new = told_limit(mark)
        if (told is None) == (new is None) and known is not None:
            is_same = told is None or new is None or _alike(told, new)
            if is_same and (told is None or known.until > utc + NAMED_FOR / 2):
                return
        shelf.keep(mark)
        yield mark

    def unasked(
        self,
        provider: Provider,
        account: str,
        windows: Iterable[Window],
        readings: Sequence[Reading],
        now: float,
    ) -> Settlement | None:
        """To tell what a provider says of an account's windows beside all calls; None: nothing."""
        shelf, utc = self._shelf(provider.id), self._clock.utc()
        corrections: list[Correction] = []
        learned: list[Mark] = []
        for window in windows:
            if window.name is None:
                window.name = name_of(provider.id, account, "*", window)
                shelf.windows[window.name] = window
            learned += self._limit(window, provider.id, account, "*", now)
            for one in readings:
                if (one.unit, one.per) == (window.unit, window.per) and one.remaining is not None:
                    back = self._said_back_at(window, one, utc)
                    said = Said(window.amount, one.remaining, 0.0, back)
                    corrections.append(Correction(window.name, back, 0.0, 0.0, said=said))
        if not (corrections or learned):
            return None
        return replace(self.marks(learned, provider.id), corrections=tuple(corrections))

    # ------------------------------------------------------------------ hearing

    def answered(self, lease: Lease, answer: Answer, now: float) -> bool:
        """Note what the ledger said to a claim, and its news; see `heed`."""
        if isinstance(answer, Granted) and lease.claim is not None:
            moves = tuple([count.moves for count in answer.news.counts])
            if lease.allotment is not None:
                self._is_allotted(lease, lease.allotment, lease.claim, moves)
                moves = ()  # which of its parts moved the windows last is not known
            lease.moves = moves
        return self.heed(lease.route.provider.id, answer.news, now)

    def _is_allotted(
        self, lease: Lease, allotment: Allotment, claim: Claim, moves: tuple[int, ...]
    ) -> None:
        allotment.granted(claim.draws, moves)
        provider = lease.route.provider.id
        if self._shelf(provider).allotments.get(lease.route) is not allotment:
            # Meanwhile somebody else has asked for another.
            self._leave(provider, self._shelf(provider), allotment)

    def asked_for_more(self, lease: Lease) -> bool:
        """Whether the ledger was asked for several leases' worth; the next time it is for one."""
        self._shelf(lease.route.provider.id).allotments.pop(lease.route, None)
        return lease.allotment is not None

    def heed(self, provider: str, news: News, now: float) -> bool:
        """Correct what is known of a provider; whether that may concern all routes of a model."""
        return self._shelf(provider).heed(news, now, now - self._clock.utc())

    # ------------------------------------------------------------------ looking

    def windows_of(
        self, provider: Provider, models: Sequence[ModelSpec]
    ) -> dict[str, tuple[str, str]]:
        """Name -> account and model (`*`: all) of each window declared, or told of by a server."""
        found: dict[str, tuple[str, str]] = {}
        accounts = dict.fromkeys(key.account for key in provider.keys)
        for model in models:
            limits = provider.limits_of(model)
            for account in accounts:
                for limit in limits:
                    found[name_of(provider.id, account, model.id, limit)] = (account, model.id)
        for account in accounts:
            for limit in provider.shared_limits:
                found[name_of(provider.id, account, "*", limit)] = (account, "*")
        for name, place in self._shelf(provider.id).told_limits():
            found.setdefault(name, place)
        return found

    def told_of(
        self,
        provider: Provider,
        models: Sequence[ModelSpec],
        windows: Mapping[str, tuple[str, str]],
        used: Container[str],
    ) -> list[tuple[Key, ModelSpec]]:
        """Routes worth taking up: their windows are used, or something rests."""
        busy = {place for name, place in windows.items() if name in used}
        subjects = {subject for subject, fact in self._shelf(provider.id).marks if fact != "limit"}
        found: list[tuple[Key, ModelSpec]] = []
        for key in provider.keys:
            is_told = marks.key_subject(key.fingerprint) in subjects or (key.account, "*") in busy
            for model in models:
                route, rest = (key.account, model.id), marks.model_subjects(key.account, model.id)
                if is_told or route in busy or not subjects.isdisjoint(rest):
                    found.append((key, model))
                    is_told = False  # one route is enough for what is the key's
        return found


_UNTOLD: tuple[float | None, float | None, float] = (None, None, -math.inf)


def _alike(told: ToldLimit, new: ToldLimit) -> bool:
    """Whether the new one says what was told, but for moments."""
    return (told.limit, told.source) == (new.limit, new.source) and (
        abs((told.trusted_until or 0.0) - (new.trusted_until or 0.0)) < A_MOMENT
    )
