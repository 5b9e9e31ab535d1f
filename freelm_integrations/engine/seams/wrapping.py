"""What ends an answer that is wrapped: a closing fence or quotation mark, not part of the text."""

from __future__ import annotations

import re

from freelm_integrations.engine.seams.opening import CLOSES

FENCE_LINE = re.compile(r"(?m)^[ \t]*(?:`{3}|~{3})")
_OPENS = {closing: opening for opening, closing in CLOSES.items()}


class Wrapping:
    """Keeps back what may close an answer's wrapping, until the answer has ended.

    The last fence or mark closes the wrapping if all that the text itself opened is closed before.
    """

    def __init__(self, told: str, closing: str) -> None:
        """`told` is the text before the answer."""
        self._said = [told]
        self._closing = closing
        self._kept = ""

    def feed(self, text: str) -> str:
        """What may go on now that `text` came."""
        text = self._kept + text
        length = len(self._closing) + 2  # with the line breaks around
        self._kept = text[-length:]
        self._said.append(text[:-length])
        return text[:-length]

    def end(self) -> str:
        """The rest."""
        rest, self._kept = self._kept, ""
        trimmed = rest.rstrip()
        if not trimmed.endswith(self._closing):
            return rest
        own = trimmed.removesuffix(self._closing)
        said = "".join([*self._said, own])
        if self._closing in _OPENS:
            return own if self._is_closed(said) else rest
        is_closed = len(FENCE_LINE.findall(said)) % 2 == 0
        return own.removesuffix("\n") if is_closed and said.endswith("\n") else rest

    def _is_closed(self, said: str) -> bool:
        opening = _OPENS[self._closing]
        if opening == self._closing:
            return said.count(opening) % 2 == 0
        return said.count(opening) <= said.count(self._closing)
