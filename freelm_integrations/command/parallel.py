"""Work done side by side by a given moment, come what may."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from freelm_integrations.clock import Clock

Job = TypeVar("Job")
Made = TypeVar("Made")

AT_ONCE = 64
"""How many jobs run at the same time; more take turns."""


def all_by(
    until: float, work: Callable[[Job], Made], jobs: Sequence[Job], clock: Clock
) -> list[Made | None]:
    """What each job makes, in their order; None for those not done at `until` (on the clock).

    These are left to themselves, in daemon threads: a look-up of a name, say, cannot be called off.

    Raises:
        BaseException: What `work` raises, of whichever job is first to.
    """
    crew = _Crew(work, jobs)
    made: dict[int, Made] = {}
    while len(made) < len(jobs) and (left := until - clock.now()) > 0:
        try:
            place, result = crew.done.get(timeout=left)
        except queue.Empty:
            break
        if isinstance(result, _Raised):
            raise result.error
        made[place] = result
    crew.is_called_off = True
    return [made.get(place) for place in range(len(jobs))]


class _Raised:
    """An exception on its way to who waits for the job."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


class _Crew(Generic[Job, Made]):
    """Threads that work off a list of jobs until that is called off."""

    def __init__(self, work: Callable[[Job], Made], jobs: Sequence[Job]) -> None:
        self.done: queue.SimpleQueue[tuple[int, Made | _Raised]] = queue.SimpleQueue()
        self.is_called_off = False
        self._work = work
        self._waiting: queue.SimpleQueue[tuple[int, Job]] = queue.SimpleQueue()
        for numbered in enumerate(jobs):
            self._waiting.put(numbered)
        for _ in range(min(len(jobs), AT_ONCE)):
            threading.Thread(target=self._run, name="freelm-side-by-side", daemon=True).start()

    def _run(self) -> None:
        while not self.is_called_off:
            try:
                place, job = self._waiting.get_nowait()
            except queue.Empty:
                return
            try:
                self.done.put((place, self._work(job)))
            except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
                self.done.put((place, _Raised(error)))
