"""Any history of tool calls, however broken, goes out as one that its provider takes."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from freelm_integrations.chat import Request
from freelm_integrations.wire.requests.pairs import NO_RESULT, paired
from tests.wire.dialects import DECLARED
from tests.wire.orders import objections

USER = {"role": "user", "content": "hi"}


def calls(*ids, content=None, name="add", **rest):
    function = {"name": name, "arguments": "{}"}
    written = [{"id": one, "type": "function", "function": function} for one in ids]
    return {"role": "assistant", "content": content, "tool_calls": written, **rest}


def result(tool_id, content="7", **rest):
    return {"role": "tool", "tool_call_id": tool_id, "content": content, **rest}


def told(content, name="a tool"):
    return {"role": "user", "content": f"Result of {name}:\n{content}"}


LEGACY = {"role": "assistant", "content": None, "function_call": {"name": "add", "arguments": "{}"}}
MODERN = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"function": {"name": "add", "arguments": "{}"}, "id": "call_0"}],
}


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        pytest.param([USER, calls("a"), result("a")], None, id="whole already"),
        pytest.param([USER], None, id="no tools"),
        pytest.param(
            [calls("a", "b"), result("a"), USER],
            [calls("a", "b"), result("a"), result("b", NO_RESULT), USER],
            id="a result missing",
        ),
        pytest.param([calls("a")], [calls("a"), result("a", NO_RESULT)], id="calls at the end"),
        pytest.param([result("a"), USER], [told("7"), USER], id="a result first"),
        pytest.param(
            [USER, result("x", name="add")], [USER, told("7", "add")], id="a result of nothing"
        ),
        pytest.param([USER, result("x", " ")], [USER], id="nothing of nothing"),
        pytest.param(
            [calls("a", "b"), result("b", "2"), result("a", "1")],
            [calls("a", "b"), result("a", "1"), result("b", "2")],
            id="out of order",
        ),
        pytest.param(
            [calls("a"), USER, result("a")], [calls("a"), result("a"), USER], id="a late result"
        ),
        pytest.param(
            [result("a"), calls("a")], [calls("a"), result("a")], id="a result before its call"
        ),
        pytest.param(
            [calls("a"), calls("b"), result("a", "1"), result("b", "2")],
            [calls("a"), result("a", "1"), calls("b"), result("b", "2")],
            id="parallel calls split over messages",
        ),
        pytest.param(
            [calls("a"), result("a", "1"), result("a", "2"), USER],
            [calls("a"), result("a", "1"), told("2"), USER],
            id="two results for one call",
        ),
        pytest.param(
            [calls("a"), result("a", "1"), calls("a"), result("a", "2")],
            [calls("a"), result("a", "1"), calls("a_1"), result("a_1", "2")],
            id="an id used again",
        ),
        pytest.param(
            [calls("a", "a"), result("a", "1"), result("a", "2")],
            [calls("a", "a_1"), result("a", "1"), result("a_1", "2")],
            id="an id twice in a turn",
        ),
        pytest.param(
            [calls("a"), calls("a"), result("a")],
            [calls("a"), result("a", NO_RESULT), calls("a_1"), result("a_1")],
            id="the latest of two alike is meant",
        ),
        pytest.param(
            [calls("", ""), result("", "1"), result("", "2")],
            [calls("call_0", "call_1"), result("call_0", "1"), result("call_1", "2")],
            id="no ids at all",
        ),
        pytest.param(
            [LEGACY, {"role": "function", "name": "add", "content": "7"}],
            [MODERN, result("call_0", name="add")],
            id="functions of 2023",
        ),
        pytest.param(
            [calls("a", name=""), result("a")],
            [{"role": "assistant", "content": None}, told("7")],
            id="a call of nothing is none",
        ),
    ],
)
def test_calls_and_results_become_pairs(history, expected):
    """One result behind every call; the caller's messages stay as they were."""
    before = copy.deepcopy(history)

    assert list(paired(history)) == (history if expected is None else expected)
    assert history == before


def test_parts_of_an_orphan_are_told_as_parts():
    """An image in a result nobody asked for is still seen."""
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    (message,) = paired([result("x", [image])])

    assert message["role"] == "user"
    assert message["content"] == [{"type": "text", "text": "Result of a tool:"}, image]


def test_what_stands_beside_calls_stays_with_the_first():
    """Where a model takes one call in a turn: its text and what only its maker understands."""
    extra = {"google": {"thought_signature": "s"}}
    turn = calls("a", "b", content="Hm.", extra_content=extra)
    split = list(paired([USER, turn, result("a", "1"), result("b", "2")], singly=True))

    assert split == [
        USER,
        calls("a", content="Hm.", extra_content=extra),
        result("a", "1"),
        calls("b"),
        result("b", "2"),
    ]


def test_a_long_history_is_paired_in_no_time():
    """Thousands of turns, each with the same id: every result finds its own call."""
    history = [USER]
    for turn in range(4000):
        history += [calls("a"), result("a", str(turn))]
    whole = paired(history)

    assert [one["content"] for one in whole if one["role"] == "tool"] == [
        str(turn) for turn in range(4000)
    ]


IDS = st.sampled_from(["", "a", "b", "call_0", "abcdefgh1"])
TEXT = st.sampled_from(["", " ", "x"])
PARTS = st.lists(
    st.sampled_from([{"type": "text", "text": ""}, {"type": "text", "text": "y"}]), max_size=2
)
CALL = st.fixed_dictionaries(
    {"function": st.fixed_dictionaries({"name": st.sampled_from(["add", ""])})},
    optional={"id": IDS, "type": st.just("function")},
)
MESSAGES = st.one_of(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "developer", "user"]), "content": TEXT | PARTS}
    ),
    st.fixed_dictionaries(
        {"role": st.just("assistant")},
        optional={
            "content": st.none() | TEXT | PARTS,
            "tool_calls": st.lists(CALL, max_size=3),
            "function_call": st.just({"name": "add", "arguments": "{}"}),
        },
    ),
    st.fixed_dictionaries(
        {"role": st.sampled_from(["tool", "function"]), "content": TEXT | PARTS},
        optional={"tool_call_id": IDS, "name": st.sampled_from(["", "add"])},
    ),
)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        *((name, "m") for name in sorted(DECLARED)),
        *(("nim", model) for model in ("gemma-4-31b-it", "llama-3.3-70b")),
        ("google", "gemini-3.8-flash"),
    ],
)
@given(history=st.lists(MESSAGES, max_size=7))
@example(history=[{"role": "assistant", "tool_calls": [{"function": {"name": "add"}}]}])
@example(history=[{"role": "system", "content": "x"}])
def test_any_history_goes_out_as_its_provider_takes_it(name, model, history):
    """However calls, results, ids and roles are mixed up."""
    history = [*history, USER]
    before = copy.deepcopy(history)
    body = json.loads(DECLARED[name].encode(Request(messages=tuple(history)), model))

    assert objections(name, body["messages"], model=model) == []
    assert history == before


@given(history=st.lists(MESSAGES, max_size=8))
def test_no_result_is_lost_or_told_twice(history):
    """Every result that says something is there once, behind its call or in the user's words."""
    for number, message in enumerate(history):
        if message["role"] in {"tool", "function"}:
            message["content"] = f"result {number}."
    said = json.dumps(list(paired(history)))

    for number, message in enumerate(history):
        if message["role"] in {"tool", "function"}:
            assert said.count(f"result {number}.") == 1
