"""Token counts, wherever and however a provider states them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from freelm_integrations.chat import Usage
from freelm_integrations.wire.shapes import integer, mapping

if TYPE_CHECKING:
    from freelm_integrations.chat import Json


def usage_in(chunk: Json, choice: Json) -> Usage | None:
    """The usage that rides on a chunk or body: at its top, in `x_groq`, or in the choice."""
    stated = mapping(chunk.get("usage")) or mapping(mapping(chunk.get("x_groq")).get("usage"))
    return usage_of(stated or mapping(choice.get("usage")))


def usage_of(stated: Json) -> Usage | None:
    """The usage stated, or None where no count is.

    Tokens that only the total shows are thinking (Google, 2026-11): they are counted as reasoning
    and as part of the completion, so that prompt and completion always make up the total.
    """
    prompt = integer(stated.get("prompt_tokens"))
    completion = integer(stated.get("completion_tokens"))
    total = integer(stated.get("total_tokens"))
    if prompt is None and completion is None and total is None:
        return None
    known = (prompt or 0) + (completion or 0)
    reasoning = integer(mapping(stated.get("completion_tokens_details")).get("reasoning_tokens"))
    cached = integer(mapping(stated.get("prompt_tokens_details")).get("cached_tokens"))
    hidden = max(0, total - known) if total is not None and prompt is not None else 0
    return Usage(
        prompt_tokens=prompt or 0,
        completion_tokens=(completion or 0) + hidden,
        total_tokens=known if total is None else max(total, known),
        reasoning_tokens=hidden if hidden and not reasoning else reasoning,
        cached_tokens=integer(stated.get("num_cached_tokens")) if cached is None else cached,
    )


def later(before: Usage | None, now: Usage | None) -> Usage | None:
    """Which of two snapshots counts: the later one, unless it says nothing."""
    if now is None:
        return before
    if before is not None and before.total_tokens and not now.total_tokens:
        return before
    return now


def without_false_zero(usage: Usage, *, has_reasoned: bool) -> Usage:
    """The same usage, but with unknown instead of zero reasoning tokens after reasoning was seen.

    Cerebras states such zeros (2026-08).
    """
    if has_reasoned and usage.reasoning_tokens == 0:
        return replace(usage, reasoning_tokens=None)
    return usage
