"""The machine: race attempts until one speaks, then relay that one to its end.

Every decision is the flight's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.engine.steps import Cancel, Deliver, Launch, Report, Wait

if TYPE_CHECKING:
    from freelm_integrations.engine.flight import Flight
    from freelm_integrations.engine.steps import Steps


def failover(flight: Flight) -> Steps[None]:
    """Run one call to its end; raises what the caller should see.

    Asks for `Launch`, `Cancel`, `Deliver`, `Report` (answered by None) and `Wait` (answered by a
    reply). Whatever ends it, a return, an error or being closed early, leaves no lease open.
    """
    try:
        while not flight.is_finished:
            if attempt := flight.launch():  # the first, or the next after a fault
                yield from map(Report, flight.news())
                yield Launch(attempt)
            reply = yield Wait(flight.patience())  # raises NoRouteAnswered if nothing can come
            assert reply is not None  # every Wait is answered
            deltas = flight.absorb(reply)
            yield from map(Cancel, flight.drops())  # the overdue, and the losers of the race
            yield from map(Report, flight.news())
            yield from map(Deliver, deltas)
    except Exception:
        yield from map(Report, flight.news())  # what was noted just before the end
        raise
    finally:
        flight.close()  # what is still open is settled as abandoned
