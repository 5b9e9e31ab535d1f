"""What a machine goes on with when nobody waits for it any longer: on a thread, or as a task.

A machine that may be left so delivers an empty delta whenever it may. It is bounded by itself, and
holds up nothing: the thread is a daemon, and the task ends with its loop.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import aclosing, closing
from typing import TYPE_CHECKING

from freelm_integrations.engine import pumps

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from freelm_integrations.chat import Delta

logger = logging.getLogger("freelm_integrations")

FAREWELL = 0.5
"""Seconds that who calls off waits for what is called off to let go of its connections."""


class Afterwards:
    """Machines going on, each on a thread of its own. Safe from any thread."""

    def __init__(self) -> None:
        """Nothing goes on yet."""
        self._going_on: dict[_Run, None] = {}

    def take(self, run: Generator[Delta, None, None]) -> None:
        """Go on with a machine that its caller leaves; at once."""
        going_on = _Run(run)
        self._going_on[going_on] = None
        pumps.run(lambda: going_on.finish(self._forget))

    def call_off(self) -> None:
        """End all of them: shortly after, their connections are closed."""
        for going_on in list(self._going_on):
            going_on.is_called_off = True
        for going_on in list(self._going_on):
            going_on.has_ended.wait(FAREWELL)

    def _forget(self, run: _Run) -> None:
        self._going_on.pop(run, None)


class _Run:
    """One machine, which looks up whenever it may be left."""

    def __init__(self, run: Generator[Delta, None, None]) -> None:
        self._run = run
        self.is_called_off = False
        self.has_ended = threading.Event()

    def finish(self, forget: Callable[[_Run], None]) -> None:
        try:
            with closing(self._run):
                for _ in self._run:
                    if self.is_called_off:
                        return
        except Exception as error:  # noqa: BLE001 - nobody is there to be told
            _log(error)
        finally:
            self.has_ended.set()
            forget(self)


class LateTask:
    """One machine going on as a task of the running loop. Only for that loop."""

    def __init__(
        self, run: AsyncGenerator[Delta, None], forget: Callable[[LateTask], object]
    ) -> None:
        """Go on with a machine that its caller leaves; `forget` is told when it has ended."""
        self._task = asyncio.get_running_loop().create_task(_finish(run))
        self._task.add_done_callback(lambda _: forget(self))

    async def aclose(self) -> None:
        """End it, its connections closed."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def _finish(run: AsyncGenerator[Delta, None]) -> None:
    try:
        async with aclosing(run):
            async for _ in run:
                pass
    except Exception as error:  # noqa: BLE001 - nobody is there to be told
        _log(error)


def _log(error: Exception) -> None:
    """Its name alone: what it says is not ours, and could hold anything."""
    logger.warning("what came late could not be taken: %s", type(error).__name__)
