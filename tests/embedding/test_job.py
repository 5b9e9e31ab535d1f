"""Texts are split so that anybody may answer a part, and put together again in their order."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations import Limit
from freelm_integrations.chat import Delta, Origin, Usage
from freelm_integrations.embedding.job import Job, Part
from freelm_integrations.embedding.running import run
from freelm_integrations.embedding.spaces import Spaces, VectorSpace
from freelm_integrations.embedding.vectors import Vectors
from freelm_integrations.errors import ContextOverflow, NoRouteAnswered, RequestRejected
from freelm_integrations.providers.provider import OpenAICompatible
from freelm_integrations.providers.spec import EmbedderSpec
from freelm_integrations.routing.needs import tokens_in


class Rules:
    free_only = allow_training = True


def spaces(tokens_a_minute: float = 0, **fields: Any) -> tuple[Spaces, VectorSpace]:
    limits = [Limit(tokens_a_minute, "tokens", per=60)] if tokens_a_minute else []
    model = EmbedderSpec("owl", family="owl", **fields)
    provider = OpenAICompatible("hoot", "http://localhost:9/v1", "k", models=model, limits=limits)
    known = Spaces([provider], Rules())
    return known, known.find()


def job(*texts: str, tokens_a_minute: float = 0, **fields: Any) -> Job:
    known, space = spaces(tokens_a_minute, **{"dimensions": 2, **fields})
    return Job(texts, space, known, input_type="passage")


def parts(made: Job) -> list[Part]:
    taken: list[Part] = []
    while (part := made.take()) is not None:
        taken.append(part)
    return taken


def answer(part: Part, *, length: int = 2) -> Delta:
    """Vectors that tell their texts by their first number."""
    vectors = tuple([float(text), *[0.0] * (length - 1)] for text in part.texts)
    origin = Origin("hoot", "owl", "k", ())
    return Delta(vectors=vectors, usage=Usage(len(part.texts), 0, len(part.texts)), origin=origin)


@pytest.mark.parametrize(
    ("texts", "fields", "expected"),
    [
        ((), {}, []),
        (("1",), {}, [1]),
        (("1",) * 5, {"batch": 2}, [2, 2, 1]),
        (("1",) * 4, {"batch": 2}, [2, 2]),
        (("x" * 40,) * 4, {"batch_tokens": 25}, [2, 2]),
        (("x" * 400,) * 2, {"batch_tokens": 25}, [1, 1]),
        (("x" * 40,) * 4, {"tokens_a_minute": 50}, [2, 2]),
    ],
)
def test_parts_fit_the_limits_and_none_is_empty(
    texts: tuple[str, ...], fields: dict[str, Any], expected: list[int]
) -> None:
    """By texts and by tokens; a text larger than that goes alone."""
    assert [len(part.texts) for part in parts(job(*texts, **fields))] == expected


@given(
    st.lists(st.text(min_size=1, max_size=60), max_size=40),
    st.integers(1, 9),
    st.none() | st.integers(1, 60),
)
def test_parts_are_the_texts_in_their_order(
    texts: list[str], batch: int, batch_tokens: int | None
) -> None:
    """Each once, at its place, and no part is larger than it may be."""
    taken = parts(job(*texts, batch=batch, batch_tokens=batch_tokens))

    assert [text for part in taken for text in part.texts] == texts
    assert all(texts[part.start : part.start + len(part.texts)] == [*part.texts] for part in taken)
    for part in taken:
        tokens = sum(map(tokens_in, part.texts))
        assert len(part.texts) <= batch
        assert len(part.texts) == 1 or batch_tokens is None or tokens <= batch_tokens


def test_a_text_that_is_surely_too_long_is_refused_by_its_place() -> None:
    """Estimates may be a quarter too high, so that what is but a little longer is let through."""
    assert parts(job("x" * 2_000, longest=400))

    with pytest.raises(
        ContextOverflow, match=r"texts\[1\] has about 501 tokens, and owl reads 400"
    ):
        job("x", "x" * 2_001, longest=400)


@given(st.lists(st.integers(0, 99), min_size=1, max_size=30), st.integers(1, 7), st.data())
def test_whatever_order_parts_are_answered_in_vectors_are_in_that_of_the_texts(
    numbers: list[int], batch: int, data: st.DataObject
) -> None:
    """Usage is added up, and who answered is told in the order of the texts."""
    made = job(*map(str, numbers), batch=batch)
    taken = parts(made)
    for part in data.draw(st.permutations(taken)):
        made.hear(part, answer(part))
    vectors = made.vectors()

    assert [vector[0] for vector in vectors] == numbers
    assert vectors.usage == Usage(len(numbers), 0, len(numbers))
    assert len(vectors.origins) == len(taken)
    assert (vectors.model, vectors.dimensions) == ("owl", 2)


@given(st.lists(st.integers(0, 99), min_size=1, max_size=30), st.integers(1, 8))
def test_a_part_that_is_too_much_is_halved_until_it_is_taken(numbers: list[int], most: int) -> None:
    """Servers that nobody declared take fewer texts than is usual."""
    made = job(*map(str, numbers))

    def send(request: Any) -> Any:
        if len(request.texts) > most:
            raise RequestRejected("too many texts")
        yield answer(Part(0, request.texts))

    assert [vector[0] for vector in run(made, send)] == numbers


@pytest.mark.parametrize("error", [ContextOverflow("long"), RequestRejected("bad")])
def test_a_single_text_that_is_refused_is_the_caller_s(error: Exception) -> None:
    """It is not cut, and the others are not embedded for nothing."""
    asked: list[tuple[str, ...]] = []

    def send(request: Any) -> Any:
        asked.append(request.texts)
        if "7" in request.texts:
            raise error
        yield answer(Part(0, request.texts))

    with pytest.raises(type(error)):
        run(job("7", "1", "2", "3"), send)
    assert asked == [("7", "1", "2", "3"), ("7", "1"), ("7",)]


def test_vectors_of_another_length_end_the_job() -> None:
    """Though each answer by itself is sound."""
    known, space = spaces()
    one = Job(("1", "2"), space, known, input_type="passage")
    assert not one.is_measured
    part = one.take()
    assert part is not None
    assert one.request(part).expects is None
    one.hear(part, answer(part, length=3))

    other = Job(("1",), space, known, input_type="passage")
    assert other.is_measured
    assert other.request(part).expects == 3
    with pytest.raises(NoRouteAnswered, match="had 3 dimensions and now have 2"):
        other.hear(part, answer(part, length=2))


def test_vectors_are_a_list_that_tells_whose_they_are() -> None:
    """Its repr is short, and pickling keeps all of it."""
    origin = Origin("hoot", "owl", "k")
    vectors = Vectors([[1.0, 0.0]], model="owl", usage=Usage(1, 0, 1), origins=(origin,))
    again = pickle.loads(pickle.dumps(vectors))

    assert vectors == [[1.0, 0.0]]
    assert repr(vectors) == "<Vectors: 1 of 2 dimensions, 'owl'>"
    assert (again, vars(again)) == (vectors, vars(vectors))
    assert (Vectors(), Vectors().dimensions, Vectors().attempts) == ([], 0, ())
