"""One answer, told in any style a server may have and cut anywhere, is the same answer."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.chat import Completion, Request, fold
from freelm_integrations.wire.faults import Fault
from tests.wire.dialects import DECLARED, PLAIN

LETTERS = st.characters(
    codec="utf-8", exclude_characters="<["
)  # what opens a tag or a leaked call is another test's
WORDS = st.text(LETTERS, min_size=1, max_size=8)
VALUES = st.one_of(st.integers(), WORDS, st.none(), st.lists(WORDS, max_size=2))
CALL = st.tuples(
    st.sampled_from(["add", "sub", "get_weather"]),
    st.dictionaries(WORDS, VALUES, max_size=3).map(json.dumps),
)
PIECES = st.lists(st.tuples(st.sampled_from(["text", "thinking"]), WORDS), max_size=8)
STYLES = st.fixed_dictionaries(
    {
        "thinking": st.sampled_from(
            ["reasoning", "reasoning_content", "both", "parts", "thinking"]
        ),
        "text": st.sampled_from(["string", "parts"]),
        "usage": st.sampled_from(["none", "finish", "trailer", "both", "running", "x_groq"]),
        "calls": st.sampled_from(["whole", "fragments", "in turns"]),
        "identify": st.sampled_from(["first", "each", "no"]),
        "size": st.integers(1, 9),
        "escapes": st.booleans(),
        "pads": st.booleans(),
        "is_done": st.booleans(),
        "newline": st.sampled_from(["\n", "\r\n", "\r"]),
        "comments": st.booleans(),
    }
)
# Those whose answers are read by other rules than the plain ones.
by_accent = pytest.mark.parametrize(
    "name", ["cerebras", "google", "groq", "local", "mistral", "nim", "openrouter", "zai"]
)
TOOL = {"type": "function", "function": {"name": "f"}}
USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}


def thinking_delta(said: str, style: dict[str, Any]) -> dict[str, Any]:
    kind = style["thinking"]
    if kind == "both":
        return {"reasoning": said, "reasoning_content": said}
    if kind == "parts":
        text = [{"type": "text", "text": said}]
        return {"content": [{"type": "thinking", "thinking": text, "closed": False}]}
    return {kind: said}


def text_delta(said: str, style: dict[str, Any]) -> dict[str, Any]:
    if style["text"] == "parts":
        return {"content": [{"type": "text", "text": said}, {"type": "reference", "ids": [1]}]}
    return {"content": said}


def call_deltas(calls: list[tuple[str, str]], style: dict[str, Any]) -> list[dict[str, Any]]:
    """The calls, whole or in fragments, one after the other or in turns."""
    lanes = [fragments(n, call, style) for n, call in enumerate(calls)]
    if style["calls"] != "in turns":
        return [piece for lane in lanes for piece in lane]
    return [
        lane[turn]
        for turn in range(max(map(len, lanes), default=0))
        for lane in lanes
        if turn < len(lane)
    ]


def fragments(n: int, call: tuple[str, str], style: dict[str, Any]) -> list[dict[str, Any]]:
    name, arguments = call
    own = {} if style["identify"] == "no" else {"id": f"call_{n}"}
    if style["calls"] == "whole":
        return [{"index": n, **own, "function": {"name": name, "arguments": arguments}}]
    size = style["size"]
    rest = [arguments[at : at + size] for at in range(0, len(arguments), size)]
    repeated = own if style["identify"] == "each" else {}
    return [
        {"index": n, **own, "type": "function", "function": {"name": name, "arguments": ""}},
        *({"index": n, **repeated, "function": {"arguments": piece}} for piece in rest),
    ]


def chunks(pieces, calls, style) -> list[dict[str, Any]]:
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    for kind, said in pieces:
        deltas.append(
            thinking_delta(said, style) if kind == "thinking" else text_delta(said, style)
        )
    deltas += [{"tool_calls": [piece]} for piece in call_deltas(calls, style)]
    told: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas
    ]
    last: dict[str, Any] = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    usage = style["usage"]
    if usage == "running":
        for number, chunk in enumerate(told):
            chunk["usage"] = {
                "prompt_tokens": 3,
                "completion_tokens": 0,
                "total_tokens": 3 + number,
            }
    if usage in {"finish", "both", "running"}:
        last["usage"] = USAGE
    if usage == "x_groq":
        last["x_groq"] = {"id": "req_1", "usage": USAGE}
    trailer = [{"choices": [], "usage": USAGE}] if usage in {"trailer", "both"} else []
    if style["pads"]:
        told = [{**chunk, "p": "abc", "logprobs": None} for chunk in told]
    return [*told, last, *trailer]


def streamed(pieces, calls, style) -> bytes:
    newline = style["newline"]
    lines = [
        f"data: {json.dumps(chunk, ensure_ascii=style['escapes'])}"
        for chunk in chunks(pieces, calls, style)
    ]
    lines += ["data: [DONE]"] if style["is_done"] else []
    between = f"{newline}{newline}" + (
        f": PROCESSING{newline}{newline}" if style["comments"] else ""
    )
    return (between.join(lines) + newline + newline).encode()


def read(dialect, pieces: list[bytes], *, streaming: bool, tools=()) -> Completion | Fault:
    request = Request(
        messages=({"role": "user", "content": "hi"},), tools=tools, streaming=streaming
    )
    decoder = dialect.decoder(request, "acme/owl-9")
    deltas = []
    for piece in pieces:
        said = decoder.feed(piece)
        if isinstance(said, Fault):
            return said
        deltas += said
    last = decoder.end()
    return last if isinstance(last, Fault) else fold([*deltas, *last])


def spoken(pieces, kind: str) -> str:
    return "".join(said for one, said in pieces if one == kind)


@by_accent
@given(
    pieces=PIECES,
    calls=st.lists(CALL, max_size=3),
    style=STYLES,
    cuts=st.lists(st.integers(0, 4000), max_size=9),
)
def test_an_answer_is_the_same_in_any_style_and_any_pieces(name, pieces, calls, style, cuts):
    """Text, thinking, calls and usage: each once, whole and in order."""
    data = streamed(pieces, calls, style)
    places = [0, *sorted(cut % len(data) for cut in cuts), len(data)]
    said = read(DECLARED[name], [data[a:b] for a, b in pairwise(places)], streaming=True)

    text = spoken(pieces, "text")
    if not text.strip() and not calls:
        assert isinstance(said, Fault)
        assert said.kind == ("only_thinking" if spoken(pieces, "thinking") else "empty")
        return
    assert not isinstance(said, Fault)
    assert said.text == (text if text.strip() else "")
    assert said.reasoning == spoken(pieces, "thinking")
    assert [(call.name, call.arguments) for call in said.tool_calls] == calls
    assert said.finish_reason == ("tool_calls" if calls else "stop")
    if style["usage"] == "none":
        assert said.usage is None
    else:
        assert (said.usage.prompt_tokens, said.usage.completion_tokens) == (3, 4)
        assert said.usage.total_tokens == 7


@by_accent
@given(pieces=PIECES, calls=st.lists(CALL, max_size=3), style=STYLES, spaces=st.integers(0, 9))
def test_a_whole_answer_says_what_a_streamed_one_does(name, pieces, calls, style, spaces):
    """Both go through the same reading; padding before the body is none of it."""
    thinking, text = spoken(pieces, "thinking"), spoken(pieces, "text")
    message = {
        "role": "assistant",
        "content": text,
        **({"reasoning": thinking} if thinking else {}),
        **({"tool_calls": call_deltas(calls, {**style, "calls": "whole"})} if calls else {}),
    }
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": USAGE}
    written = " \n" * spaces + json.dumps(body, ensure_ascii=style["escapes"])
    whole = read(DECLARED[name], [written.encode()], streaming=False)
    stream = read(
        DECLARED[name], [streamed(pieces, calls, {**style, "usage": "finish"})], streaming=True
    )

    if isinstance(whole, Fault):
        assert isinstance(stream, Fault)
        assert whole.kind == stream.kind
        return
    assert not isinstance(stream, Fault)
    assert (whole.text, whole.reasoning, whole.usage) == (
        stream.text,
        stream.reasoning,
        stream.usage,
    )
    assert [call.arguments for call in whole.tool_calls] == [
        call.arguments for call in stream.tool_calls
    ]


@given(
    data=st.lists(
        st.one_of(
            st.text(max_size=8), st.sampled_from(["[DONE]", "{", "null", "[]", '{"choices":'])
        )
    ),
    name=st.sampled_from(["", "error", "message"]),
    cuts=st.lists(st.integers(0, 300), max_size=5),
)
def test_any_data_of_an_event_is_an_answer_or_a_fault(data, name, cuts):
    """Whatever stands in it, and however it is cut."""
    head = f"event: {name}\n" if name else ""
    written = "".join(f"{head}data: {one}\n\n" for one in data).encode()
    places = [0, *sorted(min(cut, len(written)) for cut in cuts), len(written)]
    request = Request(messages=({"role": "user", "content": "hi"},), streaming=True)
    decoder = PLAIN.decoder(request, "m")
    heard = [decoder.feed(written[a:b]) for a, b in pairwise(places)]
    faults = [said for said in heard if isinstance(said, Fault)]

    assert all(said == [] for said in heard if not isinstance(said, Fault))
    assert faults or isinstance(decoder.end(), Fault)


@pytest.mark.parametrize("name", ["mistral", "kilo", "groq"])
@given(
    text=st.text("<|[>tool_caunsfei= S1\n", min_size=1, max_size=14),
    cuts=st.lists(st.integers(0, 13)),
)
def test_text_that_is_held_back_at_first_is_told_in_the_end(name, text, cuts):
    """What may become a leaked call or a guard's word, but does not: whole and once, or a fault."""
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [("text", text[a:b]) for a, b in pairwise(places)]
    style = {"text": "string", "usage": "none", "pads": False, "calls": "whole", "escapes": True}
    style |= {"newline": "\n", "is_done": True, "comments": False}
    said = read(DECLARED[name], [streamed(pieces, [], style)], streaming=True, tools=(TOOL,))

    if isinstance(said, Fault):
        assert said.kind in {"empty", "tool_failed"}
    else:
        assert said.text == text
    assert isinstance(said, Fault) is _is_no_answer(text.strip(), name)


def _is_no_answer(text: str, name: str) -> bool:
    if name == "kilo" and re.fullmatch(r"(un)?safe(\s*s1[\s]*)*", text.lower()):
        return True
    return not text or text.startswith(("<tool_call>", "<|tool_call", "<function="))
