"""What refusals for length say of it: how long a context is, and how long the prompt.

In fields (llama.cpp's `n_ctx`), or in words that differ from server to server. What is not clearly
said of a context is not taken for one: limits of answers, texts and minutes stand in tokens, too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from freelm_integrations.wire.shapes import integer, is_mapping, is_sequence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freelm_integrations.chat import Json

LEAST = 128
"""Tokens below which a number is not taken for a context."""
_DEPTH = 4
_N = r"(\d[\d,]{0,14})"
# Samples of vLLM (NIM, OpenRouter, Cloudflare), Mistral, Google, Cerebras, LM Studio, TGI, and what
# Anthropic's models say through routers (2026-11).
_WINDOWS = tuple(
    re.compile(words)
    for words in (
        rf"context[ -](?:length|window|size)(?: limit)?(?: (?:is|of|only))*[ :=(]{{1,3}}{_N}",
        rf"{_N}(?:[ -]tokens?)?(?: is the)? max(?:imum)? context",
        rf"maximum number of tokens allowed \({_N}\)",
        rf"context limit: \d+ \+ \d+ > {_N}",
        rf"prompt is too long: \d+ tokens > {_N}",
        rf"current length is \d+ while limit is {_N}",
        rf"max_new_tokens\W* must be <= {_N}",
    )
)
_PROMPTS = tuple(
    re.compile(words)
    for words in (
        rf"{_N} (?:tokens )?(?:in|of|from) (?:the |your )?(?:messages|prompt|input)",
        rf"{_N} \W?input\W? tokens|{_N} `inputs` tokens",
        rf"(?:prompt|input|messages?) (?:contains|has|resulted in)(?: at least)? {_N}",
        rf"(?:input|prompt) token count \({_N}\)",
        rf"context limit: {_N} \+",
        rf"prompt is too long: {_N}",
        rf"current length is {_N}",
    )
)
_SUMMED = re.compile(rf"{_N} (?:tokens )?(?:of|in) (?:text|tool|image|audio) input")


_SPURIOUS = "tokens to keep from the initial prompt"  # LM Studio's bug 2205, 2026-07


class Overflow(NamedTuple):
    """Tokens that a context has, and that the prompt was found to have; None for what is not told.

    `prompt` may count an answer in that was asked for, where the server says no more than that.
    `may_be_wrong`: such words were heard of short prompts, too.
    """

    window: int | None = None
    prompt: int | None = None
    may_be_wrong: bool = False


def overflow_in(data: object, prose: str) -> Overflow:
    """Read it from a refusal's parsed body and its sentences in lower case."""
    fields = dict(_fields(data, 0))
    window = fields.get("n_ctx", _told(_WINDOWS, prose))
    parts = [_number(found) for found in _SUMMED.findall(prose)]
    prompt = fields.get("n_prompt_tokens", sum(parts) if parts else _told(_PROMPTS, prose))
    window = window if window is not None and window >= LEAST else None
    return Overflow(window, prompt, may_be_wrong=_SPURIOUS in prose)


def _told(patterns: Sequence[re.Pattern[str]], prose: str) -> int | None:
    for pattern in patterns:
        if found := pattern.search(prose):
            return next(_number(one) for one in found.groups() if one is not None)
    return None


def _fields(data: object, depth: int) -> Iterator[tuple[str, int]]:
    if depth > _DEPTH:
        return
    if is_sequence(data):
        for item in data:
            yield from _fields(item, depth + 1)
    elif is_mapping(data):
        yield from _named(data)
        for item in data.values():
            yield from _fields(item, depth + 1)


def _named(shaped: Json) -> Iterator[tuple[str, int]]:
    for name in ("n_ctx", "n_prompt_tokens"):
        if (count := integer(shaped.get(name))) is not None:
            yield name, count


def _number(spelled: str) -> int:
    return int(spelled.replace(",", ""))
