"""One answer being read, chunk by chunk or whole: what it says, how it ends, and whether that is an answer at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freelm_integrations.chat import Delta
from freelm_integrations.wire.classify import classify
from freelm_integrations.wire.complaints import complaint_in, is_complaint
from freelm_integrations.wire.endings import FILTERED_CALL, finish_reason, unsaid
from freelm_integrations.wire.extras import Extras
from freelm_integrations.wire.faults import Fault
from freelm_integrations.wire.shapes import NOTHING, mapping, sequence, text
from freelm_integrations.wire.thinking import ThinkSplitter, details_said, parts_said
from freelm_integrations.wire.toolcalls import ToolCalls
from freelm_integrations.wire.usage import later, usage_in, without_false_zero

if TYPE_CHECKING:
    from freelm_integrations.chat import Json, Request, ToolCallPart, Usage
    from freelm_integrations.wire.openai import ChatCompletions


class Answer:
    """What one attempt's answer has said so far. Not thread safe."""

    __slots__ = (
        "_calls",
        "_extras",
        "_has_reasoned",
        "_has_spoken",
        "_rules",
        "_space",
        "_splitter",
        "_usage",
        "_word",
        "model",
        "response_id",
        "_request",
        "_asked_model",
    )

    def __init__(self, rules: ChatCompletions, request: Request, model: str) -> None:
        """Start with nothing said."""
        self.model: str | None = None
        self.response_id: str | None = None
        self._rules = rules
        self._request = request
        self._asked_model = model
        self._calls: ToolCalls | None = None
        self._extras = Extras(rules, model)
        self._splitter = _splitter(rules, model)
        self._usage: Usage | None = None
        self._word = ""
        self._space = ""  # held until something is visible: an answer of spaces is no answer
        self._has_spoken = False
        self._has_reasoned = False

    def take(self, chunk: Any, *, named: str = "") -> Delta | Fault | None:
        """What one chunk says; None for nothing, a fault wherever it tells of one."""
        if not isinstance(chunk, dict):
            chunk = next((mapping(item) for item in sequence(chunk)), NOTHING)
        choices = chunk.get("choices")
        if not choices or "error" in chunk or "x_groq" in chunk or named == "error":
            fault = self._fault_in(chunk, named)
            if fault is not None:
                return fault
        if self.model is None or self.response_id is None:
            self._identify(chunk)
        choice: Json = _first(choices) if choices else NOTHING
        if chunk.get("usage") or "x_groq" in chunk or "usage" in choice:
            self._usage = later(self._usage, usage_in(chunk, choice))
        word = choice.get("finish_reason")
        if word or choice.get("error"):
            self._word = text(word) or self._word
            if word == "error" or choice.get("error"):
                return classify(complaint_in(choice), self._rules, utc=None)
        delta = choice.get("delta") or choice.get("message")
        return self._said(delta) if delta and isinstance(delta, dict) else None

    def take_whole(self, data: Any) -> list[Delta] | Fault:
        """What a whole body says."""
        said = self.take(data)
        if isinstance(said, Fault):
            return said
        last = self.finish(is_done=True)
        if isinstance(last, Fault):
            return last
        if self._calls and not self._calls.are_whole() and last.finish_reason != "length":
            return Fault(
                kind="tool_failed", message="the arguments of a tool call are no JSON object"
            )
        last = last._replace(raw=mapping(data))
        return [last] if said is None else [said, last]

    def finish(self, *, is_done: bool) -> Delta | Fault:
        """The last delta: what was held back, the finish reason and the usage; or the fault that this is no answer.

        `is_done`: whether the server said that this is the end, if only by giving a length to the body.
        """
        held = self._splitter.end() if self._splitter else None
        spoken = self._visible(held.text) if held else ""
        reasoned = held.reasoning if held else ""
        self._has_reasoned = self._has_reasoned or bool(reasoned)
        parts = tuple(self._calls.end()) if self._calls else ()
        whole_calls = self._calls is not None and self._calls.are_whole()
        if not (is_done or self._word or not self._rules.sends_done):
            if not (self._rules.calls_may_end and whole_calls):
                return Fault(kind="cut", message="the stream ended without its proper end")
        if not (self._has_spoken or self._calls):
            return unsaid(self._word, has_reasoned=self._has_reasoned, rules=self._rules)
        reason = finish_reason(
            self._word,
            self._rules,
            has_calls=bool(self._calls),
            calls_are_whole=whole_calls,
        )
        return Delta(spoken, reasoned, parts, reason, self._counted(), extra=self._extras.told())

    def _counted(self) -> Usage | None:
        if self._usage is None:
            return None
        return without_false_zero(self._usage, has_reasoned=self._has_reasoned)

    def _fault_in(self, chunk: Json, named: str) -> Fault | None:
        groq = mapping(chunk.get("x_groq")).get("error")
        if chunk.get("error") or named == "error" or groq:
            told = {"error": groq} if groq and not chunk.get("error") else chunk
            return classify(complaint_in(told), self._rules, utc=None)
        if "choices" not in chunk and is_complaint(chunk):
            return classify(complaint_in(chunk), self._rules, utc=None)
        return None

    def _identify(self, chunk: Json) -> None:
        self.model = self.model or text(chunk.get("model")) or None
        self.response_id = self.response_id or text(chunk.get("id")) or None

    def _said(self, delta: Json) -> Delta | None:
        content = delta.get("content")
        reasoning = delta.get("reasoning_content") or delta.get("reasoning")
        flagged = False
        if len(delta) > 2 or content.__class__ is not str:
            flagged = self._extras.take(delta)
            content, reasoning = _speech(delta, content, reasoning)
        if self._splitter is not None or flagged:
            content, thought = self._split(content, flagged=flagged)
            reasoning = f"{reasoning}{thought}" if reasoning else thought
        if content:
            content = content if self._has_spoken else self._visible(content)
        if reasoning:
            self._has_reasoned = True
        parts = self._parts(delta)
        if content or reasoning or parts:
            return Delta(content or "", reasoning or "", parts)
        return None

    def _split(self, content: str, *, flagged: bool) -> tuple[str, str]:
        if self._splitter is None:
            self._splitter = ThinkSplitter("thought", leading=False)
        return self._splitter.feed(content, flagged=flagged) if content else ("", "")

    def _visible(self, said: str) -> str:
        """The text, together with the spaces before it; nothing as long as there are only spaces."""
        said = self._space + said
        if self._has_spoken or not said.strip():
            self._space = "" if self._has_spoken else said
            return said if self._has_spoken else ""
        self._has_spoken = True
        self._space = ""
        return said

    def _parts(self, delta: Json) -> tuple[ToolCallPart, ...]:
        fragments = delta.get("tool_calls")
        if not fragments:
            legacy = delta.get("function_call")
            if not legacy:
                return ()
            fragments = [{"function": legacy, "index": 0}]
        if self._calls is None:
            self._calls = ToolCalls(self._seed())
        parts = (self._calls.add(mapping(fragment)) for fragment in sequence(fragments))
        return tuple(part for part in parts if part is not None)

    def _seed(self) -> str:
        return f"{self.response_id}|{self._asked_model}|{len(self._request.messages)}"


def _splitter(rules: ChatCompletions, model: str) -> ThinkSplitter | None:
    name = model.lower()
    tag = next((tag for part, tag in rules.think_tags.items() if part in name), None)
    return None if tag is None else ThinkSplitter(tag, leading=True)


def _first(choices: object) -> Json:
    """The first choice: others are not asked for."""
    found = [mapping(choice) for choice in sequence(choices)]
    return next((choice for choice in found if not choice.get("index")), NOTHING)


def _speech(delta: Json, content: object, reasoning: object) -> tuple[str, str]:
    """Text and reasoning, whatever shape either has."""
    thought = text(reasoning) or text(delta.get("thinking"))
    if isinstance(content, list):
        spoken, listed = parts_said(sequence(content))
        thought = thought or listed
    else:
        spoken = text(content) or text(delta.get("refusal"))
    if not thought and "reasoning_details" in delta:
        thought = details_said(delta["reasoning_details"])
    return spoken, thought
