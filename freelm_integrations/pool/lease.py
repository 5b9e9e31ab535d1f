"""Leave to make one attempt, the ways it can end, and what that cooled."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from freelm_integrations.wire.faults import Fault, Scope

if TYPE_CHECKING:
    from freelm_integrations.pool.allotment import Allotment
    from freelm_integrations.pool.holding import Room
    from freelm_integrations.pool.ledger.claim import Claim, Draw
    from freelm_integrations.pool.scopes import RouteState
    from freelm_integrations.pool.view import Route
    from freelm_integrations.pool.window import Taken


class Success(NamedTuple):
    """The attempt answered.

    `latency` is seconds to its first content, None if that was not seen; `is_whole`: all of it came
    at once. `gap` is the longest pause between two pieces of it (s), None where there were none.
    `was_short`: the answer ended for want of the room that its lease had left it.
    """

    latency: float | None = None
    is_whole: bool = False
    gap: float | None = None
    was_short: bool = False


class Abandoned(NamedTuple):
    """The attempt was dropped and nobody is to blame.

    `silent_for` (s) is how long it had said nothing, None where that tells nothing; `is_whole`: it
    was to answer in one piece.
    """

    silent_for: float | None = None
    is_whole: bool = False


Outcome: TypeAlias = Success | Fault | Abandoned


class Cooled(NamedTuple):
    """What rests after a fault, and for how many seconds (inf: until a person acts)."""

    scope: Scope
    cools_for: float


class Lease:
    """Leave to make one attempt; holds quota until the pool settles it, exactly once.

    Only the pool changes it. `claim` is what the ledger was asked for it, None where it is part of
    what was claimed for others. `moves` is the count of moves of each window that it confirmed it
    with: none, where it was granted without the ledger.
    """

    __slots__ = (
        "allotment",
        "began_at",
        "claim",
        "draws",
        "is_probe",
        "is_settled",
        "moves",
        "room",
        "route",
        "state",
        "taken",
    )

    def __init__(
        self,
        route: Route,
        state: RouteState,
        taken: list[Taken],
        *,
        began_at: float,
        is_probe: bool,
        room: Room | None = None,
    ) -> None:
        self.route = route
        self.state = state
        self.taken = taken
        self.began_at = began_at
        self.is_probe = is_probe
        self.room = room
        """For its answer, where the caller left the length of that open."""
        self.is_settled = False
        self.draws: tuple[Draw, ...] = ()
        """What it takes of each window, in a ledger's words."""
        self.claim: Claim | None = None
        self.allotment: Allotment | None = None
        """What it is a part of, where several leases' worth was claimed at once."""
        self.moves: tuple[int, ...] | None = None
