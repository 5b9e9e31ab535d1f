"""Pools that share a ledger: together they take no more than a limit, and none of it is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.chat import Usage
from freelm_integrations.pool.ledger.claim import Granted, Question
from freelm_integrations.pool.ledger.memory import MemoryLedger
from freelm_integrations.pool.ledger_pool import LedgerPool
from freelm_integrations.pool.pool import Abandoned, Success
from freelm_integrations.providers.spec import Limit
from freelm_integrations.wire.faults import Fault
from tests.fakes import FakeClock
from tests.pool.making import only_route, provider

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freelm_integrations.pool.pool import Lease, Outcome


class Tray:
    """An outbox that is emptied by hand."""

    def __init__(self) -> None:
        self.letters: list = []

    def before_flush(self, add) -> None: ...

    def put(self, settlement, heed) -> None:
        self.letters.append((settlement, heed))


class Sharer:
    """One process's pool over a ledger that all have in common."""

    def __init__(self, ledger: MemoryLedger, clock: FakeClock, limits: Sequence[Limit]) -> None:
        self.ledger, self.clock, self.tray = ledger, clock, Tray()
        self.pool = LedgerPool(clock, outbox=self.tray)
        self.provider = provider(limits=limits)
        self.route = only_route(self.pool, self.provider)
        self.asked = 0
        self.denied = 0

    def lease(self, tokens: int = 10) -> Lease | None:
        """Leave that all agree to, or None."""
        while (lease := self.pool.lease(self.route, self.clock.now(), tokens=tokens)) is not None:
            claim = self.pool.claim(lease, self.clock.now())
            if claim is None:
                return lease
            self.asked += 1
            answer = self.ledger.take(claim, self.clock.utc())
            if self.pool.confirm(lease, answer, self.clock.now()):
                assert isinstance(answer, Granted)
                return lease
            self.denied += 1
        return None

    def settle(self, lease: Lease, outcome: Outcome, used: int | None = None) -> None:
        usage = None if used is None else Usage(used, 0, used)
        self.pool.settle(lease, outcome, self.clock.now(), usage=usage)

    def tell(self) -> None:
        for settlement, heed in self.tray.letters:
            heed(self.ledger.settle(settlement, self.clock.utc()))
        self.tray.letters.clear()

    def counts(self) -> list[float]:
        names = [
            str(window.name) for window in self.pool._register.seats[self.route].state.quota.windows
        ]
        question = Question(writer="test", provider=self.provider.id, windows=tuple(names))
        return [count.used for count in self.ledger.look(question, self.clock.utc()).counts]


def sharers(count: int, *limits: Limit) -> tuple[FakeClock, list[Sharer]]:
    clock, ledger = FakeClock(), MemoryLedger()
    return clock, [Sharer(ledger, clock, limits) for _ in range(count)]


def test_several_leases_worth_is_claimed_at_once_by_whoever_is_in_a_hurry():
    """And what is not used of it is given back."""
    _, (one,) = sharers(1, Limit(100_000), Limit(10_000_000, "tokens"))

    for _ in range(60):
        lease = one.lease()
        assert lease is not None
        one.settle(lease, Success(0.1), used=7)
    assert one.asked <= 6
    one.pool.give_back()
    one.tell()

    assert one.counts() == [60, 420]


def test_bursts_with_pauses_between_ask_for_what_the_last_one_took():
    """After a longer pause nobody knows any more what will be wanted."""
    clock, (one,) = sharers(1, Limit(1_000_000))

    def asked(leases: int) -> int:
        before = one.asked
        for _ in range(leases):
            lease = one.lease()
            assert lease is not None
            one.settle(lease, Success(0.1))
        return one.asked - before

    first = asked(20)
    clock.move(0.5)
    later = []
    for _ in range(6):
        later.append(asked(20))
        clock.move(0.5)
    clock.move(1.0)

    assert first == 5
    assert later == [1] * 6
    assert asked(20) == first


def test_leases_that_are_open_at_once_are_told_of_together():
    """What those of one claim have not used is given back when the last of them is settled."""
    _, (one,) = sharers(1, Limit(100_000), Limit(10_000_000, "tokens"))

    leases = [one.lease() for _ in range(64)]
    for lease in leases:
        assert lease is not None
        one.settle(lease, Success(0.1), used=7)
    assert len(one.tray.letters) <= 7
    one.pool.give_back()
    one.tell()

    assert one.counts() == [64, 7 * 64]


def test_a_lease_that_lasts_does_not_keep_back_what_others_left():
    """After a while the rest is given back without it."""
    clock, (one,) = sharers(1, Limit(100_000), Limit(10_000_000, "tokens"))

    leases = [one.lease() for _ in range(31)]
    for lease in leases[:-1]:
        assert lease is not None
        one.settle(lease, Success(0.1), used=7)
    clock.move(2.0)
    leases.append(one.lease())
    clock.move(2.0)
    leases.append(one.lease())
    one.tell()
    assert one.counts() == [33, 7 * 30 + 10 * 3]

    for lease in leases[-3:]:
        assert lease is not None
        one.settle(lease, Success(0.1), used=7)
    one.pool.give_back()
    one.tell()
    assert one.counts() == [33, 7 * 33]


def test_nothing_is_claimed_in_advance_where_little_is_left_or_nobody_hurries():
    """Others would go short of it, or it would be for nothing."""
    clock, (scarce,) = sharers(1, Limit(100))
    for _ in range(20):
        assert scarce.lease() is not None
    assert scarce.asked == 20
    assert scarce.counts() == [20]

    clock, (slow,) = sharers(1, Limit(1_000_000))
    for _ in range(20):
        assert slow.lease() is not None
        clock.move(0.3)
    assert slow.asked == 20


def test_a_window_that_others_have_filled_is_not_asked_for_again():
    """One denial tells of it; when a part is back, the ledger is asked once more."""
    clock, (one, other) = sharers(2, Limit(3))
    for _ in range(3):
        assert one.lease() is not None

    assert [other.lease() for _ in range(5)] == [None] * 5
    assert other.denied == 1
    ready_at = other.pool.ready_at([other.route], clock.now())
    clock.move(ready_at - clock.now() + 0.01)
    assert other.lease() is not None


def test_only_one_of_all_probes_a_breaker():
    """The other waits until the probe is settled, and hears how it ended."""
    clock, (one, other) = sharers(2, Limit(1_000))
    for _ in range(3):
        one.settle(one.lease(), Fault(kind="server_error"))
    one.tell()
    assert other.lease() is None
    clock.move(10)

    probe = one.lease()

    assert probe is not None
    assert probe.is_probe
    assert other.lease() is None
    one.settle(probe, Success(0.1))
    one.tell()
    clock.move(2)
    assert other.lease() is not None


def test_a_lease_that_is_void_leaves_no_trace():
    """What was taken here for a claim that was denied, or never answered, is given back."""
    clock, (one,) = sharers(1, Limit(5), Limit(100, "tokens"))
    lease = one.pool.lease(one.route, clock.now(), tokens=10)

    one.pool.withdraw(lease, clock.now())

    (row,) = one.pool.snapshot(clock.now())
    assert [window.remaining for window in row.windows] == [5, 100]
    assert row.in_flight == 0


class Books:
    """What a provider would count."""

    def __init__(self) -> None:
        self.leases: list[tuple[Sharer, Lease]] = []
        self.taken = 0
        self.tokens = 0.0

    def lease(self, one: Sharer, tokens: int) -> None:
        lease = one.lease(tokens)
        if lease is not None:
            self.leases.append((one, lease))
            self.taken += 1
            self.tokens += lease.taken[1][2]

    def close(self, how: str, size: int) -> None:
        one, lease = self.leases.pop(size % len(self.leases))
        took = lease.taken[1][2]
        if how == "settle":
            used = min(size, int(took))
            one.settle(lease, Success(0.1), used=used)
            self.tokens -= took - used
        elif how == "drop":
            one.settle(lease, Abandoned())
        else:
            one.settle(lease, Fault(kind="unreachable"))
            self.taken -= 1
            self.tokens -= took
            one.pool.readmit(one.provider, one.provider.keys[0])


MOVES = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["lease", "lease", "lease", "settle", "drop", "fail", "tell", "wait"]),
        st.integers(1, 30),
    ),
    max_size=120,
)


@given(MOVES, st.sampled_from([5, 400, 100_000]))
def test_whatever_happens_no_more_is_taken_than_the_limit_and_nothing_is_lost(moves, limit):
    """Three pools over one ledger, with leases, settlements and news in any order."""
    clock, all_ = sharers(3, Limit(limit, per=1e6), Limit(limit * 10, "tokens", per=1e6))
    books = Books()
    for number, move, size in moves:
        if move == "lease":
            books.lease(all_[number], size)
        elif move == "tell":
            all_[number].tell()
        elif move == "wait":
            clock.move(size / 100)
        elif books.leases:
            books.close(move, size)
        assert books.taken <= limit
        assert books.tokens <= limit * 10

    for one in all_:
        one.pool.give_back()
        one.tell()
    assert all_[0].counts() == pytest.approx([books.taken, books.tokens])
