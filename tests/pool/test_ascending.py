"""Values kept in order by blocks: compared with a list that is sorted anew each time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.pool import ascending
from freelm_integrations.pool.ascending import Ascending

numbers = st.integers(0, 60)
BELOW_ALL, ABOVE_ALL = (-1,), (61,)


@pytest.fixture(autouse=True, scope="module")
def small_blocks():
    """So that a few dozen values make many of them."""
    plain, ascending.BLOCK = ascending.BLOCK, 4
    yield
    ascending.BLOCK = plain


def play(moves: list[int]) -> tuple[Ascending[tuple[int]], list[tuple[int]]]:
    """Whoever is there leaves, whoever is not comes."""
    kept: Ascending[tuple[int]] = Ascending()
    plain: set[tuple[int]] = set()
    for number in moves:
        value = (number,)
        if value in plain:
            plain.remove(value)
            kept.remove(value)
        else:
            plain.add(value)
            kept.add(value)
        assert list(kept) == sorted(plain)
        assert len(kept) == len(plain)
    return kept, sorted(plain)


@given(st.lists(numbers, max_size=200), st.integers(-1, 61))
def test_whatever_comes_and_goes_it_is_in_order(moves, bound):
    """Gone through from anywhere, and counted below any bound."""
    kept, plain = play(moves)
    start = (bound,)

    assert list(kept.starting(start)) == [
        *(value for value in plain if value >= start),
        *(value for value in plain if value < start),
    ]
    for count in (1, 3, 10, 40):
        below = sum(value < start for value in plain)
        assert kept.has_below(start, count=count) == (below >= count)


@pytest.mark.parametrize("order", [range(60), range(59, -1, -1)])
def test_blocks_stay_neither_long_nor_many(order):
    """However they were filled and emptied."""
    kept, _ = play(list(order))
    assert max(len(block) for block in kept._blocks) < 2 * ascending.BLOCK

    for number in range(1, 60, 2):
        kept.remove((number,))
    for number in range(0, 56, 2):
        kept.remove((number,))

    assert list(kept) == [(56,), (58,)]
    assert len(kept._blocks) == 1


@pytest.mark.parametrize("start", [BELOW_ALL, ABOVE_ALL])
def test_from_either_end_all_of_them_come_once(start):
    """Also where nothing is there."""
    kept, plain = play([5, 3, 9])

    assert list(kept.starting(start)) == plain
    assert list(Ascending().starting(start)) == []
