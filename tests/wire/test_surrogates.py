"""A character cut in two JSON escapes is one again, and no half of one reaches the caller."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.chat import Request, fold
from freelm_integrations.wire.faults import Fault
from tests.wire.dialects import PLAIN
from tests.wire.test_any_json import ANY, read

TEXT = st.text(st.sampled_from("aé\u4e2d\U0001f989\U0001f600"), min_size=1, max_size=12)
HALVED = st.text(st.sampled_from("a\ud83d\ude00\U0001f989"), max_size=6)


def units(text: str) -> list[str]:
    """The text's UTF-16 units, each as JSON would escape it."""
    data = text.encode("utf-16-be", "surrogatepass")
    return [f"\\u{data[n]:02x}{data[n + 1]:02x}" for n in range(0, len(data), 2)]


def event(field: str, written: str) -> bytes:
    deltas = {
        "content": f'"content":"{written}"',
        "reasoning": f'"reasoning":"{written}"',
        "arguments": f'"tool_calls":[{{"index":0,"function":{{"arguments":"{written}"}}}}]',
        "thinking": f'"content":[{{"type":"thinking","thinking":[{{"text":"{written}"}}]}}]',
    }
    return f'data: {{"choices":[{{"index":0,"delta":{{{deltas[field]}}}}}]}}\n\n'.encode()


def said_of(field: str, pieces: list[str]) -> str:
    opening = [
        event("content", "x"),
        b'data: {"choices":[{"delta":{"tool_calls":[{"id":"a","function":{"name":"f"}}]}}]}\n\n',
    ]
    events = opening + [event(field, piece) for piece in pieces] + [b"data: [DONE]\n\n"]
    said = read(PLAIN, events, streaming=True)
    assert not isinstance(said, Fault)
    whole = fold(said)
    parts = {"content": whole.text[1:], "arguments": whole.tool_calls[0].arguments}
    return parts.get(field, whole.reasoning)


@pytest.mark.parametrize("field", ["content", "reasoning", "arguments", "thinking"])
@given(text=TEXT)
def test_a_text_sent_unit_by_unit_is_what_it_was(field, text):
    """Text, reasoning, arguments and lists of parts alike."""
    assert said_of(field, units(text)) == text


@pytest.mark.parametrize("field", ["content", "reasoning", "arguments"])
@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["\\ud83d"], "\ufffd"),
        (["\\ud83d", "a"], "\ufffda"),
        (["\\ude00a"], "\ufffda"),
        (["a\\ud83d", "", "\\ude00"], "a\U0001f600"),
        (["\\ud83d", "\\ud83d", "\\ude00"], "\ufffd\U0001f600"),
        (["\\uD83D\\uDE00"], "\U0001f600"),
    ],
)
def test_a_half_alone_is_replaced(field, pieces, expected):
    """Once, where it stood, even at the very end."""
    assert said_of(field, pieces) == expected


def test_halves_of_two_calls_do_not_meet():
    """The pieces of parallel calls may come in turns."""
    head = '{{"choices":[{{"delta":{{"tool_calls":[{{"index":{0},{1}}}]}}}}]}}'
    pieces = [
        *(head.format(n, f'"id":"{n}","function":{{"name":"f","arguments":""}}') for n in (0, 1)),
        head.format(0, '"function":{"arguments":"\\ud83d"}'),
        head.format(1, '"function":{"arguments":"\\ud83d"}'),
        head.format(0, '"function":{"arguments":"\\ude00"}'),
        head.format(1, '"function":{"arguments":"\\ude01"}'),
    ]
    events = [f"data: {piece}\n\n".encode() for piece in pieces]
    whole = fold(read(PLAIN, [*events, b"data: [DONE]\n\n"], streaming=True))

    assert [call.arguments for call in whole.tool_calls] == ["\U0001f600", "\U0001f601"]


@given(value=ANY, text=HALVED, streaming=st.booleans())
def test_whatever_comes_can_be_written_in_utf8(value, text, streaming):
    """Names, ids, extras and the raw body as well as the text."""
    body = {
        "id": text,
        "model": text,
        "x": {text: value},
        "choices": [
            {
                "finish_reason": text,
                "message": {
                    "content": "a" + text,
                    "reasoning": text,
                    "reasoning_details": [{"type": text, "text": text}],
                    "tool_calls": [{"id": text, "function": {"name": text, "arguments": text}}],
                },
            }
        ],
    }
    data = json.dumps(body).encode()
    pieces = [b"data: " + data + b"\n\n"] if streaming else [data]
    request = Request(messages=({"role": "user", "content": "hi"},), streaming=streaming)
    decoder = PLAIN.decoder(request, "m")
    said = [*map(decoder.feed, pieces), decoder.end()]
    written: list[object] = [decoder.model, decoder.response_id]
    for part in said:
        if isinstance(part, Fault):
            written.append(part.message)
        else:
            answer = fold(part)
            written += [answer.reasoning, dict(answer.raw), answer.to_message()]

    json.dumps(written, ensure_ascii=False).encode()
