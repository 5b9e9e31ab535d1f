"""What is known of one provider through the ledger, and the records it is about, by their names.

Rules:
- Marks are kept, so that routes met later know them too.
- Whoever keeps routes in some order is told which accounts' have changed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from freelm_integrations.pool import marks
from freelm_integrations.pool.ledger.windows import window_id
from freelm_integrations.pool.limit_marks import heed_limit, told_limit
from freelm_integrations.pool.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freelm_integrations.clock import Clock
    from freelm_integrations.pool.allotment import Allotment
    from freelm_integrations.pool.ledger.claim import Fact, Mark, News
    from freelm_integrations.pool.pace import Pacing
    from freelm_integrations.pool.scopes import (
        AccountState,
        KeyState,
        ModelState,
        Rest,
        RouteState,
    )
    from freelm_integrations.pool.view import Route
    from freelm_integrations.providers.spec import Limit


class Shelf:
    """Mutable, guarded by the pool's lock. `behind` is what to add to UTC for the call's clock."""

    __slots__ = (
        *("accounts", "allotments", "heard_at", "keys", "leaving", "limits"),
        *("marks", "models", "paces", "rests", "seen", "told", "windows"),
    )

    def __init__(self) -> None:
        self.seen = 0
        self.heard_at = -math.inf
        self.marks: dict[tuple[str, Fact], Mark] = {}
        self.rests: dict[str, Rest] = {}
        self.keys: dict[str, KeyState] = {}
        self.models: dict[str, ModelState] = {}
        self.paces: dict[str, Pacing] = {}
        self.windows: dict[str, Window] = {}
        self.accounts: dict[str, dict[AccountState, None]] = {}
        """Whose routes depend on a subject or a window of that name; nobody's in particular is what
        all routes of a model or of the provider depend on."""
        self.limits: dict[tuple[str, str], dict[str, Mark]] = {}
        """What was told of limits, by account and model (`*`: all), and there by window."""
        self.allotments: dict[Route, Allotment] = {}
        self.leaving: list[Allotment] = []
        """Those that others have taken the place of, while leases of theirs are open."""
        self.told: dict[Route, tuple[float | None, float | None, float]] = {}
        """The latencies told of a route (first, whole), and when."""

    def told_limits(self) -> Iterator[tuple[str, tuple[str, str]]]:
        """Windows whose limits were told of, and whose they are."""
        for place, told in self.limits.items():
            for name, mark in told.items():
                if mark.value is not None:
                    yield name, place

    # ------------------------------------------------------------------ records

    def meet(self, route: Route, state: RouteState, now: float, behind: float) -> None:
        """Take up a route's records, and tell them what was heard before they were met."""
        state.subjects = subjects = marks.subjects_of(route)
        for subject, rest in zip(subjects, state.rests, strict=True):
            self.rests[subject] = rest
        self.keys[subjects[marks.KEY]] = state.key
        self.models[subjects[marks.MODEL]] = state.model
        self.paces[pace_of(route)] = state.pacing
        for subject in (*(subjects[place] for place in marks.NARROW), pace_of(route)):
            self.accounts.setdefault(subject, {})[state.account] = None
        for subject in (*subjects, pace_of(route)):
            for fact in _FACTS:
                mark = self.marks.get((subject, fact))
                if mark is not None:
                    self._heed(mark, now, behind)

    def meet_windows(self, route: Route, state: RouteState, now: float, clock: Clock) -> None:
        """Name its windows, and add those that others were told of."""
        quota, account = state.quota, state.account
        behind = now - clock.utc()
        for mark in self.limits.get((route.key.account, route.model.id), {}).values():
            told = told_limit(mark)
            if told is not None:
                limit = told.limit
                name = (limit.unit, limit.per, limit.resets)
                if name not in quota.own:
                    quota.own[name] = Window(limit, clock, source="header")
        quota.windows = (*account.shared.values(), *quota.own.values())
        for window in account.shared.values():
            self._name(window, route, "*", now, behind)
        for window in quota.own.values():
            self._name(window, route, route.model.id, now, behind)
        for window in quota.windows:
            self.accounts.setdefault(str(window.name), {})[account] = None

    def _name(self, window: Window, route: Route, model: str, now: float, behind: float) -> None:
        if window.name is not None:
            return
        name = name_of(route.provider.id, route.key.account, model, window)
        window.name = name
        self.windows[name] = window
        mark = self.marks.get((name, "limit"))
        if mark is not None:
            self._heed(mark, now, behind)

    # ------------------------------------------------------------------ news

    def keep(self, mark: Mark) -> None:
        """Remember a mark; of a limit also whose it is."""
        old = self.marks.get((mark.subject, mark.fact))
        self.marks[mark.subject, mark.fact] = mark
        if mark.fact == "limit" and (told := told_limit(mark) or (old and told_limit(old))):
            self.limits.setdefault((told.account, told.model), {})[mark.subject] = mark

    def heed(self, news: News, now: float, behind: float) -> bool:
        """Correct what is known of a provider; whether that may concern all routes of a model."""
        self.heard_at = now
        moved = [
            count.window
            for count in news.counts
            if (window := self.windows.get(count.window)) is not None
            and window.reckon(count, now, behind=behind)
        ]
        if news.seen > self.seen:
            self.seen = news.seen
            for mark in news.marks:
                self.keep(mark)
                self._heed(mark, now, behind)
                moved.append(mark.subject)
        is_wide = False
        for name in moved:
            accounts = self.accounts.get(name)
            is_wide = is_wide or (accounts is None and name in self.rests)
            for account in accounts or ():
                account.stir()
        return is_wide

    def _heed(self, mark: Mark, now: float, behind: float) -> None:
        """Let a mark hold for the record it is about, if that was met."""
        subject, fact = mark.subject, mark.fact
        if mark.until + behind <= now:
            return
        if fact == "rest" and (rest := self.rests.get(subject)) is not None:
            marks.heed_rest(rest, mark, behind=behind)
        elif (key := self.keys.get(subject)) is not None:
            marks.heed_key(key, mark, behind=behind)
        elif fact == "refused" and (model := self.models.get(subject)) is not None:
            marks.heed_refused(model, mark)
        elif fact == "latency" and (pacing := self.paces.get(subject)) is not None:
            marks.heed_pace(pacing, mark)
        elif fact == "limit" and (window := self.windows.get(subject)) is not None:
            heed_limit(window, mark, behind=behind)


def name_of(provider: str, account: str, model: str, window: Window | Limit) -> str:
    """What a ledger calls a window; `model` is `*` where all of an account count in it."""
    return window_id(provider, account, model, window.unit, f"{window.per:g}", window.resets)


def pace_of(route: Route) -> str:
    """What a ledger calls a route's latencies."""
    return window_id("pace", route.key.fingerprint, route.model.id)


_FACTS: tuple[Fact, ...] = ("rest", "retired", "breaker", "refused", "latency")
