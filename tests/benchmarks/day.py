"""A day of the six providers, with the limits of their sheets: what is had, and what a call costs.

Of ten thousand keys some share an account, two providers are declared wrongly, some requests are
turned away for what others do there, and every provider is out once. Measured in the time of this
process alone. `--long` makes it a whole day, and a million calls: half an hour.
"""

from __future__ import annotations

import gc
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from freelm_integrations import (
    NIM,
    Cerebras,
    GoogleAIStudio,
    Groq,
    Limit,
    Mistral,
    OpenRouter,
)
from tests.benchmarks.harvest import World
from tests.benchmarks.upstream import DAY, Terms, Upstream, truly

if TYPE_CHECKING:
    from freelm_integrations.providers.provider import Provider
    from tests.benchmarks.measure import Report

SIX = (OpenRouter, GoogleAIStudio, NIM, Groq, Cerebras, Mistral)
TOGETHER = 4
"""So many keys of each provider share an account, where there are enough of them."""
AWAY = {"openrouter": 0.02, "nim": 0.005, "cerebras": 0.01}
"""The share of requests turned away: free upstreams and queues are everybody's."""
TELLING = {"groq"}
"""Whose 429s name the seconds to wait (sheets of 2026-11)."""
OUT_FOR = 300.0
# Believed to grant what they do not: an OpenRouter account without the purchase that makes a day's
# 50 calls 1,000, and a NIM whose models grant 30 a minute, not the 40 that its page shows.
WRONG = {"openrouter": {"tier": "credit"}, "nim": {"limits": (Limit(40, per=60, model="*"),)}}


def is_long() -> bool:
    return "--long" in sys.argv


def six(keys: int, *, is_wrong: bool = False, is_rough: bool = False) -> Upstream:
    """So many keys in all; `is_rough`: upstreams turn some away, and each is out once."""
    houses: list[tuple[Provider, Terms]] = []
    for number, make in enumerate(SIX):
        count = keys // len(SIX) + (number < keys % len(SIX))
        name = make.spec.name
        together = TOGETHER if count > 2 * TOGETHER else 0
        groups: list[tuple[list[str], str | None]] = []
        if count > together:
            groups.append(([f"{name}-key-{n}" for n in range(count - together)], None))
        if together:
            groups.append(([f"{name}-shared-{n}" for n in range(together)], "one"))
        more = {"says": name in TELLING}
        if is_rough:
            began = 300.0 * (number + 1)
            more |= {"turned_away": AWAY.get(name, 0.0), "out": (began, began + OUT_FOR)}
        for secrets, account in groups:
            told = WRONG.get(name, {}) if is_wrong else {}
            terms = truly(make(secrets[:1], discover=False), **more)
            # No credit is kept back here: all there is counts as possible.
            provider = make(secrets, account=account, discover=False, priority=0, **told)
            houses.append((provider, terms))
    return Upstream(houses)


def few_of_nim(upstream: Upstream) -> Upstream:
    """With one model of NIM: ten of them would be nine calls of ten, and hide all others."""
    return Upstream([_with_one_model(*house) for house in upstream.houses])


def _with_one_model(provider: Provider, terms: Terms) -> tuple[Provider, Terms]:
    if provider.spec.name != "nim":
        return provider, terms
    (first, *_) = provider.spec.models
    keys = [key.secret.get_secret_value() for key in provider.keys]
    one = NIM(keys, models=[first], limits=provider.limits)
    return one, replace(terms, each={first.id: terms.each[first.id]})


def harvests(report: Report) -> None:
    """A key of each, by callers that never stop."""
    seconds = DAY if is_long() else 1_800.0
    for strategy in ("quota_aware", "priority", "round_robin", "latency"):
        for is_wrong in (False, True):
            upstream = few_of_nim(six(6, is_wrong=is_wrong, is_rough=True))
            began = time.process_time()
            got = World(upstream, strategy=strategy, callers=48).run(seconds)
            took = time.process_time() - began
            how = "mis-declared" if is_wrong else "declared"
            is_ours = strategy == "quota_aware"
            least, most = ((97.0, 3.0) if is_wrong else (99.0, 1.0)) if is_ours else (None, None)
            what = f"{seconds / 3_600:g} hours of six, {strategy}, {how}"
            report.bar(what, got.share * 100, at_least=least, unit="%")
            report.bar("  requests wasted", got.wasted * 100, at_most=most, unit="%")
            report.fact(f"  {got.answered:,} calls answered of {got.possible:,.0f}", took, "s")


def costs(report: Report, rows: list[tuple[int, int]]) -> None:
    """Engine, pool and the simulation itself, for each call."""
    print(f"  {'keys':>8} {'calls':>10} {'us a call':>10} {'wasted':>8} {'virtual':>9} {'took':>7}")
    each = {}
    for keys, calls in rows:
        upstream = six(keys, is_wrong=True, is_rough=True)
        gc.collect()
        world = World(upstream, callers=min(480, 8 * keys), calls=calls)
        began = time.process_time()
        got = world.run(DAY)
        took = time.process_time() - began
        each[keys, calls] = took / max(1, got.answered) * 1e6
        print(
            f"  {keys:>8,} {got.answered:>10,} {each[keys, calls]:>10.0f} "
            f"{got.wasted * 100:>7.2f}% {world.clock.at:>8.0f}s {took:>6.1f}s"
        )
    least, *_, most = each
    report.bar("a call with most keys / with fewest", each[most] / each[least], at_most=2)


def run(report: Report) -> None:
    harvests(report)
    rows = [(10, 30_000), (100, 30_000), (1_000, 30_000), (10_000, 30_000)]
    if is_long():
        rows.append((10_000, 1_000_000))
    costs(report, rows)
