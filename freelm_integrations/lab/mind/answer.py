"""From a request to the pieces of its answer."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freelm_integrations.lab.asked import (
    Asked,
    Called,
    Finish,
    Finished,
    Piece,
    Said,
    Spent,
    Thought,
    format_of,
    room_asked,
)
from freelm_integrations.lab.loose import Json, compact, fields, items, words_of
from freelm_integrations.lab.mind.continuing import begun_in, carried_on
from freelm_integrations.lab.mind.evidence import Evidence, key_words
from freelm_integrations.lab.mind.plain import json_answer, pieces
from freelm_integrations.lab.mind.schema import fill
from freelm_integrations.lab.mind.tools import PlannedCall, plan_calls

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from freelm_integrations.lab.mind.continuing import Continuing
    from freelm_integrations.lab.mind.words import WordSource


@dataclass(frozen=True)
class Manner:
    """How an answer is to be told."""

    thinks: bool  # reasoning comes first
    pause: float = 0.0  # seconds between pieces
    thinks_only: bool = False  # the fault: all room goes into reasoning
    says_nothing: bool = False  # the fault: no piece at all
    breaks_calls: bool = False  # the fault: the arguments of tool calls are cut short
    continues: bool = False  # a trailing assistant message is carried on
    opening: str = ""  # repeated before anything is said
    goes_on: Continuing = "exact"  # what it does when told in words to go on


async def answer(asked: Asked, source: WordSource, manner: Manner) -> AsyncGenerator[Piece, None]:
    """The pieces of the answer to a request, the finish last."""
    async with aclosing(_Teller(asked, manner).tell(source)) as pieces:
        async for piece in pieces:
            if manner.pause and not isinstance(piece, Finished):
                await asyncio.sleep(manner.pause)
            yield piece


class _Teller:
    """Tells one answer within the room it has, and counts what it costs."""

    def __init__(self, asked: Asked, manner: Manner) -> None:
        self._asked = asked
        self._manner = manner
        self._room = room_asked(asked.body)
        self._thought = 0
        self._told = 0

    @property
    def _left(self) -> int | None:
        return None if self._room is None else self._room - self._thought - self._told

    @property
    def _is_full(self) -> bool:
        return self._left is not None and self._left <= 0

    async def tell(self, source: WordSource) -> AsyncGenerator[Piece, None]:
        """Reasoning, then calls or text, then the finish."""
        if self._manner.says_nothing:
            yield self._finish("stop")
            return
        for thought in self._thoughts():
            yield Thought(thought)
        if self._manner.thinks_only or self._is_full:
            yield self._finish("length")
            return
        calls = self._calls(plan_calls(self._asked.body))
        for call in calls:
            yield call
        if calls:
            yield self._finish("tool_calls", calls)
            return
        async for piece in self._text(source):
            yield piece

    def _thoughts(self) -> list[str]:
        if not (self._manner.thinks or self._manner.thinks_only):
            return []
        subject = " ".join(key_words(_last_text(self._asked), 3)) or "this"
        whole = pieces(f"The user asks about {subject}. I will be brief.")
        told = whole if self._room is None else whole[: self._room]
        self._thought = len(told)
        return told

    def _calls(self, planned: list[PlannedCall]) -> tuple[Called, ...]:
        calls = [
            Called(place, call.name, self._written(call.arguments))
            for place, call in enumerate(planned)
        ]
        self._told += sum(4 + len(pieces(call.arguments)) for call in calls)
        return tuple(calls)

    def _written(self, arguments: str) -> str:
        return arguments[: len(arguments) // 2] if self._manner.breaks_calls else arguments

    async def _text(self, source: WordSource) -> AsyncIterator[Piece]:
        stops = _stops(self._asked)
        trimmer = _Trimmer(stops)
        first = True
        reason: Finish = "stop"
        async for raw in self._raw(source):
            for text in trimmer.take(raw):
                yield Said(text, first=first)
                first = False
            self._told += 1
            if trimmer.has_stopped:
                break
            if self._is_full:
                reason = "length"
                break
        for text in trimmer.rest():
            yield Said(text, first=first)
            first = False
        yield self._finish(reason)

    async def _raw(self, source: WordSource) -> AsyncIterator[str]:
        fixed = schema_bound(self._asked)
        if fixed is not None:
            for piece in pieces(fixed):
                yield piece
            return
        if self._manner.opening:
            yield self._manner.opening
        history = self._history()
        rest = await self._rest(source, history)
        if rest is not None:
            for piece in pieces(rest):
                yield piece
            return
        async for piece in source.pieces(history, self._left):
            yield piece

    async def _rest(self, source: WordSource, history: list[Json]) -> str | None:
        """What is left of an answer that was begun, or None for a new one."""
        begun = begun_in(history)
        if begun is None or not source.is_stable:
            return None
        whole = "".join([piece async for piece in source.pieces(begun.messages, None)])
        return carried_on(begun, whole, self._manner.goes_on)

    def _history(self) -> list[Json]:
        messages = self._asked.messages
        is_open = messages[-1].get("role") == "assistant" and not self._manner.continues
        return messages[:-1] if is_open else messages

    def _finish(self, reason: Finish, calls: tuple[Called, ...] = ()) -> Finished:
        spent = Spent(self._asked.prompt_tokens, self._thought + self._told, self._thought)
        return Finished(reason, spent, calls)


def schema_bound(asked: Asked) -> str | None:
    """The JSON a response format demands, or None where text is free."""
    kind = format_of(asked)
    if kind == "json_object":
        return json_answer(asked.messages)
    if kind != "json_schema":
        return None
    wanted = fields(fields(fields(asked.body["response_format"]).get("json_schema")).get("schema"))
    return compact(fill(wanted, Evidence(_last_text(asked)))).decode()


def _last_text(asked: Asked) -> str:
    texts = [
        words_of(message.get("content"))
        for message in asked.messages
        if message.get("role") == "user"
    ]
    return texts[-1] if texts else ""


def _stops(asked: Asked) -> list[str]:
    stop = asked.body.get("stop")
    return (
        [stop]
        if isinstance(stop, str)
        else [text for text in items(stop) if isinstance(text, str) and text]
    )


class _Trimmer:
    """Cuts a text off before the first stop sequence, be it spread over several pieces."""

    def __init__(self, stops: list[str]) -> None:
        self._stops = stops
        self._keep = max((len(stop) - 1 for stop in stops), default=0)
        self._held = ""
        self.has_stopped = False

    def take(self, piece: str) -> list[str]:
        """What may be told now that one more piece is there."""
        if not self._stops:
            return [piece]
        self._held += piece
        found = [place for stop in self._stops if (place := self._held.find(stop)) >= 0]
        if found:
            self.has_stopped = True
            return self._give(min(found))
        return self._give(max(0, len(self._held) - self._keep))

    def rest(self) -> list[str]:
        """What was held back in case a stop sequence began in it."""
        return [] if self.has_stopped else self._give(len(self._held))

    def _give(self, length: int) -> list[str]:
        text, self._held = self._held[:length], self._held[length:]
        return [text] if text else []
