"""From an address to ledgers that can be asked: one of each for a process.

For `memory` there are none: the pool alone counts.
"""

from __future__ import annotations

import weakref
from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.pool.ledger.outbox import Outbox
from freelm_integrations.pool.ledger.steady import AsyncSteadyLedger, Steadiness, SteadyLedger

if TYPE_CHECKING:
    from freelm_integrations.clock import Clock
    from freelm_integrations.pool.ledger.address import Address
    from freelm_integrations.pool.ledger.ledger import AsyncLedger, BatchLedger, Ledger
    from freelm_integrations.pool.ledger.steady import Policy


class Homes:
    """The ledgers of one address; nothing is opened before it is asked.

    `policy` is what follows where it cannot be reached, if the address does not say: by default, a
    file's users go on alone and a server's within their share.

    Raises:
        ImportError: The address needs an extra that is missing; names it.
    """

    def __init__(
        self, address: Address, *, policy: Policy | None = None, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self.blocking: BatchLedger | None = None
        """For threads; None: nothing is shared."""
        self.native: AsyncLedger | None = None
        """For event loops."""
        self.outbox: Outbox | None = None
        """For what is told without waiting."""
        usual: Policy = "share" if address.kind == "redis" else "alone"
        steadiness = Steadiness(address.absent or policy or usual)
        if address.path is not None:
            from freelm_integrations.pool.ledger.sqlite import SqliteLedger  # noqa: PLC0415 - loads sqlite3
            from freelm_integrations.pool.ledger.sqlite_async import (  # noqa: PLC0415
                AsyncSqliteLedger,
            )

            file = SqliteLedger(address.path)
            hasty = AsyncSqliteLedger(file, address.path)
            self.blocking = SteadyLedger(file, steadiness)
            self.native = AsyncSteadyLedger(hasty, steadiness)
            weakref.finalize(self, _close, file, hasty.hasty)
        if address.url is not None:
            from freelm_integrations.pool.ledger.redis import (  # noqa: PLC0415 - loads asyncio
                AsyncRedisLedger,
                RedisLedger,
            )

            self.blocking = SteadyLedger(RedisLedger(address.url), steadiness)
            self.native = AsyncSteadyLedger(AsyncRedisLedger(address.url), steadiness)
        if self.blocking is not None:
            self.outbox = Outbox(self.blocking, clock)


def homes_at(address: Address) -> Homes:
    """This process's ledgers of an address, the same for all who hold on to them.

    Raises:
        ImportError: It needs an extra that is missing.
    """
    with _LOCK:
        homes = _HOMES.get(address)
        if homes is None:
            homes = _HOMES[address] = Homes(address)
        return homes


_LOCK = Lock()
_HOMES: WeakValueDictionary[Address, Homes] = WeakValueDictionary()


def _close(*ledgers: Ledger) -> None:
    for ledger in ledgers:
        ledger.close()
