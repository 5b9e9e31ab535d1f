"""What may be made of a refusal for length: less room for the answer, or the same once more.

Servers count the room that is asked for to the prompt, and a limit of ours may be what is too much;
and some say it of short prompts without any reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.wire.refusals.overflow import Overflow

if TYPE_CHECKING:
    from freelm_integrations.engine.leg import Leg
    from freelm_integrations.wire.faults import Fault

LEAST_ROOM = 64
"""Tokens that are worth asking for an answer."""
ANY_CONTEXT = 2_048
"""Tokens that every context has, where none is told."""
DOUBT = 1.25
"""By how much a prompt may be longer than estimated, where the server does not tell."""
FAR = 2
"""A prompt so many times shorter than the context was not too long for it."""


def smaller_room(leg: Leg, fault: Fault, *, prompt: int) -> int | None:
    """Tokens for an answer beside which the prompt fits; None where that would mend nothing.

    The caller left the room open; `prompt` is in tokens, as estimated.
    """
    told = fault.overflow or Overflow()
    window = _window(leg, told)
    if window is None:
        return None
    sent = _sent(leg)
    if sent is None and told.prompt is None:
        return None
    left = window - (int(prompt * DOUBT) if told.prompt is None else told.prompt)
    is_less = sent is None or left < sent
    return left if left >= LEAST_ROOM and is_less else None


def is_doubtful(leg: Leg, fault: Fault, *, prompt: int, output: int | None) -> bool:
    """Whether prompt and answer are far too short for the refusal to be true."""
    told = fault.overflow or Overflow()
    known = _window(leg, told)
    window = ANY_CONTEXT if known is None else known
    if not told.may_be_wrong or (told.prompt is not None and told.prompt > window):
        return False
    room = _sent(leg) if output is None else output
    return FAR * (prompt + (0 if room is None else room)) < window


def _window(leg: Leg, told: Overflow) -> int | None:
    return leg.route.model.context if told.window is None else told.window


def _sent(leg: Leg) -> int | None:
    """The limit that was sent for want of the caller's."""
    if leg.room is not None and leg.room.is_lowered:
        return leg.room.tokens
    model = leg.route.model
    return leg.route.provider.dialect.default_output(model.tags, model.output)
