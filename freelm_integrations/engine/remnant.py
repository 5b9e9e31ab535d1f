"""An answer that ended for want of the room we had left it, kept while a longer one is sought.

Rules:
- A caller who gave no limit is not to be given an answer that a limit of ours has cut: it is asked
  for again, elsewhere or with more room. If none of that comes to anything, the short one is given
  after all, and its finish reason `length` says what it is.
- Of a stream the text has been passed on by then. What is kept is only its end, and another route
  carries the text on; where nobody may, less room than usual is not asked for to begin with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freelm_integrations.chat import Delta
from freelm_integrations.wire.faults import Fault

if TYPE_CHECKING:
    from freelm_integrations.chat import Request, Usage
    from freelm_integrations.engine.leg import Leg


@dataclass(frozen=True, slots=True)
class Remnant:
    """What of a short answer is still to be given, and whose it is."""

    leg: Leg
    deltas: tuple[Delta, ...]


def may_be_short(request: Request, *, is_kept: bool) -> bool:
    """Whether an answer cut short could still be mended.

    A whole one can be asked for anew, a stream of plain text be carried on. `is_kept`: the caller
    wants no stream carried on.
    """
    if not request.streaming:
        return True
    return not (is_kept or request.tools or request.response_format is not None)


def is_cut_short(leg: Leg, deltas: list[Delta]) -> bool:
    """Whether the answer ends here for want of the room that was left to it."""
    room = leg.room
    if room is None or not room.is_lowered:
        return False
    return any(delta.finish_reason == "length" for delta in deltas)


def lacked_our_room(leg: Leg, fault: Fault) -> bool:
    """Whether there was no answer for that reason."""
    return fault.lacked_room and leg.room is not None and leg.room.is_lowered


def cramped(leg: Leg) -> Fault:
    """What became of it."""
    tokens = 0 if leg.room is None else leg.room.tokens
    message = f"the answer did not fit into the {tokens} tokens that its windows could bear"
    return Fault(kind="cramped", message=message, lacked_room=True)


def parted(deltas: list[Delta]) -> tuple[list[Delta], tuple[Delta, ...]]:
    """What of the last deltas of a stream may be passed on, and the end to be kept."""
    content = [delta._replace(finish_reason=None, usage=None, extra=None) for delta in deltas]
    end = [
        Delta(finish_reason=delta.finish_reason, usage=delta.usage, extra=delta.extra)
        for delta in deltas
        if delta.finish_reason is not None or delta.usage is not None
    ]
    return [delta for delta in content if delta.has_content], tuple(end)


def with_usage(deltas: tuple[Delta, ...], usage: Usage | None) -> list[Delta]:
    """The same, their usage that of all parts."""
    return [
        delta if delta.usage is None or usage is None else delta._replace(usage=usage)
        for delta in deltas
    ]
