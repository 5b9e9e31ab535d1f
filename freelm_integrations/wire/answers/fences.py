"""JSON that comes wrapped in a Markdown fence, taken out of it.

Models do so although JSON alone was asked for (Gemma at Google, 2026-11). JSON itself never begins
with a backtick, so that nothing of an answer can be lost by it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freelm_integrations.chat import Request

_JSON_FORMATS = frozenset({"json_object", "json_schema"})
_FENCE = "```"
_LONGEST = 16  # of an opening line: the fence and the name of the language
_OPENING = re.compile(r"\s*```[A-Za-z0-9]*[ \t]*\r?\n")
_MAY_OPEN = re.compile(r"\s*(?:`{1,2}|```[A-Za-z0-9]*[ \t]*\r?)?")
_MAY_CLOSE = re.compile(r"\s*(?:`{1,2}|```\s*)?\Z")


def wants_json(request: Request) -> bool:
    """Whether the answer is to be JSON and nothing else."""
    wanted = request.response_format
    return wanted is not None and wanted.get("type") in _JSON_FORMATS


class Unfencer:
    """Takes the fence off an answer's text, whatever pieces it comes in. Not thread safe."""

    __slots__ = ("_held", "_is_inside", "_is_open")

    def __init__(self) -> None:
        """Start before the text."""
        self._held = ""
        self._is_open = True
        self._is_inside = False

    def feed(self, piece: str) -> str:
        """The text in this piece; some of it may be held back until the next one."""
        piece, self._held = self._held + piece, ""
        if self._is_open:
            opening = _OPENING.match(piece)
            if opening is None and len(piece.strip()) < _LONGEST and _MAY_OPEN.fullmatch(piece):
                self._held = piece
                return ""
            self._is_open, self._is_inside = False, opening is not None
            piece = piece if opening is None else piece[opening.end() :]
        return self._inside(piece) if self._is_inside else piece

    def end(self) -> str:
        """What was held back but is no fence, now that nothing more comes."""
        held, self._held = self._held, ""
        if self._is_inside and held.strip() == _FENCE:
            return ""
        return held

    def _inside(self, piece: str) -> str:
        closing = _MAY_CLOSE.search(piece)
        place = len(piece) if closing is None else closing.start()
        self._held = piece[place:]
        return piece[:place]
