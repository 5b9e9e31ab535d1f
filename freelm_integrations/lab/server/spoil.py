"""What goes wrong in the middle of an answer: a good reply in, a spoiled one out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from freelm_integrations.lab.dialects.asked import Asked, Called, Piece, Said
from freelm_integrations.lab.dialects.dialect import Dialect
from freelm_integrations.lab.dialects.replies import Flow, Mishap, Whole
from freelm_integrations.lab.faults import LabFault

KEEP_ALIVE_EVERY = 0.05  # seconds between the comments of an endless wait
TRICKLE_EVERY = 1.0  # seconds between the bytes of a trickle
_GARBAGE = b'data: {"id":"x","choices":[{"index":0,"delta":{"con\n\n\xff\xfe\x00data: ]]\n\n'

Frames = AsyncGenerator["bytes | Mishap", None]


async def spoiled_stream(
    pieces: AsyncIterator[Piece], dialect: Dialect, asked: Asked, fault: LabFault
) -> Frames:
    """The frames of a stream up to the fault, and the fault."""
    after = 0 if fault.after is None else fault.after
    for frame in dialect.begin(asked):
        yield frame
    told = 0
    async for piece in pieces:
        if told >= after:
            break
        for frame in dialect.frames(asked, piece):
            yield frame
        told += isinstance(piece, (Said, Called))
    rest = (frame for piece in [piece] for frame in dialect.frames(asked, piece))
    async for frame in _ENDS[fault.kind](dialect, asked, b"".join(rest)):
        yield frame


async def _reset(dialect: Dialect, asked: Asked, rest: bytes) -> Frames:
    yield Mishap.RESET


async def _cut(dialect: Dialect, asked: Asked, rest: bytes) -> Frames:
    yield b""


async def _truncated(dialect: Dialect, asked: Asked, rest: bytes) -> Frames:
    yield Mishap.CLOSE


async def _stall(dialect: Dialect, asked: Asked, rest: bytes) -> Frames:
    yield Mishap.HANG


async def _error_event(dialect: Dialect, asked: Asked, rest: bytes) -> Frames:
    yield dialect.error_event(asked)


async def _garbage(dialect: Dialect, asked: Asked, rest: bytes) -> Frames:
    yield _GARBAGE


async def _keepalives(dialect: Dialect, asked: Asked, rest: bytes) -> Frames:
    while True:
        yield dialect.keep_alive()
        await asyncio.sleep(KEEP_ALIVE_EVERY)


async def _trickle(dialect: Dialect, asked: Asked, rest: bytes) -> Frames:
    for place in range(len(rest)):
        yield rest[place : place + 1]
        await asyncio.sleep(TRICKLE_EVERY)


_ENDS: dict[str, Callable[[Dialect, Asked, bytes], Frames]] = {
    "reset": _reset,
    "cut": _cut,
    "truncated": _truncated,
    "stall": _stall,
    "error_event": _error_event,
    "garbage": _garbage,
    "keepalives": _keepalives,
    "trickle": _trickle,
}


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
        while True:
            yield b" \n"
            await asyncio.sleep(KEEP_ALIVE_EVERY)
    yield body[:half]
    if kind == "trickle":
        for place in range(half, len(body)):
            yield body[place : place + 1]
            await asyncio.sleep(TRICKLE_EVERY)
        return
    yield {"reset": Mishap.RESET, "stall": Mishap.HANG}.get(kind, Mishap.CLOSE)


async def one_frame(frame: bytes | Mishap) -> Frames:
    """A body of a single frame."""
    yield frame
