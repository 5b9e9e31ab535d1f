"""A call's attempts are shared out: whoever is free is asked, however many others fail first."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freelm_integrations.engine.shares import Shares
from freelm_integrations.engine.steps import Deliver, Elapsed, Launch, Wait, advance
from freelm_integrations.errors import NoRouteAnswered
from freelm_integrations.providers.provider import (
    NIM,
    Cerebras,
    GoogleAIStudio,
    Groq,
    Mistral,
    OpenRouter,
)
from freelm_integrations.routing.strategies import STRATEGIES
from tests.engine.flying import ANSWER, Sky, broken, refused
from tests.engine.test_flight import hosts
from tests.fakes import play
from tests.pool.making import provider

MANY = tuple(f"m{number}" for number in range(20))
NO = refused(429, retry_after="50")
FAILURES = {
    "busy": NO,
    "overloaded": refused(503),
    "failing": refused(500),
    "locked": refused(401),
    "gone": refused(404, "model not found"),
    "forbidden": refused(403),
    "unable": refused(404, "No endpoints found that support this"),
    "away": broken(ConnectionRefusedError("c")),
    "reset": broken(ConnectionResetError("r")),
    "silent": None,
}


@pytest.mark.parametrize(
    ("had", "unasked", "left", "used_up"),
    [
        ({}, 3, 12, set()),
        ({"a": 3}, 2, 9, set()),
        ({"a": 4}, 2, 8, {"a"}),
        ({"a": 4, "b": 3}, 1, 5, set()),
        ({"a": 4, "b": 4}, 1, 4, {"a", "b"}),
        ({"a": 11}, 1, 1, {"a"}),
        ({"a": 1}, 11, 11, {"a"}),
        ({"a": 11}, 0, 1, set()),
    ],
)
def test_a_share_is_what_there_is_divided_by_all_who_want_some(had, unasked, left, used_up):
    """Those not asked count, and the one itself; nobody has a share where all were asked."""
    shares = Shares()
    for who, times in had.items():
        for _ in range(times):
            shares.take(who)

    assert shares.used_up(unasked, left) == used_up


@pytest.mark.parametrize(
    ("first", "others"),
    [
        (provider("a", keys=20), [provider("b", priority=1)]),
        (provider("a", models=MANY), [provider("b", priority=1)]),
        (provider("a", keys=4, models=MANY), [provider("b", priority=1), provider("c")]),
        (
            provider("a", keys=20),
            [provider(name, priority=n) for n, name in enumerate("bcdefghijkl")],
        ),
    ],
    ids=["keys", "models", "both", "as many as attempts"],
)
@pytest.mark.parametrize("failure", [NO, refused(503), refused(401), refused(404, "not found")])
def test_the_last_in_the_order_is_asked_before_the_attempts_are_spent(first, others, failure):
    """Whatever makes the providers before it fail."""
    sky = Sky(first, *others)
    works = max(others, key=lambda one: one.priority).name

    asked = _fly(sky, lambda host: None if host == works else failure)

    assert asked[-1] == works
    assert len(asked) <= sky.terms.max_attempts


def test_a_provider_that_names_parameter_after_parameter_is_left_at_its_share():
    """The same route asked again counts as well."""
    sky = Sky(provider("a"), provider("b"), max_attempts=4)
    params = {"seed": 1, "top_p": 1, "temperature": 1}
    kind = "invalid_request_error"
    picky = [
        refused(400, f"property '{name}' is unsupported", type=kind, param=name)
        for name in ("seed", "top_p")
    ]

    steps = play(sky.machine(params=params), sky.clock, [*picky, *ANSWER])

    assert hosts(steps) == ["a", "a", "b"]


def test_within_its_share_a_provider_is_asked_in_the_order_the_caller_wants():
    """And again for what is left, once all were asked."""
    asked = _fly(Sky(provider("a", models=MANY), provider("b", priority=1)), lambda _: NO)

    assert asked == ["a"] * 6 + ["b"] + ["a"] * 5


def test_what_rests_keeps_no_attempt_back():
    """A share is kept for who is free only."""
    sky = Sky(provider("a", keys=20), provider("b", priority=1))
    play(sky.machine(), sky.clock, [*[NO] * 6, refused(401), *ANSWER])

    asked = _fly(sky, lambda _: NO)

    assert asked == ["a"] * 12


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
@pytest.mark.parametrize("failure", [NO, refused(503), refused(500), broken(ConnectionError("r"))])
def test_a_credit_is_spent_once_everybody_else_was_asked(strategy, failure):
    """And it is: who is asked last is asked."""
    kinds = (Cerebras, Groq, GoogleAIStudio, Mistral, NIM, OpenRouter)
    sky = Sky(*(kind("k" * 30) for kind in kinds), strategy=strategy)
    sky.catalogs = {one: one.spec.models for one in sky.catalogs}

    asked = _fly(sky, lambda host: None if "cerebras" in host else failure, of=_host)

    assert asked[-1] == "api.cerebras.ai"
    assert len(set(asked)) == len(kinds)


@settings(max_examples=200, deadline=None)
@given(
    failures=st.lists(st.sampled_from(sorted(FAILURES)), min_size=1, max_size=10),
    works=st.integers(0, 10),
    shape=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(0, 2)), min_size=11),
    strategy=st.sampled_from(sorted(STRATEGIES)),
    wanted=st.sampled_from([("auto",), ("p0/auto", "auto"), ("p1/auto", "p0/auto", "auto")]),
    wait=st.booleans(),
)
def test_a_call_is_answered_whenever_one_provider_works_and_there_is_time(
    failures, works, shape, strategy, wanted, wait
):
    """Whoever that is in the order, and however the others fail."""
    count = len(failures) + 1
    works %= count
    wanted = tuple(name for name in wanted if name != "p1/auto" or count > 1)
    providers = [
        provider(f"p{n}", keys=keys, models=MANY[:models], priority=priority)
        for n, (keys, models, priority) in zip(range(count), shape, strict=False)
    ]
    sky = Sky(*providers, strategy=strategy, wait=wait, timeout=1e6)
    said = [*failures[:works], None, *failures[works:]]

    def reply(host):
        kind = said[int(host[1:])]
        return None if kind is None else FAILURES[kind] or "silence"

    assert _fly(sky, reply, wanted=wanted, params={"seed": 1})[-1] == f"p{works}"


def _host(url) -> str:
    return url.split("/")[2]


def _name(url) -> str:
    return _host(url).split(".")[0]


def _fly(sky, failure_of, *, of=_name, **more) -> list[str]:
    """Who is asked; by a host's name comes how it fails, or None for an answer."""
    machine = sky.machine(**more)
    asked: list[str] = []
    said: list = []
    script: list = []
    reply = None
    try:
        while (step := advance(machine, reply)) is not None:
            reply = None
            if isinstance(step, Launch):
                asked.append(of(step.attempt.url))
                failure = failure_of(asked[-1])
                if failure != "silence":
                    replies = ANSWER if failure is None else (failure,)
                    script += [one(step.attempt) for one in replies]
            elif isinstance(step, Deliver):
                said.append(step.delta)
            elif isinstance(step, Wait):
                if script:
                    reply = script.pop(0)
                else:
                    sky.clock.move(step.seconds)
                    reply = Elapsed()
    except NoRouteAnswered:
        assert not said
    return asked
