"""Whatever is asked of them, all homes answer alike, and like the pool's own window."""

from __future__ import annotations

import math
import tempfile
from itertools import count
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from freelm_integrations.pool.ledger.claim import Claim, Correction, Draw, Granted, Mark, Said
from freelm_integrations.pool.ledger.claim import Settlement as Told
from freelm_integrations.pool.ledger.memory import MemoryLedger
from freelm_integrations.pool.ledger.page import Page
from freelm_integrations.pool.ledger.redis import RedisLedger
from freelm_integrations.pool.ledger.sqlite import SqliteLedger
from freelm_integrations.pool.ledger.windows import back_at, window_id
from freelm_integrations.pool.window import Window
from freelm_integrations.providers.spec import Limit
from tests.fakes import FakeClock
from tests.pool.ledger.claims import MIDDAY
from tests.pool.ledger.conftest import fresh_prefix

_IDS = count()
AMOUNTS = st.integers(0, 12)
MARKS = st.builds(
    Mark,
    subject=st.sampled_from(["key", "model"]),
    fact=st.sampled_from(["rest", "breaker", "latency"]),
    value=st.sampled_from([None, "", "x"]),
    until=st.sampled_from([MIDDAY + 1e6, math.inf]),  # when exactly one is forgotten is free
    rests_until=st.sampled_from([-math.inf, MIDDAY + 20, MIDDAY + 200, math.inf]),
    needs_probe=st.booleans(),
)
TAKES = st.tuples(
    st.just("take"),
    st.lists(st.tuples(st.sampled_from("abc"), AMOUNTS), max_size=3, unique_by=lambda d: d[0]),
    st.sampled_from([None, "key"]),
    st.sampled_from(["one", "two"]),
)
SETTLES = st.tuples(
    st.just("settle"), st.integers(0, 9), AMOUNTS, st.lists(MARKS, max_size=2), st.booleans()
)
SAID = st.one_of(
    st.none(), st.builds(Said, st.integers(0, 10), AMOUNTS, AMOUNTS, st.just(MIDDAY + 90))
)
STEPS = st.lists(
    st.tuples(st.sampled_from([0, 0, 1, 20, 61, 700]), st.one_of(TAKES, SETTLES), SAID),
    max_size=25,
)


class Scene:
    """The same claims and settlements, put to every home."""

    def __init__(self, homes):
        self.homes, self.utc, self.open = homes, MIDDAY, []
        self.seen = {"one": 0, "two": 0}

    def all_say(self, command, asked):
        said = [getattr(home, command)(asked, self.utc) for home in self.homes]
        for other in said[1:]:
            assert plain(other) == plain(said[0])
        return said[0]

    def take(self, draws, probe, writer):
        back = back_at("rolling", 60.0, self.utc)
        asked = Claim(
            id=str(next(_IDS)),
            writer=writer,
            provider="acme",
            draws=tuple(Draw(name, amount, 10, back) for name, amount in draws),
            subjects=("key",),
            probe=probe,
            expires_at=self.utc + 40,
            seen=self.seen[writer],
        )
        answer = self.all_say("take", asked)
        self.seen[writer] = answer.news.seen
        if isinstance(answer, Granted):
            self.open.append((asked, answer))

    def settle(self, which, used, marks, moved, said):
        if not self.open:
            return
        asked, granted = self.open.pop(which % len(self.open))
        again = back_at("rolling", 60.0, self.utc) if moved else None
        corrections = tuple(
            Correction(d.window, d.back_at, min(d.amount, 10), used, c.moves, again, said)
            for d, c in zip(asked.draws, granted.news.counts, strict=True)
        )
        writer = asked.writer
        told = Told(
            id=asked.id,
            writer=writer,
            provider="acme",
            corrections=corrections,
            marks=tuple(marks),
            probe=asked.probe,
            seen=self.seen[writer],
        )
        self.seen[writer] = self.all_say("settle", told).seen


def plain(answer):
    """An answer without what only Redis knows."""
    news = getattr(answer, "news", answer)._replace(workers=1)
    return type(answer), getattr(answer, "why", None), getattr(answer, "ready_at", None), news


def play(homes, steps):
    scene = Scene(homes)
    for gap, (command, *arguments), said in steps:
        scene.utc += gap
        if command == "take":
            scene.take(*arguments)
        else:
            scene.settle(*arguments, said)


@given(steps=STEPS)
@settings(deadline=None)
def test_a_file_answers_like_memory(steps):
    """Lapsed leases, late settlements and all."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = SqliteLedger(Path(folder) / "state.db")
        play([MemoryLedger(), ledger], steps)
        ledger.close()


def test_redis_answers_like_memory(redis_server):
    """The arithmetic is written twice, in Python and in Lua."""

    @given(steps=STEPS)
    @settings(deadline=None, max_examples=150)
    def agree(steps):
        ledger = RedisLedger(redis_server.url, prefix=fresh_prefix())
        play([MemoryLedger(), ledger], steps)
        ledger.close()

    agree()


@given(
    steps=st.lists(
        st.tuples(st.sampled_from([0.0, 0.05, 1.0, 30.0, 61.0]), AMOUNTS, AMOUNTS), max_size=40
    )
)
def test_a_page_counts_like_the_pools_window(steps):
    """What one process would admit alone, it is admitted by a ledger as well."""
    clock = FakeClock(now=MIDDAY, utc=MIDDAY)
    window, page, utc = Window(Limit(10, per=60), clock), Page(), MIDDAY
    for gap, need, use in steps:
        utc += gap
        page.clear(utc)
        assert page.fits(need, 10) == window.fits(utc, need)
        if not page.fits(need, 10):
            assert page.ready_at(need, 10) == window.ready_at(utc, need)
            continue
        draw = Draw("w", need, 10, back_at("rolling", 60.0, utc))
        page.take(draw, utc + 9, utc)
        _, entry, took, _ = window.take(utc, need)
        page.settle(Correction("w", draw.back_at, took, use, page.moves), utc)
        window.settle(entry, utc, took=took, used=use)
        assert page.count("w").used == window.used(utc)


@given(
    st.lists(st.text(alphabet="a/%2F", max_size=4), max_size=3),
    st.lists(st.text(alphabet="a/%2F", max_size=4), max_size=3),
)
def test_no_two_sequences_of_parts_share_a_name(one, two):
    """Accounts and models may hold slashes."""
    if one and two:
        assert (window_id(*one) == window_id(*two)) == (one == two)
