"""In which order routes are tried: pure functions from views to their order, best first.

Views come in declared order: providers as configured, within them their keys. A provider's lower
`priority` sorts before everything else, so that one of a high priority is a last resort.
"""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freelm_integrations.pool.view import Order, RouteView

T = TypeVar("T")


class Strategy(Protocol):
    """`turn` counts the calls, so that a rotation moves on from one to the next."""

    def __call__(self, views: Sequence[RouteView], turn: int) -> tuple[RouteView, ...]:
        """The same views in the order to try."""
        ...


def priority(views: Sequence[RouteView], turn: int) -> tuple[RouteView, ...]:  # noqa: ARG001 - a Strategy
    """As configured: the first provider's keys in order, then the second's."""
    return tuple(sorted(views, key=_priority))


def round_robin(views: Sequence[RouteView], turn: int) -> tuple[RouteView, ...]:
    """Each call begins at the next provider, and there, once round, at its next key.

    The rest follows in the same alternation, one key of each provider at a time.
    """
    homes: dict[str, list[RouteView]] = {}
    for view in views:
        homes.setdefault(view.route.provider.id, []).append(view)
    lap, first = divmod(turn, max(1, len(homes)))
    lines = [_rotated(keys, lap) for keys in _rotated(list(homes.values()), first)]
    longest = max(map(len, lines), default=0)
    order = [line[place] for place in range(longest) for line in lines if place < len(line)]
    return tuple(sorted(order, key=_priority))


def quota_aware(views: Sequence[RouteView], turn: int) -> tuple[RouteView, ...]:  # noqa: ARG001 - a Strategy
    """Where the largest share of the quota is left; among equals the least busy."""
    return tuple(sorted(views, key=_by_headroom))


def latency(views: Sequence[RouteView], turn: int) -> tuple[RouteView, ...]:  # noqa: ARG001 - a Strategy
    """The quickest so far; those never tried go first, so that they become known."""
    return tuple(sorted(views, key=_by_latency))


STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {
        "priority": priority,
        "round_robin": round_robin,
        "quota_aware": quota_aware,
        "latency": latency,
    }
)


def _as_declared(view: RouteView) -> tuple[float, ...]:  # noqa: ARG001 - an Order
    return ()


def _least_used(view: RouteView) -> tuple[float, ...]:
    return -view.headroom, view.in_flight


def _quickest(view: RouteView) -> tuple[float, ...]:
    known = view.latency
    return -math.inf if known is None else known, view.in_flight


ORDERS: Mapping[str, Order] = MappingProxyType(
    {
        "priority": _as_declared,
        "round_robin": _as_declared,
        "quota_aware": _least_used,
        "latency": _quickest,
    }
)
"""What each sorts the keys of one provider by; equal ones stay as declared."""
IN_TURN = frozenset({"round_robin"})
"""Those that go round among providers, and among a provider's keys."""


def _priority(view: RouteView) -> int:
    return view.route.provider.priority


def _by_headroom(view: RouteView) -> tuple[int, float, int]:
    return view.route.provider.priority, -view.headroom, view.in_flight


def _by_latency(view: RouteView) -> tuple[int, float, int]:
    known = view.latency
    return view.route.provider.priority, -math.inf if known is None else known, view.in_flight


def _rotated(items: list[T], by: int) -> list[T]:
    start = by % max(1, len(items))
    return items[start:] + items[:start]
