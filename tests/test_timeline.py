"""What the events of calls add up to: rows, sums, and words for people."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.chat import KIND_WORDS
from freelm_integrations.events import RouteCooled
from freelm_integrations.timeline import Timeline, span
from freelm_integrations.wire.faults import FAULT_KINDS

pytest.importorskip("rich")

from tests.display.calls import (
    GROQ,
    HEDGED,
    MISTRAL,
    NIM,
    REFUSED,
    STITCHED,
    committed,
    completed,
    dropped,
    failed,
    resumed,
    started,
    told,
)


@pytest.mark.parametrize(
    ("events", "words"),
    [
        (REFUSED[:1], ["trying"]),
        (REFUSED[:2], ["rate limited (429)"]),
        (REFUSED[:4], ["rate limited (429), key rests 20 s", "trying"]),
        (REFUSED[:5], ["rate limited (429), key rests 20 s", "answers"]),
        (REFUSED, ["rate limited (429), key rests 20 s", "answered"]),
        (HEDGED[:2], ["trying", "trying as a hedge"]),
        (HEDGED[:3], ["outpaced", "trying as a hedge"]),
        (HEDGED, ["outpaced", "answered as a hedge"]),
        (STITCHED[:3], ["connection broke in mid-answer"]),
        (STITCHED[:5], ["connection broke in mid-answer", "did not carry on"]),
        (
            STITCHED[:8],
            [
                "connection broke after 5 characters",
                "did not carry on",
                "carries on after 5 characters",
            ],
        ),
        (
            STITCHED,
            [
                "connection broke after 5 characters",
                "did not carry on",
                "carried on after 5 characters",
            ],
        ),
    ],
)
def test_each_event_moves_its_attempt_on(events, words):
    """A row always says how its attempt stands."""
    assert [attempt.words for attempt in told(*events).attempts()] == words


def test_a_stall_is_overtaken_by_who_was_asked_beside_it():
    """Its row says after which character it fell silent, the other's that it was a hedge."""
    timeline = told(
        started(1, GROQ),
        committed(1, GROQ),
        started(2, NIM),
        failed(1, GROQ, "timeout"),
        committed(2, NIM),
        resumed(2, NIM, GROQ, 1),
    )

    assert [row.words for row in timeline.attempts()] == [
        "silent after 1 character",
        "carries on after 1 character as a hedge",
    ]


def test_a_stall_that_was_over_drops_who_was_asked_beside_it():
    """Whoever stalled and spoke again has not broken off."""
    timeline = told(
        started(1, GROQ), committed(1, GROQ), started(2, NIM), dropped(2, NIM), completed(GROQ, 2)
    )

    assert [row.words for row in timeline.attempts()] == ["answered", "outpaced as a hedge"]


def test_an_answer_may_have_several_seams():
    """Every break stands where the next part begins."""
    timeline = told(
        *STITCHED[:-1],
        failed(3, MISTRAL, "cut"),
        started(4, NIM),
        committed(4, NIM),
        resumed(4, NIM, MISTRAL, 9),
    )

    assert [row.broke_off_at for row in timeline.attempts()] == [5, None, 9, None]
    assert [row.carries_on_at for row in timeline.attempts()] == [None, None, 5, 9]
    assert timeline.totals().seams == 2


def test_what_begins_anew_leaves_no_seam():
    """Nothing had been visible of the answer that broke off."""
    timeline = told(
        started(1, GROQ), committed(1, GROQ), failed(1, GROQ, "broken"), started(2, NIM)
    )
    timeline(committed(2, NIM))

    assert [row.words for row in timeline.attempts()] == [
        "connection broke in mid-answer",
        "answers",
    ]
    assert timeline.totals().seams == 0


def test_what_breaks_off_may_have_to_rest():
    """The rest belongs to the fault, whenever it came."""
    timeline = told(*STITCHED)
    timeline(RouteCooled(call=1, at=0.0, scope="route", kind="broken", cools_for=math.inf, **GROQ))

    first, *_ = timeline.attempts()
    assert first.words.endswith("after 5 characters, route rests until it is replaced")
    assert "rests_for" not in first.to_dict()
    assert json.loads(json.dumps(first.to_dict()))["broke_off_at"] == 5


def test_an_attempt_still_running_when_another_answered_was_dropped():
    """Even where no event told so."""
    timeline = told(*REFUSED[:5], started(3, GROQ), REFUSED[5])

    assert [row.outcome for row in timeline.attempts()] == ["failed", "answered", "dropped"]


def test_calls_are_kept_apart():
    """Each call counts its attempts from one."""
    timeline = told(*REFUSED, started(1, NIM, call=2))

    assert len(timeline.attempts()) == 3
    assert timeline.calls() == [1, 2]
    assert [row.provider for row in timeline.attempts(2)] == ["nim"]
    assert timeline.attempt(2, 1) == timeline.attempts(2)[0]
    assert timeline.attempt(2, 2) is None


def test_the_summary_counts_faults_and_times_answers_by_provider():
    """A row a provider, as plain data."""
    groq, nim = told(*REFUSED).summary()

    assert (groq.attempts, groq.failed, groq.answers) == (1, {"throttled": 1}, 0)
    assert (nim.answers, nim.failed) == (1, {})
    assert nim.median_ms == pytest.approx(500.0)
    assert json.dumps([groq.to_dict(), nim.to_dict()])


def test_the_summary_tells_who_was_outpaced_and_who_carried_on():
    """Neither is a fault."""
    silent, quick = told(*HEDGED).summary()
    broken, astray, onward = told(*STITCHED).summary()

    assert (silent.dropped, silent.failed, quick.dropped) == (1, {}, 0)
    assert [row.carried_on for row in (broken, astray, onward)] == [0, 0, 1]
    assert (broken.failed, onward.answers) == ({"broken": 1}, 1)


def test_a_failover_is_a_fault_that_another_attempt_followed():
    """A fault that ended the call is none."""
    assert told(*REFUSED[:2]).failovers() == 0
    assert told(*REFUSED).failovers() == 1
    assert told(*HEDGED).failovers() == 0
    assert told(*STITCHED).failovers() == 2


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([], "0 calls, 0 answers, 0 attempts"),
        (REFUSED[:2], "1 call, 0 answers, 1 attempt"),
        (REFUSED, "1 call, 1 answer, 2 attempts, 1 failover, 42 tokens (12 written)"),
        (HEDGED, "1 call, 1 answer, 2 attempts, 1 hedge, 42 tokens (12 written)"),
        (STITCHED, "1 call, 1 answer, 3 attempts, 2 failovers, 1 seam, 42 tokens (12 written)"),
    ],
)
def test_the_totals_are_a_line_for_people(events, words):
    """What happened not once is not mentioned."""
    totals = told(*events).totals()

    assert totals.words == words
    assert json.dumps(totals.to_dict())


_EVENTS = st.permutations([*REFUSED, *HEDGED, *STITCHED]).flatmap(
    lambda events: st.integers(0, len(events)).map(lambda length: events[:length])
)


@given(_EVENTS)
def test_events_in_any_order_and_number_add_up(events):
    """An observer may come late or miss some: it never raises, and every row has words."""
    timeline = told(*events)

    rows = timeline.attempts()
    assert all(row.words for row in rows)
    assert sum(row.attempts for row in timeline.summary()) == len(rows)
    assert timeline.totals().words


def test_what_is_no_news_of_an_attempt_is_not_kept():
    """A timeline holds attempts, nothing else."""
    timeline = Timeline()
    timeline(dropped(7, NIM))

    assert timeline.attempts() == []


def test_every_kind_of_fault_has_words_for_people():
    """Nobody is shown our own word for it."""
    assert set(FAULT_KINDS) <= set(KIND_WORDS)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.25, "0.25 s"),
        (20.0, "20 s"),
        (180.0, "3 min"),
        (86_400.0, "24 h"),
        (2_592_000.0, "30 days"),
        (math.inf, "until it is replaced"),
        (None, "a while"),
    ],
)
def test_lengths_of_time_are_said_as_people_do(seconds, words):
    """Not in seconds for ever."""
    assert span(seconds) == words
