"""Bytes of an answer become deltas; streamed and whole answers share all reading (`answer.py`)."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from functools import reduce
from typing import TYPE_CHECKING

from freelm_integrations.chat import Delta
from freelm_integrations.wire.answers.answer import Answer, together
from freelm_integrations.wire.answers.sse import Event, EventReader
from freelm_integrations.wire.answers.surrogates import Halves, all_whole, may_be_cut
from freelm_integrations.wire.faults import Fault
from freelm_integrations.wire.refusals.classify import classify
from freelm_integrations.wire.refusals.complaints import complaint_of
from freelm_integrations.wire.refusals.redaction import shown

if TYPE_CHECKING:
    from freelm_integrations.chat import Request, Usage
    from freelm_integrations.wire.faults import FaultKind
    from freelm_integrations.wire.openai import ChatCompletions

_DONE = "[DONE]"
_STREAM_BEGINS = (b"data:", b"event:", b":", b"id:", b"retry:")


class StreamDecoder:
    """A streamed answer being read. Not thread safe.

    The delta that carries the finish reason is the last one; it comes with `[DONE]`, or with the
    end of the body.
    """

    __slots__ = ("_answer", "_ended", "_events", "_halves", "_heard", "_request", "_rules")

    def __init__(self, rules: ChatCompletions, request: Request, model: str) -> None:
        """Start to read the answer of `model` to `request`."""
        self._rules = rules
        self._request = request
        self._answer = Answer(rules, request, model)
        self._events = EventReader()
        self._halves = Halves()
        self._ended = False
        self._heard = False

    @property
    def model(self) -> str | None:
        """The id the server says answered, once it has said so."""
        return self._answer.model

    @property
    def response_id(self) -> str | None:
        """The server's own id of this answer, once it has said so."""
        return self._answer.response_id

    @property
    def usage(self) -> Usage | None:
        """The tokens it has told of so far."""
        return self._answer.usage

    def feed(self, data: bytes) -> list[Delta] | Fault:
        """What the next bytes say (often nothing yet), or the fault they tell."""
        return self._tell(self._events.feed(data))

    def end(self) -> list[Delta] | Fault:
        """What was still held back, now that the body is complete.

        A fault if it is not a whole answer.
        """
        deltas = self._tell(self._events.end(), at_end=True)
        if self._ended or isinstance(deltas, Fault):
            return deltas
        if not self._heard:
            return _read_body(b"\n".join(self._events.stray), self._answer)
        last = self._finished(is_done=False)
        return last if isinstance(last, Fault) else [*deltas, last]

    def _tell(self, events: list[Event], *, at_end: bool = False) -> list[Delta] | Fault:
        deltas: list[Delta] = []
        for event in events:
            if self._ended:
                break
            said = self._take(event, at_end=at_end)
            if said is None:
                continue
            if isinstance(said, Fault):
                self._ended = True
                return said
            deltas.append(said)
        return deltas

    def _take(self, event: Event, *, at_end: bool) -> Delta | Fault | None:
        data = event.data
        if data[:1] != "{":
            data = data.strip()
            if data == _DONE:
                self._ended = True
                return self._finished(is_done=True) if self._heard else _nothing()
            if not data:
                return None
        self._heard = True
        try:
            chunk = json.loads(data)
            if self._halves or may_be_cut(data):
                chunk = self._halves.joined(chunk)
        except (ValueError, RecursionError):
            return self._unreadable(event, at_end=at_end)
        return self._answer.take(chunk, named=event.name)

    def _finished(self, *, is_done: bool) -> Delta | Fault:
        rest = [self._answer.take(chunk) for chunk in self._halves.rest()]
        last = self._answer.finish(is_done=is_done)
        if isinstance(last, Fault):
            return last
        return _as_one([*(delta for delta in rest if isinstance(delta, Delta)), last])

    def _unreadable(self, event: Event, *, at_end: bool) -> Delta | Fault | None:
        """Data that is no JSON: events run together, an error in plain words, or a line cut off."""
        lines = event.data.split("\n")
        if len(lines) > 1:
            apart = self._tell([Event(line, event.name) for line in lines], at_end=at_end)
            if isinstance(apart, Fault):
                return apart
            return _as_one(apart) if apart else None
        if event.name == "error":
            said = complaint_of(event.data, self._request)
            return classify(said, self._rules, utc=None)
        if at_end and self._answer.has_ended:
            return None  # what comes after the end is no part of the answer
        return _no_json(event.data, "cut" if at_end else "broken")


class BodyDecoder:
    """An answer that comes in one piece. Silent until its end. Not thread safe."""

    __slots__ = ("_chunks", "_reader", "_source")  # no reader before there is a body

    def __init__(self, rules: ChatCompletions, request: Request, model: str) -> None:
        """Start to read the answer of `model` to `request`."""
        self._source = (rules, request, model)
        self._reader: Answer | StreamDecoder | None = None
        self._chunks: list[bytes] = []

    @property
    def model(self) -> str | None:
        """The id the server says answered, once it has said so."""
        return None if self._reader is None else self._reader.model

    @property
    def response_id(self) -> str | None:
        """The server's own id of this answer, once it has said so."""
        return None if self._reader is None else self._reader.response_id

    @property
    def usage(self) -> None:
        """Nothing before its end, and then its last delta tells."""
        return

    def feed(self, data: bytes) -> list[Delta] | Fault:
        """Nothing yet: the body is read when it is complete."""
        self._chunks.append(data)
        return []

    def end(self) -> list[Delta] | Fault:
        """The whole answer, or the fault it is."""
        body = b"".join(self._chunks).strip()
        if not body.startswith(_STREAM_BEGINS):
            self._reader = Answer(*self._source)
            return _read_body(body, self._reader)
        # Some servers stream although nobody asked for it.
        stream = self._reader = StreamDecoder(*self._source)
        told = stream.feed(body)
        if isinstance(told, Fault):
            return told
        rest = stream.end()
        return rest if isinstance(rest, Fault) else [*told, *rest]


def _read_body(body: bytes, answer: Answer) -> list[Delta] | Fault:
    said = body.removeprefix(BOM_UTF8).decode("utf-8", "replace").strip()
    if not said:
        return _nothing()
    try:
        data = json.loads(said)
        if may_be_cut(said):
            data = all_whole(data)
    except (ValueError, RecursionError):
        return _no_json(said, "cut" if said[0] in "{[" else "broken")
    return answer.take_whole(data)


def _no_json(said: str, kind: FaultKind) -> Fault:
    return Fault(kind=kind, message=shown(f"no JSON: {said}"))


def _nothing() -> Fault:
    return Fault(kind="empty", message="the answer has no content at all")


def _as_one(deltas: list[Delta]) -> Delta:
    """Several deltas in one, with the end that the last of them tells."""
    return reduce(together, deltas)
