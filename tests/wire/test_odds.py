"""Log probabilities: none lost, none where nobody asked, and as the front ends show them."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.chat import Delta, Request, fold
from freelm_integrations.langchain.answers import to_message
from freelm_integrations.langchain.chunks import ChunkWriter
from freelm_integrations.llama_index.answers import GrowingAnswer
from freelm_integrations.openai.translate import Chunker
from freelm_integrations.wire.faults import Fault
from freelm_integrations.wire.openai import ChatCompletions

WORDS = ["<", "b", "ut", " thi", "nk", " of", " it"]


def position(word: str, place: int) -> dict[str, Any]:
    other = {"token": "?", "logprob": -9.0, "bytes": None}
    token = {"token": word, "logprob": -0.5 * place, "bytes": list(word.encode())}
    return {**token, "top_logprobs": [token, other]}


def body(words: list[str], *, odds: Any = position) -> bytes:
    lines: list[Any] = [
        {"choices": [{"delta": {"content": word}, "logprobs": {"content": [odds(word, place)]}}]}
        for place, word in enumerate(words)
    ]
    lines.append({"choices": [{"delta": {}, "finish_reason": "stop", "logprobs": None}]})
    chunks = [f"data: {json.dumps(line)}\n\n" for line in lines]
    return ("".join(chunks) + "data: [DONE]\n\n").encode()


def told(data: bytes, cuts: list[int], **params: Any) -> list[Delta]:
    messages = ({"role": "user", "content": "hi"},)
    request = Request(messages=messages, streaming=True, params=params)
    decoder = ChatCompletions(think_tags={"": "think"}).decoder(request, "m")
    edges = [0, *sorted(cut % len(data) for cut in cuts), len(data)]
    deltas: list[Delta] = []
    for start, end in pairwise(edges):
        heard = decoder.feed(data[start:end])
        assert not isinstance(heard, Fault)
        deltas += heard
    last = decoder.end()
    assert not isinstance(last, Fault)
    return deltas + last


@given(st.lists(st.integers(0, 10_000), max_size=8))
def test_each_position_is_told_once_and_in_order(cuts: list[int]) -> None:
    """Though text is held back that may be the beginning of a tag."""
    deltas = told(body(WORDS), cuts, logprobs=True, top_logprobs=2)

    assert "".join(delta.text for delta in deltas) == "".join(WORDS)
    positions = [one for delta in deltas for one in delta.logprobs]
    assert [one["token"] for one in positions] == WORDS
    assert list(fold(deltas).logprobs) == positions


def test_nobody_is_told_who_did_not_ask() -> None:
    """Some servers send them all the same."""
    assert all(delta.logprobs == () for delta in told(body(WORDS), []))


@pytest.mark.parametrize("odd", [None, 5, "x", ["x"], {"token": None}])
def test_odd_ones_do_no_harm(odd: Any) -> None:
    """The text is what matters."""
    deltas = told(body(WORDS, odds=lambda *_: odd), [], logprobs=True)

    assert "".join(delta.text for delta in deltas) == "".join(WORDS)
    for delta in deltas:
        GrowingAnswer().add(delta)
        Chunker(created=1, include_usage=False).chunks(delta)


def test_a_whole_answer_tells_them_as_well() -> None:
    """In the core and in LangChain, where streamed chunks add up to the same."""
    positions = [position(word, place) for place, word in enumerate(WORDS)]
    choice = {"message": {"content": "".join(WORDS)}, "finish_reason": "stop"}
    whole = json.dumps({"choices": [{**choice, "logprobs": {"content": positions}}]}).encode()
    messages = ({"role": "user", "content": "hi"},)
    decoder = ChatCompletions().decoder(Request(messages=messages, params={"logprobs": True}), "m")
    decoder.feed(whole)
    answer = decoder.end()
    assert not isinstance(answer, Fault)

    message = to_message(fold(answer))
    writer = ChunkWriter()
    written = [one for delta in told(body(WORDS), [], logprobs=True) for one in writer.write(delta)]
    summed = written[0].message
    for one in written[1:]:
        summed = summed + one.message

    assert message.response_metadata["logprobs"] == {"content": positions}
    assert summed.content == message.content == "".join(WORDS)
    assert summed.response_metadata["logprobs"] == {"content": positions}


def test_the_other_front_ends_show_them() -> None:
    """With the delta that they belong to."""
    delta = Delta("but", logprobs=(position("but", 1),))

    (row,) = GrowingAnswer().add(delta).logprobs or []
    assert [(one.token, one.logprob) for one in row] == [("but", -0.5), ("?", -9.0)]
    assert GrowingAnswer().add(Delta("it")).logprobs is None

    (chunk,) = Chunker(created=1, include_usage=False).chunks(delta)
    assert chunk.choices[0].logprobs.content[0].top_logprobs[1].token == "?"
    (chunk,) = Chunker(created=1, include_usage=False).chunks(Delta("it"))
    assert chunk.choices[0].logprobs is None
