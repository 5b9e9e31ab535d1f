"""The text of answers as it came, and the seams in it. Plain data."""

from __future__ import annotations

from itertools import pairwise


class Transcript:
    """The text of one section; not thread safe but for `parts`.

    A seam is told in characters of its own call's text, which begins where the call was first told
    of. So the mark is in its place even if the text arrives later than the news of the seam.
    """

    def __init__(self) -> None:
        """Start with no text."""
        self._pieces: list[str] = []
        self._length = 0
        self._begins: dict[int, int] = {}
        self._seams: list[int] = []

    def begin(self, call: int) -> None:
        """Note where the text of a call begins, if it has not begun."""
        self._begins.setdefault(call, self._length)

    def mark(self, call: int, at_character: int) -> None:
        """Note a seam, so many characters into the text of that call."""
        self._seams.append(self._begins.get(call, 0) + at_character)

    def write(self, piece: str) -> None:
        """Take the next piece of text."""
        self._pieces.append(piece)
        self._length += len(piece)

    def parts(self) -> list[str]:
        """The text so far, cut at its seams; one part where it has none."""
        text = "".join(self._pieces)
        cuts = [0, *sorted(seam for seam in set(self._seams) if 0 < seam < len(text)), len(text)]
        return [text[start:end] for start, end in pairwise(cuts)]
