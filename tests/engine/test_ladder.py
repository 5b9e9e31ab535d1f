"""A route that refuses the form of an answer is asked in the next best form, and so ever after."""

from __future__ import annotations

import json

from freelm_integrations.engine.steps import Launch
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
