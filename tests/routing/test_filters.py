"""A request's needs are read off it, and only models known to be unable are left out."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.chat import Request
from freelm_integrations.providers.spec import Limit
from freelm_integrations.routing.catalog import resolve
from freelm_integrations.routing.filters import (
    IMAGE_TOKENS,
    USUAL_OUTPUT,
    Needs,
    admit,
    needs_of,
    thresholds,
)
from tests.pool.making import ModelSpec, provider

LAX = SimpleNamespace(free_only=True, allow_training=True)
TOOL = {"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}


def said(content, **more):
    return Request(messages=({"role": "user", "content": content},), **more)


# ---------------------------------------------------------------------- needs


@pytest.mark.parametrize(
    ("request_", "needs"),
    [
        (said("x" * 400), Needs(prompt=104)),
        (said(""), Needs(prompt=4)),
        (said(None), Needs(prompt=4)),
        (said("模型" * 100), Needs(prompt=154)),  # 3 bytes each, so 3/4 of a token
        (said("x", params={"max_tokens": 9}), Needs(prompt=5, output=9)),
        (
            said("x", params={"max_tokens": 9, "max_completion_tokens": 7}),
            Needs(prompt=5, output=7),
        ),
        (said("x", params={"max_tokens": None}), Needs(prompt=5)),
        (
            said([{"type": "text", "text": "abcd"}, {"type": "image_url", "image_url": {}}]),
            Needs(prompt=5 + IMAGE_TOKENS, vision=True),
        ),
        (said(["abcd", {"type": "input_audio"}]), Needs(prompt=5)),
        (said("", tool_choice="required"), Needs(prompt=4, forced_tool=True)),
        (said("", tool_choice="auto"), Needs(prompt=4)),
        (said("", response_format={"type": "json_object"}), Needs(prompt=10)),
    ],
)
def test_needs_are_read_off_the_request(request_, needs):
    """Four bytes a token, four tokens a message; images, tools and forms as they stand."""
    assert needs_of(request_) == needs


def test_tools_and_schemas_are_needed_and_counted():
    """They travel with the prompt."""
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    needs = needs_of(said("", tools=(TOOL,) * 10, tool_choice="auto", response_format=form))

    assert needs.tools
    assert needs.json_schema
    assert 200 < needs.prompt < 300


def test_tool_calls_in_the_history_are_counted():
    """An assistant message may have no content at all."""
    call = {"id": "1", "type": "function", "function": {"name": "find", "arguments": "x" * 4000}}
    request = Request(messages=({"role": "assistant", "content": None, "tool_calls": [call]},))

    assert needs_of(request).prompt > 1000


def test_what_is_set_aside_includes_the_answer():
    """As long as asked for, else a usual length."""
    assert Needs(prompt=10, output=5).tokens == 15
    assert Needs(prompt=10).tokens == 10 + USUAL_OUTPUT


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.sampled_from(("role", "content", "tool_calls")), json_values)))
def test_no_message_is_too_odd_to_be_weighed(messages):
    """Whatever stands in it, the size is a number and nothing raises."""
    assert needs_of(Request(messages=tuple(messages))).prompt >= 4 * len(messages)


# ---------------------------------------------------------------------- admission


def left_out(needs, *models, guards=LAX, limits=()):
    """What is left out of one provider's models: id -> reason."""
    one = provider("one", models=models, limits=limits)
    catalogs = {one: one.models}
    kept, out = admit(resolve(("auto",), catalogs), needs, guards, catalogs)
    names = {model.id for rank in kept for _, model in rank}
    reasons = {entry.model.id: entry.reason for entry in out}
    assert names.isdisjoint(reasons)
    assert names | set(reasons) == {model.id for model in models}
    return reasons


TOOLER = ModelSpec("tooler", tags=("tools",))
SEER = ModelSpec("seer", tags=("tools", "vision"))
BARE = ModelSpec("bare", tags=("fast",))


@pytest.mark.parametrize(
    ("needs", "models", "expected"),
    [
        (Needs(), (TOOLER, SEER, BARE), {}),
        (Needs(tools=True), (TOOLER, BARE), {"bare"}),
        (Needs(tools=True), (BARE,), set()),  # a list without such tags tells nothing
        (Needs(vision=True), (TOOLER, SEER, BARE), {"tooler", "bare"}),
        (Needs(vision=True), (BARE,), set()),
        (Needs(vision=True, tools=True), (TOOLER,), {"tooler"}),
    ],
)
def test_only_a_list_that_tells_can_leave_a_model_out(needs, models, expected):
    """An untagged model is unable only beside tagged ones."""
    assert set(left_out(needs, *models)) == set(expected)


@pytest.mark.parametrize(
    ("needs", "spec", "is_out"),
    [
        (Needs(prompt=9000), {"context": 8192}, False),  # the estimate may be too high
        (Needs(prompt=11_000), {"context": 8192}, True),
        (Needs(prompt=11_000), {"context": None}, False),
        (Needs(prompt=11_000), {"limits": (Limit(8000, "tokens", per=60),)}, True),
        (Needs(prompt=11_000), {"limits": (Limit(8000, "input_tokens", per=60),)}, True),
        (Needs(prompt=11_000), {"limits": (Limit(8000, "output_tokens", per=60),)}, False),
        (Needs(prompt=11_000), {"limits": (Limit(8000, per=60),)}, False),
        (Needs(output=5000), {"output": 4096}, True),
        (Needs(output=4096), {"output": 4096}, False),
        (Needs(output=5000), {"output": None}, False),
    ],
)
def test_a_model_too_small_is_left_out_beside_larger_ones(needs, spec, is_out):
    """By its context, its answer, or what a minute admits."""
    out = left_out(needs, ModelSpec("small", **spec), ModelSpec("open"))

    assert ("small" in out) is is_out


def test_soft_reasons_bend_where_nothing_else_is_left():
    """A provider may take it after all; the context never bends."""
    plain = ModelSpec("plain", tags=("tools",), output=100)
    short = ModelSpec("short", tags=("tools",), output=100, context=10)
    needs = Needs(prompt=1000, output=500, json_schema=True)

    assert set(left_out(needs, plain, short)) == {"short"}
    assert "context" in left_out(needs, short)["short"]


@pytest.mark.parametrize("name", ["gpt", "claude"])
def test_models_that_cost_money_need_permission(name):
    """Known to cost is enough; the reason names the setting."""
    costly = ModelSpec(name, free=False)

    assert "free_only" in left_out(Needs(), costly, BARE)[name]
    spender = SimpleNamespace(free_only=False, allow_training=True)
    assert left_out(Needs(), costly, BARE, guards=spender) == {}


def test_training_is_ruled_out_where_it_is_not_known_not_to_happen():
    """`OpenAICompatible` says nothing, so it may."""
    wary = SimpleNamespace(free_only=True, allow_training=False)

    assert "allow_training" in left_out(Needs(), BARE, guards=wary)["bare"]


@given(
    prompts=st.tuples(st.integers(0, 9000), st.integers(0, 9000)),
    outputs=st.tuples(st.none() | st.integers(1, 3000), st.none() | st.integers(1, 3000)),
)
def test_requests_between_the_same_thresholds_are_admitted_alike(prompts, outputs):
    """That is what lets a plan serve many requests."""
    models = (
        ModelSpec("a", context=1000, output=500),
        ModelSpec("b", context=4000, limits=(Limit(2500.5, "tokens", per=60),)),
        ModelSpec("c", output=2000),
    )
    one = provider("one", models=models)
    catalogs = {one: models}
    sizes = thresholds(catalogs)
    both = [Needs(prompt=p, output=o) for p, o in zip(prompts, outputs, strict=True)]

    def place(size):
        return None if size is None else sum(limit < size for limit in sizes)

    if {place(needs.surely) for needs in both} != {place(both[0].surely)}:
        return
    if {place(needs.output) for needs in both} != {place(both[0].output)}:
        return
    kept = [admit(resolve(("auto",), catalogs), needs, LAX, catalogs)[0] for needs in both]
    assert kept[0] == kept[1]
