"""What a call's caller has been given so far, and whether another route may carry it on.

Rules:
- Text alone can be carried on. A tool call's arguments, an answer that must fit a schema and
  thinking cannot: their next character depends on what only their maker had in mind.
- Where nothing of an answer was visible, another begins it anew; thinking that was shown does not
  count as visible, and is told again by whoever answers.
- So tool calls are kept back until their answer is whole, or text is visible beside them: a half
  one serves nobody, and a cut in its midst is then nobody's loss. Who wants cuts raised gets every
  part as it comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freelm_integrations.chat import Delta, Request, Usage


class Baton:
    """Not thread safe; one per call."""

    __slots__ = ("_holds", "_is_plain", "_kept", "_text", "has_called", "usage")

    def __init__(self, request: Request, *, is_kept: bool) -> None:
        """Start with nothing said; `is_kept`: the caller wants a cut raised, not carried on."""
        self._text: list[str] = []
        self._is_plain = request.streaming and request.response_format is None and not is_kept
        self._holds = request.streaming and not is_kept
        self._kept: list[Delta] = []
        self.has_called = False
        """Whether a part of a tool call was given."""
        self.usage: Usage | None = None
        """What the parts that broke off have used, as far as they said."""

    @property
    def is_blank(self) -> bool:
        """Whether nothing was given that must be kept."""
        return not self._text and not self.has_called

    @property
    def may_be_passed(self) -> bool:
        """Whether it is text and nothing else, to be carried on by another route."""
        return self._is_plain and bool(self._text) and not self.has_called

    @property
    def text(self) -> str:
        """All of the text."""
        if len(self._text) > 1:
            self._text = ["".join(self._text)]
        return self._text[0] if self._text else ""

    @property
    def is_keeping(self) -> bool:
        """Whether parts of tool calls are kept back."""
        return bool(self._kept)

    def take(self, deltas: list[Delta], *, is_last: bool) -> list[Delta]:
        """What of these goes on to the caller by now; `is_last`: no more of them will come."""
        if self._holds and (self._kept or (self.is_blank and _begins_calls(deltas))):
            self._kept += deltas
            if not (is_last or any(delta.text or delta.finish_reason for delta in deltas)):
                return []
            deltas, self._kept = self._kept, []
        for delta in deltas:
            if delta.text:
                self._text.append(delta.text)
            if delta.tool_calls:
                self.has_called = True
        return deltas

    def lost(self, usage: Usage | None) -> None:
        """The part of a route that broke off is over, with what it said it had used."""
        self._kept = []
        if usage is not None:
            self.usage = usage if self.usage is None else self.usage + usage

    def summed(self, deltas: list[Delta]) -> list[Delta]:
        """The same deltas, their usage that of all parts."""
        return [
            delta if delta.usage is None else delta._replace(usage=self.total(delta.usage))
            for delta in deltas
        ]

    def total(self, usage: Usage) -> Usage:
        """The usage of the last part and of all that broke off before it."""
        return usage if self.usage is None else self.usage + usage


def _begins_calls(deltas: list[Delta]) -> bool:
    return any(delta.tool_calls for delta in deltas) and not any(delta.text for delta in deltas)
