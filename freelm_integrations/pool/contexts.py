"""How long contexts are that lists do not tell of, or tell wrongly, as refusals have told.

Rules:
- It is known of a model at a provider, whatever the key, and for a while only: local servers load
  the same model with another context, and hosts behind one id differ.
- A success tells nothing: prompts are estimated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from freelm_integrations.pool.view import Route

KNOWN_FOR = 3_600.0
"""Seconds for which a context that was told is gone by."""


class Context(NamedTuple):
    """Tokens that a context has, and those of a prompt, as estimated, that was too long for it."""

    window: int
    refused: int
    until: float


class Contexts:
    """Of all models of a pool. Safe from any thread: each change is one of a dict."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        """None is known."""
        self._known: dict[tuple[str, str], Context] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing was told of any."""
        return not self._known

    def learn(self, route: Route, window: int, now: float, *, refused: int) -> None:
        """A prompt `refused`, as estimated, was too long for the window it was told to have."""
        self._known[route.provider.id, route.model.id] = Context(window, refused, now + KNOWN_FOR)

    def too_short(self, route: Route, now: float, *, prompt: int, surely: int) -> int | None:
        """The context, if such a prompt is too long for it; None where it fits or none is known.

        The prompt has `prompt` tokens as estimated, and `surely` so many at least.
        """
        known = self._known.get((route.provider.id, route.model.id))
        if known is None or known.until <= now:
            return None
        is_longer = surely > known.window or (prompt > known.window and prompt >= known.refused)
        return known.window if is_longer else None

    def forget(self, provider_id: str | None = None) -> None:
        """Know nothing any more, of one provider or of all."""
        if provider_id is None:
            self._known.clear()
        for name in [name for name in self._known if name[0] == provider_id]:
            self._known.pop(name, None)
