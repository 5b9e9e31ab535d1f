"""Carrying a cut text on: how another route is asked to, and where its answer meets the text.

The text is what the caller has seen; not a character of it can be taken back. An answer is held
back until it is known where it goes on, or that it does not. Rules:
- Who was given the text as the beginning of its own answer is taken by the letter. At most it gives
  all of the text back first (Mistral does, vendor docs 2026-08): that is left out.
- Who is told in words to go on is not shown the last words, but told to begin with them: only so
  is it certain where its answer goes on, see `anchor` and `stretch`.
- A single space at the end of what is sent is left out, as it harms what many models say next or is
  refused; it may come again, and does then not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from freelm_integrations.engine.seams.anchor import LONGEST, anchor_of
from freelm_integrations.engine.seams.stretch import (
    NOTHING_NEW,
    Join,
    NotAContinuation,
    Stretch,
)
from freelm_integrations.engine.seams.wrapping import Wrapping
from freelm_integrations.wire.requests.content import joined
from freelm_integrations.wire.shapes import sequence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freelm_integrations.chat import Message

__all__ = ["NotAContinuation", "Seam", "continuation_messages", "told_again"]

GO_ON = (
    "Your last message was cut off before it was finished. Continue it from exactly the point "
    "where it stops, in the same language, style and format. Output only what follows: no "
    "introduction, no comment, no apology, no quotation marks or code fence around it, and nothing "
    "that you have already written. Begin with exactly these words, which come next (the last may "
    "be only the beginning of a word), then go on:\n\n"
)
"""What a model is told that cannot be given the text as the beginning of its answer."""
BEGIN_WITH = (
    "Begin your next answer with exactly these words and nothing before them (the last may be only "
    "the beginning of a word), then go on:\n\n"
)
"""The same where there is too little of the text to be gone on with: then it is told anew."""
_NO_CHANCE = 40
"""Characters that no text which does not repeat itself begins with and says again at once."""
_SHORT = 8
"""Characters that a text may well end with a second time."""
_FULL = "it gives part of the text again, and then differs"


def continuation_messages(
    messages: Sequence[Message], partial: str, *, is_prefilled: bool
) -> tuple[Message, ...]:
    """The messages that ask for the rest of a text of which `partial` is there.

    `is_prefilled`: the text stands last, as the beginning of the answer; else the model is told to
    go on with it, from the last words on. The caller's own messages are left as they are.
    """
    earlier, told = _begun(messages, partial)
    if not told.strip():
        return tuple(messages)
    if is_prefilled:
        shown = told[: len(told) - len(_unsent(told))]
        return (*earlier, {"role": "assistant", "content": shown})
    before, wanted, _ = anchor_of(told)
    if not before:
        return _instructed(earlier, wanted)
    instruction = {"role": "user", "content": GO_ON + wanted}
    return (*earlier, {"role": "assistant", "content": before}, instruction)


def told_again(messages: Sequence[Message], partial: str) -> int:
    """How many characters of the text a model that is told to go on is asked to say again."""
    _, told = _begun(messages, partial)
    return len(anchor_of(told).words) if told.strip() else 0


def _instructed(messages: Sequence[Message], wanted: str) -> tuple[Message, ...]:
    """The question once more; how to begin the answer is told beside it, not in it."""
    if len(wanted) > LONGEST:
        return tuple(messages)
    if messages and messages[0].get("role") == "system":
        words = f"{_text(messages[0])}\n\n{BEGIN_WITH}{wanted}"
        return ({**messages[0], "content": words}, *messages[1:])
    return ({"role": "system", "content": BEGIN_WITH + wanted}, *messages)


class Seam:
    """Where the answer of another route meets the text it was asked to carry on.

    Not thread safe; one per attempt. Holds no more than the length of the text and some 250
    characters.
    """

    def __init__(
        self,
        partial: str,
        *,
        is_prefilled: bool,
        echoes: bool | None = None,
        messages: Sequence[Message] = (),
    ) -> None:
        """Prepare for an answer to `continuation_messages(messages, partial, ...)`.

        `echoes` says of a prefilled model whether it gives the text back before it goes on; None
        for not known. `messages` are the caller's, the same as asked with.
        """
        _, told = _begun(messages, partial)
        is_blank = not told.strip()  # then it is asked anew, and begins with as much white space
        self._reader: _Reader
        if is_prefilled or is_blank:
            unsent = _unsent(told)
            self._reader = _Prefilled(told[: len(told) - len(unsent)], unsent, echoes=echoes)
        else:
            self._reader = Stretch(told)
        self._held = ""
        self._must_add = False
        self._owed: str = told if is_blank else ""
        self._told = told
        self._wrapping: Wrapping | None = None
        self._found: Join | NotAContinuation | None = Join() if is_blank else None

    def feed(self, text: str) -> str | NotAContinuation:
        """What goes on to the caller now that `text` came; empty while more must be seen first."""
        if isinstance(self._found, Join):
            self._must_add = self._must_add and not text
            return self._pass(text) if self._owed or self._wrapping else text
        self._held += text
        return self._read(is_last=False) if self._held else ""

    def end(self) -> str | NotAContinuation:
        """What is left to go on to the caller, as the answer is complete."""
        said = self._read(is_last=True) if self._found is None and self._held else ""
        if isinstance(said, NotAContinuation):
            return said
        if isinstance(self._found, NotAContinuation):
            return self._found
        rest = said + (self._wrapping.end() if self._wrapping else "")
        return NOTHING_NEW if self._must_add and not rest else rest

    def _read(self, *, is_last: bool) -> str | NotAContinuation:
        if self._found is None:
            self._found = self._reader.read(self._held, is_last=is_last)
        if not isinstance(self._found, Join):
            return "" if self._found is None else self._found
        held, self._held = self._held, ""
        self._owed = self._found.owed
        if self._found.closing:
            self._wrapping = Wrapping(self._told, self._found.closing)
        new = held[self._found.skipped :]
        self._must_add = self._found.must_add and not new
        return self._pass(new)

    def _pass(self, text: str) -> str:
        while self._owed and text:
            is_again = self._owed[0] == text[0]
            self._owed = self._owed[1:] if is_again else ""
            text = text[1:] if is_again else text
        return self._wrapping.feed(text) if self._wrapping else text


class _Reader(Protocol):
    def read(self, held: str, *, is_last: bool) -> Join | NotAContinuation | None: ...


class _Prefilled:
    """Reads the answer of a model that was given the text as its own beginning."""

    def __init__(self, sent: str, unsent: str, *, echoes: bool | None) -> None:
        self._sent = sent
        self._unsent = unsent
        self._echoes = echoes
        self._is_telling = len(sent) >= _NO_CHANCE and sent.find(sent[:_NO_CHANCE], 1) < 0

    def read(self, held: str, *, is_last: bool) -> Join | NotAContinuation | None:
        """What to make of all that came so far, or None if more must be seen first."""
        sent, goes_on = self._sent, Join(owed=self._unsent)
        if self._echoes is False:
            return goes_on
        if sent.startswith(held) and len(held) < len(sent) and not is_last:
            return None
        if held.startswith(sent):
            return self._after_all_of_it(held, is_last=is_last)
        if self._is_telling and held.startswith(sent[:_NO_CHANCE]):
            return NotAContinuation(_FULL)
        return goes_on

    def _after_all_of_it(self, held: str, *, is_last: bool) -> Join | None:
        sent = self._sent
        echo = Join(len(sent), owed=self._unsent)
        if self._echoes or self._is_telling:
            return echo
        rest, probe = held[len(sent) :].lstrip(), sent.strip()
        if len(rest) < len(probe) and probe.startswith(rest) and not is_last:
            return None  # nothing yet that was not there before
        repeats_itself = rest.startswith(probe) or (not rest and len(probe) < _SHORT)
        return Join(owed=self._unsent) if repeats_itself else echo


def _begun(messages: Sequence[Message], partial: str) -> tuple[Sequence[Message], str]:
    """The messages before the answer, and all of it: the caller may have begun it already."""
    if not messages or messages[-1].get("role") != "assistant" or messages[-1].get("tool_calls"):
        return messages, partial
    before = _text(messages[-1])
    return messages[:-1], partial if partial.startswith(before) else before + partial


def _unsent(told: str) -> str:
    """The single space at the end of a text, if it has one."""
    return " " if told.endswith(" ") and told[-2:-1].strip() else ""


def _text(message: Message) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else joined(sequence(content))
