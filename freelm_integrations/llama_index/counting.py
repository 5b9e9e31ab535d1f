"""Tokens by the user's own tokenizer, for answers whose provider did not count.

A count of one's own is an estimate for any other model; nothing is ever downloaded for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from freelm_integrations.chat import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence, Sized

    from llama_index.core.base.llms.types import ChatMessage

    from freelm_integrations.chat import ToolCall


def checked_tokenizer(tokenizer: Any) -> Any:
    """The tokenizer, if it is one; raises ValueError if not."""
    if tokenizer is None or (not isinstance(tokenizer, str) and _function(tokenizer) is not None):
        return tokenizer
    message = (
        "tokenizer takes a function from a text to its tokens, or an object with encode(text): "
        "none is downloaded by its name"
    )
    raise ValueError(message)


class Counter:
    """Counts one call."""

    def __init__(self, tokenizer: Any, messages: Sequence[ChatMessage]) -> None:
        """Count with `tokenizer` what `messages` ask and what is answered."""
        self._tokens = _function(tokenizer)
        self._messages = messages

    def usage(self, text: str, reasoning: str, calls: Iterable[ToolCall]) -> Usage:
        """The call's tokens: of all texts asked, and of text, reasoning and calls answered."""
        told = [text, reasoning, *(part for call in calls for part in (call.name, call.arguments))]
        asked = self._count(message.content or "" for message in self._messages)
        answered = self._count(told)
        return Usage(asked, answered, asked + answered)

    def _count(self, texts: Iterable[str]) -> int:
        assert self._tokens is not None
        return sum(len(self._tokens(text)) for text in texts if text)


def counter_for(tokenizer: Any, messages: Sequence[ChatMessage]) -> Counter | None:
    """A counter for a call, if there is a tokenizer."""
    return None if tokenizer is None else Counter(tokenizer, messages)


def _function(tokenizer: Any) -> Callable[[str], Sized] | None:
    # Objects first: those of `transformers` can be called, too, but give no list of tokens then.
    for found in (getattr(tokenizer, "encode", None), tokenizer):
        if callable(found):
            return cast("Callable[[str], Sized]", found)
    return None
