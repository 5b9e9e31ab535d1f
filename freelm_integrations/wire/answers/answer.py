"""One answer being read, chunk by chunk or whole: what it says, how it ends, whether it is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freelm_integrations.chat import Delta
from freelm_integrations.wire.answers.endings import finish_reason, unsaid
from freelm_integrations.wire.answers.fences import Unfencer, wants_json
from freelm_integrations.wire.answers.odds import Odds
from freelm_integrations.wire.answers.opening import Opening, ends_in_leak
from freelm_integrations.wire.answers.other import images_in, refuses
from freelm_integrations.wire.answers.thinking import (
    Said,
    ThinkSplitter,
    details_said,
    parts_said,
    thought_in,
)
from freelm_integrations.wire.answers.toolcalls import ToolCalls
from freelm_integrations.wire.answers.usage import later, usage_in, without_false_zero
from freelm_integrations.wire.faults import Fault
from freelm_integrations.wire.refusals.classify import classify
from freelm_integrations.wire.refusals.complaints import complaint_in, is_complaint
from freelm_integrations.wire.requests.extras import Extras
from freelm_integrations.wire.requests.names import own_names
from freelm_integrations.wire.shapes import (
    NOTHING,
    first_match,
    integer,
    is_mapping,
    is_named_in,
    is_sequence,
    mapping,
    sequence,
    text,
)

if TYPE_CHECKING:
    from freelm_integrations.chat import Json, Request, ToolCallPart, Usage
    from freelm_integrations.wire.openai import ChatCompletions

_SILENT = Said()


class Answer:
    """What one attempt's answer has said so far. Not thread safe."""

    __slots__ = (
        "_calls",
        "_extras",
        "_has_images",
        "_has_reasoned",
        "_has_refused",
        "_is_whole",
        "_odds",
        "_offers_tools",
        "_opening",
        "_request",
        "_rules",
        "_seed",
        "_splits",
        "_splitter",
        "_unfencer",
        "_usage",
        "_word",
        "model",
        "response_id",
    )

    def __init__(self, rules: ChatCompletions, request: Request, model: str) -> None:
        """Start with nothing said."""
        self.model: str | None = None
        self.response_id: str | None = None
        self._rules = rules
        self._request = request
        self._seed = f"{model}|{len(request.messages)}"
        self._calls: ToolCalls | None = None
        self._extras = Extras(rules, model)
        self._splitter = _splitter(rules, model)
        self._unfencer = Unfencer() if wants_json(request) else None
        self._splits = self._splitter is not None or self._unfencer is not None
        self._opening = Opening(
            expects_calls=bool(request.tools), verdicts=_verdicts(rules, request, model)
        )
        self._offers_tools = bool(request.tools)
        self._odds = Odds() if request.params.get("logprobs") else None
        self._usage: Usage | None = None
        self._word = ""
        self._has_reasoned = False
        self._has_refused = False
        self._has_images = False
        self._is_whole = False

    def take(self, chunk: Any, *, named: str = "") -> Delta | Fault | None:
        """What one chunk says; None for nothing, a fault wherever it tells of one."""
        said: Json = chunk if chunk.__class__ is dict else _unwrapped(chunk)
        choices = said.get("choices")
        if not choices or "error" in said or "x_groq" in said or named == "error":
            fault = self._fault_in(said, named)
            if fault is not None:
                return fault
        if self.model is None or self.response_id is None:
            self._identify(said)
        choice = _first(choices)
        if "usage" in said or "x_groq" in said or "usage" in choice:
            self._usage = later(self._usage, usage_in(said, choice))
        word = choice.get("finish_reason")
        if word or choice.get("error"):
            self._word = text(word) or self._word
            if word == "error" or choice.get("error"):
                return self._judged(choice)
        delta = choice.get("delta") or choice.get("message")
        said_now = self._said(delta) if is_mapping(delta) else None
        if self._odds is not None:
            self._odds.note(choice)
            return self._odds.on(said_now) if isinstance(said_now, Delta) else said_now
        return said_now

    def take_whole(self, data: Any) -> list[Delta] | Fault:
        """What a whole body says."""
        self._is_whole = True
        said = self.take(data)
        if isinstance(said, Fault):
            return said
        last = self.finish(is_done=True)
        if isinstance(last, Fault):
            return last
        if self._calls:
            if last.finish_reason != "length" and not self._calls.are_whole():
                return _MISWRITTEN
        elif self._offers_tools and ends_in_leak(last.text if said is None else said.text):
            return _LEAKED
        return [together(said or Delta(), last, raw=mapping(data))]

    def finish(self, *, is_done: bool) -> Delta | Fault:
        """The last delta: what was held back, the finish reason, the usage; or why it is a fault.

        `is_done`: whether the server said that this is the end, if only by ending a whole body.
        """
        rest = self._splitter.end() if self._splitter else _SILENT
        spoken = (
            self._unfencer.feed(rest.text) + self._unfencer.end() if self._unfencer else rest.text
        )
        spoken = self._opening.feed(spoken) if spoken else ""
        spoken += self._opening.end(has_calls=bool(self._calls))
        self._has_reasoned = self._has_reasoned or bool(rest.reasoning)
        parts = tuple(self._calls.end()) if self._calls else ()
        are_whole = self._calls is not None and self._calls.are_whole()
        fault = self._unfinished(is_done=is_done, calls_are_whole=are_whole)
        if fault is not None:
            return fault
        reason = finish_reason(
            self._word, self._rules, has_calls=bool(self._calls), calls_are_whole=are_whole
        )
        usage = self.usage
        extra = self._extras.told()
        refused = self._has_refused
        last = Delta(spoken, rest.reasoning, parts, reason, usage, extra=extra, refused=refused)
        return last if self._odds is None else self._odds.on(last)

    def _unfinished(self, *, is_done: bool, calls_are_whole: bool) -> Fault | None:
        """Why what came is no answer, if it is none."""
        ends_well = is_done or bool(self._word) or not self._rules.sends_done
        if not ends_well and not (self._rules.calls_may_end and calls_are_whole):
            return Fault(kind="cut", message="the stream ended without its proper end")
        if self._opening.has_leaked:
            return _LEAKED
        if self._opening.has_judged:
            return _JUDGED
        if not (self._opening.has_spoken or self._calls or self._has_images):
            usage = self._usage
            thought = self._has_reasoned or bool(usage and usage.reasoning_tokens)
            is_blank = self._opening.is_blank
            return unsaid(self._word, self._rules, has_reasoned=thought, is_blank=is_blank)
        return None

    @property
    def has_ended(self) -> bool:
        """Whether it told why it ends."""
        return bool(self._word)

    @property
    def usage(self) -> Usage | None:
        """The tokens told of so far."""
        if self._usage is None:
            return None
        return without_false_zero(self._usage, has_reasoned=self._has_reasoned)

    def _fault_in(self, said: Json, named: str) -> Fault | None:
        groq = mapping(said.get("x_groq")).get("error")
        if said.get("error") or named == "error":
            return self._judged(said)
        if groq:
            return self._judged({"error": groq})
        if "choices" not in said and is_complaint(said):
            return self._judged(said)
        return None

    def _judged(self, said: Json) -> Fault:
        return classify(complaint_in(said, self._request), self._rules, utc=None)

    def _identify(self, said: Json) -> None:
        self.model = self.model or text(said.get("model")) or None
        self.response_id = self.response_id or text(said.get("id")) or None

    def _said(self, delta: Json) -> Delta | Fault | None:
        content = delta.get("content")
        reasoning = delta.get("reasoning_content") or delta.get("reasoning")
        is_flagged = False
        images: tuple[str, ...] = ()
        if content.__class__ is not str or reasoning or len(delta) > 1 + ("role" in delta):
            is_flagged = self._extras.take(delta)
            images = self._others(delta)
            content, reasoning = _speech(delta, content, reasoning)
        if content and (is_flagged or self._splits):
            content, thought = self._split(content, is_flagged=is_flagged)
            reasoning = f"{reasoning}{thought}" if reasoning else thought
        if content and not self._opening.has_spoken:
            content = self._opening.feed(content)
            if self._opening.has_leaked:
                return _LEAKED
        if reasoning:
            self._has_reasoned = True
        parts = self._parts(delta)
        if images or self._has_refused:
            said = Delta(content or "", reasoning or "", parts, images=images)
            return said._replace(refused=self._has_refused) if said.has_content else None
        if content or reasoning or parts:
            return Delta(content or "", reasoning or "", parts)
        return None

    def _others(self, delta: Json) -> tuple[str, ...]:
        """The images in it; that it is a refusal is kept."""
        images = images_in(delta)
        self._has_images = self._has_images or bool(images)
        self._has_refused = self._has_refused or refuses(delta)
        return images

    def _split(self, content: str, *, is_flagged: bool) -> Said:
        """Take thinking and the fence around JSON out of the content."""
        if self._splitter is None and is_flagged:
            self._splitter = ThinkSplitter("thought", leading=False)
            self._splits = True
        said = Said(content)
        if self._splitter is not None:
            self._splitter.thinks_aloud &= not self._has_reasoned
            whole = self._splitter.opened(content) if self._is_whole else content
            said = self._splitter.feed(whole, is_flagged=is_flagged)
        if self._unfencer is not None and said.text:
            said = said._replace(text=self._unfencer.feed(said.text))
        return said

    def _parts(self, delta: Json) -> tuple[ToolCallPart, ...]:
        fragments = delta.get("tool_calls")
        if not fragments:
            legacy = delta.get("function_call")
            if not legacy:
                return ()
            fragments = [{"function": legacy, "index": 0}]
        if self._calls is None:
            self._calls = ToolCalls(f"{self.response_id}|{self._seed}", own_names(self._request))
        listed = [fragments] if is_mapping(fragments) else sequence(fragments)
        parts = [self._calls.add(mapping(fragment)) for fragment in listed]
        return tuple(part for part in parts if part is not None)


def together(said: Delta, last: Delta, *, raw: Json | None = None) -> Delta:
    """Two deltas in one, with the end that the last of them tells; `raw` is the body of both."""
    return Delta(
        said.text + last.text,
        said.reasoning + last.reasoning,
        said.tool_calls + last.tool_calls,
        last.finish_reason,
        last.usage,
        extra=last.extra,
        raw=raw,
        refused=said.refused or last.refused,
        images=said.images,
        logprobs=said.logprobs + last.logprobs,
    )


_LEAKED = Fault(kind="tool_failed", message="a tool call came as text")
_MISWRITTEN = Fault(kind="tool_failed", message="a tool call's arguments are no JSON object")
_JUDGED = Fault(kind="empty", message="a guard model judged the prompt in place of answering")


def _splitter(rules: ChatCompletions, model: str) -> ThinkSplitter | None:
    name = model.lower()
    for part, tag in rules.think_tags.items():
        if part in name:
            # Where any model is meant, a closing tag alone is more likely what is talked about.
            return ThinkSplitter(
                tag,
                leading=True,
                may_lack_opening=bool(part),
                thinks_aloud=is_named_in(rules.thinks_aloud, model),
            )
    return None


def _verdicts(rules: ChatCompletions, request: Request, model: str) -> tuple[str, ...]:
    """The words that are no answer, unless the prompt itself names them all."""
    found = first_match(rules.not_answers, model) if rules.not_answers else None
    if found is None:
        return ()
    prompt = str([message.get("content") for message in request.messages]).lower()
    return () if all(word in prompt for word in found) else found


def _unwrapped(chunk: object) -> Json:
    """The first object of a list (Google wraps its errors in one, 2026-11)."""
    return next((item for item in sequence(chunk) if is_mapping(item)), NOTHING)


def _first(choices: object) -> Json:
    """The first choice: no other is asked for."""
    if not is_sequence(choices) or not choices:
        return NOTHING
    if is_mapping(choices[0]) and not choices[0].get("index"):
        return choices[0]
    found = [choice for choice in choices if is_mapping(choice)]
    return next((choice for choice in found if not integer(choice.get("index"))), NOTHING)


def _speech(delta: Json, content: object, reasoning: object) -> Said:
    """Text and reasoning, whatever shape either has."""
    thought = thought_in(reasoning) or thought_in(delta.get("thinking"))
    if is_sequence(content) or is_mapping(content):
        spoken, listed = parts_said(content if is_sequence(content) else [content])
        thought = thought or listed
    else:
        spoken = text(content) or text(delta.get("refusal"))
    if not thought and "reasoning_details" in delta:
        thought = details_said(delta["reasoning_details"])
    return Said(spoken, thought)
