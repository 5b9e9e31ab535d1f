"""What goes wrong in the middle of an answer: a good reply in, a spoiled one out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
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
    after = 0 if fault.after is None else fault.after
    told = 0
    async with aclosing(pieces):
        for frame in dialect.begin(asked):
            yield frame
        async for piece in pieces:
            if told >= after or isinstance(piece, Finished):
                break
            for frame in dialect.frames(asked, piece):
                yield frame
            told += isinstance(piece, (Said, Called))
        else:
            return
        async for spoiled in _spoiled_rest(piece, pieces, dialect, asked, fault.kind):
            yield spoiled


async def _spoiled_rest(
    piece: Piece, pieces: AsyncGenerator[Piece, None], dialect: Dialect, asked: Asked, kind: str
) -> Frames:
    if kind in _MISHAPS:
        yield _MISHAPS[kind]
    elif kind == "keepalives":
        async for comment in _endless(dialect.keep_alive()):
            yield comment
    elif kind == "trickle":
        async for byte in _trickled(b"".join(dialect.frames(asked, piece))):
            yield byte
        async for later in pieces:
            async for byte in _trickled(b"".join(dialect.frames(asked, later))):
                yield byte
    else:
        yield {"error_event": dialect.error_event(asked), "garbage": _GARBAGE}.get(kind, b"")


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
    return Flow(
        _spoiled_body(whole.body, half, fault.kind), whole.headers, whole.content_type, length
    )


async def _spoiled_body(body: bytes, half: int, kind: str) -> Frames:
    if kind == "keepalives":
        async for padding in _endless(b" \n"):
            yield padding
    yield body[:half]
    if kind in _MISHAPS:
        yield _MISHAPS[kind]
    async for byte in _trickled(body[half:]):
        yield byte


async def one_frame(frame: bytes | Mishap) -> Frames:
    """A body of a single frame."""
    yield frame
