"""Whatever a server sends in place of an answer, it is an answer or a fault: never an exception."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.chat import Delta, Request, fold
from freelm_integrations.wire.faults import FAULT_KINDS, Fault
from tests.wire.dialects import DECLARED
from tests.wire.refusals import UTC

KEYS = (
    *("choices", "delta", "message", "content", "tool_calls", "function", "arguments", "name"),
    *("error", "code", "status", "detail", "title", "usage", "prompt_tokens", "total_tokens"),
    *("finish_reason", "index", "id", "reasoning", "reasoning_details", "extra_content", "google"),
    *("thought", "x_groq", "metadata", "raw", "headers", "details", "violations", "quotaId"),
    *("retryDelay", "loc", "availability", "retry_after", "model", "thinking", "text", "type"),
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.sampled_from(
        [
            "",
            "stop",
            "error",
            "length",
            "<think>",
            "{",
            '{"a":',
            "0",
            "429",
            "limit: 0",
            "try again in",
            "\ud83d",
            "\ude00",
        ]
    ),
    st.text(max_size=8),
)
ANY = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=16,
)
CHUNKS = st.one_of(
    ANY,
    st.fixed_dictionaries(
        {
            "choices": st.lists(
                st.fixed_dictionaries(
                    {},
                    optional={"delta": ANY, "message": ANY, "finish_reason": ANY, "index": ANY},
                ),
                max_size=2,
            )
        },
        optional={"usage": ANY, "error": st.none(), "model": ANY, "id": ANY, "x_groq": ANY},
    ),
)
TOOL = {"type": "function", "function": {"name": "f"}}
by_provider = pytest.mark.parametrize("dialect", DECLARED.values(), ids=list(DECLARED))


def read(dialect, pieces, *, streaming, tools=()) -> list[Delta] | Fault:
    request = Request(
        messages=({"role": "user", "content": "hi"},), tools=tools, streaming=streaming
    )
    decoder = dialect.decoder(request, "gemma-qwen-owl")
    deltas: list[Delta] = []
    for piece in pieces:
        said = decoder.feed(piece)
        if isinstance(said, Fault):
            return said
        deltas += said
    last = decoder.end()
    return last if isinstance(last, Fault) else [*deltas, *last]


def check(said: list[Delta] | Fault) -> None:
    if isinstance(said, Fault):
        said.message.encode()
        assert said.kind in FAULT_KINDS
        assert said.retry_after is None or said.retry_after >= 0
        return
    assert said[-1].finish_reason is not None
    assert [delta for delta in said if delta.finish_reason is not None] == said[-1:]
    for delta in said:
        assert isinstance(delta.text, str)
        assert isinstance(delta.reasoning, str)
    assert any(delta.text or delta.tool_calls for delta in said)
    answer = fold(said)
    json.dumps([answer.to_message(), answer.reasoning, answer.raw], ensure_ascii=False).encode()
    calls = {part.index for delta in said for part in delta.tool_calls}
    assert calls == set(range(len(answer.tool_calls)))


@by_provider
@given(chunks=st.lists(CHUNKS, max_size=4), is_done=st.booleans(), tools=st.booleans())
def test_any_json_in_a_stream_is_an_answer_or_a_fault(dialect, chunks, is_done, tools):
    """And an answer always says something, ends once, and ends last."""
    pieces = [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks]
    pieces += [b"data: [DONE]\n\n"] if is_done else []

    check(read(dialect, pieces, streaming=True, tools=(TOOL,) if tools else ()))


@by_provider
@given(body=CHUNKS)
def test_any_json_as_a_body_is_an_answer_or_a_fault(dialect, body):
    """The same for an answer in one piece."""
    check(read(dialect, [json.dumps(body).encode()], streaming=False))


@by_provider
@given(pieces=st.lists(st.binary(max_size=40), max_size=5), streaming=st.booleans())
def test_any_bytes_are_an_answer_or_a_fault(dialect, pieces, streaming):
    """Garbage is a fault."""
    check(read(dialect, pieces, streaming=streaming))


@by_provider
@given(
    status=st.integers(300, 599),
    body=st.one_of(ANY.map(lambda value: json.dumps(value).encode()), st.binary(max_size=60)),
)
def test_any_refusal_is_a_fault(dialect, status, body):
    """Every status with every body."""
    fault = dialect.fault(status, {"retry-after": "x"}, body, utc=UTC)

    assert fault.kind in FAULT_KINDS
    assert fault.status == status
    assert len(fault.message) <= 300
    assert (fault.parameter is not None) == (fault.kind == "bad_parameter")


@pytest.mark.parametrize("depth", [10, 1000, 100_000])
@pytest.mark.parametrize("streaming", [True, False])
def test_json_nested_without_end_is_a_fault(depth, streaming):
    """It overflows no stack."""
    body = b'{"choices":' + b"[" * depth + b"]" * depth + b"}"
    piece = b"data: " + body + b"\n\n" if streaming else body

    for dialect in DECLARED.values():
        assert isinstance(read(dialect, [piece], streaming=streaming), Fault)
        assert dialect.fault(400, {}, body, utc=UTC).kind in FAULT_KINDS


WORDS = st.text(max_size=6)


@by_provider
@given(
    pieces=st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=8),
    cuts=st.lists(st.integers(0, 5000), max_size=8),
)
def test_no_word_of_an_answer_is_lost_or_doubled(dialect, pieces, cuts):
    """Any text and reasoning in any chunks, cut anywhere: all of it, once, in order."""
    text = "".join(content for content, _ in pieces)
    if not text.strip() or text.lstrip().startswith("<"):
        return
    chunks = [
        {"choices": [{"index": 0, "delta": {"content": content, "reasoning": thought}}]}
        for content, thought in pieces
    ]
    data = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)
    data += b"data: [DONE]\n\n"
    places = [0, *sorted({cut % len(data) for cut in cuts}), len(data)]
    split = [data[start:stop] for start, stop in pairwise(places)]

    said = read(dialect, split, streaming=True)
    assert not isinstance(said, Fault)
    assert "".join(delta.text for delta in said) == text
    assert "".join(delta.reasoning for delta in said) == "".join(thought for _, thought in pieces)
