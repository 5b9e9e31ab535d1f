"""Asking another route to carry a cut text on, and what it says in answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from freelm_integrations.engine.seams.seam import (
    NotAContinuation,
    Seam,
    continuation_messages,
    told_again,
)
from freelm_integrations.wire.faults import Fault

if TYPE_CHECKING:
    from freelm_integrations.chat import Delta, Request
    from freelm_integrations.pool.view import Route

CHARACTERS_A_TOKEN = 4
"""About so many characters of what was said count as one token against the caller's cap."""
LEAST_ROOM = 16
"""Tokens a continuation may always have."""
_CAPS = ("max_tokens", "max_completion_tokens")


@dataclass(slots=True, eq=False)
class Continuation:
    """One attempt to carry on; `begins_at` is where its text goes on in the whole (characters)."""

    request: Request
    seam: Seam
    begins_at: int
    is_prefilled: bool
    """Whether it was given the text as its own beginning, not told in words to go on."""

    def passing(self, deltas: list[Delta]) -> list[Delta] | Fault:
        """What of its deltas goes on to the caller; a fault once it is known to carry nothing on.

        While the seam is being judged their text is held back. Thinking never goes on.
        """
        passed: list[Delta] = []
        for delta in deltas:
            text = self._through_seam(delta)
            if isinstance(text, NotAContinuation):
                return Fault(kind="astray", message=text.reason)
            passed.append(delta._replace(text=text, reasoning=""))
        return passed

    def _through_seam(self, delta: Delta) -> str | NotAContinuation:
        text = self.seam.feed(delta.text) if delta.text else ""
        is_end = delta.finish_reason is not None or bool(delta.tool_calls)
        if isinstance(text, NotAContinuation) or not is_end:
            return text
        rest = self.seam.end()
        return rest if isinstance(rest, NotAContinuation) else text + rest

    def is_complete_by(self, heard: list[Delta] | Fault) -> bool:
        """Whether it says that nothing was missing.

        That is believed of who was given the text as its own beginning: it has just ended.
        """
        return self.is_prefilled and isinstance(heard, Fault) and heard.kind == "empty"


def continuation_for(
    request: Request, partial: str, route: Route, *, must_instruct: bool
) -> Continuation:
    """How that route is asked to carry on from `partial`, the text the caller has."""
    continues = route.provider.dialect.continues(route.model.id)
    is_prefilled = continues is not None and not must_instruct
    asked = request.messages
    messages = continuation_messages(asked, partial, is_prefilled=is_prefilled)
    params = dict(request.params)
    said = len(partial) - (0 if is_prefilled else told_again(asked, partial))
    for cap in _CAPS:
        if isinstance(params.get(cap), int):
            left = params[cap] - said // CHARACTERS_A_TOKEN
            params[cap] = max(LEAST_ROOM, left)
    seam = Seam(
        partial,
        is_prefilled=is_prefilled,
        echoes=continues == "after_echo",
        messages=asked,
    )
    rest = replace(request, messages=messages, params=params)
    return Continuation(rest, seam, len(partial), is_prefilled)
