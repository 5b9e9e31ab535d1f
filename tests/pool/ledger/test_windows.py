"""The calendar that all who share a ledger have in common."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.pool.ledger.windows import back_at, same_until
from freelm_integrations.providers.spec import Reset

MOMENTS = st.floats(1.7e9, 2.0e9)
ODD = 1e-3
"""Seconds beside a step's end in which rounding may put a moment to either side."""


@given(utc=MOMENTS, share=st.floats(0, 1), per=st.sampled_from([1.0, 60.0, 3_600.0, 86_400.0]))
@pytest.mark.parametrize("resets", get_args(Reset))
def test_until_then_all_comes_back_at_one_moment_and_no_longer(resets, utc, share, per):
    until = same_until(resets, per, utc)
    within = utc + share * (until - utc - ODD)

    assert until >= utc
    if within > utc:
        assert back_at(resets, per, within) == pytest.approx(back_at(resets, per, utc), abs=ODD)
    assert back_at(resets, per, until + ODD) > back_at(resets, per, utc)
