"""What refusals mean, as an ordered table: the first rule that fits says the kind and the scope.

From the providers' documentation and recorded traffic of 2026. Rules name a provider where only it
speaks so; the rest is general, because most endpoints are one of a few servers by another name.
"""

from __future__ import annotations

from freelm_integrations.wire.refusals.rule import Rule, rule
from freelm_integrations.wire.refusals.rules_access import ALLOWANCE, KEY, MONEY, WHOLE_PROVIDER
from freelm_integrations.wire.refusals.rules_request import (
    ABILITY,
    LENGTH,
    REQUEST_ITSELF,
    TOO_BIG,
    TOO_MUCH,
    WRITING,
)
from freelm_integrations.wire.refusals.rules_server import (
    BY_STATUS,
    BY_WORD,
    CAPACITY,
    MODEL,
    OWN_CAPS,
    QUOTA_IN_WORDS,
)

__all__ = ["OWN_CAPS", "RULES", "Rule", "rule"]

RULES: tuple[Rule, ...] = (
    *WHOLE_PROVIDER,
    *KEY,
    *MONEY,
    *QUOTA_IN_WORDS,
    *ALLOWANCE,
    *TOO_MUCH,
    *LENGTH,
    *TOO_BIG,
    *CAPACITY,
    *WRITING,
    *ABILITY,
    *MODEL,
    *REQUEST_ITSELF,
    *BY_STATUS,
    *BY_WORD,
)
