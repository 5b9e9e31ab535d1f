"""Streams of chunks, as that SDK's: iterated once, left early by `close` or `with`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.openai.absent import Absent
from freelm_integrations.openai.errors import told

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator

    from typing_extensions import Self

    from freelm_integrations.delta_streams import AsyncDeltaStream, DeltaStream
    from freelm_integrations.openai.objects import ChatCompletionChunk
    from freelm_integrations.openai.translate import Chunker


class Stream(Absent):
    """Chunks arriving; iterate once, `close()` or a `with` to leave early.

    Reading raises what `create` does, and StreamInterrupted (an APIConnectionError) where an answer
    breaks off and cannot be carried on.
    """

    def __init__(self, deltas: DeltaStream, chunker: Chunker) -> None:
        """Translate these deltas."""
        self._deltas = deltas
        self._chunks = self._translate(chunker)

    def __repr__(self) -> str:
        """Whether anything can still come."""
        return f"<Stream of {self._deltas!r}>"

    def __iter__(self) -> Iterator[ChatCompletionChunk]:
        """The chunks still to come."""
        return self._chunks

    def __next__(self) -> ChatCompletionChunk:
        """The next chunk."""
        return next(self._chunks)

    def close(self) -> None:
        """Leave."""
        self._chunks.close()
        self._deltas.close()

    def __enter__(self) -> Self:
        """The stream itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
        self.close()

    def _translate(self, chunker: Chunker) -> Generator[ChatCompletionChunk, None, None]:
        with told(), self._deltas as deltas:
            for delta in deltas:
                yield from chunker.chunks(delta)


class AsyncStream(Absent):
    """Chunks arriving on an event loop.

    Iterate once, `close()` or an `async with` to leave early; raises what `Stream` does.
    """

    def __init__(self, deltas: AsyncDeltaStream, chunker: Chunker) -> None:
        """Translate these deltas."""
        self._deltas = deltas
        self._chunks = self._translate(chunker)

    def __repr__(self) -> str:
        """Whether anything can still come."""
        return f"<AsyncStream of {self._deltas!r}>"

    def __aiter__(self) -> AsyncIterator[ChatCompletionChunk]:
        """The chunks still to come."""
        return self._chunks

    async def __anext__(self) -> ChatCompletionChunk:
        """The next chunk."""
        return await anext(self._chunks)

    async def close(self) -> None:
        """Leave."""
        await self._chunks.aclose()
        await self._deltas.aclose()

    async def __aenter__(self) -> Self:
        """The stream itself."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close it."""
        await self.close()

    async def _translate(self, chunker: Chunker) -> AsyncGenerator[ChatCompletionChunk, None]:
        with told():
            async with self._deltas as deltas:
                async for delta in deltas:
                    for chunk in chunker.chunks(delta):
                        yield chunk
