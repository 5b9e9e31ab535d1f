"""Ratios taken in one run: candidates take turns, and each round is compared by itself."""

from __future__ import annotations

import gc
import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Samples:
    """Seconds of one call of each candidate, round by round."""

    def __init__(self, seconds: dict[str, list[float]]) -> None:
        self._seconds = seconds

    def __getitem__(self, name: str) -> float:
        """The median."""
        return statistics.median(self._seconds[name])

    def ratio(self, name: str, base: str) -> float:
        """The median of what the rounds say: a shared machine changes its speed between them."""
        pairs = zip(self._seconds[name], self._seconds[base], strict=True)
        return statistics.median(one / other for one, other in pairs)


def sampled(
    candidates: dict[str, Callable[[], object]], *, rounds: int = 30, batch: int = 10
) -> Samples:
    """Seconds of one call of each candidate, taken by turns: a noisy moment hits all alike."""
    for run in candidates.values():
        for _ in range(3):
            run()
    samples: dict[str, list[float]] = {name: [] for name in candidates}
    gc.collect()
    for _ in range(rounds):
        for name, run in candidates.items():
            began = time.perf_counter()
            for _ in range(batch):
                run()
            samples[name].append((time.perf_counter() - began) / batch)
    return Samples(samples)


class Report:
    """Lines of `what: measured (bar) verdict`."""

    def __init__(self) -> None:
        self.failed: list[str] = []

    def bar(
        self,
        what: str,
        measured: float,
        *,
        at_most: float | None = None,
        at_least: float | None = None,
        unit: str = "x",
    ) -> None:
        good = (at_most is None or measured <= at_most) and (
            at_least is None or measured >= at_least
        )
        wanted = (
            f"<= {at_most:g}"
            if at_most is not None
            else f">= {at_least:g}"
            if at_least is not None
            else "-"
        )
        print(
            f"  {what:<58} {measured:8.2f} {unit:<3} bar {wanted:<8} {'ok' if good else 'MISSED'}"
        )
        if not good:
            self.failed.append(what)

    def fact(self, what: str, measured: float, unit: str = "x") -> None:
        print(f"  {what:<58} {measured:8.2f} {unit}")
