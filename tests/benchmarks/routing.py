"""What deciding costs: candidates among very many routes, and a call that has them all."""

from __future__ import annotations

import math

from freelm_integrations import FreeLLM, OpenAICompatible
from freelm_integrations.chat import Request
from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.dispatcher import Dispatcher
from freelm_integrations.pool.pool import Success
from freelm_integrations.providers.spec import DAY, Limit, ModelSpec
from freelm_integrations.settings import Settings
from tests.benchmarks.measure import Report, sampled
from tests.benchmarks.server import serving

PROVIDERS, KEYS, MODELS = 6, 20, 200
STRATEGIES = ("quota_aware", "round_robin", "priority", "latency")
PROMPT = "Say something about foxes."
ASKED = Request(messages=({"role": "user", "content": PROMPT},))
_LIMITS = (
    Limit(math.inf, "requests", per=60),
    Limit(1e9, "requests", per=60, model="*"),
    Limit(1e12, "tokens", per=60, model="*"),
    Limit(1e9, "requests", per=DAY, model="*"),
)


def _providers(base: str, *, providers: int, keys: int, models: int) -> list[OpenAICompatible]:
    """As full a house as there is, with limits counted as Groq counts them."""
    specs = [
        ModelSpec(f"model-{n}", tags=("fast", "tools"), context=131_072) for n in range(models)
    ]
    return [
        OpenAICompatible(
            f"house{n}", f"{base}/ok", [f"key-{n}-{k}" for k in range(keys)], specs, limits=_LIMITS
        )
        for n in range(providers)
    ]


def deciding(base: str, report: Report) -> None:
    """The best route for a call leased and settled, which makes every view of its account stale."""
    crowd = _providers(base, providers=PROVIDERS, keys=KEYS, models=MODELS)
    for strategy in STRATEGIES:
        one = Dispatcher(Settings.from_options(providers=crowd, share=False, strategy=strategy))

        def decide(one: Dispatcher = one) -> object:
            now = SYSTEM_CLOCK.now()
            candidates = one._router.candidates(ASKED, one.catalogs.current())
            view = next(iter(candidates.views(now)))
            lease = one.pool.lease(
                view.route, now, tokens=candidates.tokens, output=candidates.output
            )
            return one.pool.settle(lease, Success(0.1), now)

        times = sampled({"decide": decide}, rounds=40, batch=20)
        what = f"deciding among {PROVIDERS * KEYS * MODELS} routes, {strategy}"
        report.bar(what, times["decide"] * 1000, at_most=1.0, unit="ms")


def calling(base: str, report: Report) -> None:
    """A whole call, with one route and with all of them."""
    alone = FreeLLM(providers=_providers(base, providers=1, keys=1, models=1), share=False)
    crowd = _providers(base, providers=PROVIDERS, keys=KEYS, models=MODELS)
    full = FreeLLM(providers=crowd, share=False)
    times = sampled(
        {"alone": lambda: alone.chat(PROMPT), "full": lambda: full.chat(PROMPT)}, rounds=30
    )
    report.bar(
        "a call with all of them / with a single one", times.ratio("full", "alone"), at_most=1.3
    )


def run(report: Report) -> None:
    with serving() as base:
        deciding(base, report)
        calling(base, report)
