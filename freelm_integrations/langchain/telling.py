"""What is known of a call while its answer is being told, and said of it at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freelm_integrations.chat import Delta, Json, Origin, Usage


class Telling:
    """Who speaks, where others took over, how it ended. One per call; not thread safe."""

    def __init__(self) -> None:
        """Start with nothing said."""
        self.origins: list[Origin] = []
        """Who told the answer, in order; who broke off while it thought did not."""
        self.seams: list[int] = []
        """The characters of the text at which another took over."""
        self.length = 0
        """Characters of text told so far."""
        self.has_calls = False
        self.finish_reason: str | None = None
        self.usage: Usage | None = None
        self.extra: Mapping[str, Any] | None = None

    def meet(self, origin: Origin) -> bool:
        """Somebody begins to speak; True if nothing was told before."""
        if self.length or self.has_calls:
            self.seams.append(self.length)
            self.origins.append(origin)
            return False
        self.origins = [origin]
        return True

    def note(self, delta: Delta) -> None:
        """Keep how it ends. Repeated usage is cumulative: the last snapshot counts, once."""
        self.usage = delta.usage if delta.usage is not None else self.usage
        self.finish_reason = delta.finish_reason or self.finish_reason
        self.extra = delta.extra or self.extra

    def closing(self) -> Json:
        """How it went, for the `freelm` entry of the metadata."""
        entry: Json = {
            "attempts": [one.to_dict() for origin in self.origins[-1:] for one in origin.attempts],
            "integrity": "stitched" if self.seams else "complete",
        }
        if self.seams:
            entry["seams"] = self.seams
            entry["resumed"] = [who(origin) for origin in self.origins[1:]]
        return entry


def who(origin: Origin) -> Json:
    """Who speaks, for the `freelm` entry of the metadata."""
    return {"provider": origin.provider, "model": origin.model, "key": origin.key}
