"""The machine: race attempts until one speaks, then relay that one to its end.

Every decision is the flight's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.engine.steps import Cancel, Consult, Deliver, Launch, Report, Wait
from freelm_integrations.pool.ledger.claim import Denied, Granted

if TYPE_CHECKING:
    from freelm_integrations.engine.flight import Flight
    from freelm_integrations.engine.steps import ConsultingSteps
    from freelm_integrations.pool.ledger.claim import Answer
    from freelm_integrations.pool.pool import Lease


def failover(flight: Flight) -> ConsultingSteps[None]:
    """Run one call to its end; raises what the caller should see.

    Asks for `Launch`, `Cancel`, `Deliver`, `Report` (answered by None), `Wait` (answered by a
    reply) and, where counts are shared, `Consult` (answered by the ledger). Whatever ends it, a
    return, an error or being closed early, leaves no lease open.
    """
    try:
        while not flight.is_finished:
            if lease := (yield from _sought(flight)):  # the first, or the next after a fault
                attempt = flight.take_off(lease)
                yield from map(Report, flight.news())
                yield Launch(attempt)
            reply = yield Wait(flight.patience())  # raises NoRouteAnswered if nothing can come
            assert reply is not None  # every Wait is answered
            assert not isinstance(reply, (Granted, Denied))
            deltas = flight.absorb(reply)
            yield from map(Cancel, flight.drops())  # the overdue, and the losers of the race
            yield from map(Report, flight.news())
            yield from map(Deliver, deltas)
    except Exception as error:
        flight.give_up(error)
        yield from map(Report, flight.news())  # with what was noted just before the end
        raise
    finally:
        flight.close()  # what is still open is settled as abandoned


def _sought(flight: Flight) -> ConsultingSteps[Lease | None]:
    """Leave to make an attempt, confirmed by all who share the counts; None when none is due."""
    while (lease := flight.seek()) is not None:
        answer: Answer | None = None
        while answer is None:
            claim = flight.claim(lease)
            if claim is None:
                return lease
            said = yield Consult(claim)
            assert said is None or isinstance(said, (Granted, Denied))
            answer = said  # None: another's brought this one's part along, or did not
        if flight.is_confirmed(lease, answer):
            return lease
    return None
