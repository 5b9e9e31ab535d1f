"""What a page about a key says of its quota; anything else says nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.wire.refusals.hints import Reading
from freelm_integrations.wire.requests.allowance import parse_allowance
from tests.wire.refusals import SAMPLES

DAY = 86_400.0


def page(**daily):
    return json.dumps({"data": {"label": "sk", "free_model_daily_requests": daily}}).encode()


@pytest.mark.parametrize(
    ("body", "readings"),
    [
        (page(limit=50, used=8, remaining=42), (Reading("requests", DAY, 50, 42),)),
        (page(limit=1000, used=1200, remaining=0), (Reading("requests", DAY, 1000, 0),)),
        (page(limit=50, used=8), (Reading("requests", DAY, 50, 42),)),
        (page(limit=50, used=80), (Reading("requests", DAY, 50, 0),)),
        (page(limit=50), (Reading("requests", DAY, 50),)),
        (page(remaining=3), (Reading("requests", DAY, None, 3),)),
        (page(limit=True, remaining="3"), ()),
        (page(limit=-1, remaining=-1), ()),  # what deprecated fields say
        (page(), ()),
        (b'{"data": {"label": "sk", "is_free_tier": true}}', ()),
        (b'{"error": {"message": "no such key"}}', ()),
        (b"<html>", ()),
        (b"", ()),
    ],
)
def test_the_day_is_read_where_it_is_told(body, readings):
    """Its limit and what is left of it, worked out where only the use is told."""
    assert parse_allowance(body) == readings


def test_the_recorded_page_is_read():
    """As OpenRouter sent it to an account that never bought credits (2026-09)."""
    page = (SAMPLES / "openrouter" / "key.json").read_bytes()

    assert parse_allowance(page) == (Reading("requests", DAY, 50, 42),)


@given(
    st.binary()
    | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(
        lambda value: json.dumps({"data": {"free_model_daily_requests": {"limit": value}}}).encode()
    )
)
def test_no_page_is_too_odd(body):
    """It is read unasked, so it must never fail."""
    for reading in parse_allowance(body):
        assert reading.limit is not None
        assert 0 <= reading.limit < float("inf")
