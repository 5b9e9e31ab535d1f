"""What the core client answers -> the events of LangChain's v3 streaming protocol.

Rules of the protocol (langchain-protocol 0.0.20): one `message-start`, one `message-finish`; in
between, blocks that are numbered from 0, each with one start, its deltas and one finish. A delta
carries what is new, a finish the whole block.

Core can make these events of chunks by itself, but ends every block only with the message. Here
text that goes on after a call or after thinking is a block of its own, as it was told, and a block
of words is finished as soon as another begins. Calls stay open to the end: parts of several may
come in turns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from freelm_integrations.langchain.answers import (
    gateway_note,
    new_call_id,
    read_arguments,
    to_usage,
)
from freelm_integrations.langchain.content import PROVIDER, REFUSAL, image_block, refusal_block
from freelm_integrations.langchain.messages import EXTRA, REASONING
from freelm_integrations.langchain.telling import Telling, who

if TYPE_CHECKING:
    from langchain_protocol.protocol import MessagesData

    from freelm_integrations.chat import Delta, Json, Origin, ToolCallPart

_WHOLE = ("base64", "value", "refusal")
"""Fields of a block that only its finish tells."""


class EventWriter:
    """The deltas of one call -> protocol events. One per call; not thread safe."""

    def __init__(self, message_id: str) -> None:
        """Start with nothing said by that message."""
        self._id = message_id
        self._is_open = False
        self._told = Telling()
        self._blocks: list[Json] = []
        self._words: int | None = None
        """The block of text or reasoning that is still open."""
        self._calls: dict[int, int] = {}
        """The block of each call, by the call's own index."""
        self._reasoning: list[str] = []
        self._refusal: list[str] = []
        self._extra_of_calls: Json = {}

    def write(self, delta: Delta) -> list[MessagesData]:
        """The events of one delta; none for one that says nothing a reader sees."""
        told = self._told
        events: list[Json] = []
        if delta.origin is not None:
            events += self._meet(delta.origin)
        told.note(delta)
        if delta.reasoning:
            self._reasoning.append(delta.reasoning)
            events += self._say("reasoning", delta.reasoning)
        if delta.text and delta.refused:
            self._refusal.append(delta.text)
        elif delta.text:
            events += self._say("text", delta.text)
        told.length += len(delta.text)
        for url in delta.images:
            events += self._whole(image_block(url))
        for part in delta.tool_calls:
            events += self._call(part)
        return self._opened(events) if events else []

    def finish(self) -> list[MessagesData]:
        """The ends of all blocks that are open, and of the message."""
        events = self._end_words()
        if self._refusal:
            events += self._whole(refusal_block("".join(self._refusal)))
        for place in self._calls.values():
            events.append(_finish(place, _whole_call(self._blocks[place])))
        last: Json = {"event": "message-finish", "metadata": self._metadata()}
        if self._told.usage is not None:
            last["usage"] = to_usage(self._told.usage)
        if kept := self._kept():
            last["additional_kwargs"] = kept
        return self._opened([*events, last])

    def note(self) -> Json:
        """What tells core's tracer who really served the run."""
        served = self._told.origins
        return (gateway_note(served[0].provider, served[0].model) or {}) if served else {}

    def _meet(self, origin: Origin) -> list[Json]:
        if not self._told.meet(origin):
            return []
        self._reasoning.clear()  # of one who broke off before the answer
        return self._end_words()

    def _opened(self, events: list[Json]) -> list[MessagesData]:
        if not self._is_open:
            self._is_open = True
            metadata: Json = {"provider": PROVIDER}
            if self._told.origins:
                metadata["model"] = self._told.origins[0].model
            start = {"event": "message-start", "role": "ai", "id": self._id, "metadata": metadata}
            events = [start, *events]
        return cast("list[MessagesData]", events)

    def _say(self, kind: str, words: str) -> list[Json]:
        events: list[Json] = []
        if self._words is None or self._blocks[self._words]["type"] != kind:
            events = self._end_words()
            self._words, start = self._begin({"type": kind, kind: ""})
            events.append(start)
        self._blocks[self._words][kind] += words
        return [*events, _delta(self._words, {"type": f"{kind}-delta", kind: words})]

    def _end_words(self) -> list[Json]:
        place, self._words = self._words, None
        return [] if place is None else [_finish(place, self._blocks[place])]

    def _whole(self, block: Json) -> list[Json]:
        """A block that comes at once."""
        shown = {name: value for name, value in block.items() if name not in _WHOLE}
        place, start = self._begin(block, shown)
        return [*self._end_words(), start, _finish(place, block)]

    def _call(self, part: ToolCallPart) -> list[Json]:
        events: list[Json] = []
        place = self._calls.get(part.index)
        if place is None:
            self._told.has_calls = True
            call_id = part.id or new_call_id()
            place, start = self._begin(
                {"type": "tool_call_chunk", "id": call_id, "name": part.name, "args": ""}
            )
            self._calls[part.index] = place
            events = [*self._end_words(), start]
        call = self._blocks[place]
        call["name"] = call["name"] or part.name
        if part.extra:
            self._extra_of_calls[call["id"]] = dict(part.extra)
        if part.arguments:
            call["args"] += part.arguments
            events.append(_delta(place, {"type": "tool-call-delta", "args": part.arguments}))
        return events

    def _begin(self, block: Json, shown: Json | None = None) -> tuple[int, Json]:
        place = len(self._blocks)
        self._blocks.append(block)
        content = dict(block) if shown is None else shown
        return place, {"event": "content-block-start", "index": place, "content": content}

    def _metadata(self) -> Json:
        told = self._told
        metadata: Json = {
            "model_provider": PROVIDER,
            "finish_reason": told.finish_reason or "stop",
            "freelm": {**(who(told.origins[0]) if told.origins else {}), **told.closing()},
        }
        if told.origins:
            metadata["model_name"] = told.origins[0].model
        return metadata

    def _kept(self) -> Json:
        kept: Json = {}
        if self._reasoning:
            kept[REASONING] = "".join(self._reasoning)
        if self._refusal:
            kept[REFUSAL] = "".join(self._refusal)
        extra: Json = {"message": dict(self._told.extra)} if self._told.extra else {}
        if self._extra_of_calls:
            extra["calls"] = self._extra_of_calls
        if extra:
            kept[EXTRA] = extra
        return kept


def _whole_call(block: Json) -> Json:
    """The call that its parts have spelled, or the invalid one they are."""
    call = {"id": block["id"], "name": block["name"]}
    read = read_arguments(block["args"])
    if isinstance(read, str):
        return {"type": "invalid_tool_call", **call, "args": block["args"], "error": read}
    return {"type": "tool_call", **call, "name": block["name"] or "", "args": read}


def _delta(place: int, delta: Json) -> Json:
    return {"event": "content-block-delta", "index": place, "delta": delta}


def _finish(place: int, block: Any) -> Json:
    return {"event": "content-block-finish", "index": place, "content": dict(block)}
