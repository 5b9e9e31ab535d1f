"""What routing may see of the pool: frozen snapshots."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from freelm_integrations.providers.provider import Key, Provider
    from freelm_integrations.providers.spec import ModelSpec


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """(provider, key, model): the smallest thing that can serve a call.

    One object each, compared by identity.
    """

    provider: Provider
    key: Key
    model: ModelSpec


class RouteView(NamedTuple):
    """One route now.

    `ready_at` is on the call's clock (<= now: ready; inf: out until a person acts).
    """

    route: Route
    ready_at: float
    headroom: float
    """Unused share of the tightest window, 0 to 1."""
    latency: float | None
    """Smoothed seconds to first content, None while unknown."""
    in_flight: int
    resting: str | None = None
    """Why it is not: a fault kind, `window`, `breaker`, `retired` or `full`; None when it is."""
    most_input: float = math.inf
    """Tokens of prompt that its windows let through at once, at the very most."""
    most: float = math.inf
    """The same of prompt and answer together."""


if TYPE_CHECKING:
    Order: TypeAlias = Callable[[RouteView], tuple[float, ...]]
    """What a strategy sorts the routes of one model at one provider by, the least first."""


class Ask(NamedTuple):
    """What one request needs of a window.

    `tokens` it is expected to use, prompt and answer together, `output` of them for the answer;
    where the length of that is left open, `output` is None and `tokens` the prompt alone. It surely
    has `prompt` tokens, and `whole` with its answer.
    """

    tokens: int = 0
    output: int | None = 0
    prompt: float = 0.0
    whole: float = 0.0

    def suits(self, view: RouteView) -> bool:
        """Whether the route's limits ever let such a request through."""
        if self.prompt > view.most_input:
            return False
        return self.whole <= view.most or self._counted(view) <= view.most

    def _counted(self, view: RouteView) -> float:
        """What of prompt and answer its provider counts at all."""
        reserves = view.route.provider.spec.reserves
        if reserves is None or reserves.most is None:
            return self.whole
        return self.prompt + min(self.whole - self.prompt, reserves.most)
