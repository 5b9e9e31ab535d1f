"""What the engine gets out of limits, over a virtual clock, from providers that count themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from freelm_integrations.providers.spec import Limit
from tests.benchmarks.harvest import Field, World, fields, harvest, misdeclared
from tests.benchmarks.upstream import Upstream

ALDER = Field("alder", 1, 3, (Limit(30, per=60),))


def test_each_model_of_a_key_has_windows_of_its_own():
    """Three times thirty a minute are ninety, not thirty."""
    got = harvest([ALDER], 59.0, callers=90)

    assert (got.answered, got.refused) == (90, 0)


@pytest.mark.parametrize("processes", [1, 3])
def test_what_is_declared_is_had_in_full_and_nothing_is_refused(processes):
    """Also by processes that share their counts."""
    got = harvest(fields(), 180.0, processes=processes, callers=24)

    assert got.share >= 0.99
    assert got.refused == 0


@pytest.mark.parametrize("says", [True, False])
def test_limits_that_are_lower_than_declared_are_learned(says):
    """From refusals, whether or not they name the time to wait."""
    lower = replace(ALDER, told=(Limit(45, per=60),), says=says)

    got = harvest([lower], 1_800.0, callers=12)

    assert got.share >= 0.9
    assert got.wasted <= 0.03


def test_among_others_two_that_were_declared_too_high_cost_little():
    """A few refusals, while their ceilings are learned."""
    got = harvest(misdeclared(), 900.0)

    assert got.share >= 0.97
    assert got.wasted <= 0.03


def test_a_ceiling_that_was_learned_is_unlearned():
    """The provider had a bad quarter of an hour; an hour later all of it is had again."""
    bad = Field("elm", 1, 1, (Limit(10, per=60),), told=(Limit(30, per=60),))
    world = World(Upstream([bad.house]), callers=12)
    world.run(900.0)
    (book,) = (book for books in world.upstream.books.values() for book in books)
    book.limit = Limit(30, per=60)
    before = world.run(10_800.0).answered

    assert world.run(14_400.0).answered - before >= 0.99 * 60 * 30
