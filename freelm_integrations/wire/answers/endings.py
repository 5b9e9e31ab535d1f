"""How answers end: the finish reason in our words, and what it means when nothing was said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.wire.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freelm_integrations.chat import FinishReason
    from freelm_integrations.wire.openai import ChatCompletions

_FILTERED_CALL = "function_call_filter"
_WORDS: Mapping[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "max_output_tokens": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "tool_use": "tool_calls",
    "safety": "content_filter",
    "prohibited_content": "content_filter",
    "recitation": "content_filter",
    "blocklist": "content_filter",
    "spii": "content_filter",
    "sensitive": "content_filter",
}


def finish_reason(
    word: str, rules: ChatCompletions, *, has_calls: bool, calls_are_whole: bool
) -> FinishReason:
    """The finish reason in our words; unknown words mean stop.

    Calls made decide, unless the output limit cut one off.
    """
    reason = _reason(word, rules)
    if has_calls:
        return "length" if reason == "length" and not calls_are_whole else "tool_calls"
    return "stop" if reason == "tool_calls" else reason


def unsaid(word: str, rules: ChatCompletions, *, has_reasoned: bool, is_blank: bool) -> Fault:
    """The fault that an ended answer without text and calls is.

    `is_blank`: whether spaces came in place of text. Room that neither they nor text have used up
    was thought away, whether that was shown or not (OpenRouter, Google, Groq, 2026-11).
    """
    if word.startswith(_FILTERED_CALL):  # Google, 2026-11: the model wrote a call nobody can read
        return Fault(kind="tool_failed", message=f"finish reason {word}")
    reason = _reason(word, rules)
    if reason == "content_filter":
        return Fault(kind="moderated", scope="call", message=f"nothing but finish reason {word}")
    lacked_room = reason == "length"
    limit = ": the output limit was reached" if lacked_room else ""
    if has_reasoned or (lacked_room and not is_blank):
        message = f"the answer is nothing but thinking{limit}"
        return Fault(kind="only_thinking", message=message, lacked_room=lacked_room)
    return Fault(kind="empty", message=f"the answer has no text{limit}", lacked_room=lacked_room)


def _reason(word: str, rules: ChatCompletions) -> FinishReason:
    word = word.lower()
    if word in rules.finish_words:
        return rules.finish_words[word]
    if word.startswith("content_filter"):
        return "content_filter"
    return _WORDS.get(word, "stop")
