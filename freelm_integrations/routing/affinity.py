"""Who served a conversation last, so that it stays there while that is well.

A conversation that changes its model pays for it: prompt caches are left behind, signatures of
thinking are of no use elsewhere, and the style changes. So a call with a key goes first to the
model that answered the last one with that key: on the same account if that is ready, else on
another. A last resort is never stuck to.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freelm_integrations.pool.view import Route

KEPT = 10_000
"""So many conversations are remembered; past that the one silent for longest is forgotten."""


class Home(NamedTuple):
    """Where a conversation was served: ids of the provider and the model, and the key's account."""

    provider: str
    model: str
    account: str


class Affinity:
    """The homes of conversations, by their keys. Safe from any thread."""

    def __init__(self, kept: int = KEPT) -> None:
        """Know of none; remember `kept` at most."""
        self._kept = kept
        self._homes: OrderedDict[str, Home] = OrderedDict()
        self._lock = Lock()

    def home(self, conversation: str) -> Home | None:
        """Where it was served last; None for a new one."""
        return self._homes.get(conversation)

    def settle(self, conversation: str, route: Route) -> None:
        """It was served there."""
        with self._lock:
            self._homes[conversation] = Home(route.provider.id, route.model.id, route.key.account)
            self._homes.move_to_end(conversation)
            if len(self._homes) > self._kept:
                self._homes.popitem(last=False)


class _Affinities:
    """One for each place that clients share, while anybody holds that. Safe from any thread."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[object, Affinity] = WeakKeyDictionary()
        self._lock = Lock()

    def at(self, place: object) -> Affinity:
        with self._lock:
            return self._known.setdefault(place, Affinity())


_AFFINITIES = _Affinities()


def shared_affinity(place: object) -> Affinity:
    """The homes known to all clients of a place: a conversation may go through several of them."""
    return _AFFINITIES.at(place)


class Stay(NamedTuple):
    """One conversation's part in this.

    `best` is the priority of those asked before all others; who stands behind them is a last
    resort.
    """

    affinity: Affinity
    conversation: str
    best: int

    @property
    def home(self) -> Home | None:
        """Where it was served last."""
        return self.affinity.home(self.conversation)

    def settle(self, route: Route) -> None:
        """It was served there, and is at home there unless that was a last resort."""
        if route.provider.priority <= self.best:
            self.affinity.settle(self.conversation, route)


def at_home(routes: Iterable[Route], home: Home) -> list[Route]:
    """Those of the routes that are at home there, those of the same account first."""
    near = [
        route
        for route in routes
        if (route.provider.id, route.model.id) == (home.provider, home.model)
    ]
    return sorted(near, key=lambda route: route.key.account != home.account)
