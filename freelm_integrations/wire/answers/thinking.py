"""Thinking told from the answer where a provider puts both into the content.

That is between tags, in flagged deltas, or in lists of parts.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from freelm_integrations.wire.shapes import is_sequence, mapping, sequence, text

_HOLDERS = ("text", "content", "thinking", "reasoning", "summary")


class Said(NamedTuple):
    """A stretch of an answer."""

    text: str = ""
    reasoning: str = ""


SILENCE = Said()


class ThinkSplitter:
    """Splits `<tag>thinking</tag>answer`, whatever pieces it comes in. Not thread safe.

    The tag counts at the very beginning of the answer only (a user may talk about such tags), where
    `leading` declares it for the model, or where the provider flags a piece as thinking. Not a
    character is lost but the tags and the line breaks around them.
    """

    __slots__ = (
        "_at_start",
        "_close",
        "_held",
        "_may_lack_opening",
        "_open",
        "_state",
        "thinks_aloud",
    )

    def __init__(
        self,
        tag: str,
        *,
        leading: bool,
        may_lack_opening: bool = False,
        thinks_aloud: bool = False,
    ) -> None:
        """`leading`: whether an answer of this model may begin with the tag, flagged or not.

        `may_lack_opening`: whether it may leave that out and send the closing one alone.
        `thinks_aloud`: whether it always thinks in its text, so that the closing tag is waited for;
        to be taken back once thinking came elsewhere.
        """
        self._may_lack_opening = may_lack_opening
        self.thinks_aloud = thinks_aloud
        self._open = f"<{tag}>"
        self._close = f"</{tag}>"
        self._held = ""
        self._at_start = True  # of the thinking, whose first line break belongs to the tag
        self._state: Literal["before", "unopened", "plain", "tagged", "flagged", "closed"] = (
            "before" if leading else "plain"
        )

    def feed(self, piece: str, *, is_flagged: bool = False) -> Said:
        """What this piece says; some of it may be held back until the next one."""
        if is_flagged and self._state in {"before", "plain", "closed"}:
            self._state = "flagged"
        elif self._state == "plain":
            return Said(piece)
        piece, self._held = self._held + piece, ""
        if self._state == "before":
            return self._begin(piece)
        if self._state == "unopened":
            return self._await_closing(piece)
        if self._state == "closed":
            return self._after(piece)
        if self._state == "flagged" and not is_flagged:
            return self._unflag(piece)
        return self._inside(piece)

    def opened(self, whole: str) -> str:
        """A whole content with its opening tag, which some models leave out (NIM, 2026-11)."""
        if not self._may_lack_opening or self._state != "before" or self._close not in whole:
            return whole
        return whole if whole.lstrip().startswith(self._open) else self._open + whole

    def end(self) -> Said:
        """What was held back, now that nothing more comes."""
        held, self._held = self._held, ""
        return Said(reasoning=held) if self._state in {"tagged", "flagged"} else Said(held)

    def _begin(self, piece: str) -> Said:
        rest = piece.lstrip()
        if rest.startswith(self._open):
            self._state = "tagged"
            return self._inside(rest[len(self._open) :])
        if self._open.startswith(rest):
            self._held = piece
            return SILENCE
        if self.thinks_aloud:
            self._state = "unopened"
            return self._await_closing(piece)
        self._state = "plain"
        return Said(piece)

    def _await_closing(self, piece: str) -> Said:
        """What comes before a closing tag alone is thinking; without one, all of it is text."""
        before, found, after = piece.partition(self._close)
        if found:
            self._state = "closed"
            return Said(self._after(after).text, before.lstrip("\r\n"))
        self._held = piece
        return SILENCE

    def _inside(self, piece: str) -> Said:
        if self._at_start:
            if self._state == "flagged":
                piece = piece.lstrip()
                if self._open.startswith(piece):
                    self._held = piece
                    return SILENCE
                piece = piece.removeprefix(self._open)
            piece = piece.lstrip("\r\n")
            self._at_start = not piece
        before, found, after = piece.partition(self._close)
        if found:
            self._state = "closed"
            return Said(self._after(after).text, before)
        kept = _overlap(piece, self._close)
        self._held = piece[len(piece) - kept :]
        return Said(reasoning=piece[: len(piece) - kept])

    def _unflag(self, piece: str) -> Said:
        """The first piece without a flag: the closing tag is its beginning, or never sent."""
        if piece.startswith(self._close):
            self._state = "closed"
            return self._after(piece[len(self._close) :])
        if self._close.startswith(piece):
            self._held = piece
            return SILENCE
        self._state = "plain"
        return Said(piece)

    def _after(self, piece: str) -> Said:
        """The line breaks between thinking and answer belong to neither."""
        rest = piece.lstrip("\r\n")
        if rest:
            self._state = "plain"
        return Said(rest)


def _overlap(piece: str, tag: str) -> int:
    """How many characters at the end of the piece may be the beginning of the tag."""
    start = piece.rfind("<", max(0, len(piece) - len(tag) + 1))
    return len(piece) - start if start >= 0 and tag.startswith(piece[start:]) else 0


def parts_said(parts: object) -> Said:
    """What a list of content parts says (Mistral, OpenAPI of 2026-08).

    Parts of unknown kinds say nothing.
    """
    spoken: list[str] = []
    thought: list[str] = []
    for part in sequence(parts):
        if isinstance(part, str):
            spoken.append(part)
            continue
        shaped = mapping(part)
        thinking = shaped.get("thinking")
        if thinking is not None:
            thought.append(thinking if isinstance(thinking, str) else _texts(thinking))
        elif shaped.get("type") in {"text", "output_text", None}:
            spoken.append(text(shaped.get("text")))
    return Said("".join(spoken), "".join(thought))


def _texts(parts: object) -> str:
    return "".join(text(mapping(part).get("text")) for part in sequence(parts))


def details_said(details: object) -> str:
    """The readable text of `reasoning_details` (OpenRouter, OpenAPI of 2026-08)."""
    shaped = [mapping(detail) for detail in sequence(details)]
    return "".join(text(detail.get("text")) or text(detail.get("summary")) for detail in shaped)


def thought_in(value: object) -> str:
    """Thinking in a field of its own: a string, an object that holds one, or a list of either."""
    if isinstance(value, str):
        return value
    if is_sequence(value):
        return "".join(map(thought_in, value))
    shaped = mapping(value)
    return next((said for key in _HOLDERS if (said := text(shaped.get(key)))), "")
