"""What the events of calls add up to, and how it looks in a pipe and on a terminal."""

from __future__ import annotations

import io
import json
import math
import sys

import pytest

from freelm_integrations.chat import KIND_WORDS, Request
from freelm_integrations.dispatcher import Dispatcher
from freelm_integrations.events import (
    AttemptFailed,
    AttemptStarted,
    CallCommitted,
    CallCompleted,
    Exhausted,
    RouteCooled,
)
from freelm_integrations.providers.provider import Groq, Local
from freelm_integrations.settings import Settings
from freelm_integrations.timeline import Timeline, span
from freelm_integrations.wire.faults import FAULT_KINDS, Fault
from tests.fakes import FakeClock

pytest.importorskip("rich")

from rich.console import Console

from freelm_integrations.display import (
    Screen,
    print_capacity,
    print_health,
    print_models,
    print_summary,
    print_table,
)

GROQ = {"provider": "groq", "model": "small:free:", "key": "11111111"}
NIM = {"provider": "nim", "model": "large", "key": "22222222"}
CALL = [
    AttemptStarted(call=1, at=100.0, attempt=1, **GROQ),
    AttemptFailed(call=1, at=100.1, attempt=1, kind="throttled", status=429, ms=100.0, **GROQ),
    RouteCooled(call=1, at=100.1, scope="key", kind="throttled", cools_for=20.0, **GROQ),
    AttemptStarted(call=1, at=100.1, attempt=2, **NIM),
    CallCommitted(call=1, at=100.3, attempt=2, ms=300.0, **NIM),
    CallCompleted(call=1, at=100.6, attempts=2, ms=600.0, **NIM),
]


def told(*events) -> Timeline:
    timeline = Timeline()
    for event in events:
        timeline(event)
    return timeline


def console(*, terminal: bool) -> Console:
    return Console(
        file=io.StringIO(), width=100, force_terminal=terminal, _environ={"TERM": "xterm"}
    )


@pytest.mark.parametrize(
    ("events", "words"),
    [
        (CALL[:1], ["trying"]),
        (CALL[:2], ["rate limited (429)"]),
        (CALL[:4], ["rate limited (429), key rests 20 s", "trying"]),
        (CALL[:5], ["rate limited (429), key rests 20 s", "answers"]),
        (CALL, ["rate limited (429), key rests 20 s", "answered"]),
    ],
)
def test_each_event_moves_its_attempt_on(events, words):
    assert [attempt.words for attempt in told(*events).attempts()] == words


def test_an_attempt_still_running_when_another_answered_was_dropped():
    hedge = AttemptStarted(call=1, at=100.2, attempt=3, **GROQ)

    outcomes = [row.outcome for row in told(*CALL[:5], hedge, CALL[5]).attempts()]
    assert outcomes == ["failed", "answered", "dropped"]


def test_calls_are_kept_apart():
    other = AttemptStarted(call=2, at=100.0, attempt=1, **NIM)

    timeline = told(*CALL, other)
    assert len(timeline.attempts()) == 3
    assert [row.provider for row in timeline.attempts(2)] == ["nim"]


def test_the_summary_counts_faults_and_times_answers_by_provider():
    groq, nim = told(*CALL).summary()

    assert (groq.attempts, groq.failed, groq.answers) == (1, {"throttled": 1}, 0)
    assert (nim.answers, nim.failed) == (1, {})
    assert nim.median_ms == pytest.approx(500.0)
    assert json.dumps([groq.to_dict(), nim.to_dict()])


def test_a_failover_is_a_fault_that_another_attempt_followed():
    assert told(*CALL[:2]).failovers() == 0
    assert told(*CALL).failovers() == 1


def test_every_kind_of_fault_has_words_for_people():
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
    assert span(seconds) == words


def shown(target: Console) -> str:
    screen = Screen(target)
    with screen.section("A call"):
        for event in CALL[:5]:
            screen(event)
        screen.write("Hel")
        screen.write("lo.")
        screen(CALL[5])
    print_summary(screen.timeline, target)
    return target.file.getvalue()


def test_in_a_pipe_each_event_is_a_line_and_there_are_no_control_codes():
    text = shown(console(terminal=False))

    assert "\x1b" not in text
    assert "1. groq small:free:: rate limited (429) after 100 ms" in text
    assert "\nHello.\n" in text
    assert text.isascii()


def test_on_a_terminal_the_table_is_redrawn_and_its_last_state_stays():
    text = shown(console(terminal=True))

    assert "\x1b" in text
    assert "rate limited (429), key rests 20 s" in text
    assert "Hello." in text


def test_nothing_that_looks_like_an_emoji_or_markup_is_changed():
    target = console(terminal=False)
    print_table(
        [{"model": "a/b:free:", "what": "[bold]", "left": None, "free": True}], console=target
    )

    assert "a/b:free:" in target.file.getvalue()
    assert "[bold]" in target.file.getvalue()


def test_a_row_may_lack_what_another_has():
    target = console(terminal=False)
    print_table([{"a": 1}, {"b": 2, "a": 3}, {"c": True}], console=target)

    lines = [line.split() for line in target.file.getvalue().splitlines()]
    assert lines == [["a", "b", "c"], ["1"], ["3", "2"], ["yes"]]


def test_no_rows_are_an_empty_table():
    target = console(terminal=False)
    print_table([], console=target)

    assert target.file.getvalue().strip() == ""


@pytest.fixture(scope="module")
def asked() -> Dispatcher:
    """What clients ask: here a model is crowded, and a local server refused to answer."""
    clock = FakeClock()
    providers = [
        Groq("gsk_made_up_for_tests", models=["small", "large"]),
        Local("http://127.0.0.1:9/v1", models=["owl"]),
    ]
    one = Dispatcher(Settings.from_options(providers=providers, share=False), clock)
    flight = one.flight(Request(messages=({"role": "user", "content": "hi"},)), None)
    routes = {view.route.model.id: view.route for view in flight._itinerary.candidates.views(0.0)}
    for model, fault in {
        "large": Fault(kind="overloaded", scope="model", retry_after=20.0),
        "owl": Fault(kind="unauthorized", status=401),
    }.items():
        lease = one.pool.lease(routes[model], clock.now())
        one.pool.settle(lease, fault, clock.now())
    return one


@pytest.mark.parametrize(
    ("what", "show", "headings", "holds"),
    [
        (
            "models",
            print_models,
            "provider id list",
            [["groq", "small", "as set"], ["groq", "large"], ["local", "owl"]],
        ),
        (
            "health",
            print_health,
            "provider key state models resting last fault",
            [["groq", "ready", "large: overloaded"], ["local", "keyless", "key refused (401)"]],
        ),
        (
            "capacity",
            print_capacity,
            "provider model left of unit whole again in",
            [["groq", "small", "30", "requests a minute"], ["groq", "large", "tokens a day"]],
        ),
    ],
)
def test_what_a_client_knows_is_a_table(asked, what, show, headings, holds):
    target = console(terminal=False)
    show(getattr(asked, what)(), console=target)

    first, *lines = target.file.getvalue().splitlines()
    assert first.split() == headings.split()
    for words in holds:
        assert any(all(word in line for word in words) for line in lines), words


def test_who_is_left_without_an_answer_is_told_why():
    target = console(terminal=False)
    Screen(target)(Exhausted(call=1, at=0.0, attempts=3, reason="all are resting"))

    assert "nobody answered: all are resting" in target.file.getvalue()


def test_without_rich_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich", None)

    with pytest.raises(ImportError, match=r"freelm-integrations\[cli\]"):
        Screen()
