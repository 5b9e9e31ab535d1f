"""What a forked child must not share with its parent: locks, files, connections, names."""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Renewable(Protocol):
    """What can begin anew in a child."""

    def begin_anew(self) -> None:
        """Forget what is the parent's, closing nothing; called while no other thread runs."""
        ...


_RENEWABLE: WeakSet[Renewable] = WeakSet()


def on_fork(one: Renewable) -> None:
    """Have it begin anew in every child that is forked while it lives."""
    _RENEWABLE.add(one)


def _after_fork() -> None:
    for one in list(_RENEWABLE):
        one.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
