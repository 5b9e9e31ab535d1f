"""How two lists of models differ."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.discovery.drift import Drift, drift
from freelm_integrations.providers.spec import ModelSpec

OWL, ELK, FOX = (ModelSpec(name, context=8192) for name in ("owl", "elk", "fox"))
LONG_OWL, VAGUE_OWL = ModelSpec("owl", context=131_072), ModelSpec("owl")


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        ([OWL, ELK], [OWL, ELK], Drift()),
        ([OWL, ELK], [ELK, OWL], Drift()),
        ([OWL, ELK], [OWL], Drift(gone=("elk",))),
        ([OWL, ELK], [ELK], Drift(gone=("owl",), lost_lead="owl")),
        ([OWL], [FOX, OWL, ELK], Drift(new=("fox", "elk"))),
        ([OWL], [LONG_OWL], Drift(resized={"owl": (8192, 131_072)})),
        ([OWL], [VAGUE_OWL], Drift()),
        ([VAGUE_OWL], [OWL], Drift()),
        ([], [OWL], Drift(new=("owl",))),
        ([OWL], [], Drift(gone=("owl",), lost_lead="owl")),
        ([], [], Drift()),
    ],
)
def test_what_is_gone_new_and_changed_is_told(before, now, found):
    """A size that either list keeps quiet about has not changed."""
    assert drift(before, now) == found
    assert bool(found) == (found != Drift())


lists = st.lists(st.sampled_from([OWL, ELK, FOX, LONG_OWL, VAGUE_OWL]), unique_by=lambda m: m.id)


@given(lists, lists)
def test_what_is_gone_one_way_is_new_the_other(before, now):
    """And what drift says is JSON."""
    there, back = drift(before, now), drift(now, before)

    assert (there.gone, there.new) == (back.new, back.gone)
    assert there.resized == {name: sizes[::-1] for name, sizes in back.resized.items()}
    assert (there.lost_lead is not None) == bool(before and before[0].id in there.gone)
    assert json.loads(json.dumps(there.to_dict())) == there.to_dict()
