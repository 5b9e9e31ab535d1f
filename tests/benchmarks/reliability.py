"""The bars of streams that never die, in full: `python -m tests.benchmarks.reliability`."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from tests.benchmarks.measure import Report
from tests.reliability.crowds import cancelled, left, streams
from tests.reliability.manners import GOES_ASTRAY, GOES_ON, end_of
from tests.reliability.stage import Stage
from tests.reliability.test_random_cuts import played, prefilled
from tests.reliability.texts import WRITTEN, any_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.reliability.manners import Told

FLAT = 3.0
"""Megabytes that a process may grow by from one such wave to the next."""


def wrong_of(cuts: int) -> int:
    """How many of so many answers, cut at random and carried on exactly, are not what they were."""
    wrong = 0
    for seed in range(cuts):
        chance = random.Random(seed)
        text = any_text(chance)
        wrong += played(prefilled(), text, "exact", chance).text != text
    return wrong


def ends_of(cuts: int, manners: Mapping[str, Callable[[Told], str]]) -> Counter[str]:
    """What became of so many answers, cut at random, of providers that are told to go on."""
    names, ends = sorted(manners), Counter[str]()
    for seed in range(cuts):
        chance = random.Random(seed)
        text = chance.choice(WRITTEN)
        place = chance.randrange(1, len(text))
        name = names[seed % len(names)]
        end = end_of(text, place, manners[name], chance).split(":")[0]
        ends[end] += 1
        _table[name][end] += 1
    return ends


_table: defaultdict[str, Counter[str]] = defaultdict(Counter)


def told_to_go_on(report: Report) -> None:
    """Of all ways to answer: what goes on is carried on, and nothing else is glued on."""
    good, bad = ends_of(10_000, GOES_ON), ends_of(10_000, GOES_ASTRAY)
    for name, ends in _table.items():
        print(f"  {name:38} {dict(ends)}")
    report.bar(
        "10,000 told to go on, who do: not so taken", 10_000 - good["right"], at_most=0, unit=""
    )
    report.bar("10,000 led astray: glued wrong", bad["wrong"], at_most=0, unit="")


def main() -> int:
    """Print every figure beside its bar; 1 if one is missed."""
    stage, report = Stage(), Report()
    told_to_go_on(report)
    report.bar("10,000 random cuts: wrong or lost", wrong_of(10_000), at_most=0, unit="")
    for _ in range(3):  # until the allocator has what such a wave takes
        asyncio.run(streams(stage, 1000))
    before = left(stage)
    wave = asyncio.run(streams(stage, 1000))
    after = left(stage, before)
    report.bar("1,000 streams, a tenth cut: complete", wave.right, at_least=1000, unit="")
    report.bar("of them carried on", wave.stitched, at_least=100, unit="")
    report.bar("growth", after.megabytes - before.megabytes, at_most=FLAT, unit=" MB")
    before = left(stage)
    wave = asyncio.run(cancelled(stage, 10_000))
    after = left(stage, before)
    strays = wave.ends - Counter({"CancelledError": 10_000})
    report.bar("10,000 cancelled calls: other ends", strays.total(), at_most=0, unit="")
    report.bar("open files left", after.files - before.files, at_most=0, unit="")
    report.bar("threads left", after.threads - before.threads, at_most=0, unit="")
    report.bar("growth", after.megabytes - before.megabytes, at_most=FLAT, unit=" MB")
    stage.close()
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
