"""Texts become a request for vectors, and what comes back becomes vectors or a fault."""

from __future__ import annotations

import base64
import json
import math
import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.chat import Delta, EmbeddingRequest, Usage
from freelm_integrations.providers import PROVIDERS
from freelm_integrations.wire.embeddings import EmbeddingRules
from freelm_integrations.wire.faults import Fault
from freelm_integrations.wire.openai import ChatCompletions

if TYPE_CHECKING:
    from collections.abc import Sequence

DIALECT = ChatCompletions()
NIM = ChatCompletions(
    embeddings=EmbeddingRules(always={"encoding_format": "float", "truncate": "NONE"})
)


def request(*texts: str, **fields: Any) -> EmbeddingRequest:
    return EmbeddingRequest(texts=texts or ("a",), **fields)


def body(asked: EmbeddingRequest, dialect: ChatCompletions = DIALECT, **more: Any) -> Any:
    return json.loads(dialect.encode(asked, "owl-embed", **more))


def read(answer: object, asked: EmbeddingRequest | None = None) -> list[Delta] | Fault:
    """What a whole body says, fed in two pieces."""
    decoder = DIALECT.decoder(asked or request(), "owl-embed")
    said = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    assert decoder.feed(said[:7]) == []
    assert decoder.feed(said[7:]) == []
    return decoder.end()


def vectors(answer: object, asked: EmbeddingRequest | None = None) -> tuple[list[float], ...]:
    return only(read(answer, asked)).vectors


def only(told: list[Delta] | Fault) -> Delta:
    """The one delta of an answer that is none of a fault."""
    assert isinstance(told, list)
    (delta,) = told
    return delta


def rows(*embeddings: object, places: Sequence[int | None] | None = None) -> dict[str, Any]:
    """An answer with these vectors, at these places (None: not said)."""
    told = range(len(embeddings)) if places is None else places
    return {
        "data": [
            {"embedding": one} if place is None else {"embedding": one, "index": place}
            for one, place in zip(embeddings, told, strict=True)
        ]
    }


def packed(*numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


X, Y, Z = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("asked", "dialect", "more", "expected"),
    [
        (request("a", "b"), DIALECT, {}, {}),
        (request("a", "b", input_type="query"), DIALECT, {}, {}),
        (
            request("a", "b", input_type="query"),
            DIALECT,
            {"tags": ("asymmetric",)},
            {"input_type": "query"},
        ),
        (request("a", "b"), DIALECT, {"tags": ("asymmetric",)}, {"input_type": "passage"}),
        (request("a", "b", dimensions=256), DIALECT, {}, {"dimensions": 256}),
        (
            request("a", "b", dimensions=256),
            ChatCompletions(embeddings=EmbeddingRules(size_name="output_dimension")),
            {},
            {"output_dimension": 256},
        ),
        (request("a", "b"), NIM, {}, {"encoding_format": "float", "truncate": "NONE"}),
        (
            request("a", "b"),
            NIM,
            {"dropped": frozenset({"truncate"})},
            {"encoding_format": "float"},
        ),
        (
            request("a", "b", dimensions=8),
            DIALECT,
            {"dropped": frozenset({"dimensions", "input_type"}), "tags": ("asymmetric",)},
            {"dimensions": 8, "input_type": "passage"},
        ),
    ],
)
def test_a_request_says_no_more_than_it_must(
    asked: EmbeddingRequest, dialect: ChatCompletions, more: dict[str, Any], expected: Any
) -> None:
    """What would make other vectors is never left out; the rest is, where it is refused."""
    assert body(asked, dialect, **more) == {"model": "owl-embed", "input": ["a", "b"], **expected}


def test_half_a_character_is_sent_as_one_that_can_be_written() -> None:
    """A text cut by UTF-16 units has no form in UTF-8 otherwise."""
    assert body(request("a\ud83d", "ok"))["input"] == ["a\ufffd", "ok"]


@pytest.mark.parametrize("name", ["google", "mistral", "nim", "openrouter", "cloudflare"])
def test_every_declared_embedder_can_be_asked(name: str) -> None:
    """As a query and as a passage, at its own length and at every other it declares."""
    spec = PROVIDERS[name]
    assert spec.embedders
    for embedder in spec.embedders:
        for size in (None, *embedder.sizes):
            for kind in ("query", "passage"):
                asked = request("owl", input_type=kind, dimensions=size)
                said = json.loads(spec.dialect.encode(asked, embedder.id, tags=embedder.tags))
                assert said["input"] == ["owl"]
                assert ("input_type" in said) == ("asymmetric" in embedder.tags)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (rows(X, Y, Z), (X, Y, Z)),
        (rows(Z, X, Y, places=(2, 0, 1)), (X, Y, Z)),
        (rows(X, Y, Z, places=(None, None, None)), (X, Y, Z)),
        (rows(X, Y, Z, places=(0, 0, 0)), (X, Y, Z)),
        (rows(X, Y, Z, places=(None, 1, 2)), (X, Y, Z)),
        (rows(Z, X, Y, places=(2, None, 1)), (X, Y, Z)),
        (rows(packed(*X), Y, packed(*Z)), (X, Y, Z)),
        (rows([7, 0, 0], [0, "0.5", 0], [0, 0, 1e-3]), (X, Y, Z)),
        (rows(X, [0.0, 0.0, 0.0], Z), (X, [0.0, 0.0, 0.0], Z)),
    ],
)
def test_vectors_come_in_the_order_of_the_texts_and_with_length_one(
    answer: object, expected: object
) -> None:
    """By index where it tells anything; a vector without direction stays as it is."""
    assert vectors(answer, request("a", "b", "c")) == expected


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (b"", "empty", "no content"),
        (b"<html>", "broken", "no JSON"),
        (b'{"data": [{"embedding": [0.1, 0', "cut", "no JSON"),
        ({"data": []}, "empty", "no vectors"),
        ({"choices": []}, "empty", "no vectors"),
        ([], "empty", "no vectors"),
        (rows(X), "cut", "1 vectors for 2 texts"),
        (rows(X, Y, Z), "cut", "3 vectors for 2 texts"),
        (rows(X, Y, places=(0, 2)), "cut", "no order"),
        (rows(X, Y, places=(None, 0)), "cut", "no order"),
        (rows(X, [1.0, None]), "broken", "none of numbers"),
        (rows(X, None), "broken", "none of numbers"),
        (rows(X, []), "broken", "none of numbers"),
        (rows(X, "not base64!"), "broken", "none of numbers"),
        (rows(X, base64.b64encode(b"12345").decode()), "broken", "none of numbers"),
        (b'{"data":[{"embedding":[NaN]},{"embedding":[1]}]}', "broken", "none of numbers"),
        (rows(X, [1.0, 0.0]), "unsupported", "2 and 3 dimensions, not 3"),
        ({"error": {"message": "model is overloaded", "code": 503}}, "overloaded", "overloaded"),
        ({"error": "quota exceeded", "status": 429}, "throttled", "quota"),
    ],
)
def test_what_is_no_answer_is_a_fault(answer: object, kind: str, words: str) -> None:
    """So that the call goes on to another route."""
    fault = read(answer, request("a", "b"))

    assert isinstance(fault, Fault)
    assert fault.kind == kind
    assert words in fault.message


def test_vectors_of_another_length_than_before_are_a_fault_of_the_route() -> None:
    """They would be of another space, whatever they are called."""
    fault = read(rows(X), request("a", expects=4))

    assert isinstance(fault, Fault)
    assert (fault.kind, fault.scope) == ("unsupported", "route")
    assert fault.message == "its vectors have 3 dimensions, not 4"


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"prompt_tokens": 7, "total_tokens": 7}, Usage(7, 0, 7)),
        ({"prompt_tokens": 0, "total_tokens": 0}, None),
        (None, None),
    ],
)
def test_tokens_are_told_unless_they_are_none(stated: object, expected: Usage | None) -> None:
    """A zero is no count: the estimate stays booked."""
    decoder = DIALECT.decoder(request(), "owl-embed")
    decoder.feed(json.dumps({**rows(X), "usage": stated, "model": "owl-embed-2"}).encode())
    delta = only(decoder.end())

    assert delta.usage == decoder.usage == expected
    assert (decoder.model, decoder.response_id) == ("owl-embed-2", None)
    assert (delta.finish_reason, delta.has_content) == ("stop", True)


NUMBERS = st.floats(-1e3, 1e3, width=32)


@given(
    st.lists(st.lists(NUMBERS, min_size=3, max_size=3), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
    st.booleans(),
)
def test_however_an_answer_is_written_it_reads_the_same(
    made: list[list[float]],
    chance: Any,
    packs: bool,
) -> None:
    """In any order, as numbers or packed: one direction a text, in the order of the texts."""
    places = list(range(len(made)))
    chance.shuffle(places)
    told = [packed(*made[place]) if packs else made[place] for place in places]
    got = vectors(rows(*told, places=places), request(*["text"] * len(made)))

    for vector, source in zip(got, made, strict=True):
        length = math.hypot(*source)
        if length:
            assert math.hypot(*vector) == pytest.approx(1.0, abs=2e-3)
        assert [part * (length or 1.0) for part in vector] == pytest.approx(
            source, rel=2e-3, abs=1e-4 * max(1.0, length)
        )


@given(st.binary(max_size=200))
def test_no_bytes_are_an_accident(body: bytes) -> None:
    """Whatever a server sends is vectors or a fault."""
    decoder = DIALECT.decoder(request("a", "b"), "owl-embed")
    decoder.feed(body)

    assert isinstance(decoder.end(), (list, Fault))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)


@given(st.lists(st.fixed_dictionaries({}, optional={"index": JSON, "embedding": JSON})))
def test_no_json_is_an_accident(data: list[Any]) -> None:
    """Nor is any shape of row."""
    decoder = DIALECT.decoder(request("a", "b"), "owl-embed")
    decoder.feed(json.dumps({"data": data}).encode())

    assert isinstance(decoder.end(), (list, Fault))
