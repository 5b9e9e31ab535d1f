"""Turns of an event loop, for tests that let other tasks go on: no time passes by any clock."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator


@types.coroutine
def turn() -> Generator[None, None, None]:
    """Let every other task that is ready take one step."""
    yield


async def turns(count: int) -> None:
    """So many of them."""
    for _ in range(count):
        await turn()
