"""Refusals in words nobody recorded are told by the same mechanism, and not by what they quote."""

from __future__ import annotations

import pytest

from tests.wire.dialects import DECLARED, PLAIN
from tests.wire.unrecorded import (
    UTC,
    Case,
    accents,
    afterwards,
    codes,
    keys,
    quoted,
    relayed,
    requests,
    servers,
    waits,
)

EVERY = [
    *accents.CASES,
    *afterwards.CASES,
    *codes.CASES,
    *waits.CASES,
    *keys.CASES,
    *requests.CASES,
    *servers.CASES,
    *quoted.CASES,
    *relayed.CASES,
]


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_a_refusal_nobody_recorded_is_the_fault_the_table_says(case: Case):
    """Kind, scope, wait and parameter."""
    dialect = DECLARED.get(case.provider, PLAIN)
    fault = dialect.fault(case.status, case.headers or {}, case.content, utc=UTC)

    assert (fault.kind, fault.scope, fault.parameter) == (case.kind, case.scope, case.parameter)
    expected = case.retry_after
    assert fault.retry_after == (None if expected is None else pytest.approx(expected))
