"""The pools that clients share: one for a process and a place where counts are kept."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.pool.ledger.address import MEMORY
from freelm_integrations.pool.ledger.fork import on_fork
from freelm_integrations.pool.pool import Pool

if TYPE_CHECKING:
    from freelm_integrations.clock import Clock
    from freelm_integrations.pool.ledger.address import Address
    from freelm_integrations.pool.ledger.asking import Desk
    from freelm_integrations.pool.ledger.homes import Homes


class Place:
    """A pool, and the ledgers its counts are shared through; None: nothing is shared."""

    def __init__(self, address: Address, clock: Clock) -> None:
        self.homes: Homes | None = None
        self.desk: Desk | None = None
        if address != MEMORY:
            from freelm_integrations.pool.ledger.asking import Desk  # noqa: PLC0415 - loads asyncio
            from freelm_integrations.pool.ledger.homes import homes_at  # noqa: PLC0415 - loads them

            self.homes = homes_at(address)
            self.desk = Desk(self.homes, clock)
        outbox = None if self.homes is None else self.homes.outbox
        if outbox is None:
            self.pool = Pool(clock)
        else:
            from freelm_integrations.pool.ledger_pool import LedgerPool  # noqa: PLC0415 - loads it

            self.pool = LedgerPool(clock, outbox=outbox)


class _Places:
    """Safe from any thread."""

    def __init__(self) -> None:
        self._places: dict[Address, Place] = {}
        self.begin_anew()
        on_fork(self)

    def begin_anew(self) -> None:
        """Have a lock that nobody holds."""
        self._lock = Lock()

    def at(self, address: Address) -> Place:
        """The one of this address."""
        with self._lock:
            place = self._places.get(address)
            if place is None:
                place = self._places[address] = Place(address, SYSTEM_CLOCK)
            return place

    def forget(self) -> None:
        """Begin with new ones."""
        with self._lock:
            self._places.clear()


_PLACES = _Places()


def shared_place(address: Address = MEMORY) -> Place:
    """What the clients of this process share that name this address."""
    return _PLACES.at(address)


def shared_pool(address: Address = MEMORY) -> Pool:
    """The pool of that place."""
    return _PLACES.at(address).pool


def forget_shared() -> None:
    """Let go of all places: whoever still holds on to one goes on by himself."""
    _PLACES.forget()
