"""The open attempts of one call.

Every decision of the failover machine is a plain method here, tested without a generator.

Rules that keep it sound:
- A route that was leased is in `_open` until it is settled, and settled exactly once.
- A call is a race, then a relay. In the race attempts are launched one after another, or beside
  silent ones; the first content commits the call to its attempt and the others are dropped. Before
  that every fault is absorbed unless it is fatal.
- In the relay the winner's content goes on to the caller. When it breaks off or stalls there is
  another race: of attempts that carry the text on, where that is safe (see `baton`), or that begin
  anew, where nothing was visible. Else the fault is raised with the partial text.
- A stalled winner stays in the air beside its challengers: whoever speaks first goes on.
- Expiry is judged on `Elapsed` only; a driver answers `Wait(0)` with it at once, so endless
  keep-alives still time out.
- Only time spent waiting counts as a winner's silence: a slow consumer is not a silent server.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from freelm_integrations.chat import Delta, EmbeddingRequest, Origin
from freelm_integrations.engine import ending
from freelm_integrations.engine.baton import Baton
from freelm_integrations.engine.continuation import continuation_for
from freelm_integrations.engine.departure import attempt_on, known_refusals
from freelm_integrations.engine.itinerary import Comebacks, Itinerary
from freelm_integrations.engine.journal import Journal
from freelm_integrations.engine.leg import Leg
from freelm_integrations.engine.overlong import is_doubtful, smaller_room
from freelm_integrations.engine.remnant import (
    Remnant,
    cramped,
    is_cut_short,
    lacked_our_room,
    may_be_short,
    parted,
    with_usage,
)
from freelm_integrations.engine.steps import Attempt, Chunk, Elapsed, End, Whole
from freelm_integrations.engine.terms import LEAST_IDLE, Terms
from freelm_integrations.engine.timetable import SLACK, Timetable
from freelm_integrations.errors import FreeLLMError, NoRouteAnswered, StreamInterrupted
from freelm_integrations.pool.pool import Abandoned, Success
from freelm_integrations.pool.verdicts import VERDICTS
from freelm_integrations.wire.faults import Fault
from freelm_integrations.wire.requests.abilities import abilities_needed, lacked_ability
from freelm_integrations.wire.requests.ladder import refused_rung

if TYPE_CHECKING:
    from freelm_integrations.chat import AttemptRecord, Request
    from freelm_integrations.clock import Clock
    from freelm_integrations.engine.continuation import Continuation
    from freelm_integrations.engine.itinerary import Candidates
    from freelm_integrations.engine.steps import Reply
    from freelm_integrations.events import Event
    from freelm_integrations.pool.holding import Room
    from freelm_integrations.pool.ledger.claim import Answer, Claim
    from freelm_integrations.pool.line import Ticket
    from freelm_integrations.pool.pool import Cooled, Lease, Outcome, Pool
    from freelm_integrations.pool.view import Route

WITNESSES = 2
"""Providers that must call a request malformed before the caller is told so at once.

Where only one can be asked, so many models of it.
"""
RACERS = 3
"""Attempts that may be silent side by side."""
SHORTEST_PAUSE = 0.02
"""Seconds before looking again for a route that seemed ready but was not."""
FAREWELL = 0.5
"""Seconds a connection gets to end after a whole answer; a clean end lets it be used again."""
KEPT_SHARE = 4
"""Of so many attempts one is kept, by a call that may wait, for routes that are back from a rest.

Else a minute in which everybody is busy would cost it all its attempts in a few milliseconds.
"""
NEVER_DROPPED = frozenset(
    {"messages", "model", "response_format", "stream", "tool_choice", "tools"}
)
"""Without these a request asks for something else; a route that refuses one cannot serve it."""


class Flight:
    """One call under way; touched by its machine only, so it needs no lock."""

    __slots__ = (
        *("_baton", "_blamed", "_clock", "_cut", "_dropped", "_has_no_challenger", "_itinerary"),
        *("_journal", "_launches", "_needed", "_open", "_pool", "_remnant", "_sought"),
        *("_takes_remnant", "_ticket", "_times", "is_finished", "request", "terms", "winner"),
    )

    def __init__(
        self,
        request: Request,
        candidates: Candidates,
        *,
        pool: Pool,
        clock: Clock,
        terms: Terms,
        call: int = 0,
    ) -> None:
        """Start the call's clock; nothing is leased yet."""
        self.request = request
        self.terms = terms
        self.is_finished = False
        self.winner: Leg | None = None
        is_kept = terms.on_interrupt == "raise"
        self._needed = abilities_needed(request)
        self._itinerary = Itinerary(
            candidates,
            pool,
            waits=terms.wait,
            may_fit=may_be_short(request, is_kept=is_kept),
            needed=self._needed,
        )
        self._pool = pool
        self._clock = clock
        self._times = Timetable(clock.now(), terms.timeout)
        self._open: dict[Attempt, Leg] = {}
        self._dropped: list[Attempt] = []
        self._blamed = _NOBODY
        self._launches = 0
        self._baton = Baton(request, is_kept=is_kept)
        self._sought: Lease | None = None
        """What is leased and not launched yet."""
        self._cut: tuple[Leg, Fault] | None = None
        """The winner that broke off, and why, while nobody has carried on."""
        self._has_no_challenger = False
        """Whether nobody was found to carry on beside the stalled winner."""
        self._remnant: Remnant | None = None
        """A short answer, while a longer one is sought."""
        self._takes_remnant = False
        """Whether that is given up."""
        self._ticket: Ticket | None = None
        """Its place among those that wait for a route to come back."""
        self._journal = Journal(clock, call, is_observed=terms.is_observed)

    @property
    def records(self) -> list[AttemptRecord]:
        """How each attempt ended, in that order."""
        return self._journal.records

    # ------------------------------------------------------------------ launching

    def seek(self) -> Lease | None:
        """Leave to make the next attempt now; None when none is due or none is ready."""
        if self.winner is not None and not self._is_stalled(self.winner):
            return None
        now, times = self._clock.now(), self._times
        if self._open and self.winner is None and not times.is_past(times.hedge_at, now):
            return None
        times.begin_race(now)
        if self.terms.patience is not None and self._falls_in(now):
            return None
        is_late = now >= times.deadline or self._launches >= self.terms.max_attempts
        if not is_late and times.is_past(times.pause_until, now):
            leased = self._next_lease(now)
            if leased is not None:
                self._sought = leased[1]
                return leased[1]
        if self.winner is not None and len(self._open) == 1:
            self._has_no_challenger = True
            times.end_race(now)
        return None

    def _falls_in(self, now: float) -> bool:
        """Whether a call of a batch, which has just begun, goes behind those that wait already."""
        line = self._pool.line
        if self._ticket is not None or self._launches or line.is_empty:
            return False
        self._join_line(now, now)
        assert self._ticket is not None  # just taken
        self._wait_in_line(now, now + line.delay(self._ticket, is_counted=True))
        return self._times.pause_until > now

    def _join_line(self, now: float, opens_at: float) -> None:
        line = self._pool.line
        self._ticket = line.join(self.terms.urgency)
        self._journal.waiting(opens_at - now, line.place(self._ticket) + 1)

    def _wait_in_line(self, now: float, until: float) -> None:
        """Launch nothing before then."""
        self._times.pause_until = until
        self._times.stand_in_line(now, until)

    def claim(self, lease: Lease) -> Claim | None:
        """What to ask the ledger before that attempt; None where nothing is to be asked."""
        return self._pool.claim(lease, self._clock.now())

    def is_confirmed(self, lease: Lease, answer: Answer) -> bool:
        """Whether the ledger lets it be made; else it is given back, and others may be sought."""
        now = self._clock.now()
        if self._pool.confirm(lease, answer, now):
            return True
        self._sought = None
        if self._racers():
            self._times.hedge_at = now  # another may still go beside them
        return False

    def _next_lease(self, now: float) -> tuple[Route, Lease] | None:
        itinerary = self._itinerary
        if self._launches:
            itinerary.share_out(now, self.terms.max_attempts - self._launches)
        if racers := self._racers():
            return self._hedge_lease(racers, now)
        if self._may_be_overtaken:
            return itinerary.lease_onward(now, self._rank_to_carry_on, self._providers_in_air())
        if self._back_at(now) is not None:
            return itinerary.lease_sparingly(now)
        return itinerary.lease_next(now)

    def _hedge_lease(self, racers: list[Leg], now: float) -> tuple[Route, Lease] | None:
        """Leave to ask beside silent attempts, if they have been silent for long enough."""
        times = self._times
        if len(racers) >= RACERS or not times.is_past(times.hedge_at, now):
            return None
        times.hedge_at = math.inf  # until the next launch, or the next fault
        return self._itinerary.lease_beside(now, self._providers_in_air())

    def _racers(self) -> list[Leg]:
        """The attempts in the air that have said nothing yet."""
        return [leg for leg in self._open.values() if leg is not self.winner]

    def _providers_in_air(self) -> set[str]:
        return {leg.route.provider.id for leg in self._open.values()}

    def _rank_to_carry_on(self, route: Route) -> int:
        """Best is the same model elsewhere, then who continues by itself, then the others."""
        begun, model = self._begun_on(), route.model
        if begun is not None and model.family is not None and model.family == begun.model.family:
            return 0
        return 1 if route.provider.dialect.continues(model.id) is not None else 2

    def _begun_on(self) -> Route | None:
        """The route whose answer is to be carried on."""
        if self.winner is not None:
            return self.winner.route
        return None if self._cut is None else self._cut[0].route

    def take_off(self, lease: Lease) -> Attempt:
        """The attempt to start now, on the route that was sought."""
        now, route, room = self._clock.now(), lease.route, lease.room
        self._sought = None
        self._launches += 1
        self._leave_line()
        itinerary = self._itinerary
        request, continuation = self.request, None
        dropped, is_roomier = self._pool.refused(route), itinerary.is_cramped(route)
        if route.model.lacks:
            dropped |= known_refusals(route.model.lacks)
        silence = self._silence_allowed(route, now)
        try:
            if not self._baton.is_blank:
                must_instruct = itinerary.is_instructed(route)
                continuation = continuation_for(
                    request, self._baton.text, route, must_instruct=must_instruct
                )
                request = continuation.request
            attempt = attempt_on(
                route,
                request,
                dropped=dropped,
                is_roomier=is_roomier,
                room=self._least_room(route, room),
                timeout=silence,
            )
        except BaseException:  # what cannot be written as JSON is the caller's error
            self._pool.settle(lease, Abandoned(), now)
            raise
        pace = self._pool.pace(route, streaming=request.streaming)
        self._open[attempt] = Leg(
            attempt,
            route,
            lease,
            route.provider.dialect.decoder(request, route.model.id),
            started_at=now,
            number=self._launches,
            expires_at=min(now + silence, self._times.deadline),
            dropped=dropped,
            is_roomier=is_roomier,
            room=room,
            continuation=continuation,
            request=request,
            usual_gap=pace.gap,
        )
        self._times.hedge_at = now + self.terms.hedge_after(pace.latency)
        itinerary.tried(route)
        is_beside = len(self._open) > 1
        self._journal.started(self._launches, route, is_beside=is_beside, room=room)
        return attempt

    def _least_room(self, route: Route, room: Room | None) -> int | None:
        """Tokens of the answer, where there is less room for it than usual."""
        lowered = room.tokens if room is not None and room.is_lowered else None
        left = self._itinerary.room_left(route)
        return lowered if left is None else left if lowered is None else min(left, lowered)

    def _silence_allowed(self, route: Route, now: float) -> float:
        """Seconds an attempt there may be silent before its first content.

        Longer than usual where its provider is known to need that, unless that keeps others from
        being asked meanwhile.
        """
        usual, factor = self.terms.attempt_timeout, route.provider.spec.patience
        if factor <= 1 or (
            self.terms.hedge is False
            and not self._itinerary.is_alone(route, now, until=self._times.deadline)
        ):
            return usual
        return usual * factor

    # ------------------------------------------------------------------ waiting

    def patience(self) -> float:
        """Seconds the next reply may take; raises when nothing can come any more."""
        times, winner = self._times, self.winner
        now = self._clock.now()
        times.wait(now)
        if winner is not None and not times.is_racing:
            return max(0.0, self._pause_allowed(winner) - times.silent_for)
        if self._open:
            return max(0.0, self._next_moment(now) - now)
        if times.is_past(times.pause_until, now):
            times.pause_until = self._next_launch_at(now)
        return max(0.0, times.pause_until - now)

    def _pause_allowed(self, winner: Leg) -> float:
        """Seconds of silence after which something is to be done about the one that speaks."""
        if winner.has_finished:
            return FAREWELL
        if self._has_no_challenger or not self._may_be_overtaken:
            return self.terms.attempt_timeout
        return self.terms.idle_after(winner.pieces, winner.gap or 0.0, winner.usual_gap)

    def _is_stalled(self, winner: Leg) -> bool:
        """Whether it has been silent for so long that another should speak beside it."""
        silent_for = self._times.silent_for
        if silent_for < min(LEAST_IDLE, self.terms.attempt_timeout) - SLACK:
            return False
        if self._has_no_challenger or self.terms.hedge is False or winner.has_finished:
            return False
        return self._may_be_overtaken and silent_for >= self._pause_allowed(winner) - SLACK

    @property
    def _may_be_overtaken(self) -> bool:
        """Whether another may go on where the one that speaks stalls, or begin its calls anew."""
        return self._baton.may_be_passed or self._baton.is_keeping

    def _next_moment(self, now: float) -> float:
        """When something is to be done about those in the air if they stay silent."""
        times, racers = self._times, len(self._open)
        moment = times.deadline
        for leg in self._open.values():
            if leg is self.winner:
                racers -= 1
            elif leg.expires_at < moment:
                moment = leg.expires_at
        if self.winner is not None:
            moment = min(moment, now + self.terms.attempt_timeout - times.silent_for)
        if racers < RACERS and self._launches < self.terms.max_attempts:
            moment = min(moment, times.hedge_at)
        return moment

    def _next_launch_at(self, now: float) -> float:
        """When to try again with nothing in the air; raises when that is never, or too late."""
        spent = self._launches >= self.terms.max_attempts
        if not spent and (back_at := self._back_at(now)) is not None:
            return max(back_at, now + SHORTEST_PAUSE)
        back = _NEVER if spent else self._itinerary.comebacks(now)
        moment = back.again_at
        if self.terms.wait and back.ready_at < moment:
            moment = self._turn_at(back, now)
            if self._is_worth_waiting(back, now):
                moment = max(moment, now + SHORTEST_PAUSE)
                self._wait_in_line(now, moment)
                return moment
        if moment <= self._times.deadline and now < self._times.deadline:
            return max(moment, now + SHORTEST_PAUSE)  # it was not to be had just now
        if self._remnant is not None:
            self._takes_remnant = True
            return now
        raise self._exhausted(now, back.ready_at)

    def _is_worth_waiting(self, back: Comebacks, now: float) -> bool:
        """Whether a call of a batch stays for that opening, however long it has waited before."""
        patience = self.terms.patience
        return patience is not None and back.ready_at - now <= patience

    def _turn_at(self, back: Comebacks, now: float) -> float:
        """When it is this call's turn, among all that wait, to see what has come back."""
        line = self._pool.line
        opens_at = max(back.ready_at, now)
        if self._ticket is None:
            self._join_line(now, opens_at)
        assert self._ticket is not None  # just taken
        turn_at = opens_at + line.delay(self._ticket, is_counted=back.is_counted)
        # Whoever cannot stay for its turn takes its chance.
        may_stay = turn_at <= self._times.deadline or self.terms.patience is not None
        return turn_at if may_stay else opens_at

    def _leave_line(self) -> None:
        if self._ticket is not None:
            self._pool.line.leave(self._ticket)
            self._ticket = None

    def _back_at(self, now: float) -> float | None:
        """When a route is back for which the attempts left are kept; None while none are kept."""
        cap = self.terms.max_attempts
        if not self.terms.wait or self._launches < cap - cap // KEPT_SHARE:
            return None
        back_at = self._itinerary.back_at(now)
        return back_at if max(now, back_at) < self._times.deadline else None

    # ------------------------------------------------------------------ absorbing

    def absorb(self, reply: Reply) -> list[Delta]:
        """What one reply says, ready to be delivered.

        The first content commits the call to its attempt.
        """
        now = self._clock.now()
        self._times.waited(now)
        if isinstance(reply, Elapsed):
            self._expire(now)
            return self._give_remnant(now) if self._takes_remnant else []
        leg = self._open.get(reply.attempt)
        if leg is None:
            return []  # late news of a dropped attempt
        is_last = isinstance(reply, (End, Whole))
        heard = leg.hear(reply, utc=self._clock.utc())
        if isinstance(heard, Fault):
            if isinstance(reply, Chunk):
                self._dropped.append(leg.attempt)  # its exchange is still open
            self._fall(leg, heard, now)
            return []
        if leg is not self.winner:
            heard = self._race(leg, heard, now, is_last=is_last)
        if leg is self.winner:
            return self._relay(leg, heard, now, is_last=is_last)
        return heard

    def _race(self, leg: Leg, deltas: list[Delta], now: float, *, is_last: bool) -> list[Delta]:
        """What is heard of an attempt that has not spoken: it wins with its first content."""
        speech = leg.speech(deltas, is_last=is_last)
        if speech is None:
            return []
        if is_cut_short(leg, speech):
            self._keep(leg, tuple(speech), now, is_last=is_last)
            return []
        first, *others = speech or (Delta(),)
        return [first._replace(origin=self._commit(leg, now)), *others]

    def _relay(self, leg: Leg, deltas: list[Delta], now: float, *, is_last: bool) -> list[Delta]:
        """What the winner says, as it goes on to the caller."""
        if leg.room is not None and is_cut_short(leg, deltas) and self._may_go_on(deltas):
            return self._break_off(leg, deltas, now, is_last=is_last)
        pieces = 0
        for delta in deltas:
            if delta.has_content:
                pieces += 1
            if delta.usage is not None or delta.finish_reason is not None:
                leg.note(delta)
        if pieces:
            self._go_on(leg, pieces, now)
        deltas = self._baton.take(deltas, is_last=is_last)
        if self._baton.usage is not None:  # of parts that broke off
            deltas = self._baton.summed(deltas)
        if is_last:
            self._complete(leg, now)
        return deltas

    def _may_go_on(self, deltas: list[Delta]) -> bool:
        """Whether what was said, and is said now, can be carried on."""
        return self._baton.may_be_passed and not any(delta.tool_calls for delta in deltas)

    def _break_off(
        self, leg: Leg, deltas: list[Delta], now: float, *, is_last: bool
    ) -> list[Delta]:
        """A stream ended for want of our room: its text goes on, and another route with it."""
        passed, end = parted(deltas)
        passed = self._baton.take(passed, is_last=False)
        for delta in deltas:
            leg.note(delta)
        self.winner = None
        self._baton.lost(leg.used)
        self._cut = (leg, cramped(leg))
        self._keep(leg, end, now, is_last=is_last)
        self._times.begin_race(now)
        return passed

    def _keep(self, leg: Leg, deltas: tuple[Delta, ...], now: float, *, is_last: bool) -> None:
        """Keep what is left of a short answer, and look for one that has more room."""
        room, fault = leg.room, cramped(leg)
        assert room is not None  # or it would not be short
        self._remnant = Remnant(leg, deltas)
        if not is_last:
            self._dropped.append(leg.attempt)
        self._put_down(leg, fault, now, self._success(leg, now, was_short=True))
        self._itinerary.fell_short(leg.route, room, now)

    def _give_remnant(self, now: float) -> list[Delta]:
        """Nobody has more room: the short answer it is."""
        remnant, self._remnant, self._takes_remnant = self._remnant, None, False
        assert remnant is not None  # or it would not be taken
        leg = remnant.leg
        usage = self._baton.usage or leg.used
        self._journal.forgiven(leg.route)
        begun_at = now if leg.first_content_at is None else leg.first_content_at
        self._journal.committed(
            leg.number,
            leg.route,
            latency=begun_at - leg.started_at,
            elapsed=begun_at - self._times.started_at,
        )
        self._itinerary.candidates.served(leg.route)
        self.is_finished = True
        self._journal.completed(leg.route, now - self._times.started_at, usage)
        deltas = with_usage(remnant.deltas, usage)
        if self._baton.is_blank:
            deltas[0] = deltas[0]._replace(origin=leg.origin(tuple(self.records)))
        return deltas

    def _go_on(self, leg: Leg, pieces: int, now: float) -> None:
        """The winner says something; whoever was to carry on in its place is not needed."""
        leg.beat(pieces, self._times.silent_for)
        self._times.spoke()
        if self._times.is_racing:
            self._win(leg, now)

    def _commit(self, leg: Leg, now: float) -> Origin:
        """Let this attempt speak and drop the others; what it says first tells who it is."""
        begun = self._begun_on()
        overtaken, self.winner = self.winner, leg
        if overtaken is not None:
            self._dropped.append(overtaken.attempt)
            self._lose(overtaken, _silence(self._times.silent_for), now)
        self._win(leg, now)
        self._times.spoke()
        self._has_no_challenger, self._cut, self._remnant = False, None, None
        leg.first_content_at = now
        self._journal.committed(
            leg.number,
            leg.route,
            latency=now - leg.started_at,
            elapsed=now - self._times.started_at,
            begun=begun,
            seam=None if leg.continuation is None else leg.continuation.begins_at,
        )
        return leg.origin(tuple(self.records))

    def _win(self, leg: Leg, now: float) -> None:
        """End the race: who has not spoken is dropped, its slowness remembered."""
        self._times.end_race(now)
        if len(self._open) == 1:
            return
        for other in self._racers():
            if other is not leg:
                silent_for = now - other.started_at
                self._dropped.append(other.attempt)
                self._settle(other, self._abandoned(silent_for), now)
                self._journal.dropped(other.number, other.route, silent_for)
                self._itinerary.outpaced(other.route)

    def _complete(self, leg: Leg, now: float) -> None:
        self._settle(leg, self._success(leg, now), now)
        self._itinerary.candidates.served(leg.route)
        self.is_finished = True
        usage = None if leg.usage is None else self._baton.total(leg.usage)
        self._journal.completed(leg.route, now - self._times.started_at, usage)

    def _success(self, leg: Leg, now: float, *, was_short: bool = False) -> Success:
        spoke_at = now if leg.first_content_at is None else leg.first_content_at
        is_whole = not self.request.streaming
        return Success(
            spoke_at - leg.started_at, is_whole=is_whole, gap=leg.gap, was_short=was_short
        )

    # ------------------------------------------------------------------ failing

    def _expire(self, now: float) -> None:
        """Fail every attempt past its own time, and the one that speaks if it fell silent."""
        for leg in self._racers():
            if self._times.is_past(leg.expires_at, now):
                self._drop_silent(leg, now - leg.started_at, now)
        winner, silent_for = self.winner, self._times.silent_for
        if winner is None:
            return
        if winner.has_finished:
            if silent_for >= FAREWELL - SLACK:
                self._dropped.append(winner.attempt)
                self._complete(winner, now)
        elif silent_for >= self._silence_borne(winner) - SLACK:
            self._drop_silent(winner, silent_for, now)

    def _silence_borne(self, winner: Leg) -> float:
        """Seconds of silence after which the one that speaks is given up."""
        if self.terms.hedge is False:  # nobody goes beside it
            return self._pause_allowed(winner)
        return self.terms.attempt_timeout

    def _drop_silent(self, leg: Leg, silent_for: float, now: float) -> None:
        self._dropped.append(leg.attempt)
        # What the caller's deadline cut short is nobody's fault.
        was_hurried = leg is not self.winner and silent_for < leg.attempt.timeout - SLACK
        outcome = self._abandoned(silent_for) if was_hurried else None
        self._fall(leg, _silence(silent_for), now, outcome=outcome)

    def _fall(
        self, leg: Leg, fault: Fault, now: float, *, outcome: Abandoned | None = None
    ) -> None:
        """Settle a failed attempt, by an outcome milder than the fault if one is given.

        Raises when the fault is fatal, or came after the commit and nobody may carry on.
        """
        if leg is not self.winner:
            self._fail(leg, fault, now, outcome)
        elif leg.has_finished:
            self._complete(leg, now)  # what comes after the end is no part of the answer
        else:
            self.winner = None
            self._lose(leg, fault, now)
            if not (self._baton.is_blank or self._baton.may_be_passed):
                raise self._interrupted(leg, fault)
            self._times.begin_race(now)

    def _lose(self, leg: Leg, fault: Fault, now: float) -> None:
        """The one that spoke broke off, or was overtaken while it stalled."""
        self._baton.lost(leg.used)
        self._cut = (leg, fault)
        self._put_down(leg, fault, now)
        self._itinerary.failed(leg.route, fault, now, chance=self._clock.chance())
        self._give_room(leg, fault)

    def _fail(self, leg: Leg, fault: Fault, now: float, outcome: Abandoned | None) -> None:
        """An attempt that had not spoken failed."""
        if leg.number == self._launches:
            self._times.hedge_at = now  # the youngest fell: another may go beside the rest at once
        refused = fault.parameter or refused_rung(self.request, leg.dropped, fault)
        if refused is not None and self._learn(leg, refused):
            self._put_down(leg, fault, now)
            self._itinerary.forget(leg.route)  # the same route again, without what it refused
            return
        if fault.kind == "too_long" and self._mends_length(leg, fault, now):
            self._put_down(leg, fault, now)
            return
        if self._needed and (lack := lacked_ability(self._needed, fault)) is not None:
            self._learn(leg, lack)
        self._put_down(leg, fault, now, outcome)
        self._itinerary.failed(leg.route, fault, now, chance=self._clock.chance())
        self._give_room(leg, fault)
        if leg.continuation is not None:
            self._doubt_prefill(leg, leg.continuation, fault)
        elif VERDICTS[fault.kind].blames_request:
            self._weigh_blame(leg.route, now)

    def _mends_length(self, leg: Leg, fault: Fault, now: float) -> bool:
        """Whether the same route is asked again, once; else what it told of its context is kept."""
        itinerary, route = self._itinerary, leg.route
        output = itinerary.candidates.output
        prompt = itinerary.candidates.tokens - (output or 0)
        if leg.continuation is not None or isinstance(self.request, EmbeddingRequest):
            return False
        doubtful = is_doubtful(leg, fault, prompt=prompt, output=output)
        if fault.overflow is not None and fault.overflow.window is not None and not doubtful:
            self._pool.contexts.learn(route, fault.overflow.window, now, refused=prompt)
        if itinerary.is_mended(route):
            return False
        room = smaller_room(leg, fault, prompt=prompt) if output is None else None
        if room is None and not doubtful:
            return False
        itinerary.mend(route, room)
        return True

    def _put_down(
        self, leg: Leg, fault: Fault, now: float, outcome: Abandoned | Success | None = None
    ) -> None:
        cooled = self._settle(leg, outcome or fault, now)
        self._journal.failed(leg.number, leg.route, fault, now - leg.started_at)
        self._journal.cooled(leg.route, fault, cooled)

    def _learn(self, leg: Leg, parameter: str | None) -> bool:
        """Remember that the route's model refuses a parameter.

        False if it had been left out already, or cannot be.
        """
        if parameter is None or parameter in NEVER_DROPPED or parameter in leg.dropped:
            return False
        self._pool.learn_refused(leg.route, parameter)
        return True

    def _give_room(self, leg: Leg, fault: Fault) -> None:
        """What was nothing but thinking is asked once more, with more room and less thinking."""
        if leg.room is not None and lacked_our_room(leg, fault):
            self._itinerary.fell_short(leg.route, leg.room, self._clock.now())
        elif fault.kind == "only_thinking" and not leg.is_roomier:
            self._itinerary.give_room(leg.route)

    def _doubt_prefill(self, leg: Leg, continuation: Continuation, fault: Fault) -> None:
        """What will not go on from the beginning of an answer may do so when told in words."""
        verdict = VERDICTS[fault.kind]
        is_of_request = verdict.scope == "call" and not verdict.is_transient
        if continuation.is_prefilled and is_of_request:
            self._itinerary.instruct(leg.route)

    def _weigh_blame(self, route: Route, now: float) -> None:
        """One more says that the request is at fault; raises once that is believed."""
        self._blamed |= {(route.provider.id, route.model.id)}
        if self._remnant is None and self._is_blame_believed(route, now):
            raise ending.rejected(tuple(self.records))

    def _is_blame_believed(self, route: Route, now: float) -> bool:
        if len({provider for provider, _ in self._blamed}) >= WITNESSES:
            return True
        until = self._times.deadline if self.terms.wait else now
        return len(self._blamed) >= WITNESSES and self._itinerary.is_alone(route, now, until=until)

    # ------------------------------------------------------------------ errors

    def _exhausted(self, now: float, ready_at: float) -> Exception:
        """The error that fits what was seen, with a line for every provider."""
        if self._cut is not None and not self._baton.is_blank:
            return self._interrupted(*self._cut)
        views = tuple(self._itinerary.candidates.views(now))
        if ready_at == math.inf:  # routes not to be tried again in this call may still come back
            ready_at = min((view.ready_at for view in views), default=math.inf)
        summary = ending.Summary(
            records=tuple(self.records),
            left_out=self._itinerary.candidates.left_out(),
            views=views,
            ready_after=None if ready_at == math.inf else max(0.0, ready_at - now),
            is_out_of_time=now >= self._times.deadline,
            is_out_of_attempts=self._launches >= self.terms.max_attempts,
            timeout=self.terms.timeout,
        )
        return ending.error_for(summary, utc=self._clock.utc())

    def _interrupted(self, leg: Leg, fault: Fault) -> StreamInterrupted:
        partial = self._baton.text
        message = (
            f"the answer of {leg.route.provider.name} ({leg.route.model.id}) broke off after "
            f"{len(partial)} characters: {fault.kind} {fault.message}".rstrip()
        )
        return StreamInterrupted(message, partial=partial, attempts=self.records)

    # ------------------------------------------------------------------ settling

    def _abandoned(self, silent_for: float) -> Abandoned:
        return Abandoned(silent_for, is_whole=not self.request.streaming)

    def _settle(self, leg: Leg, outcome: Outcome, now: float) -> Cooled | None:
        del self._open[leg.attempt]
        return self._pool.settle(leg.lease, outcome, now, usage=leg.used, readings=leg.readings)

    def drops(self) -> list[Attempt]:
        """The attempts to cancel, told once."""
        if not self._dropped:
            return _NOTHING
        dropped, self._dropped = self._dropped, []
        return dropped

    def news(self) -> list[Event]:
        """The events to report, told once."""
        return self._journal.take()

    def give_up(self, error: Exception) -> None:
        """Tell that the call ends with this error."""
        reason = str(error) if isinstance(error, FreeLLMError) else type(error).__name__
        ready_at = error.next_ready_at if isinstance(error, NoRouteAnswered) else None
        after = None if ready_at is None else max(0.0, ready_at - self._clock.utc())
        self._journal.exhausted(reason, after)

    def close(self) -> None:
        """Settle what is still open as abandoned: nobody is to blame for a caller who left."""
        self._leave_line()
        now = self._clock.now()
        if self._sought is not None:
            self._pool.withdraw(self._sought, now)
        for leg in list(self._open.values()):
            self._settle(leg, Abandoned(), now)


_NEVER = Comebacks(math.inf, math.inf, is_counted=False)
_NOTHING: list[Attempt] = []
_NOBODY: frozenset[tuple[str, str]] = frozenset()


def _silence(seconds: float) -> Fault:
    return Fault(kind="timeout", message=f"silent for {seconds:.1f} s")
