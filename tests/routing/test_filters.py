"""Only models known to be unable to serve a request are left out."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.routing.catalog import resolve
from freelm_integrations.routing.filters import admit, reservation, thresholds
from freelm_integrations.routing.needs import Counts, Needs
from freelm_integrations.routing.retirement import calendar_at
from tests.pool.making import ModelSpec, provider

LAX = SimpleNamespace(free_only=True, allow_training=True)
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
HEARER = ModelSpec("hearer", tags=("tools", "audio"))
SHY = ModelSpec("shy", tags=("tools",), lacks=("forced_tool", "parallel_calls"))
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
        (Needs(parts=frozenset({"audio"})), (TOOLER, SEER, HEARER), {"tooler", "seer"}),
        (Needs(parts=frozenset({"audio", "files"})), (HEARER,), {"hearer"}),
        (Needs(parts=frozenset({"hologram"})), (SEER, HEARER), {"seer", "hearer"}),
        (Needs(parts=frozenset({"hologram"})), (BARE,), set()),
        (Needs(tools=True, forced_tool=True), (TOOLER, SHY), {"shy"}),
        (Needs(tools=True, parallel_calls=True), (TOOLER, SHY), {"shy"}),
        (Needs(tools=True, parallel_calls=True), (SHY,), set()),  # it may be asked all the same
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
        (Needs(prompt=9000, output=900), {"context": 8192}, False),  # 7,200 at the very least
        (Needs(prompt=9000, output=1000), {"context": 8192}, True),
        (Needs(output=9000), {"context": 8192}, True),
        (Needs(output=5000), {"output": 4096}, True),
        (Needs(output=4096), {"output": 4096}, False),
        (Needs(output=5000), {"output": None}, False),
    ],
)
def test_a_model_too_small_is_left_out_beside_larger_ones(needs, spec, is_out):
    """By its context, which holds prompt and answer, or by its answer."""
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
        ModelSpec("b", context=4000),
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
    if {place(needs.surely_in_all) for needs in both} != {place(both[0].surely_in_all)}:
        return
    kept = [admit(resolve(("auto",), catalogs), needs, LAX, catalogs)[0] for needs in both]
    assert kept[0] == kept[1]


def counting(name, *, at_most=(), hardly_beyond=(), models=("owl",)):
    """A provider that takes only so many of some things."""
    one = provider(name, models=models)
    vars(one)["spec"] = replace(one.spec, at_most=dict(at_most), hardly_beyond=dict(hardly_beyond))
    return one


MANY = Counts(tools=129, stops=5, images=6, links=1, inline=10, recursions=1)


@pytest.mark.parametrize(
    ("name", "number", "reason"),
    [
        ("tools", 128, "takes 128 tools at most"),
        ("stops", 4, "takes 4 stop sequences at most"),
        ("images", 5, "takes 5 images at most"),
        ("links", 0, "takes images written out, not by a link"),
        ("inline", 9, "takes 9 characters of images and files at most"),
        ("recursions", 0, "takes no schemas that refer to themselves"),
    ],
)
def test_who_takes_fewer_is_left_out_before_it_is_asked(name, number, reason):
    """Of what is refused for sure nobody is left; of what may be refused, somebody may bend."""
    sure, unsure = (
        counting("a", at_most={name: number}),
        counting("b", hardly_beyond={name: number}),
    )
    for one, is_kept in ((sure, False), (unsure, True)):
        catalogs = {one: one.models}
        kept, out = admit(resolve(("auto",), catalogs), Needs(counts=MANY), LAX, catalogs)
        assert bool(kept) is is_kept
        assert [entry.reason for entry in out] == ([] if is_kept else [reason])
        enough = Needs(counts=Counts(**{name: number}))
        assert admit(resolve(("auto",), catalogs), enough, LAX, catalogs)[1] == ()
    other = provider("c", models=("elk",))
    catalogs = {unsure: unsure.models, other: other.models}
    kept, out = admit(resolve(("auto",), catalogs), Needs(counts=MANY), LAX, catalogs)
    assert [(entry.model.id, entry.reason) for entry in out] == [("owl", reason)]


@pytest.mark.parametrize(
    ("taken", "images", "reason"),
    [
        ({"png", "jpeg"}, {"png"}, None),
        ({"png", "jpeg"}, set(), None),  # by a link, or it does not say
        (set(), {"tiff"}, None),  # nobody knows what is taken there
        ({"png", "jpeg"}, {"png", "tiff", "bmp"}, "takes images as jpeg, png, not as bmp, tiff"),
    ],
)
def test_who_does_not_see_such_images_is_left_out(taken, images, reason):
    """What is documented is what is sent."""
    one = provider("one", models=("owl",))
    vars(one)["spec"] = replace(one.spec, images=frozenset(taken))
    needs = Needs(vision=True, images=frozenset(images))
    catalogs = {one: one.models}
    _, out = admit(resolve(("auto",), catalogs), needs, LAX, catalogs)

    assert [entry.reason for entry in out] == ([] if reason is None else [reason])


@pytest.mark.parametrize(
    ("day", "is_out", "is_last"),
    [
        (None, False, False),
        ("2026-11-21", True, True),
        ("2026-11-22", False, True),  # its last day
        ("2026-12-06", False, True),
        ("2026-12-07", False, False),
    ],
)
def test_a_model_past_its_announced_end_is_left_out_and_one_near_it_comes_last(
    day, is_out, is_last
):
    """Fourteen days before; where nothing else is left, it may have been spared."""
    calendar = calendar_at(1_795_348_800.0)  # 2026-11-22
    ending = ModelSpec("ending", retires_on=day)
    one = provider("one", models=(ending, ModelSpec("other")))
    catalogs = {one: one.models}
    _, out = admit(resolve(("auto",), catalogs), Needs(), LAX, catalogs, calendar)

    assert [entry.reason for entry in out] == [f"was to be retired on {day}"] * is_out
    assert (reservation(ending, Needs(), calendar) is not None) is is_last
    alone = provider("one", models=(ending,))
    catalogs = {alone: alone.models}
    assert admit(resolve(("auto",), catalogs), Needs(), LAX, catalogs, calendar)[1] == ()
