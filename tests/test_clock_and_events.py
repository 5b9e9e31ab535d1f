"""Time and chance, and the records that observers are told."""

from __future__ import annotations

import copy
import inspect
import json
import logging
import pickle
from dataclasses import FrozenInstanceError, fields
from typing import Any

import httpx
import pytest

from freelm_integrations import (
    FreeLLM,
    NoRouteAnswered,
    OpenAICompatible,
    StreamInterrupted,
    errors,
)
from freelm_integrations import events as module
from freelm_integrations.chat import AttemptRecord
from freelm_integrations.clock import SYSTEM_CLOCK, Clock, SystemClock
from freelm_integrations.events import AttemptFailed, AttemptStarted, CallCompleted, Event
from tests.fakes import FakeClock

EVENTS: list[type[Event]] = [
    kind
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, Event) and kind is not Event
]


# ---------------------------------------------------------------------- clock


def test_the_systems_clock_runs_forward_and_throws_fair_dice() -> None:
    """Monotonic for lengths, since the epoch for calendars, and [0, 1) for jitter."""
    first, second = SYSTEM_CLOCK.now(), SYSTEM_CLOCK.now()
    thrown = [SYSTEM_CLOCK.chance() for _ in range(200)]

    assert second >= first
    assert 1.7e9 < SYSTEM_CLOCK.utc() < 4.2e9
    assert all(0 <= one < 1 for one in thrown)
    assert len(set(thrown)) > 100


@pytest.mark.parametrize("clock", [SystemClock(), FakeClock()])
def test_every_clock_tells_the_same_things(clock: Clock) -> None:
    """Of the protocol; all of them floats."""
    names = [name for name in vars(Clock) if not name.startswith("_")]

    assert names == ["now", "utc", "chance"]
    assert all(isinstance(getattr(clock, name)(), float) for name in names)


# ---------------------------------------------------------------------- events


def made(kind: type[Event]) -> Event:
    """One of a kind, its fields filled by their names."""
    values: dict[str, Any] = {}
    for field in fields(kind):
        is_text = "str" in str(field.type)
        values[field.name] = field.name if is_text else 1
    return kind(**values)


@pytest.mark.parametrize("kind", EVENTS)
def test_an_event_is_a_frozen_record_with_a_name_and_a_meaning(kind: type[Event]) -> None:
    """Named alike in every front end."""
    event = made(kind)

    assert event.name.startswith("freelm.")
    assert inspect.getdoc(kind) != inspect.getdoc(Event)
    with pytest.raises(FrozenInstanceError):
        event.call = 2  # type: ignore[misc]
    assert not hasattr(event, "__dict__")


def test_names_are_not_used_twice() -> None:
    """An observer may tell events apart by them."""
    names = [kind.name for kind in EVENTS]

    assert len(set(names)) == len(names)
    assert {
        "freelm.attempt_failed",
        "freelm.provider_switched",
        "freelm.resumed",
        "freelm.exhausted",
    } <= set(names)


@pytest.mark.parametrize("kind", EVENTS)
def test_an_event_travels(kind: type[Event]) -> None:
    """As JSON, in a pickle, as a copy."""
    event = made(kind)

    assert json.loads(json.dumps(event.to_dict())) == event.to_dict()
    assert pickle.loads(pickle.dumps(event)) == event
    assert copy.deepcopy(event) == event


def test_what_nobody_filled_is_left_out_of_the_dict() -> None:
    """Zero and the empty text are not nothing."""
    failed = AttemptFailed(
        call=0, at=0.0, attempt=1, provider="a", model="m", key="k", kind="timeout"
    )

    assert failed.to_dict() == {
        "call": 0,
        "at": 0.0,
        "attempt": 1,
        "provider": "a",
        "model": "m",
        "key": "k",
        "kind": "timeout",
        "message": "",
        "ms": 0.0,
    }


# ---------------------------------------------------------------------- observers


def client(statuses: list[int], **options: Any) -> FreeLLM:
    """A provider that answers each request with the next status, then with an answer."""
    left = list(statuses)

    def answer(_: httpx.Request) -> httpx.Response:
        if left:
            return httpx.Response(left.pop(0))
        message = {"role": "assistant", "content": "hello"}
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        return httpx.Response(200, json={"choices": [{"message": message}], "usage": usage})

    some = [
        OpenAICompatible(name, f"https://{name}.example/v1", "secret", ["m"]) for name in "abcd"
    ]
    return FreeLLM(
        providers=some,
        share=False,
        strategy="priority",
        http_client=httpx.Client(transport=httpx.MockTransport(answer)),
        **options,
    )


def test_observers_are_told_the_story_of_a_call_in_order() -> None:
    """The client's and the call's own alike, with the same number for all of one call."""
    of_client: list[Event] = []
    of_call: list[Event] = []
    one = client([429], on_event=of_client.append)
    one.chat("hello", on_event=of_call.append)

    assert of_call == of_client
    assert [event.name.removeprefix("freelm.") for event in of_call] == [
        "attempt_started",
        "attempt_failed",
        "route_cooled",
        "provider_switched",
        "attempt_started",
        "committed",
        "completed",
    ]
    assert len({event.call for event in of_call}) == 1
    one.chat("hello")
    assert len({event.call for event in of_client}) == 2


def test_what_completes_a_call_says_what_it_cost() -> None:
    """Attempts, and tokens as the provider counted them."""
    told: list[Event] = []
    client([500, 500]).chat("hello", on_event=told.append)
    last = told[-1]

    assert isinstance(last, CallCompleted)
    assert (last.attempts, last.prompt_tokens, last.completion_tokens) == (3, 3, 2)


def test_a_raising_observer_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The call goes on, the other observer is told, and the log says who raised."""
    told: list[Event] = []

    def broken(_: Event) -> None:
        raise ZeroDivisionError

    answer = client([429], on_event=broken).chat("hello", on_event=told.append)

    assert answer.text == "hello"
    assert len(told) == 7
    assert "an observer raised on freelm.attempt_started" in caplog.text


def test_an_observer_that_stops_the_program_does() -> None:
    """It is no mistake of an observer's to be interrupted."""

    def interrupted(_: Event) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client([]).chat("hello", on_event=interrupted)


def test_without_observers_no_event_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """They cost nothing where nobody looks."""
    logging.getLogger("freelm_integrations").setLevel(logging.WARNING)

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("nobody looks")

    monkeypatch.setattr(AttemptStarted, "__init__", forbidden)
    assert client([]).chat("hello").text == "hello"
    logging.getLogger("freelm_integrations").setLevel(logging.NOTSET)


def test_the_log_tells_failures_and_the_end(caplog: pytest.LogCaptureFixture) -> None:
    """To those who want to know more than the exception says: it tells the end by itself."""
    told: dict[int, list[str]] = {}
    for level in (logging.WARNING, logging.INFO, logging.DEBUG):
        caplog.clear()
        caplog.set_level(level, logger="freelm_integrations")
        with pytest.raises(NoRouteAnswered):
            client([500] * 20, max_attempts=1).chat("hello")
        told[level] = [record.getMessage() for record in caplog.records]

    assert told[logging.WARNING] == []
    failed, ended = told[logging.INFO]
    assert failed.startswith("a (m) failed: server_error")
    assert ended.startswith("no route answered (1 attempt")
    assert len(told[logging.DEBUG]) == 3


# ---------------------------------------------------------------------- errors

RECORD = AttemptRecord("a", "m", "k", kind="throttled", status=429, retry_after=0.0)
ERRORS: list[errors.FreeLLMError] = [
    errors.FreeLLMError("x"),
    errors.ConfigError("x"),
    errors.MissingKey("x"),
    errors.NoRouteAnswered("x", attempts=[RECORD], next_ready_at=5.0, is_out_of_time=True),
    errors.RequestRejected("x", attempts=[RECORD]),
    errors.ContextOverflow("x", attempts=[RECORD]),
    StreamInterrupted("x", partial="so far", attempts=[RECORD]),
    errors.LedgerUnavailable("x"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    "travel", [lambda one: pickle.loads(pickle.dumps(one)), copy.copy, copy.deepcopy]
)
def test_an_error_travels_with_all_it_knows(error: errors.FreeLLMError, travel: Any) -> None:
    """Worker processes send errors home."""
    arrived = travel(error)

    assert type(arrived) is type(error)
    assert (str(arrived), arrived.args) == (str(error), error.args)
    assert vars(arrived) == vars(error)
    assert isinstance(arrived.attempts, tuple)


def test_every_kind_of_error_is_in_these_tests() -> None:
    """A new one must travel as well."""
    assert {type(error).__name__ for error in ERRORS} == set(errors.__all__)


def test_a_record_of_an_attempt_leaves_out_what_it_does_not_know() -> None:
    """A promise of zero seconds is known."""
    assert RECORD.to_dict() == {
        "provider": "a",
        "model": "m",
        "key": "k",
        "kind": "throttled",
        "status": 429,
        "retry_after": 0.0,
        "ms": 0.0,
    }
