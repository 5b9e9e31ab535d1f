"""Bytes of an answer become deltas: streamed and whole answers share all of their reading (`answer.py`)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from freelm_integrations.chat import Delta
from freelm_integrations.wire.answer import Answer
from freelm_integrations.wire.faults import Fault
from freelm_integrations.wire.redaction import shown
from freelm_integrations.wire.sse import Event, EventReader

if TYPE_CHECKING:
    from freelm_integrations.chat import Request
    from freelm_integrations.wire.openai import ChatCompletions

_DONE = "[DONE]"
_STREAM_BEGINS = (b"data:", b"event:", b":", b"id:", b"retry:")
_MAX_SHOWN = 400


class StreamDecoder:
    """A streamed answer being read. Not thread safe.

    The delta that carries the finish reason is the last one; it comes with `[DONE]`, or with the end of the body.
    """

    __slots__ = ("_answer", "_ended", "_events", "_heard")

    def __init__(self, rules: ChatCompletions, request: Request, model: str) -> None:
        """Start to read the answer of `model` to `request`."""
        self._answer = Answer(rules, request, model)
        self._events = EventReader()
        self._ended = False
        self._heard = False

    @property
    def model(self) -> str | None:
        """The id the server says answered, once it has said so."""
        return self._answer.model

    @property
    def response_id(self) -> str | None:
        """The server's own id of this answer."""
        return self._answer.response_id

    def feed(self, data: bytes) -> list[Delta] | Fault:
        """What the next bytes say (often nothing yet), or the fault they tell."""
        return self._tell(self._events.feed(data))

    def end(self) -> list[Delta] | Fault:
        """What was still held back, now that the body is complete; a fault if it is not a whole answer."""
        deltas = self._tell(self._events.end(), at_end=True)
        if self._ended or isinstance(deltas, Fault):
            return deltas
        if not self._heard:
            return _read_body(b"\n".join(self._events.stray), self._answer)
        last = self._answer.finish(is_done=False)
        return last if isinstance(last, Fault) else [*deltas, last]

    def _tell(self, events: list[Event], *, at_end: bool = False) -> list[Delta] | Fault:
        deltas: list[Delta] = []
        for event in events:
            if self._ended:
                break
            said = self._take(event, at_end=at_end)
            if said is None:
                continue
            if said.__class__ is Fault:
                self._ended = True
                return said
            deltas.append(said)  # type: ignore[arg-type]
        return deltas

    def _take(self, event: Event, *, at_end: bool) -> Delta | Fault | None:
        data = event.data
        if data[:1] != "{":
            data = data.strip()
            if data == _DONE:
                self._ended = True
                return self._answer.finish(is_done=True) if self._heard else _nothing()
            if not data:
                return None
        self._heard = True
        try:
            chunk = json.loads(data)
        except (ValueError, RecursionError):
            return self._unreadable(event, at_end=at_end)
        return self._answer.take(chunk, named=event.name)

    def _unreadable(self, event: Event, *, at_end: bool) -> Delta | Fault | None:
        """Data that is no JSON: several events run together, an error in plain words, or a line cut off at the end."""
        lines = event.data.split("\n")
        if len(lines) > 1:
            apart = self._tell([Event(line, event.name) for line in lines if line], at_end=at_end)
            return apart if isinstance(apart, Fault) else _merged(apart)
        kind = "cut" if at_end else "broken"
        return Fault(kind=kind, message=shown(f"no JSON: {event.data[:_MAX_SHOWN]}"))


class BodyDecoder:
    """An answer that comes in one piece. Silent until its end. Not thread safe."""

    __slots__ = ("_answer", "_chunks", "_source")

    def __init__(self, rules: ChatCompletions, request: Request, model: str) -> None:
        """Start to read the answer of `model` to `request`."""
        self._source = (rules, request, model)
        self._answer: Answer | StreamDecoder = Answer(rules, request, model)
        self._chunks: list[bytes] = []

    @property
    def model(self) -> str | None:
        """The id the server says answered, once it has said so."""
        return self._answer.model

    @property
    def response_id(self) -> str | None:
        """The server's own id of this answer."""
        return self._answer.response_id

    def feed(self, data: bytes) -> list[Delta] | Fault:
        """Nothing yet: the body is read when it is complete."""
        self._chunks.append(data)
        return []

    def end(self) -> list[Delta] | Fault:
        """The whole answer, or the fault it is."""
        body = b"".join(self._chunks).strip()
        if isinstance(self._answer, Answer) and not body.startswith(_STREAM_BEGINS):
            return _read_body(body, self._answer)
        # Some servers stream although nobody asked for it.
        stream = self._answer = StreamDecoder(*self._source)
        told = stream.feed(body)
        rest = told if isinstance(told, Fault) else stream.end()
        return rest if isinstance(told, Fault) or isinstance(rest, Fault) else [*told, *rest]


def _read_body(body: bytes, answer: Answer) -> list[Delta] | Fault:
    body = body.strip()
    if not body:
        return _nothing()
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        kind = "cut" if body[:1] in {b"{", b"["} else "broken"
        words = body[:_MAX_SHOWN].decode("utf-8", "replace")
        return Fault(kind=kind, message=shown(f"no JSON: {words}"))
    return answer.take_whole(data)


def _nothing() -> Fault:
    return Fault(kind="empty", message="the answer has no content at all")


def _merged(deltas: list[Delta]) -> Delta | None:
    """Several deltas as one."""
    if not deltas:
        return None
    return deltas[-1]._replace(
        text="".join(delta.text for delta in deltas),
        reasoning="".join(delta.reasoning for delta in deltas),
        tool_calls=tuple(part for delta in deltas for part in delta.tool_calls),
    )
