"""An answer as it arrives, for callers of the core clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator

    from typing_extensions import Self

    from freelm_integrations.chat import Delta


class DeltaStream:
    """An answer arriving. Iterate it once; nothing is sent before the first delta is asked for."""

    def __init__(self, deltas: Generator[Delta, None, None]) -> None:
        """Wrap the running machine."""
        self._deltas = deltas

    def __repr__(self) -> str:
        """Whether anything can still come."""
        is_open = getattr(self._deltas, "gi_frame", None) is not None
        return f"<DeltaStream: {'open' if is_open else 'ended'}>"

    def __iter__(self) -> Iterator[Delta]:
        """The deltas still to come."""
        return self._deltas

    def __next__(self) -> Delta:
        """The next delta."""
        return next(self._deltas)

    def close(self) -> None:
        """Leave: the connection is closed and nobody is blamed."""
        self._deltas.close()

    def __enter__(self) -> Self:
        """The stream itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
        self.close()


class AsyncDeltaStream:
    """An answer arriving on an event loop.

    Iterate it once; nothing is sent before the first delta is asked for.
    """

    def __init__(self, deltas: AsyncGenerator[Delta, None]) -> None:
        """Wrap the running machine."""
        self._deltas = deltas

    def __repr__(self) -> str:
        """Whether anything can still come."""
        is_open = getattr(self._deltas, "ag_frame", None) is not None
        return f"<AsyncDeltaStream: {'open' if is_open else 'ended'}>"

    def __aiter__(self) -> AsyncIterator[Delta]:
        """The deltas still to come."""
        return self._deltas

    async def __anext__(self) -> Delta:
        """The next delta."""
        return await anext(self._deltas)

    async def aclose(self) -> None:
        """Leave: the connection is closed and nobody is blamed."""
        await self._deltas.aclose()

    async def __aenter__(self) -> Self:
        """The stream itself."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close it."""
        await self.aclose()


def texts_of(stream: DeltaStream) -> Iterator[str]:
    """The pieces of its text; it is closed in the end."""
    with stream as deltas:
        for delta in deltas:
            if delta.text:
                yield delta.text


async def async_texts_of(stream: AsyncDeltaStream) -> AsyncIterator[str]:
    """The pieces of its text; it is closed in the end."""
    async with stream as deltas:
        async for delta in deltas:
            if delta.text:
                yield delta.text
