"""Tool calls come together from pieces in any style, and each has an index and an id of its own."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.chat import Delta, ToolCall, ToolCallPart, fold
from freelm_integrations.wire.answers.toolcalls import ToolCalls

NAMES = st.sampled_from(["add", "sub", "get_weather"])
ARGUMENTS = st.dictionaries(
    st.text("abc", min_size=1, max_size=3),
    st.one_of(st.integers(), st.text('a"{}\\ \u00e9', max_size=6), st.none()),
    min_size=1,
    max_size=3,
).map(json.dumps)
CALLS = st.lists(st.tuples(NAMES, ARGUMENTS), min_size=1, max_size=4)


def gathered(fragments) -> tuple[ToolCall, ...]:
    calls = ToolCalls("seed")
    parts = [part for fragment in fragments if (part := calls.add(fragment)) is not None]
    return fold([Delta(tool_calls=(*parts, *calls.end()))]).tool_calls


def fragment(name=None, arguments=None, **rest):
    function = {}
    if name is not None:
        function["name"] = name
    if arguments is not None:
        function["arguments"] = arguments
    return {"function": function, **rest}


def pieces_of(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def whole_style(calls, ids, indexes):
    return [
        fragment(name, arguments, id=i, index=n)
        for (name, arguments), i, n in zip(calls, ids, indexes, strict=True)
    ]


def fragment_style(calls, ids, indexes, *, repeats_id, repeats_name, sends_empty, size):
    said = []
    for (name, arguments), tool_id, index in zip(calls, ids, indexes, strict=True):
        pieces = pieces_of(arguments, size)
        first = "" if sends_empty else pieces.pop(0)
        said.append(fragment(name, first, id=tool_id, index=index))
        said += [
            fragment(
                name if repeats_name else None,
                piece,
                index=index,
                **({"id": tool_id} if repeats_id else {}),
            )
            for piece in pieces
        ]
    return said


@given(
    calls=CALLS, identify=st.booleans(), number=st.sampled_from(["right", "zero", "none", "null"])
)
def test_whole_calls_stay_apart(calls, identify, number):
    """With or without ids, and with indexes that are right, all zero, or missing."""
    ids = [f"call_{n}" if identify else "" for n in range(len(calls))]
    indexes = [n if number == "right" else 0 for n in range(len(calls))]
    fragments = whole_style(calls, ids, indexes)
    for piece in fragments:
        if number == "none":
            del piece["index"]
        elif number == "null":
            piece["index"] = None

    found = gathered(fragments)
    assert [(call.name, call.arguments) for call in found] == calls
    assert len({call.id for call in found}) == len(calls)
    if identify:
        assert [call.id for call in found] == ids


@given(
    calls=CALLS,
    size=st.integers(1, 9),
    repeats_id=st.booleans(),
    repeats_name=st.booleans(),
    sends_empty=st.booleans(),
    has_index=st.booleans(),
)
def test_fragmented_calls_come_together(
    calls, size, repeats_id, repeats_name, sends_empty, has_index
):
    """Whatever the fragments repeat, and with or without an index."""
    ids = [f"call_{n}" for n in range(len(calls))]
    fragments = fragment_style(
        calls,
        ids,
        list(range(len(calls))),
        repeats_id=repeats_id,
        repeats_name=repeats_name,
        sends_empty=sends_empty,
        size=size,
    )
    if not has_index:
        for piece in fragments:
            del piece["index"]

    found = gathered(fragments)
    assert [(call.id, call.name, call.arguments) for call in found] == [
        (i, *call) for i, call in zip(ids, calls, strict=True)
    ]


@given(calls=CALLS, size=st.integers(1, 9), order=st.randoms())
def test_indexed_fragments_may_come_interleaved(calls, size, order):
    """The pieces of one call in order, those of several in any."""
    ids = [f"call_{n}" for n in range(len(calls))]
    lanes = [
        fragment_style(
            [call], [i], [n], repeats_id=False, repeats_name=False, sends_empty=False, size=size
        )
        for n, (call, i) in enumerate(zip(calls, ids, strict=True))
    ]
    mixed = [lane.pop(0) for lane in lanes]
    while any(lanes):
        lane = order.choice([lane for lane in lanes if lane])
        mixed.append(lane.pop(0))

    assert [(call.name, call.arguments) for call in gathered(mixed)] == calls


@given(calls=CALLS, spaces=st.lists(st.sampled_from([" ", "\n", ""]), max_size=3))
def test_spaces_after_complete_arguments_are_dropped(calls, spaces):
    """A trailing fragment of spaces does not touch what is complete."""
    name, arguments = calls[0]
    tail = [fragment(None, space, index=0) for space in spaces]

    assert gathered([fragment(name, arguments, id="a", index=0), *tail])[0].arguments == arguments


@pytest.mark.parametrize(
    ("fragments", "expected"),
    [
        ([fragment("now", "", id="a", index=0)], [("a", "now", "{}")]),
        ([fragment("now", None, id="a")], [("a", "now", "{}")]),
        ([fragment("now", {"a": 1}, id="a")], [("a", "now", '{"a": 1}')]),
        ([fragment("now", {}, id="a")], [("a", "now", "{}")]),
        (
            [fragment(None, '{"a"', id="a"), fragment("now", ":1}", id="a")],
            [("a", "now", '{"a":1}')],
        ),
        (
            [fragment("now", "{}", id="a", index=0), fragment("now", '{"a":1}', id="a", index=0)],
            [("a", "now", '{"a":1}')],
        ),
        ([fragment("now", '{"a":1}', id="a")] * 2, [("a", "now", '{"a":1}')]),
        ([{"name": "now", "arguments": "{}", "id": 7}], [("7", "now", "{}")]),
        ([{}, {"function": None}, {"index": 0, "id": ""}], []),
    ],
)
def test_odd_pieces_are_read_as_they_are_meant(fragments, expected):
    """Objects for arguments, names that come late, placeholders, repetitions, nothing at all."""
    assert [(call.id, call.name, call.arguments) for call in gathered(fragments)] == expected


def test_two_calls_with_one_id_get_two():
    """The second is given another, because results are told apart by it."""
    found = gathered([fragment("add", "{}", id="x", index=n) for n in range(2)])

    assert found[0].id == "x"
    assert found[1].id not in {"", "x"}


def test_invented_ids_differ_between_answers():
    """The same call in the next turn of a conversation has another id."""
    ids = set()
    for seed in ("r1|m|1", "r1|m|3", "r2|m|1"):
        calls = ToolCalls(seed)
        ids.add(calls.add(fragment("add", "{}")).id)

    assert len(ids) == 3


def test_a_signature_before_its_call_is_kept_for_it():
    """Providers may send it in a piece of its own, before or after."""
    calls = ToolCalls("seed")

    assert calls.add({"extra_content": {"google": {"thought_signature": "s"}}}) is None
    part = calls.add(fragment("add", "{}"))
    assert part.extra == {"google": {"thought_signature": "s"}}
    later = calls.add({"extra_content": {"google": {"thought_signature": "t"}}})
    assert later == ToolCallPart(0, extra={"google": {"thought_signature": "t"}})


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 3), st.text('{}"a ', max_size=4)),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", max_size=1), inner),
    max_leaves=4,
)
ANY_FRAGMENT = st.fixed_dictionaries(
    {},
    optional={
        "index": JSON,
        "id": JSON,
        "function": st.one_of(
            JSON, st.fixed_dictionaries({}, optional={"name": JSON, "arguments": JSON})
        ),
        "extra_content": JSON,
    },
)


@given(st.lists(ANY_FRAGMENT, max_size=6))
def test_any_fragments_give_dense_indexes_and_unique_ids(fragments):
    """Whatever comes: no exception, indexes from 0 up, ids told once and different."""
    calls = ToolCalls("seed")
    parts = [part for piece in fragments if (part := calls.add(piece)) is not None] + calls.end()

    named = [part for part in parts if part.name is not None]
    assert sorted(part.index for part in named) == list(range(len(named)))
    assert len({part.id for part in named}) == len(named)
    assert all(part.id for part in named)
    seen = set()
    for part in parts:
        assert (part.name is None) == (part.index in seen)
        seen.add(part.index)
