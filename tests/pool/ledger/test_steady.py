"""A ledger whose home comes and goes: by policy it goes on or says so, and what it owes is told."""

from __future__ import annotations

import asyncio
import logging

import pytest
from pydantic import SecretStr

from freelm_integrations.errors import LedgerUnavailable
from freelm_integrations.pool.ledger.claim import Denied, Granted, Mark
from freelm_integrations.pool.ledger.ledger import HomeFailed
from freelm_integrations.pool.ledger.memory import MemoryLedger
from freelm_integrations.pool.ledger.steady import AsyncSteadyLedger, Steadiness, SteadyLedger
from tests.pool.ledger.claims import MIDDAY, claim, draw, fill, look, settlement, used
from tests.turns import turn

LATER = MIDDAY + 6


class Home:
    """A home in memory that can be taken away: before it hears, or before it can answer."""

    def __init__(self, *, workers: int = 1) -> None:
        self.ledger, self.workers = MemoryLedger(), workers
        self.is_away = self.is_mute = False
        self.asked = 0
        self.told: list[str] = []

    def _ask(self, command, asked, utc):
        self.asked += 1
        if self.is_away:
            raise HomeFailed("no home")
        if command == "settle" and asked.id in self.told:
            return look(self.ledger)
        said = getattr(self.ledger, command)(asked, utc)
        if command == "settle":
            self.told.append(asked.id)
        if self.is_mute:
            raise HomeFailed("no answer")
        if isinstance(said, Granted):
            return Granted(said.news._replace(workers=self.workers))
        return said

    def take(self, asked, utc):
        return self._ask("take", asked, utc)

    def settle(self, asked, utc):
        return self._ask("settle", asked, utc)

    def look(self, asked, utc):
        return self._ask("look", asked, utc)

    def close(self):
        self.is_away = True


class AsyncHome(Home):
    """The same for a loop."""

    async def take(self, asked, utc):
        return self._ask("take", asked, utc)

    async def settle(self, asked, utc):
        return self._ask("settle", asked, utc)

    async def look(self, asked, utc):
        return self._ask("look", asked, utc)


class FromLoop:
    """The asyncio driver, asked from a test."""

    def __init__(self, home, steadiness):
        self._ledger = AsyncSteadyLedger(home, steadiness)

    def take(self, asked, utc):
        return asyncio.run(self._ledger.take(asked, utc))

    def settle(self, asked, utc):
        return asyncio.run(self._ledger.settle(asked, utc))

    def look(self, asked, utc):
        return asyncio.run(self._ledger.look(asked, utc))


@pytest.fixture(params=["from a thread", "from a loop"])
def make(request):
    """A home and the ledger in front of it, for a policy."""

    def of(policy, **options):
        if request.param == "from a thread":
            home = Home(**options)
            return home, SteadyLedger(home, Steadiness(policy))
        home = AsyncHome(**options)
        return home, FromLoop(home, Steadiness(policy))

    return of


def test_while_the_home_answers_it_is_the_home(make):
    """To the letter."""
    home, ledger = make("alone")

    assert fill(ledger, limit=3) == 3
    assert used(ledger) == used(home.ledger) == 3


def test_alone_it_grants_what_the_pool_granted(make, caplog):
    """With one warning, and without counts to correct by."""
    home, ledger = make("alone")
    fill(ledger, limit=2)
    home.is_away = True

    for _ in range(5):
        answer = ledger.take(claim(draw(limit=2)), MIDDAY)
        assert isinstance(answer, Granted)
        assert answer.news.counts == ()
    assert [one.levelno for one in caplog.records] == [logging.WARNING]


def test_by_share_all_workers_together_stay_within_the_limit(make):
    """A fourth of it, of which this one has used a part already."""
    home, ledger = make("share", workers=4)
    for _ in range(2):
        ledger.take(claim(draw(limit=20)), MIDDAY)
    home.is_away = True

    assert fill(ledger, limit=20) == 3
    denied = ledger.take(claim(draw(limit=20)), MIDDAY)
    assert isinstance(denied, Denied)
    assert denied.ready_at > MIDDAY
    assert fill(ledger, limit=20, utc=MIDDAY + 61) == 5


def test_by_share_one_request_at_a_time_always_goes(make):
    """Never blocked for ever, however small the share."""
    home, ledger = make("share", workers=40)
    ledger.take(claim(draw("other")), MIDDAY)
    home.is_away = True

    assert fill(ledger, limit=2) == 1


def test_by_the_strict_policy_it_says_so(make):
    """A claim raises; a settlement never does, and is owed."""
    home, ledger = make("raise")
    one = claim(draw("tpm", 50, 100))
    granted = ledger.take(one, MIDDAY)
    home.is_away = True

    with pytest.raises(LedgerUnavailable):
        ledger.take(claim(draw()), MIDDAY)
    ledger.settle(settlement(one, granted, used=10), MIDDAY)
    home.is_away = False
    assert used(ledger, "tpm", utc=LATER) == 10


def test_what_was_taken_and_learned_meanwhile_is_merged(make):
    """As it was used, before anything else is asked."""
    home, ledger = make("alone")
    before = claim(draw("tpm", 50, 1000))
    granted = ledger.take(before, MIDDAY)
    home.is_away = True
    ledger.take(claim(draw()), MIDDAY)
    meanwhile = claim(draw("tpm", 100, 1000))
    ledger.take(meanwhile, MIDDAY)
    ledger.settle(settlement(meanwhile, None, used=70), MIDDAY)
    mark = Mark("key", "rest", "throttled", MIDDAY + 600, MIDDAY + 600)
    ledger.settle(settlement(before, granted, mark, used=20), MIDDAY)
    home.is_away = False

    denied = ledger.take(claim(draw(limit=1, utc=LATER)), LATER)

    assert isinstance(denied, Denied)
    assert used(home.ledger, "tpm") == 90
    assert look(home.ledger, writer="another").marks == (mark,)


def test_an_answer_lost_on_the_way_counts_once(make):
    """It is told again under the same id, and recognised."""
    home, ledger = make("alone")
    one = claim(draw("tpm", 50, 1000))
    granted = ledger.take(one, MIDDAY)
    home.is_mute = True
    ledger.settle(settlement(one, granted, used=80), MIDDAY)
    home.is_mute = False

    assert used(ledger, "tpm", utc=LATER) == 80


def test_told_too_late_to_be_recognised_it_only_adds(make):
    """Too much counted costs a little quota; too little, a refusal."""
    home, ledger = make("alone")
    less, more = claim(draw("tpd", 50, 1000)), claim(draw("tpd", 50, 1000))
    day = [one.draws[0]._replace(back_at=MIDDAY + 9000) for one in (less, more)]
    less, more = (claim(one) for one in day)
    first, second = ledger.take(less, MIDDAY), ledger.take(more, MIDDAY)
    home.is_mute = True
    ledger.settle(settlement(less, first, used=10), MIDDAY)
    home.is_mute, home.is_away = False, True
    ledger.settle(settlement(more, second, used=60), LATER)
    home.is_away, home.told = False, []

    assert used(ledger, "tpd", utc=MIDDAY + 2000) == 70  # 10 heard at once, 60 told late


def test_a_home_that_is_away_is_left_alone(make):
    """One asks every few seconds; a clock set back does not keep it away for ever."""
    home, ledger = make("alone")
    home.is_away = True
    for moment in (MIDDAY, MIDDAY + 1, MIDDAY + 4.9):
        ledger.take(claim(draw(utc=moment)), moment)
    assert home.asked == 1

    ledger.take(claim(draw(utc=LATER)), LATER)
    assert home.asked == 2
    ledger.take(claim(draw(utc=MIDDAY - 3600)), MIDDAY - 3600)
    assert home.asked == 3


def test_the_warning_comes_again_after_it_was_back(make, caplog):
    """A second outage is news."""
    home, ledger = make("alone")
    for moment in (MIDDAY, LATER, LATER + 6):
        home.is_away = not home.is_away
        ledger.take(claim(draw(utc=moment)), moment)

    assert sum(one.levelno == logging.WARNING for one in caplog.records) == 2


def test_debts_that_have_come_back_are_not_kept(make):
    """However long it is away."""
    home, ledger = make("alone")
    home.is_away = True
    for number in range(50):
        moment = MIDDAY + 100 * number
        ledger.take(claim(draw(utc=moment)), moment)
    home.is_away = False
    used(ledger, utc=moment + 100)

    assert home.told == []
    assert used(home.ledger, utc=moment + 100) == 0


async def test_a_cancelled_settlement_is_told_later():
    """The task died while it waited; the lease's correction did not."""
    home = AsyncHome()
    ledger = AsyncSteadyLedger(home, Steadiness("alone"))
    one = claim(draw("tpm", 50, 1000))
    granted = await ledger.take(one, MIDDAY)
    forever = asyncio.Event()

    async def silent(asked, utc):
        await forever.wait()

    answering, home.settle = home.settle, silent
    task = asyncio.create_task(ledger.settle(settlement(one, granted, used=10), MIDDAY))
    await turn()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    home.settle = answering
    await ledger.take(claim(draw()), MIDDAY)

    assert used(home.ledger, "tpm") == 10


class TestRealRedis:
    """The same with a server that is killed and started again."""

    def ledger(self, server):
        from freelm_integrations.pool.ledger.redis import RedisLedger

        home = RedisLedger(server.url)
        return SteadyLedger(home, Steadiness("share"))

    def test_gone_and_back(self, mortal_redis):
        """A restarted server has forgotten the scripts as well."""
        ledger = self.ledger(mortal_redis)
        assert fill(ledger, limit=4) == 4
        mortal_redis.stop()
        assert fill(ledger, limit=6) == 2  # alone, so all of it is its share
        mortal_redis.start()

        assert used(ledger, utc=LATER) == 2  # what the server itself forgot is gone
        assert isinstance(ledger.take(claim(draw(limit=3, utc=LATER)), LATER), Granted)
        ledger.close()

    def test_a_server_that_cannot_be_reached_at_all(self, mortal_redis, caplog):
        """The warning says what happened and shows no password."""
        from freelm_integrations.pool.ledger.redis import RedisLedger

        mortal_redis.stop()
        url = SecretStr(f"redis://user:hunter2@127.0.0.1:{mortal_redis.port}/0")
        ledger = SteadyLedger(RedisLedger(url), Steadiness("share"))

        assert isinstance(ledger.take(claim(draw()), MIDDAY), Granted)
        (record,) = caplog.records
        assert "Redis cannot be asked" in record.getMessage()
        assert "hunter2" not in caplog.text

    def test_every_key_expires(self, mortal_redis):
        """Nothing is left for ever."""
        import redis

        ledger = self.ledger(mortal_redis)
        one = claim(draw(), probe="key")
        granted = ledger.take(one, MIDDAY)
        ledger.settle(settlement(one, granted, Mark("key", "latency", "1", LATER)), MIDDAY)
        ledger.take(claim(draw(), probe="other"), MIDDAY)
        ledger.close()
        with redis.Redis(port=mortal_redis.port) as client:
            ages = {key: client.pttl(key) for key in client.scan_iter()}

        assert len(ages) >= 6
        assert all(age > 0 for age in ages.values())
        assert all(b"{acme}" in key for key in ages)

    def test_scripts_that_the_server_lost_are_loaded_again(self, mortal_redis):
        """`SCRIPT FLUSH`, a failover to a replica."""
        import redis

        ledger = self.ledger(mortal_redis)
        fill(ledger, limit=1)
        with redis.Redis(port=mortal_redis.port) as client:
            client.script_flush()

        assert used(ledger) == 1
        ledger.close()

    def test_one_round_trip_a_command(self, mortal_redis):
        """Once the scripts are known."""
        import redis

        ledger = self.ledger(mortal_redis)
        one = claim(draw())
        granted = ledger.take(one, MIDDAY)
        ledger.settle(settlement(one, granted), MIDDAY)
        with redis.Redis(port=mortal_redis.port) as client:
            client.config_resetstat()
            granted = ledger.take(claim(draw()), MIDDAY)
            ledger.settle(settlement(claim(draw()), granted), MIDDAY)
            calls = {name: row["calls"] for name, row in client.info("commandstats").items()}
        ledger.close()

        assert calls["cmdstat_evalsha"] == 2
        assert "cmdstat_eval" not in calls
