"""A pool whose counts are shared with other processes, through a ledger.

Rules:
- A lease is first taken here, then confirmed by the ledger: `claim`, ask, `confirm`. Asking is the
  caller's to do, outside the lock; what is to be told goes into an outbox.
- What is told and heard is `sharing.py`'s affair; here it is done under the pool's lock.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.pool.lease import Cooled, Lease, Outcome, Success
from freelm_integrations.pool.ledger.claim import Granted
from freelm_integrations.pool.marks import (
    MODEL,
    is_sound,
    key_subject,
    readmitted,
    refused_mark,
    standing,
    subjects_of,
)
from freelm_integrations.pool.pool import Pool
from freelm_integrations.pool.sharing import Sharing
from freelm_integrations.wire.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from freelm_integrations.chat import Usage
    from freelm_integrations.clock import Clock
    from freelm_integrations.pool.ledger.claim import (
        Answer,
        Claim,
        Mark,
        News,
        Question,
        Settlement,
    )
    from freelm_integrations.pool.ledger.outbox import Outbox
    from freelm_integrations.pool.view import Route
    from freelm_integrations.providers.provider import Key, Provider
    from freelm_integrations.providers.spec import ModelSpec
    from freelm_integrations.wire.refusals.hints import Reading

LEAST_SHUT = 0.05
"""Seconds for which a route that the ledger denied is not asked for again, at the least."""
LONGEST_SHUT = 3_600.0


class LedgerPool(Pool):
    """See the module, and `Pool`. `outbox` leads to the ledger."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK, *, outbox: Outbox) -> None:
        self._sharing = Sharing(clock)
        self._outbox = outbox
        super().__init__(clock, sharing=self._sharing)
        outbox.before_flush(self.give_back)

    # ------------------------------------------------------------------ claims

    def claim(self, lease: Lease, now: float) -> Claim | None:
        """What to ask the ledger before the attempt is sent; None where there is nothing to ask."""
        with self._lock:
            claim = self._sharing.claim(lease, now)
            left = () if claim is None else self._sharing.left()
        if left:
            self._tell_all(left)
        return claim

    def confirm(self, lease: Lease, answer: Answer, now: float) -> bool:
        """Note the ledger's answer; False if the lease is void, and nothing is held any more."""
        sharing = self._sharing
        with self._lock:
            state = lease.state
            if isinstance(answer, Granted):
                self._answered(lease, answer, now)
                return True
            self._withdraw(lease, now)
            self._answered(lease, answer, now)
            after = min(max(answer.ready_at - self._clock.utc(), LEAST_SHUT), LONGEST_SHUT)
            if answer.why == "probe":
                state.key.breaker.postpone(now + after)
            elif not sharing.asked_for_more(lease) and self._may_lease(lease, now):
                state.quota.shut_until = now + after
            state.key.stir()
            return False

    def _answered(self, lease: Lease, answer: Answer, now: float) -> None:
        if self._sharing.answered(lease, answer, now):
            lease.state.provider.version += 1

    def _may_lease(self, lease: Lease, now: float) -> bool:
        """Whether the same lease would be given at once again."""
        state = lease.state
        key = state.key
        return (
            key.retired is None
            and all(rest.until <= now for rest in state.rests)
            and (key.breaker.is_closed or lease.is_probe)
            and all(window.fits(now, took) for window, _, took, _ in lease.taken)
        )

    def give_back(self) -> None:
        """Tell of all that was claimed in advance and not used, as when the process ends."""
        with self._lock:
            left = self._sharing.left(of_all=True)
        self._tell_all(left)

    # ------------------------------------------------------------------ telling

    def settle(
        self,
        lease: Lease,
        outcome: Outcome,
        now: float,
        *,
        usage: Usage | None = None,
        readings: Sequence[Reading] = (),
    ) -> Cooled | None:
        """See `Pool`; others are told."""
        with self._lock:
            readings = self._begin_to_close(lease, outcome, readings)
            is_plain = isinstance(outcome, Success) and is_sound(lease.state)
            before = None if is_plain else standing(lease.state)
            cooled, used = self._close(lease, outcome, now, usage, readings)
            learned = self._sharing.learned(lease, before, now)
            if readings or isinstance(outcome, Fault) or _tries_more(lease):
                learned += self._sharing.limits(lease, now)
            settlement = self._sharing.settlement(lease, used, readings, usage, learned)
        if settlement is not None:
            self._tell(settlement)
        return cooled

    def hear(self, provider: Provider, key: Key, readings: Sequence[Reading], now: float) -> None:
        """See `Pool`; others are told."""
        with self._lock:
            super().hear(provider, key, readings, now)
            windows = self._register.account(provider, key).shared.values()
            settlement = self._sharing.unasked(provider, key.account, windows, readings, now)
        if settlement is not None:
            self._tell(settlement)

    def readmit(self, provider: Provider, key: Key) -> bool:
        """See `Pool`; others are told."""
        if not super().readmit(provider, key):
            return False
        self._tell_marks(readmitted(key_subject(key.fingerprint), self._clock.utc()), provider)
        return True

    def learn_refused(self, route: Route, parameter: str) -> bool:
        """See `Pool`; others are told."""
        if not super().learn_refused(route, parameter):
            return False
        subject, refused = subjects_of(route)[MODEL], self.refused(route)
        self._tell_marks((refused_mark(subject, refused, self._clock.utc()),), route.provider)
        return True

    def _tell_marks(self, marks: Sequence[Mark], provider: Provider) -> None:
        with self._lock:
            settlement = self._sharing.marks(marks, provider.id)
        self._tell(settlement)

    def _tell_all(self, settlements: Sequence[Settlement]) -> None:
        for settlement in settlements:
            self._tell(settlement)

    def _tell(self, settlement: Settlement) -> None:
        self._outbox.put(settlement, partial(self._heed, settlement.provider))

    # ------------------------------------------------------------------ hearing

    def _heed(self, provider: str, news: News) -> None:
        """Apply news; whenever and from whichever thread they come."""
        with self._lock:
            home = self._register.providers.get(provider)
            if self._sharing.heed(provider, news, self._clock.now()) and home is not None:
                home.version += 1

    def look(
        self, provider: Provider, models: Sequence[ModelSpec], ask: Callable[[Question], News]
    ) -> None:
        """Know of a provider what the ledger knows; `ask` asks it, and may wait.

        Of routes that nobody here has met, those are taken up that the ledger tells something of.
        """
        sharing = self._sharing
        with self._lock:
            (question,) = sharing.questions(provider.id, ())
        self._heed(provider.id, ask(question))
        with self._lock:
            windows = sharing.windows_of(provider, models)
            questions = sharing.questions(provider.id, list(windows))
        answers = [ask(question) for question in questions]
        used = {count.window for news in answers for count in news.counts if count.used > 0}
        with self._lock:
            met = sharing.told_of(provider, models, windows, used)
        for key, model in met:
            self.route(provider, key, model)
        for news in answers:
            self._heed(provider.id, news)

    # ------------------------------------------------------------------ forgetting

    def forget(self, provider_id: str | None = None) -> None:
        """See `Pool`."""
        with self._lock:
            super().forget(provider_id)
            if provider_id is None:
                self._sharing.begin_anew()
            else:
                self._sharing.forget(provider_id)


def _tries_more(lease: Lease) -> bool:
    """Whether one of its limits was learned from refusals: it may have been tried again."""
    return any([taken[0].has_ceiling for taken in lease.taken])  # noqa: C419 - quicker so
