"""What JSON has a form for, and what is made of the rest."""

from __future__ import annotations

import enum
import json
import math
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from freelm_integrations import ConfigError
from freelm_integrations.request.values import DEEPEST, is_plain, plain


class Colour(str, enum.Enum):
    """A word."""

    RED = "red"


class Size(enum.IntEnum):
    """A number."""

    LARGE = 3


class Model(BaseModel):
    """An object of pydantic's."""

    a: int = 1


@dataclass
class Point:
    """An object of Python's."""

    x: int = 1


async def later() -> None:
    """Something to be awaited."""


def nested(levels: int) -> Any:
    value: Any = "end"
    for level in range(levels):
        value = [value] if level % 2 else {"in": value}
    return value


@pytest.mark.parametrize(
    "value",
    ["", "x", 0, -1, 2**80, 1.5, True, None, [], {}, [[1], {"a": [None]}], nested(DEEPEST)],
)
def test_plain_values_are_handed_on_themselves(value: Any) -> None:
    """Nothing is copied that need not be."""
    assert plain(value, "x") is value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ((1, (2,)), [1, [2]]),
        (frozenset({"a"}), ["a"]),
        (MappingProxyType({"a": (1,)}), {"a": [1]}),
        ({50256: -100, None: 1, True: 2}, {"50256": -100, "null": 1, "true": 2}),
        ([Colour.RED, Size.LARGE], ["red", 3]),
        ({Colour.RED: 1}, {"red": 1}),
        (np.float64(0.5), 0.5),
        ({}.keys(), []),
    ],
)
def test_what_has_a_plain_equal_becomes_it(value: Any, expected: Any) -> None:
    """As JSON writes it, in types of its own."""
    made = plain(value, "x")

    assert made == expected
    assert is_plain(made)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": [1, datetime(2026, 1, 1, tzinfo=timezone.utc)]}, "x.a[1] is a datetime"),
        (date(2026, 1, 1), "pass its isoformat()"),
        (b"png", "x is a bytes, which JSON has no form for: pass text, or base64"),
        (bytearray(b"png"), "x is a bytearray"),
        (Model(), "pass its model_dump()"),
        (Point(), "pass dataclasses.asdict() of it"),
        (np.float32(0.5), "x is a float32, which JSON has no form for: pass its tolist()"),
        (np.int64(5), "pass its tolist()"),
        (np.zeros(3), "x is a ndarray"),
        (Decimal("0.1"), "pass it as a float or as text"),
        (UUID(int=5), "pass it as text"),
        (print, "x is a builtin_function_or_method"),
        (range, "x is a type"),
        (1j, "x is a complex"),
        ({"a": {1, object()}}, "x.a["),
        ({"a": math.nan}, "x.a is nan"),
        ([math.inf], "x[0] is inf"),
        (-math.inf, "x is -inf"),
        (np.float64("nan"), "x is nan"),
        (10**400, "a number of that size"),
        ({("a", "b"): 1}, "x has a key of type tuple"),
        ({1.5: 1}, "x has a key of type float"),
        (nested(DEEPEST + 1), "levels deep, or holds itself"),
        ((one for one in ()), "x is a generator"),
    ],
)
def test_what_json_has_no_form_for_is_named_with_its_place(value: Any, words: str) -> None:
    """And with what to pass in its place, where that is known."""
    with pytest.raises(ConfigError) as raised:
        plain(value, "x")

    assert words in str(raised.value)


def test_a_value_that_holds_itself_ends_in_an_error() -> None:
    """However many ways lead round."""
    value: dict[str, Any] = {}
    value.update(a=value, b=[value, value])

    with pytest.raises(ConfigError, match="holds itself"):
        plain(value, "x")


def test_a_coroutine_is_to_be_awaited() -> None:
    """The usual slip in asyncio code."""
    coroutine = later()
    try:
        with pytest.raises(ConfigError, match="await it first"):
            plain({"content": coroutine}, "x")
    finally:
        coroutine.close()


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.dates()
    | st.sampled_from([Colour.RED, Size.LARGE, Model(), np.float32(1)]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers() | st.booleans(), inner, max_size=3)
        | st.dictionaries(st.text(), inner, max_size=3).map(MappingProxyType)
    ),
    max_leaves=8,
)


@given(anything)
def test_what_passes_can_be_written_and_anything_else_is_a_config_error(value: Any) -> None:
    """Never another exception; and what can be written as it stands is never refused."""
    before = repr(value)
    try:
        made = plain(value, "x")
    except ConfigError:
        with pytest.raises((TypeError, ValueError)):
            json.dumps(value, allow_nan=False)
    else:
        assert json.loads(json.dumps(made, allow_nan=False)) == made

    assert repr(value) == before
