"""A route that refuses the form of an answer is asked in the next best form, and so ever after."""

from __future__ import annotations

import json

from freelm_integrations.engine.departure import known_refusals
from freelm_integrations.engine.steps import Launch
from freelm_integrations.providers.spec import ModelSpec
from freelm_integrations.wire.requests.ladder import FORCED, JSON
from tests.engine.flying import ANSWER, Sky, refused
from tests.engine.test_flight import hosts
from tests.fakes import play
from tests.pool.making import provider

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "city", "schema": SCHEMA}}


def forms(steps):
    """The type of the response format of each attempt."""
    bodies = [json.loads(step.attempt.body) for step in steps if isinstance(step, Launch)]
    return [body.get("response_format", {}).get("type") for body in bodies]


def test_the_working_rung_is_found_in_one_call_and_remembered():
    """The route steps down until it answers; the next call begins there."""
    sky = Sky(provider("a"))
    no_schema = refused(400, "This model does not support response format `json_schema`")
    no_json = refused(400, "This model does not support response_format")

    steps = play(sky.machine(response_format=FORMAT), sky.clock, [no_schema, no_json, *ANSWER])
    again = play(sky.machine(response_format=FORMAT), sky.clock, ANSWER)

    assert forms(steps) == ["json_schema", "json_object", None]
    assert forms(again) == [None]
    assert set(hosts(steps)) == {"a"}


def test_a_rung_is_of_its_model_alone():
    """What one model cannot do, another is asked to."""
    sky = Sky(provider("a"), provider("b"))
    no_schema = refused(400, "This model does not support response format `json_schema`")
    sky.pool.learn_refused(
        next(iter(sky.router.candidates(sky.flight().request, sky.catalogs).views(0.0))).route,
        "response_format.json_schema",
    )
    down = refused(503, "down")

    steps = play(sky.machine(response_format=FORMAT), sky.clock, [down, no_schema, *ANSWER])

    assert hosts(steps) == ["a", "b", "b"]
    assert forms(steps) == ["json_object", "json_schema", "json_object"]


LACKING = ModelSpec("owl", tags=("tools",), lacks=("forced_tool", "json_mode", "effort_none"))
TOOL = {"type": "function", "function": {"name": "add", "parameters": SCHEMA}}


def test_what_a_model_is_known_to_lack_is_not_asked_of_it():
    """From the first attempt on; it is told in words, or asked for the next best."""
    sky = Sky(provider("a", models=(LACKING,)))
    params = {"reasoning_effort": "none"}

    as_json = play(sky.machine(response_format=FORMAT), sky.clock, ANSWER)
    called = play(
        sky.machine(tools=(TOOL,), tool_choice="required", params=params), sky.clock, ANSWER
    )

    assert forms(as_json) == [None]
    body = json.loads(next(s for s in called if isinstance(s, Launch)).attempt.body)
    assert "tool_choice" not in body
    assert body["messages"][0]["role"] == "system"


def test_a_word_for_the_effort_or_a_limit_that_is_refused_is_mended_on_the_spot():
    """The same route is asked again with what it takes, and from then on so."""
    sky = Sky(provider("a"))
    params = {"reasoning_effort": "none", "max_tokens": 5}
    must_think = refused(400, "Reasoning is mandatory for this endpoint and cannot be disabled.")
    too_few = refused(400, "Invalid 'max_tokens': Expected a value >= 16, but got 5 instead.")

    steps = play(sky.machine(params=params), sky.clock, [must_think, too_few, *ANSWER])
    again = play(sky.machine(params=params), sky.clock, ANSWER)

    sent = [json.loads(s.attempt.body) for s in (*steps, *again) if isinstance(s, Launch)]
    told = [(body["reasoning_effort"], body["max_tokens"]) for body in sent]
    assert told == [("none", 5), ("minimal", 5), ("minimal", 16), ("minimal", 16)]


def test_lacks_are_told_as_refusals_are_kept():
    """Those that only routing heeds are none."""
    lacks = ("parallel_calls", "forced_tool", "json_mode", "json_schema", "effort_max")

    assert known_refusals(lacks) == {
        *(FORCED, JSON, "response_format.json_schema", "reasoning_effort.max"),
    }
