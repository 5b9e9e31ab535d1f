"""What goes wrong in the middle of an answer: a good reply in, a spoiled one out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from freelm_integrations.lab.asked import Called, Finished, Said
from freelm_integrations.lab.replies import Flow, Mishap, Whole

if TYPE_CHECKING:
    from freelm_integrations.lab.asked import Asked, Piece
    from freelm_integrations.lab.dialects.dialect import Dialect
    from freelm_integrations.lab.faults import LabFault

KEEP_ALIVE_EVERY = 0.05  # seconds between the comments of an endless wait
TRICKLE_EVERY = 1.0  # seconds between the bytes of a trickle
_GARBAGE = b'data: {"id":"x","choices":[{"index":0,"delta":{"con\n\n\xff\xfe\x00data: ]]\n\n'

_MISHAPS = {"reset": Mishap.RESET, "truncated": Mishap.CLOSE, "stall": Mishap.HANG}

Frames = AsyncGenerator["bytes | Mishap", None]


async def spoiled_stream(
    pieces: AsyncGenerator[Piece, None], dialect: Dialect, asked: Asked, fault: LabFault
) -> Frames:
    """The frames of a stream up to the fault, and the fault: before the finish at the latest."""
    async with aclosing(pieces):
        for frame in dialect.begin(asked):
            yield frame
        left = _Left(fault)
        async for piece in pieces:
            told, held = left.part(piece)
            if told is not None:
                for frame in dialect.frames(asked, told):
                    yield frame
            if held is not None:
                break
        else:
            return
        async for spoiled in _spoiled_rest(held, pieces, dialect, asked, fault):
            yield spoiled


class _Left:
    """How much of an answer is told before a fault, in pieces or in characters."""

    def __init__(self, fault: LabFault) -> None:
        self._pieces = fault.after or 0
        self._characters = fault.at

    def part(self, piece: Piece) -> tuple[Piece | None, Piece | None]:
        """What is told of a piece, and what stands after the fault; None for nothing."""
        if isinstance(piece, Finished):
            return None, piece
        if self._characters is not None:
            return self._cut(piece, self._characters)
        if self._pieces <= 0:
            return None, piece
        self._pieces -= isinstance(piece, (Said, Called))
        return piece, None

    def _cut(self, piece: Piece, left: int) -> tuple[Piece | None, Piece | None]:
        if not isinstance(piece, Said):
            return (piece, None) if left else (None, piece)
        self._characters = left - len(piece.text)
        if left >= len(piece.text):
            return piece, None
        told = replace(piece, text=piece.text[:left]) if left else None
        return told, replace(piece, text=piece.text[left:], first=piece.first and told is None)


async def _spoiled_rest(
    piece: Piece,
    pieces: AsyncGenerator[Piece, None],
    dialect: Dialect,
    asked: Asked,
    fault: LabFault,
) -> Frames:
    kind = fault.kind
    if kind in _MISHAPS:
        yield _MISHAPS[kind]
    elif kind == "keepalives":
        async for comment in _endless(dialect.keep_alive()):
            yield comment
    elif kind in ("trickle", "stop_and_go"):
        await asyncio.sleep(fault.pause if kind == "stop_and_go" else 0.0)
        async for frame in _rest(piece, pieces, dialect, asked):
            async for part in _trickled(frame) if kind == "trickle" else one_frame(frame):
                yield part
    else:
        yield {"error_event": dialect.error_event(asked), "garbage": _GARBAGE}.get(kind, b"")


async def _rest(
    piece: Piece, pieces: AsyncGenerator[Piece, None], dialect: Dialect, asked: Asked
) -> AsyncGenerator[bytes, None]:
    for frame in dialect.frames(asked, piece):
        yield frame
    async for later in pieces:
        for frame in dialect.frames(asked, later):
            yield frame


async def _endless(frame: bytes) -> Frames:
    while True:
        yield frame
        await asyncio.sleep(KEEP_ALIVE_EVERY)


async def _trickled(body: bytes) -> Frames:
    for place in range(len(body)):
        yield body[place : place + 1]
        await asyncio.sleep(TRICKLE_EVERY)


def spoiled_whole(whole: Whole, dialect: Dialect, asked: Asked, fault: LabFault) -> Flow | Whole:
    """A body that was to come at once, with the fault in its middle."""
    if fault.kind == "error_event":
        return Whole(
            200, dialect.refuse("overloaded", {"model": asked.model.id}).body, whole.headers
        )
    half = len(whole.body) // 2
    if fault.kind in ("garbage", "cut"):
        return Whole(200, whole.body[:half], whole.headers)
    length = None if fault.kind == "keepalives" else len(whole.body)
    return Flow(_spoiled_body(whole.body, half, fault), whole.headers, whole.content_type, length)


async def _spoiled_body(body: bytes, half: int, fault: LabFault) -> Frames:
    if fault.kind == "keepalives":
        async for padding in _endless(b" \n"):
            yield padding
    yield body[:half]
    if fault.kind in _MISHAPS:
        yield _MISHAPS[fault.kind]
    if fault.kind == "stop_and_go":
        await asyncio.sleep(fault.pause)
        yield body[half:]
        return
    async for byte in _trickled(body[half:]):
        yield byte


async def one_frame(frame: bytes | Mishap) -> Frames:
    """A body of a single frame."""
    yield frame
