"""A model that was found to lack an ability is asked last for what needs it, and as before else."""

from __future__ import annotations

import pytest

from tests.engine.flying import ANSWER, Sky, refused
from tests.engine.test_flight import hosts
from tests.fakes import play
from tests.pool.making import provider

TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
LOOK = ({"role": "user", "content": [{"type": "text", "text": "What?"}, IMAGE]},)
NO_TOOLS = "No endpoints found that support tool use. To learn more, visit our docs."
NO_IMAGES = "No endpoints found that support image input"


@pytest.mark.parametrize(
    ("words", "asked"), [(NO_TOOLS, {"tools": (TOOL,)}), (NO_IMAGES, {"messages": LOOK})]
)
def test_what_a_model_lacks_is_found_out_once(words, asked):
    """The next such call begins elsewhere; calls that do not need it begin where they did."""
    sky = Sky(provider("a"), provider("b"))

    first = play(sky.machine(**asked), sky.clock, [refused(404, words), *ANSWER])
    second = play(sky.machine(**asked), sky.clock, ANSWER)
    other = play(sky.machine(), sky.clock, ANSWER)

    assert (hosts(first), hosts(second), hosts(other)) == (["a", "b"], ["b"], ["a"])


def test_who_lacks_it_is_asked_where_nobody_else_is_left():
    """What was found out may have been mended."""
    sky = Sky(provider("a"))

    with pytest.raises(Exception, match="tool use"):
        play(sky.machine(tools=(TOOL,)), sky.clock, [refused(404, NO_TOOLS)])
    again = play(sky.machine(tools=(TOOL,)), sky.clock, ANSWER)

    assert hosts(again) == ["a"]


@pytest.mark.parametrize(
    "words",
    ["This model does not support response_format", "tool_choice 'required' is not supported"],
)
def test_what_is_said_of_something_else_is_no_lack(words):
    """A model that cannot be made to call a tool calls tools all the same."""
    sky = Sky(provider("a"), provider("b"))

    play(sky.machine(tools=(TOOL,)), sky.clock, [refused(400, words), *ANSWER])

    assert hosts(play(sky.machine(tools=(TOOL,)), sky.clock, ANSWER)) == ["a"]
