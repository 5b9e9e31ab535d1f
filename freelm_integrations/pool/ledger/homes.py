"""From an address to ledgers that can be asked.

For `memory` there are none: the pool alone counts. A file is asked from threads only: an asyncio
driver asks it in a worker thread, as opening and syncing it may take a while.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.pool.ledger.sqlite import SqliteLedger
from freelm_integrations.pool.ledger.steady import AsyncSteadyLedger, Steadiness, SteadyLedger

if TYPE_CHECKING:
    from freelm_integrations.pool.ledger.address import Address
    from freelm_integrations.pool.ledger.ledger import AsyncLedger, Ledger
    from freelm_integrations.pool.ledger.steady import Policy


class Homes:
    """The ledgers of one address; nothing is opened before it is asked.

    `policy` is what follows where it cannot be reached: by default, a file's users go on alone and
    a server's within their share.

    Raises:
        ImportError: The address needs an extra that is missing; names it.
    """

    def __init__(self, address: Address, *, policy: Policy | None = None) -> None:
        self.blocking: Ledger | None = None
        """For threads; None: nothing is shared."""
        self.native: AsyncLedger | None = None
        """For event loops; None: ask `blocking` in a worker thread, if there is one."""
        usual: Policy = "share" if address.kind == "redis" else "alone"
        steadiness = Steadiness(usual if policy is None else policy)
        if address.path is not None:
            self.blocking = SteadyLedger(SqliteLedger(address.path), steadiness)
        if address.url is not None:
            from freelm_integrations.pool.ledger.redis import (  # noqa: PLC0415 - loads asyncio
                AsyncRedisLedger,
                RedisLedger,
            )

            self.blocking = SteadyLedger(RedisLedger(address.url), steadiness)
            self.native = AsyncSteadyLedger(AsyncRedisLedger(address.url), steadiness)
