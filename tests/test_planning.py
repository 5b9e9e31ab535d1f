"""Whether so many calls fit before midnight, and when they could be made."""

from __future__ import annotations

import json

import pytest

from freelm_integrations import ConfigError, FreeLLM, Groq, Limit
from freelm_integrations.capacity import Capacity
from tests.fakes import MIDDAY


def row(limit, *, unit="requests", per=60.0, model="owl", resets="rolling", left=None, back=None):
    return {
        "provider": "acme",
        "model": model,
        "unit": unit,
        "per": per,
        "resets": resets,
        "limit": limit,
        "remaining": limit if left is None else left,
        "resets_after": back,
        "accounts": 1,
        "source": "declared",
    }


DAYS = row(1_000, per=86_400.0, resets="utc_day")


@pytest.mark.parametrize(
    ("rows", "calls", "possible", "done_after"),
    [
        ([row(30)], 30, 30, 0),
        ([row(30)], 31, 31, 60),
        ([row(30)], 100, 100, 180),
        ([row(30), row(20, model="elk")], 100, 100, 60),
        ([row(30), row(40, model=None)], 60, 60, 60),
        ([row(30), row(20, model="elk"), row(40, model=None)], 90, 90, 120),
        ([row(30), row(4_000, unit="tokens")], 4, 4, 60),
        ([row(30), DAYS], 1_001, 1_000, None),
        ([row(30, left=10, back=12.0)], 30, 30, 12),
        ([row(30), {**DAYS, "remaining": 5, "resets_after": 43_200.0}], 6, 5, None),
        ([row(0)], 1, 0, None),
        ([], 1, 0, None),
    ],
)
def test_calls_are_made_as_soon_as_windows_let_them(rows, calls, possible, done_after):
    """Every model at once, each within its own windows and those all models share."""
    found = Capacity(rows, MIDDAY).plan(calls, tokens_each=2_000)

    assert (found.possible, found.done_after) == (possible, done_after)
    assert found.fits is (done_after is not None)
    assert sum(step.calls for step in found.steps) == possible


def test_midnight_is_where_a_day_ends_unless_another_end_is_given():
    """A window that resets before it counts once more."""
    day = row(100, per=86_400.0, resets="pacific_day")  # resets at 08:00 UTC in winter

    assert Capacity([day], MIDDAY).plan(150).possible == 100
    assert Capacity([day], MIDDAY).plan(150, within=86_400).possible == 150
    assert Capacity([day], MIDDAY).plan(150).within == 43_200


def test_a_plan_reads_as_a_verdict_and_says_what_it_goes_by():
    """In words, and as JSON."""
    found = Capacity([row(30), DAYS], MIDDAY).plan(1_200, tokens_each=100)

    assert str(found).startswith("1000 of 1200 calls fit into the next 12.0 hours")
    assert "after     60 s: 30 by acme owl" in str(found)
    assert json.loads(json.dumps(found.to_dict()))["fits"] is False
    assert {one["source"] for one in found.based_on} == {"declared"}


@pytest.mark.parametrize(
    "wrong", [{"calls": 0}, {"calls": 1, "tokens_each": -1}, {"calls": 1, "within": 0}]
)
def test_what_makes_no_sense_is_refused(wrong):
    """Before anything is reckoned."""
    with pytest.raises(ConfigError, match="a plan takes"):
        Capacity([row(30)], MIDDAY).plan(**wrong)


def test_a_client_plans_with_what_it_has_left():
    """The rows of its capacity."""
    provider = Groq("k", models=["owl"], limits=[Limit(30, per=60), Limit(1_000, per=86_400)])
    with FreeLLM(providers=[provider], share=False) as client:
        assert client.capacity().plan(calls=400, tokens_each=2_000, within=3_600).fits
        assert not client.capacity().plan(calls=1_100, within=3_600).fits


def test_a_plan_says_which_figures_are_not_our_own():
    """Whence, since when, and whether another process told of it."""
    learned = {**row(20), "source": "learned", "learned_at": MIDDAY - 300, "is_heard": True}
    named = {
        **row(50, model="elk"),
        "source": "header",
        "learned_at": MIDDAY - 300,
        "is_heard": False,
    }

    said = str(Capacity([learned, named, row(30, model="fox")], MIDDAY).plan(10))

    assert "acme owl: 20 requests in 60 s (learned from refusals 5 minutes ago, told by" in said
    assert "acme elk: 50 requests in 60 s (the server's word 5 minutes ago)" in said
    assert "fox: 30" not in said
