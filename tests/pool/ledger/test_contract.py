"""What every home does: memory, a SQLite file, Redis from a thread and Redis from a loop."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from freelm_integrations.pool.ledger.claim import LONGEST, Denied, Granted, Mark, Said
from freelm_integrations.pool.ledger.windows import back_at
from tests.pool.ledger.claims import (
    MIDDAY,
    MINUTE,
    claim,
    draw,
    fill,
    look,
    settlement,
    used,
)

SOON = MIDDAY + 90.0


def test_a_window_admits_its_limit_and_no_more(ledger):
    """And says when it is worth asking again."""
    assert fill(ledger, limit=3) == 3

    denied = ledger.take(claim(draw(limit=3)), MIDDAY)

    assert isinstance(denied, Denied)
    assert denied.why == "window"
    assert denied.ready_at == back_at("rolling", MINUTE, MIDDAY)
    assert denied.news.counts[0].used == 3


def test_what_was_taken_comes_back_when_it_said(ledger):
    """Exactly then, and piece by piece."""
    ledger.take(claim(draw(limit=2)), MIDDAY)
    ledger.take(claim(draw(limit=2, utc=MIDDAY + 30)), MIDDAY + 30)
    first, second = back_at("rolling", MINUTE, MIDDAY), back_at("rolling", MINUTE, MIDDAY + 30)

    assert used(ledger, utc=math.nextafter(first, 0)) == 2
    assert used(ledger, utc=first) == 1
    assert used(ledger, utc=second) == 0


def test_all_windows_or_none(ledger):
    """A claim that one window cannot bear takes nothing of the others."""
    ledger.take(claim(draw("tpm", 900, 1000)), MIDDAY)

    denied = ledger.take(claim(draw("rpm"), draw("tpm", 200, 1000)), MIDDAY)

    assert isinstance(denied, Denied)
    assert [count.used for count in denied.news.counts] == [0, 900]
    assert used(ledger, "rpm") == 0


def test_a_claim_larger_than_the_limit_goes_when_nothing_else_counts(ledger):
    """And fills the window: never blocked for ever."""
    assert isinstance(ledger.take(claim(draw("tpm", 5000, 1000)), MIDDAY), Granted)
    assert used(ledger, "tpm") == 1000
    assert isinstance(ledger.take(claim(draw("tpm", 5000, 1000)), MIDDAY), Denied)


def test_a_limit_of_nothing_is_never_ready(ledger):
    """Zero is zero."""
    denied = ledger.take(claim(draw(limit=0)), MIDDAY)

    assert isinstance(denied, Denied)
    assert denied.ready_at == math.inf


def test_a_settlement_corrects_what_was_taken(ledger):
    """Down and up."""
    lower, higher = (claim(draw("tpm", 500, 2000)) for _ in "12")
    first, second = ledger.take(lower, MIDDAY), ledger.take(higher, MIDDAY)

    assert ledger.settle(settlement(lower, first, used=100), MIDDAY).counts[0].used == 600
    assert ledger.settle(settlement(higher, second, used=700), MIDDAY).counts[0].used == 800


def test_who_dies_with_a_lease_has_used_it(ledger):
    """What is never settled stays counted until its window gives it back."""
    ledger.take(claim(draw(limit=1), expires_at=MIDDAY + 5), MIDDAY)

    assert isinstance(ledger.take(claim(draw(limit=1, utc=MIDDAY + 30)), MIDDAY + 30), Denied)
    later = back_at("rolling", MINUTE, MIDDAY)
    assert isinstance(ledger.take(claim(draw(limit=1, utc=later)), later), Granted)


def test_more_used_than_taken_counts_anew_once_the_window_has_moved_on(ledger):
    """A long answer's tokens are counted when it ends."""
    long_one = claim(draw("tpm", 500, 2000))
    granted = ledger.take(long_one, MIDDAY)
    end = MIDDAY + 100
    told = settlement(long_one, granted, used=800)
    again = told.corrections[0]._replace(again_at=back_at("rolling", MINUTE, end))

    news = ledger.settle(replace(told, corrections=(again,)), end)

    assert news.counts[0].used == 300


class TestWhatTheServerSays:
    """A header's count is believed where it is higher, and lower only if nobody else moved."""

    def said(self, left: float, unseen: float = 0) -> Said:
        return Said(10, left, unseen, SOON)

    def test_more_is_used_than_we_know(self, ledger):
        """Somebody else uses the key."""
        one = claim(draw(limit=10))
        granted = ledger.take(one, MIDDAY)

        news = ledger.settle(settlement(one, granted, said=self.said(4)), MIDDAY)

        assert news.counts[0].used == 6
        assert news.counts[0].resets_at == SOON

    @pytest.mark.parametrize(("expires_after", "used_then"), [(600, 5), (5, 1)])
    def test_another_open_lease_makes_it_old_news(self, ledger, expires_after, used_then):
        """Its request may not have arrived; unless it lapsed, then whoever took it is dead."""
        ledger.take(claim(draw(amount=4, limit=10), expires_at=MIDDAY + expires_after), MIDDAY)
        one = claim(draw(limit=10, utc=MIDDAY + 6))
        granted = ledger.take(one, MIDDAY + 6)

        news = ledger.settle(settlement(one, granted, said=self.said(9)), MIDDAY + 6)

        assert news.counts[0].used == used_then

    def test_less_is_used_and_all_is_settled(self, ledger):
        """Believed, but for what the server may not have counted yet."""
        first, second = claim(draw(amount=6, limit=10)), claim(draw(amount=2, limit=10))
        granted = ledger.take(first, MIDDAY)
        ledger.settle(settlement(first, granted), MIDDAY)
        granted = ledger.take(second, MIDDAY)

        news = ledger.settle(settlement(second, granted, said=self.said(7, unseen=1)), MIDDAY)

        assert news.counts[0].used == 4

    def test_another_lease_in_between_makes_it_old_news(self, ledger):
        """It was counted before that one arrived."""
        first, second = claim(draw(amount=4, limit=10)), claim(draw(amount=2, limit=10))
        granted = ledger.take(first, MIDDAY)
        other = ledger.take(second, MIDDAY)
        ledger.settle(settlement(second, other), MIDDAY)

        news = ledger.settle(settlement(first, granted, said=self.said(9)), MIDDAY)

        assert news.counts[0].used == 6


class TestMarks:
    """What one learns, the others hear with their next question."""

    def learn(self, ledger, *marks, writer="one", utc=MIDDAY):
        one = claim(writer=writer)
        return ledger.settle(settlement(one, None, *marks), utc)

    def test_others_hear_it_once(self, ledger):
        """The writer knows already, and nobody is told twice."""
        mark = Mark("acme/key:12ab", "latency", "0.25", MIDDAY + 60)
        written = self.learn(ledger, mark)

        news = look(ledger, writer="two")

        assert news.marks == (mark,)
        assert look(ledger, writer="one").marks == ()
        assert look(ledger, writer="two", seen=news.seen).marks == ()
        assert written.seen == news.seen

    @pytest.mark.parametrize(
        ("rest", "needs_probe", "subjects", "probe", "why", "ready_at"),
        [
            (MIDDAY + 30, False, ("key",), None, "mark", MIDDAY + 30),
            (math.inf, False, ("key",), None, "mark", math.inf),
            (MIDDAY - 1, False, ("key",), None, None, None),
            (MIDDAY + 30, False, ("other",), None, None, None),
            (MIDDAY - 1, True, ("key",), None, "mark", MIDDAY),
            (MIDDAY - 1, True, ("key",), "key", None, None),
        ],
    )
    def test_an_unheard_mark_forbids_what_it_rests(
        self, ledger, rest, needs_probe, subjects, probe, why, ready_at
    ):
        """Who did not know gets no lease but the news; with those it decides anew."""
        self.learn(ledger, Mark("key", "breaker", "x", MIDDAY + 99, rest, needs_probe))
        asked = {"subjects": subjects, "probe": probe, "writer": "two", "id": "two-1"}

        answer = ledger.take(claim(draw(), **asked), MIDDAY)

        assert len(answer.news.marks) == 1
        assert getattr(answer, "why", None) == why
        assert getattr(answer, "ready_at", None) == ready_at
        assert used(ledger) == (1 if why is None else 0)
        told = claim(draw(), **asked, seen=answer.news.seen)
        assert isinstance(ledger.take(told, MIDDAY), Granted)

    def test_a_rest_is_never_shortened_only_ended(self, ledger):
        """A later 429 that asks for less does not undo a longer one."""
        longer = Mark("key", "rest", "throttled", MIDDAY + 90, MIDDAY + 90)
        shorter = Mark("key", "rest", "throttled", MIDDAY + 9, MIDDAY + 9)
        over = Mark("key", "rest", None, MIDDAY + 90)

        self.learn(ledger, longer)
        self.learn(ledger, shorter, writer="two")
        assert look(ledger).marks == (longer,)
        self.learn(ledger, over, writer="two")
        assert look(ledger).marks == (over,)

    def test_the_last_word_holds_for_all_else(self, ledger):
        """A breaker that another closed is closed."""
        opened = Mark("key", "breaker", "3", MIDDAY + 90, MIDDAY + 90, needs_probe=True)
        closed = Mark("key", "breaker", None, MIDDAY + 90)

        self.learn(ledger, opened, closed)

        assert look(ledger).marks == (closed,)

    def test_marks_are_forgotten(self, ledger):
        """At their time, and after the longest time whatever they say."""
        brief = Mark("key", "latency", "1", MIDDAY + 5)
        lasting = Mark("key", "retired", "unauthorized", math.inf, math.inf)
        self.learn(ledger, brief, lasting)

        assert {mark.fact for mark in look(ledger, utc=MIDDAY + 4).marks} == {"latency", "retired"}
        assert {mark.fact for mark in look(ledger, utc=MIDDAY + 5).marks} == {"retired"}
        assert look(ledger, utc=MIDDAY + LONGEST).marks == ()

    def test_they_come_in_the_order_of_writing(self, ledger):
        """Also those a clock that was set back wrote."""
        marks = [Mark(f"key {n}", "latency", str(n), MIDDAY + 60) for n in range(3)]
        for number, mark in enumerate(marks):
            self.learn(ledger, mark, utc=MIDDAY - number)

        assert look(ledger, utc=MIDDAY - 9).marks == tuple(marks)

    @pytest.mark.parametrize("value", ["", "with \0 and\nlines", "über €"])
    def test_any_text_is_kept(self, ledger, value):
        """Values are the writer's own business; an empty one is not none."""
        self.learn(ledger, Mark("a/b{c}", "refused", value, MIDDAY + 60))

        assert look(ledger).marks[0].value == value


class TestProbes:
    """Exactly one probes."""

    def test_one_at_a_time(self, ledger):
        """The next may when it is settled."""
        first, second = (claim(draw(), probe="key", subjects=("key",)) for _ in "12")
        granted = ledger.take(first, MIDDAY)

        denied = ledger.take(second, MIDDAY)

        assert isinstance(denied, Denied)
        assert denied.why == "probe"
        assert MIDDAY < denied.ready_at <= MIDDAY + 5
        assert used(ledger) == 1
        ledger.settle(settlement(first, granted), MIDDAY)
        assert isinstance(ledger.take(second, MIDDAY), Granted)

    def test_a_dead_ones_place_lapses(self, ledger):
        """With its claim."""
        ledger.take(claim(probe="key", expires_at=MIDDAY + 60), MIDDAY)

        assert isinstance(ledger.take(claim(probe="key"), MIDDAY + 59), Denied)
        assert isinstance(ledger.take(claim(probe="key"), MIDDAY + 60), Granted)

    def test_a_late_settlement_does_not_free_anothers_place(self, ledger):
        """It lapsed, and somebody else has it now."""
        late = claim(probe="key", expires_at=MIDDAY + 1)
        granted = ledger.take(late, MIDDAY)
        ledger.take(claim(probe="key", expires_at=MIDDAY + 60), MIDDAY + 2)

        ledger.settle(settlement(late, granted), MIDDAY + 3)

        assert isinstance(ledger.take(claim(probe="key"), MIDDAY + 4), Denied)

    def test_keys_are_probed_each_on_its_own(self, ledger):
        """A probe of one does not hold up another."""
        ledger.take(claim(probe="key"), MIDDAY)

        assert isinstance(ledger.take(claim(probe="other"), MIDDAY), Granted)


def test_a_clock_set_back_keeps_a_window_shut_for_its_own_length_at_most(ledger):
    """Not for the hour by which it was set back."""
    assert fill(ledger, limit=3, utc=MIDDAY) == 3
    back = MIDDAY - 3600

    assert fill(ledger, limit=3, utc=back) == 0
    assert fill(ledger, limit=3, utc=back + 59) == 0
    assert fill(ledger, limit=3, utc=back_at("rolling", MINUTE, back)) == 3


def test_providers_do_not_meet(ledger):
    """News of one do not reach who asks for another."""
    one = claim(provider="acme")
    ledger.settle(settlement(one, None, Mark("key", "rest", "x", SOON, SOON)), MIDDAY)

    elsewhere = ledger.take(claim(draw("other/rpm"), provider="other", subjects=("key",)), MIDDAY)

    assert isinstance(elsewhere, Granted)
    assert elsewhere.news.marks == ()


def test_several_corrections_of_one_window_all_count(ledger):
    """As when what was counted elsewhere is merged."""
    moments = [MIDDAY + offset for offset in (0, 1, 2)]
    one = claim(*[draw(limit=10, utc=moment) for moment in moments])
    told = settlement(one, None)
    merged = tuple(part._replace(took=0, used=2) for part in told.corrections)

    news = ledger.settle(replace(told, corrections=merged), MIDDAY)

    assert used(ledger) == 6
    assert news.counts[-1].used == 6


def test_a_look_changes_nothing(ledger):
    """However often."""
    fill(ledger, limit=2)
    before = look(ledger, "rpm", "never")

    assert look(ledger, "rpm", "never") == before
    assert [count.used for count in before.counts] == [2, 0]


def test_it_opens_again_after_being_closed(ledger):
    """What is shared is still there; memory has nothing to close."""
    fill(ledger, limit=2)
    if not hasattr(ledger, "_loop"):
        ledger.close()

    assert used(ledger) == 2
