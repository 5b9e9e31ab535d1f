"""Keys whose counts move together are of one account; any others never look like it for long."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freelm_integrations.pool.ledger.memory import MemoryLedger
from freelm_integrations.pool.ledger_pool import LedgerPool
from freelm_integrations.pool.pool import Pool, Success
from freelm_integrations.pool.recognition import BELIEVED_FOR, ENOUGH
from freelm_integrations.providers.spec import DAY, Limit
from freelm_integrations.wire.faults import Fault
from freelm_integrations.wire.refusals.hints import Reading
from tests.fakes import FakeClock
from tests.pool.making import provider


class House:
    """A provider that counts by itself, and tells; `accounts`: whose each key really is."""

    def __init__(self, accounts: str, *, limit: float = 1_000, models=("owl",)):
        self.clock = FakeClock()
        self.pool = Pool(self.clock)
        self.limit = limit
        self.spec = provider(
            keys=len(accounts),
            models=models,
            limits=(Limit(limit, per=DAY, model="*"),),
        )
        self.accounts = accounts
        self.used = dict.fromkeys(accounts, 0)

    def route(self, key: int, model: int = 0):
        return self.pool.route(self.spec, self.spec.keys[key], self.spec.models[model])

    def begin(self, key: int, model: int = 0):
        return self.pool.lease(self.route(key, model), self.clock.now())

    def answer(self, lease) -> None:
        """Count it, tell what is left, and let a second pass."""
        marks = [key.fingerprint for key in self.spec.keys]
        key = marks.index(lease.route.key.fingerprint)
        self.used[self.accounts[key]] += 1
        left = self.limit - self.used[self.accounts[key]]
        self.clock.move(0.5)
        told = Reading("requests", DAY, self.limit, left, DAY - self.clock.now() % DAY)
        self.pool.settle(lease, Success(0.1), self.clock.now(), readings=(told,))
        self.clock.move(0.5)

    def ask(self, key: int, model: int = 0) -> None:
        self.answer(self.begin(key, model))

    def rows(self):
        return self.pool.snapshot(self.clock.now(), [self.spec])

    @property
    def known(self) -> int:
        """How many accounts the keys are taken to be."""
        return len({row.account for row in self.rows()})

    @property
    def is_known(self) -> bool:
        """Whether the keys are taken to be of the accounts they are of."""
        alike = {
            (row.account, truly) for row, truly in zip(self.rows(), self.accounts, strict=True)
        }
        return len(alike) == self.known == len(set(self.accounts))


@pytest.mark.parametrize("accounts", ["aa", "aaa", "aab", "aabb"])
def test_keys_of_one_account_are_recognised_within_a_few_answers(accounts):
    """However many share one, and beside others that do not."""
    house = House(accounts)
    for key in range((ENOUGH + 3) * len(accounts)):
        house.ask(key % len(accounts))

    assert house.is_known


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(["aa", "aaa", "aaaa", "abab", "abca"]), st.integers())
def test_keys_of_one_account_are_recognised_in_any_order(accounts, seed):
    """Whoever is asked when."""
    house, dice = House(accounts), random.Random(seed)
    for _ in range(len(accounts) ** 2 * 12 * ENOUGH):
        house.ask(dice.randrange(len(accounts)))
        if house.is_known:
            break

    assert house.is_known


def test_counts_in_lockstep_prove_nothing():
    """Two accounts of two keys each, asked in turn: which of them belong together nobody can say."""
    house = House("abab")
    for number in range(200):
        house.ask(number % 4)

    assert house.known == 4


@settings(deadline=None, max_examples=150)
@given(
    st.integers(2, 5),
    st.sampled_from((30, 200, 5_000)),
    st.floats(0.0, 0.9),
    st.integers(),
)
def test_keys_of_their_own_are_never_taken_for_one(count, limit, elsewhere, seed):
    """Also where each is used elsewhere as well, by chance."""
    house, dice = House("abcde"[:count], limit=limit), random.Random(seed)
    for _ in range(150):
        key = dice.randrange(count)
        if (lease := house.begin(key)) is None:
            break
        house.answer(lease)
        for name in house.used:
            if dice.random() < elsewhere:
                house.used[name] = min(limit, house.used[name] + dice.randint(1, 2))
        assert house.known == count


def joined() -> House:
    house = House("aa")
    for number in range(2 * ENOUGH + 4):
        house.ask(number % 2)
    assert house.known == 1
    return house


def test_what_is_left_of_a_joined_account_is_counted_once():
    """By either key; and what one takes, the other has no more."""
    house = joined()
    first, second = house.rows()
    (mine,), (other,) = first.windows, second.windows
    assert mine == other
    assert mine.remaining == house.limit - house.used["a"]

    lease = house.begin(0)
    assert house.rows()[1].windows[0].remaining == mine.remaining - 1
    house.pool.withdraw(lease, house.clock.now())


def test_a_belief_that_nothing_renews_lapses():
    """An hour later each counts for itself."""
    house = joined()
    assert sum(row.joined_for is not None for row in house.rows()) == 1
    house.clock.move(BELIEVED_FOR / 2)
    for number in range(4):
        house.ask(number % 2)
    house.clock.move(BELIEVED_FOR / 2 + 1)
    house.ask(0)
    assert house.known == 1

    house.clock.move(BELIEVED_FOR)
    house.ask(0)
    assert house.known == 2
    assert all(row.joined_for is None for row in house.rows())


def test_a_key_that_moves_to_an_account_of_its_own_is_parted_again():
    """Answers that do not fit end the belief."""
    house = joined()
    house.accounts = "ab"
    house.used["b"] = house.used["a"]
    for number in range(8):
        house.ask(number % 2)

    assert house.known == 2


def test_a_stated_account_takes_in_a_key_that_turns_out_to_be_of_it():
    """Its name is kept, where it has more keys."""
    house = House("aaa")
    stated = provider(keys=2, limits=house.spec.limits, account="one")
    lone = house.spec.keys[2]
    routes = [house.pool.route(stated, key, stated.models[0]) for key in stated.keys]
    routes.append(house.pool.route(house.spec, lone, house.spec.models[0]))
    for number in range(3 * ENOUGH + 6):
        house.answer(house.pool.lease(routes[number % 3], house.clock.now()))

    rows = house.pool.snapshot(house.clock.now(), [stated, house.spec])
    accounts = {row.fingerprint: row.account for row in rows if row.windows}
    assert set(accounts.values()) == {"one"}


def test_a_key_that_fails_begins_anew():
    """Its request may have been counted, or not."""
    house = House("aa")
    for number in range(6 * ENOUGH):
        house.ask(number % 2)
        if number % 5 == 4:
            lease = house.begin(0)
            fault = Fault(kind="malformed", status=400)
            house.pool.settle(lease, fault, house.clock.now())

    assert house.known == 1


def test_leases_that_are_open_when_accounts_join_are_settled_as_usual():
    """Nothing is lost or counted twice that the server tells of."""
    house = House("aa", models=("owl", "hen"))
    open_one = house.begin(1, model=1)
    for number in range(2 * ENOUGH + 4):
        house.ask(number % 2)
    assert house.known == 1
    house.answer(open_one)

    house.ask(0)
    house.ask(1)
    owl = [window for window in house.rows()[0].windows if window.model == "owl"]
    assert [window.remaining for window in owl] == [house.limit - house.used["a"]]


class Telling:
    """An outbox whose ledger hears everything at once."""

    def __init__(self, ledger: MemoryLedger, clock: FakeClock) -> None:
        self._ledger, self._clock = ledger, clock

    def before_flush(self, add) -> None:
        """It is never flushed."""

    def put(self, settlement, heed) -> None:
        heed(self._ledger.settle(settlement, self._clock.utc()))


def test_counts_that_are_shared_through_a_ledger_are_joined_alike():
    """Every claim is confirmed before and after, and none of them is lost."""
    house = House("aa")
    ledger = MemoryLedger()
    house.pool = pool = LedgerPool(house.clock, outbox=Telling(ledger, house.clock))
    for number in range(4 * ENOUGH):
        lease = house.begin(number % 2)
        claim = pool.claim(lease, house.clock.now())
        if claim is not None:
            answer = ledger.take(claim, house.clock.utc())
            assert pool.confirm(lease, answer, house.clock.now())
        house.answer(lease)

    assert house.known == 1
    (mine,), (other,) = (row.windows for row in house.rows())
    assert mine == other
    assert mine.remaining == house.limit - house.used["a"]
