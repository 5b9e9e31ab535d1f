"""What one process learns of a limit, the others go by, through every home; and one tries for all."""

from __future__ import annotations

import pytest

from freelm_integrations.pool.ceiling import TRUSTED_FOR
from freelm_integrations.pool.limit_marks import GRACE, NAMED_FOR
from freelm_integrations.pool.pool import Success
from freelm_integrations.providers.spec import Limit
from freelm_integrations.wire.faults import Fault
from freelm_integrations.wire.refusals.hints import Reading
from tests.fakes import FakeClock
from tests.pool.test_sharing import Sharer

REFUSED = Fault(kind="throttled", status=429, retry_after=0.0)
DECLARED, TRUE = 40, 20


@pytest.fixture
def pools(ledger):
    clock = FakeClock()
    limits = (Limit(DECLARED, per=60),)
    return clock, [Sharer(ledger, clock, limits) for _ in range(2)]


def find_ceiling(one: Sharer) -> None:
    """Take all that is let in, and be refused the next."""
    for _ in range(TRUE):
        lease = one.lease()
        assert lease is not None
        one.settle(lease, Success(0.1))
    lease = one.lease()
    assert lease is not None
    one.settle(lease, REFUSED)
    one.pool.give_back()
    one.tell()


def hear(one: Sharer) -> None:
    one.pool.look(one.provider, one.provider.models, lambda q: one.ledger.look(q, one.clock.utc()))


def row(one: Sharer):
    ((window,),) = (key.windows for key in one.pool.snapshot(one.clock.now(), [one.provider]))
    return window


def test_a_ceiling_is_known_to_others_with_its_moment_and_whence(pools):
    """Without a refusal of their own."""
    clock, (one, other) = pools
    learned_at = clock.utc()
    find_ceiling(one)
    clock.move(5)

    hear(other)

    assert (row(one).limit, row(one).source, row(one).is_heard) == (TRUE, "learned", False)
    assert (row(other).limit, row(other).source, row(other).is_heard) == (TRUE, "learned", True)
    assert row(one).learned_at == row(other).learned_at == pytest.approx(learned_at)


def test_a_process_that_begins_later_knows_it_too(pools):
    """Nothing is burned again."""
    clock, (one, _) = pools
    find_ceiling(one)
    clock.move(90)

    third = Sharer(one.ledger, clock, (Limit(DECLARED, per=60),))
    hear(third)

    assert row(third).limit == TRUE


def test_whoever_found_it_tries_more_for_all(pools):
    """The others go along when they hear of it, and do not try by themselves before."""
    clock, (one, other) = pools
    find_ceiling(one)
    hear(other)
    clock.move(TRUSTED_FOR + 1)

    waiting = other.lease()
    assert waiting is not None
    assert row(other).limit == TRUE
    lease = one.lease()
    assert lease is not None
    one.settle(lease, Success(0.1))
    one.pool.give_back()
    one.tell()
    hear(other)

    assert row(one).limit == row(other).limit == TRUE * 1.25
    other.settle(waiting, Success(0.1))


def test_where_that_one_is_gone_another_tries(pools):
    """A little later."""
    clock, (one, other) = pools
    find_ceiling(one)
    hear(other)
    clock.move(TRUSTED_FOR + GRACE + 1)

    lease = other.lease()
    assert lease is not None

    assert row(other).limit == TRUE * 1.25
    assert not row(other).is_heard
    other.settle(lease, Success(0.1))


def test_a_ceiling_that_was_outgrown_holds_for_nobody(pools):
    """All go by what is declared again."""
    clock, (one, other) = pools
    find_ceiling(one)
    hear(other)
    for _ in range(6):
        clock.move(TRUSTED_FOR + 1)
        lease = one.lease()
        assert lease is not None
        one.settle(lease, Success(0.1))
        one.pool.give_back()
        one.tell()
    hear(other)

    for each in (one, other):
        assert (row(each).limit, row(each).source) == (DECLARED, "declared")
        assert row(each).learned_at is None


def test_a_limit_that_a_server_named_is_forgotten_in_time(pools):
    """Unless it is named again: a day later nobody who begins goes by it."""
    clock, (one, other) = pools
    lease = one.lease()
    assert lease is not None
    said = Reading(unit="requests", per=60.0, limit=25.0, remaining=24.0, resets_after=60.0)
    one.pool.settle(lease, Success(0.1), clock.now(), readings=(said,))
    one.tell()
    hear(other)
    assert (row(other).limit, row(other).source) == (25, "header")

    clock.move(NAMED_FOR + 1)
    late = Sharer(one.ledger, clock, (Limit(DECLARED, per=60),))
    hear(late)

    assert (row(late).limit, row(late).source) == (DECLARED, "declared")


def test_what_a_provider_says_of_a_key_unasked_is_told(pools):
    """As the quota probe beside the list of models: what it says is used, and of how many."""
    clock, (one, other) = pools
    (key,) = one.provider.keys
    said = Reading(unit="requests", per=60.0, limit=30.0, remaining=10.0, resets_after=50.0)
    one.pool.hear(one.provider, key, (said,), clock.now())
    one.tell()

    hear(other)

    assert (row(other).limit, row(other).remaining, row(other).source) == (30, 10, "header")
    assert row(other).is_heard
