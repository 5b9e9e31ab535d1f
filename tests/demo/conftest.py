"""The demo calls LlamaIndex from no event loop, which makes one for the thread and leaves it there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def threads_loop_closed() -> Iterator[None]:
    """A loop of the test's own stands where LlamaIndex looks for one, and is closed after it."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.close()
    asyncio.set_event_loop(None)
