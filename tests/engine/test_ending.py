"""What a caller reads when nobody answered."""

from __future__ import annotations

import math

import pytest

from freelm_integrations.chat import AttemptRecord
from freelm_integrations.engine.ending import Summary, describe, error_for
from freelm_integrations.errors import ContextOverflow, NoRouteAnswered
from freelm_integrations.pool.view import Route, RouteView
from tests.pool.making import provider

LIMITED = AttemptRecord("groq", "small", "1a2b3c4d", "throttled", 429, "slow down", 7.0, ms=7.4)
SILENT = AttemptRecord("nim", "large", "5e6f7a8b", "timeout", ms=30_000.0)

NOT_FREE = (("groq", "old", "costs money"),)


def summary(*records, **more) -> Summary:
    known = {
        "left_out": (),
        "views": (),
        "ready_after": None,
        "is_out_of_time": False,
        "is_out_of_attempts": False,
        "timeout": 60.0,
    }
    return Summary(records=records, **{**known, **more})


@pytest.mark.parametrize(
    ("given", "headline"),
    [
        (summary(), "no route is known: no provider gave its list of models"),
        (summary(left_out=NOT_FREE), "nobody can serve this request:"),
        (summary(LIMITED), "no route answered (1 attempt):"),
        (summary(LIMITED, SILENT), "no route answered (2 attempts):"),
        (summary(SILENT, is_out_of_time=True), "no route answered within 60 s (1 attempt):"),
        (
            summary(LIMITED, SILENT, is_out_of_attempts=True),
            "no route answered (2 attempts, the most one call may make):",
        ),
        (
            summary(LIMITED, ready_after=6.2),
            "no route answered (1 attempt); the first is expected back in 7 s:",
        ),
        (
            summary(LIMITED, ready_after=0.0),
            "no route answered (1 attempt); some could be tried again now:",
        ),
        (
            summary(LIMITED, ready_after=0.49),
            "no route answered (1 attempt); some could be tried again now:",
        ),
        (
            summary(left_out=NOT_FREE, ready_after=0.5),
            "no route is free to answer; the first is expected back in 1 s:",
        ),
    ],
)
def test_the_first_line_says_why_it_ended_and_what_waiting_would_do(given, headline):
    """A caller who set `max_attempts` is told that it was the reason."""
    error = error_for(given, utc=0.0)

    assert isinstance(error, NoRouteAnswered)
    assert str(error).splitlines()[0] == headline
    assert error.is_out_of_time is given.is_out_of_time


LONG = AttemptRecord("groq", "small", "1a2b3c4d", "too_long", 400, "too long")
OLD = AttemptRecord("nim", "old", "5e6f7a8b", "model_gone", 410, "end of life")


def resting(why: str | None, ready_at: float, model: str = "large") -> RouteView:
    one = provider("acme", models=[model])
    return RouteView(Route(one, one.keys[0], one.models[0]), ready_at, 1.0, None, 0, why)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (summary(LONG), ContextOverflow),
        (summary(LONG, OLD), ContextOverflow),
        (summary(OLD), NoRouteAnswered),
        (summary(LONG, SILENT), NoRouteAnswered),
        (summary(LONG, is_out_of_time=True), NoRouteAnswered),
        (summary(LONG, views=(resting("throttled", 30.0),)), NoRouteAnswered),
        (summary(LONG, views=(resting("window", 30.0),)), NoRouteAnswered),
        (summary(LONG, views=(resting("model_gone", 30.0),)), ContextOverflow),
        (summary(LONG, views=(resting("retired", math.inf),)), ContextOverflow),
        (summary(LONG, views=(resting(None, 0.0),)), ContextOverflow),
    ],
)
def test_a_prompt_is_too_long_only_if_nobody_else_could_take_it(given, kind):
    """Who merely rests might have had the room; who is gone never will."""
    assert type(error_for(given, utc=0.0)) is kind


SHORT = ("groq", "small", "context of 8192 tokens is too short for about 2500000")


@pytest.mark.parametrize(
    ("left_out", "kind"),
    [
        ((SHORT,), ContextOverflow),
        ((SHORT, *NOT_FREE), ContextOverflow),
        ((SHORT, ("nim", "blind", "does not see images")), ContextOverflow),
        (NOT_FREE, NoRouteAnswered),
        ((("google", "owl", "was to be retired on 2026-06-01"),), NoRouteAnswered),
    ],
)
def test_a_prompt_that_only_its_length_keeps_from_some_is_too_long(left_out, kind):
    """Whatever keeps the others: a shorter one would be served. Every reason is told."""
    error = error_for(summary(left_out=left_out), utc=0.0)

    assert type(error) is kind
    assert all(reason in str(error) for _, _, reason in left_out)


DEAD = AttemptRecord("google", "roomy", "1a2b3c4d", "unauthorized", 401, "bad key")


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (summary(OLD, left_out=(SHORT,)), ContextOverflow),
        (summary(DEAD, left_out=(SHORT,)), ContextOverflow),
        (summary(left_out=(SHORT,), views=(resting("not_on_plan", 30.0),)), ContextOverflow),
        (summary(left_out=(SHORT,), views=(resting("retired", math.inf),)), ContextOverflow),
        (summary(left_out=(SHORT,), views=(resting("throttled", 30.0),)), NoRouteAnswered),
        (summary(left_out=(SHORT,), views=(resting(None, 0.0),)), NoRouteAnswered),
        (summary(SILENT, left_out=(SHORT,)), NoRouteAnswered),
        (summary(OLD, left_out=(SHORT,), is_out_of_time=True), NoRouteAnswered),
    ],
)
def test_whoever_has_room_but_is_locked_or_gone_is_no_candidate(given, kind):
    """What the caller can do is to shorten the prompt: the others would serve it."""
    assert type(error_for(given, utc=0.0)) is kind


def test_each_provider_has_a_line_in_the_words_used_everywhere():
    """The kind in words, the status where there was one, and what the server said."""
    assert describe(summary(LIMITED, SILENT, left_out=NOT_FREE)) == [
        "groq: small rate limited (429): slow down; 1 left out (costs money)",
        "nim: large silent",
    ]


@pytest.mark.parametrize(
    ("record", "line", "shown"),
    [
        (
            LIMITED,
            "groq small: rate limited (429) after 7 ms",
            (
                "AttemptRecord(provider='groq', model='small', key='1a2b3c4d', kind='throttled', "
                "status=429, message='slow down', retry_after=7.0, ms=7)"
            ),
        ),
        (
            SILENT,
            "nim large: silent after 30000 ms",
            "AttemptRecord(provider='nim', model='large', key='5e6f7a8b', kind='timeout', ms=30000)",
        ),
        (
            AttemptRecord("nim", "large", "5e6f7a8b", ms=640.6),
            "nim large: answered after 641 ms",
            "AttemptRecord(provider='nim', model='large', key='5e6f7a8b', ms=641)",
        ),
    ],
)
def test_an_attempt_is_a_line_to_read_and_shows_what_is_known_of_it(record, line, shown):
    """Without its empty fields."""
    assert str(record) == line
    assert repr(record) == shown


def test_a_request_that_nobody_can_serve_is_told_so_with_who_was_left_out_and_why():
    """Nobody is busy: nothing was sent, and waiting would not help."""
    out = (
        ("groq", "small", "does not hear sound"),
        ("groq", "large", "does not hear sound"),
        ("nim", "owl", "does not read files"),
    )
    error = error_for(summary(left_out=out), utc=0.0)

    assert str(error).splitlines() == [
        "nobody can serve this request:",
        "  groq: 2 left out (does not hear sound)",
        "  nim: 1 left out (does not read files)",
    ]
