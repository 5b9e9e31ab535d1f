"""The parameters of the dialect: what each takes, and what is told of what it does not."""

from __future__ import annotations

import math
from datetime import date
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from freelm_integrations import ConfigError
from freelm_integrations.request.parameters import PARAMETERS
from tests.request.made import made

TAKEN: dict[str, list[Any]] = {
    "frequency_penalty": [-2, 0, 0.5, 2],
    "logit_bias": [{}, {"50256": -100}],
    "logprobs": [True, False],
    "max_completion_tokens": [1, 10**6],
    "max_tokens": [1, 10**6],
    "metadata": [{"a": "b"}],
    "modalities": [["text"]],
    "n": [1],
    "parallel_tool_calls": [True],
    "prediction": [{"type": "content", "content": "x"}],
    "presence_penalty": [-2.0, 2],
    "prompt_cache_key": ["k"],
    "prompt_cache_retention": ["24h"],
    "reasoning_effort": ["none", "low", "xhigh"],
    "safety_identifier": ["s"],
    "seed": [0, -1, 2**40],
    "service_tier": ["flex"],
    "stop": ["\n", ["a", "b"], []],
    "store": [False],
    "stream_options": [{"include_usage": True}],
    "temperature": [0, 0.0, 1, 1.99, 2],
    "top_k": [-1, 0, 40],
    "top_logprobs": [0, 20],
    "top_p": [0, 0.5, 1],
    "user": ["u"],
    "verbosity": ["low"],
    "web_search_options": [{}],
    "extra_body": [{"top_a": 0.1}],
}


def test_every_parameter_has_a_row_here() -> None:
    """But those which are not part of the body."""
    assert {*TAKEN, "affinity", "avoid", "extra_headers", "timeout"} == set(PARAMETERS)


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in TAKEN.items() for value in values]
)
def test_what_some_provider_may_take_is_taken(name: str, value: Any) -> None:
    """As the caller wrote it; whether a model knows it is the dialect's business."""
    assert made(params={name: value}).params == {name: value}
    assert made(params={name: value}).params[name] is value


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_none_is_not_given(name: str) -> None:
    """As in that SDK's users' code."""
    assert made(params={name: None}).params == {}


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"max_tokens": 0}, "max_tokens=0 is out of range: it takes a whole number"),
        ({"max_tokens": -5}, "the nearest is 1"),
        ({"max_tokens": "100"}, "max_tokens takes a whole number"),
        ({"max_tokens": 100.0}, "not a float"),
        ({"max_tokens": True}, "not a bool"),
        ({"max_completion_tokens": 0}, "the nearest is 1"),
        (
            {"temperature": -0.1},
            "temperature=-0.1 is out of range: it takes a number, the nearest is 0",
        ),
        ({"temperature": 2.5}, "the nearest is 2"),
        ({"temperature": "hot"}, "temperature takes a number, not a str"),
        ({"temperature": True}, "temperature takes a number, not a bool"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"temperature": [0.5]}, "not a list"),
        ({"temperature": np.float32(0.5)}, "temperature is a float32"),
        ({"top_p": 1.1}, "the nearest is 1"),
        ({"top_p": -1}, "the nearest is 0"),
        ({"top_k": 0.5}, "not a float"),
        ({"presence_penalty": 3}, "the nearest is 2"),
        ({"frequency_penalty": -3}, "the nearest is -2"),
        ({"n": 2}, "a call has one answer"),
        ({"n": 0}, "the nearest is 1"),
        ({"seed": "5"}, "seed takes a whole number, not a str"),
        ({"stop": 5}, "stop takes a string or a list of strings, not an int"),
        ({"stop": ["a", 5]}, "stop[1] is an int, not a string"),
        ({"stop": [None]}, "stop[0] is a NoneType"),
        ({"stop": b"x"}, "stop is a bytes"),
        ({"stop": {"a": 1}}, "stop takes a string or a list of strings, not a dict"),
        ({"logprobs": 5}, "logprobs takes True or False, not an int"),
        ({"logit_bias": [1]}, "logit_bias takes a dict, not a list"),
        ({"metadata": {"at": date(2026, 1, 1)}}, "metadata.at is a date"),
        ({"user": 5}, "user takes a string, not an int"),
        ({"reasoning_effort": 1}, "reasoning_effort takes a string"),
        ({"timeout": 0}, "timeout=0 is out of range"),
        ({"timeout": "5"}, "timeout takes seconds, not a str"),
        ({"timeout": math.nan}, "timeout=nan is out of range"),
        ({"functions": []}, "functions is no parameter here: that is the old form of tools"),
        ({"stream": True}, "call stream() or stream_deltas()"),
    ],
)
def test_what_nobody_takes_is_named_with_what_is_nearest(params: Any, words: str) -> None:
    """Before an attempt is spent on it."""
    with pytest.raises(ConfigError) as raised:
        made(params=params)

    assert words in str(raised.value)


@pytest.mark.parametrize("timeout", [0.5, 3, math.inf])
def test_a_timeout_is_the_calls_own_and_is_not_sent(timeout: float) -> None:
    """It is no word of the dialect."""
    request = made(params={"timeout": timeout, "seed": 1})

    assert (request.timeout, request.params) == (timeout, {"seed": 1})


@pytest.mark.parametrize(
    ("name", "guess"),
    [
        ("temprature", "temperature"),
        ("maxtokens", "max_tokens"),
        ("Stop", "stop"),
        ("top-p", "top_p"),
    ],
)
def test_an_unknown_parameter_is_named_with_the_nearest(name: str, guess: str) -> None:
    """And with the way for what only one provider knows."""
    with pytest.raises(ConfigError) as raised:
        made(params={name: 1})

    assert f"'{name}': did you mean '{guess}'?" in str(raised.value)
    assert "extra_body" in str(raised.value)


def test_the_first_unknown_parameter_is_named_whatever_their_order() -> None:
    """The same mistake gives the same message."""
    for params in ({"b_": 1, "a_": 1}, {"a_": 1, "b_": 1}):
        with pytest.raises(ConfigError, match="'a_'"):
            made(params=params)


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"model": "other"}, "'model'"),
        ({"stream": True, "top_k": 1}, "'stream'"),
        ({"messages": []}, "'messages'"),
        ("top_k=1", "a dict, not a str"),
        ([("top_k", 1)], "a dict, not a list"),
        ({"when": {"at": date(2026, 1, 1)}}, "extra_body.when.at is a date"),
    ],
)
def test_extra_body_cannot_say_what_a_call_hangs_on(extra: Any, words: str) -> None:
    """Every route would fail, and rest for it."""
    with pytest.raises(ConfigError, match=words):
        made(params={"extra_body": extra})


@pytest.mark.parametrize("extra", [{}, {"temperature": 5}, MappingProxyType({"top_k": (1,)})])
def test_extra_body_is_otherwise_kept(extra: Any) -> None:
    """As JSON would write it: also what lies outside of every range we know."""
    sent = made(params={"extra_body": extra}).params["extra_body"]

    assert sent == {name: [1] if name == "top_k" else value for name, value in extra.items()}
    assert type(sent) is dict
