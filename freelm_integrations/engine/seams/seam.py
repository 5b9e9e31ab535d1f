"""Carrying a cut text on: how another route is asked to, and where its answer meets the text.

The text is what the caller has seen; not a character of it can be taken back. An answer is held
back until it is known where it goes on, or that it does not. Rules:
- Who was given the text as the beginning of its own answer is taken by the letter. At most it gives
  all of the text back first (Mistral does, vendor docs 2026-08): that is left out.
- Who was told in words to go on may do anything: see `stretch`.
- A single space at the end of the text is not sent, as it harms what many models say next or is
  refused; it may come again, and does then not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from freelm_integrations.engine.seams.edge import last_words
from freelm_integrations.engine.seams.stretch import Join, NotAContinuation, Stretch
from freelm_integrations.wire.requests.content import joined
from freelm_integrations.wire.shapes import sequence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freelm_integrations.chat import Message

__all__ = ["NotAContinuation", "Seam", "continuation_messages"]

GO_ON = (
    "Your last message was cut off before it was finished. Continue it from exactly the point "
    "where it stops, in the same language, style and format. Output only what follows: no "
    "introduction, no comment, no apology, no quotation marks or code fence around it, and nothing "
    "that you have already written"
)
"""What a model is told that cannot be given the text as the beginning of its answer."""
BEGIN_WITH = ", except that you begin with its last words again, so that both parts fit together: "
"""Without them nobody could tell whether a space belongs at the seam: answers begin without one."""
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
    go on with it. The caller's own messages are left as they are.
    """
    earlier, told = _begun(messages, partial)
    if not told.strip():
        return tuple(messages)
    shown = told[: len(told) - len(_unsent(told))]
    history: tuple[Message, ...] = (*earlier, {"role": "assistant", "content": shown})
    if is_prefilled:
        return history
    wanted = last_words(shown)
    instruction = f"{GO_ON}{BEGIN_WITH}{wanted}" if wanted else f"{GO_ON}."
    return (*history, {"role": "user", "content": instruction})


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
        unsent = _unsent(told)
        self._reader: _Reader
        if is_prefilled:
            self._reader = _Prefilled(told[: len(told) - len(unsent)], unsent, echoes=echoes)
        else:
            self._reader = Stretch(told, unsent, _context(messages))
        is_blank = not told.strip()  # then it is asked anew, and begins with as much white space
        self._held = ""
        self._owed: str = told if is_blank else ""
        self._closing: str = ""
        self._found: Join | NotAContinuation | None = Join() if is_blank else None

    def feed(self, text: str) -> str | NotAContinuation:
        """What goes on to the caller now that `text` came; empty while more must be seen first."""
        if isinstance(self._found, Join):
            return self._pass(text) if self._owed or self._closing else text
        self._held += text
        return self._read(is_last=False) if self._held else ""

    def end(self) -> str | NotAContinuation:
        """What is left to go on to the caller, as the answer is complete."""
        if self._found is None and self._held:
            said = self._read(is_last=True)
            if isinstance(said, NotAContinuation):
                return said
            return said + self._last()
        return self._found if isinstance(self._found, NotAContinuation) else self._last()

    def _read(self, *, is_last: bool) -> str | NotAContinuation:
        if self._found is None:
            self._found = self._reader.read(self._held, is_last=is_last)
        if not isinstance(self._found, Join):
            return "" if self._found is None else self._found
        held, self._held = self._held, ""
        self._owed, self._closing = self._found.owed, self._found.closing
        return self._found.between + self._pass(held[self._found.skipped :])

    def _pass(self, text: str) -> str:
        while self._owed and text:
            is_again = self._owed[0] == text[0]
            self._owed = self._owed[1:] if is_again else ""
            text = text[1:] if is_again else text
        if not self._closing:
            return text
        text = self._held + text
        kept = len(self._closing) + 2  # with the line breaks around
        self._held = text[-kept:]
        return text[:-kept]

    def _last(self) -> str:
        """What was kept back in case it closes what the answer is wrapped in."""
        rest, self._held = self._held, ""
        trimmed = rest.rstrip()
        if self._closing and trimmed.endswith(self._closing):
            return trimmed.removesuffix(self._closing).rstrip("\n")
        return rest


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


def _context(messages: Sequence[Message]) -> str:
    return "\n".join(_text(message) for message in messages)
