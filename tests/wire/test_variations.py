"""Answers as Groq, Cerebras, Mistral and NIM might send them: other orders, shapes and places."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from freelm_integrations.chat import Completion, Request, fold
from freelm_integrations.wire.faults import Fault
from tests.wire.dialects import DECLARED

TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
ADD, SUB = ("add", '{"a":1}'), ("sub", '{"b":2}')
PROVIDERS = ("groq", "cerebras", "mistral", "nim")
SIZES = (1, 11, 100_000)
"""Bytes that come at a time."""


class Case(NamedTuple):
    """What is sent, and what it amounts to: a fault, or as much of the answer as is named."""

    name: str
    sent: bytes
    fault: str | None = None
    text: str = ""
    reasoning: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    total: int | None = None
    finish: str | None = None

    def __str__(self) -> str:
        return self.name


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    """A chunk with one choice."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "x", "model": "m", "choices": [choice], **more}


def call(name: str | None = None, arguments: Any = None, **more: Any) -> dict[str, Any]:
    """A delta with a fragment of a call."""
    return {"tool_calls": [fragment(name, arguments, **more)]}


def fragment(name: str | None = None, arguments: Any = None, **more: Any) -> dict[str, Any]:
    """A fragment of a call."""
    said = {"name": name, "arguments": arguments}
    return {"function": {key: value for key, value in said.items() if value is not None}, **more}


def stream(*chunks: Any, done: bool = True, newline: str = "\n") -> bytes:
    """Server-sent events."""
    lines = [one if isinstance(one, str) else json.dumps(one) for one in chunks]
    lines += ["[DONE]"] if done else []
    return "".join(f"data: {line}{newline}{newline}" for line in lines).encode()


def body(message: dict[str, Any], finish: Any = "stop", **more: Any) -> bytes:
    """A whole answer."""
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return json.dumps({"id": "x", "model": "m", "choices": [choice], **more}).encode()


STOP, CALLED = chunk({}, "stop"), chunk({}, "tool_calls")
HOOT = chunk({"content": "Hoot"})
ENDED = chunk({"content": "Hoot"}, "stop")
LISTED = [{"type": "text", "text": "Owls."}]

STREAMS = [
    Case("plain", stream(chunk({"role": "assistant"}), HOOT, STOP), text="Hoot"),
    Case("crlf", stream(HOOT, STOP, newline="\r\n"), text="Hoot"),
    Case("no space", stream(HOOT, STOP).replace(b"data: ", b"data:"), text="Hoot"),
    Case("a mark first", b"\xef\xbb\xbf" + stream(HOOT, STOP), text="Hoot"),
    Case("spaces by the end", stream(ENDED, done=False) + b"data:  [DONE] \n", text="Hoot"),
    Case("no delta", stream(HOOT, {"choices": [{"finish_reason": "stop"}]}), text="Hoot"),
    Case("the other choice first", stream({"choices": [
        {"index": 1, "delta": {"content": "no"}}, {"index": 0, "delta": {"content": "Hoot"}}
    ]}, STOP), text="Hoot"),
    Case("usage with text", stream(chunk({"content": "Hoot"}, "stop", usage=USAGE)),
         text="Hoot", total=7),
    Case("usage in strings", stream(chunk(
        {"content": "Hoot"}, "stop", usage={name: str(n) for name, n in USAGE.items()}
    )), text="Hoot", total=7),
    Case("usage without a total", stream(chunk(
        {"content": "Hoot"}, "stop", usage={"prompt_tokens": 3.0, "completion_tokens": 4.0}
    )), text="Hoot", total=7),
    Case("usage in the choice", stream({"choices": [
        {"delta": {"content": "Hoot"}, "finish_reason": "stop", "usage": USAGE}
    ]}), text="Hoot", total=7),
    Case("usage first", stream({"choices": [], "usage": USAGE}, ENDED), text="Hoot", total=7),
    Case("usage last", stream(ENDED, {"choices": None, "usage": USAGE}), text="Hoot", total=7),
    Case("both in one", stream(chunk({"reasoning": "Owls.", "content": "Hoot"}, "stop")),
         text="Hoot", reasoning="Owls."),
    Case("details beside no text", stream(
        chunk({"content": "", "reasoning_details": [{"text": "Owls."}]}), HOOT, STOP
    ), text="Hoot", reasoning="Owls."),
    Case("a body", body({"content": "Hoot"}), text="Hoot"),
    Case("a call", stream(chunk(call(*ADD, index=0, id="a")), CALLED), calls=(ADD,)),
    Case("calls without index", stream(chunk({"tool_calls": [
        fragment(*ADD, id="a"), fragment(*SUB, id="b")
    ]}), STOP), calls=(ADD, SUB), finish="tool_calls"),
    Case("calls apart, without index", stream(
        chunk(call(*ADD, id="a")), chunk(call(*ADD, id="b")), STOP
    ), calls=(ADD, ADD)),
    Case("calls without ids", stream(chunk({"tool_calls": [
        fragment(*ADD), fragment(*ADD), fragment(*SUB)
    ]}), CALLED), calls=(ADD, ADD, SUB)),
    Case("indexes in strings, in turns", stream(
        chunk(call("add", "", index="0", id="a")),
        chunk(call("sub", "", index="1", id="b")),
        chunk(call(arguments='{"a":1}', index="0")),
        chunk(call(arguments='{"b":2}', index="1")),
        CALLED,
    ), calls=(ADD, SUB)),
    Case("ids alone, in turns", stream(
        chunk(call("add", '{"a"', id="a")),
        chunk(call("sub", '{"b"', id="b")),
        chunk(call(arguments=":1}", id="a")),
        chunk(call(arguments=":2}", id="b")),
        CALLED,
    ), calls=(ADD, SUB)),
    Case("an index that comes late", stream(
        chunk(call("add", "", index=None, id="a")), chunk(call(arguments='{"a":1}', index=0)), CALLED
    ), calls=(ADD,)),
    Case("indexes from one", stream(
        chunk(call(*ADD, index=1, id="a")), chunk(call(*SUB, index=2, id="b")), CALLED
    ), calls=(ADD, SUB)),
    Case("a call in a message", stream(chunk({"content": "Hm"}), {"choices": [
        {"message": call(*ADD, id="a"), "finish_reason": "tool_calls"}
    ]}), text="Hm", calls=(ADD,)),
    Case("text behind a call", stream(chunk(call(*ADD, index=0, id="a")), HOOT, STOP),
         text="Hoot", calls=(ADD,)),
    Case("thinking inside a call", stream(
        chunk(call("add", '{"a"', index=0, id="a")),
        chunk({"reasoning": "Owls."}),
        chunk(call(arguments=":1}", index=0)),
        CALLED,
    ), reasoning="Owls.", calls=(ADD,)),
    Case("a named error, bare", stream(chunk({"role": "assistant"}), done=False)
         + b'event: error\ndata: {"message":"overloaded","status_code":503}\n\n', "overloaded"),
    Case("an error and no choices",
         stream({"choices": [], "error": {"message": "Too fast", "code": 429}}), "throttled"),
    Case("an error in a word", stream({"error": "Service Unavailable"}), "overloaded"),
    Case("a status in a string", stream({"error": {"message": "x", "code": "500"}}),
         "server_error"),
    Case("an error, then the end", stream(
        chunk({"role": "assistant"}), {"error": {"message": "Oh", "code": None}, "status_code": 500}
    ), "server_error"),
    Case("errors in a list", stream({"errors": [{"message": "Internal server error"}]}),
         "server_error"),
    Case("capacity of a tier", stream(
        {"object": "error", "message": "Service tier capacity exceeded", "code": "3505"}
    ), "overloaded"),
    Case("a problem", stream({"status": 429, "title": "Too Many Requests"}), "throttled"),
    Case("a detail", stream({"detail": "Internal server error"}), "server_error"),
    Case("a body that is an error",
         json.dumps({"error": {"message": "Slow down", "code": 429}}).encode(), "throttled"),
    Case("a page", b"<!DOCTYPE html><html><body>Bad gateway</body></html>", "broken"),
    Case("no end", stream(HOOT, done=False), "cut"),
    Case("nothing", stream(chunk({"role": "assistant", "content": ""}), STOP), "empty"),
    Case("all thinking", stream(chunk({"reasoning": "x"}), chunk({}, "length")), "only_thinking"),
    Case("filtered", stream(chunk({"role": "assistant"}), chunk({}, "content_filter")),
         "moderated"),
    *(
        Case(f"{field} in pieces", stream(
            chunk({field: "Ow"}), chunk({field: "ls."}), HOOT, STOP
        ), text="Hoot", reasoning="Owls.")
        for field in ("reasoning", "reasoning_content", "thinking")
    ),
    *(
        Case(f"{field} in parts", stream(chunk({field: LISTED}), ENDED),
             text="Hoot", reasoning="Owls.")
        for field in ("reasoning", "reasoning_content", "thinking")
    ),
]  # fmt: skip
BODIES = [
    Case("a stream", stream(HOOT, STOP), text="Hoot"),
    Case("in a list", b"[" + body({"content": "Hoot"}) + b"]", text="Hoot"),
    Case("a loud end", body({"content": "Hoot"}, "STOP"), text="Hoot", finish="stop"),
    Case("an end of no word", body({"content": "Hoot"}, 0), text="Hoot", finish="stop"),
    Case("another word", body({"content": "Hoot"}, "max_tokens"), text="Hoot", finish="length"),
    Case("a refusal", body({"content": None, "refusal": "No."}), text="No."),
    Case("strings", body({"content": ["Ho", "ot"]}), text="Hoot"),
    Case("one part", body({"content": {"type": "text", "text": "Hoot"}}), text="Hoot"),
    Case("parts", body({"content": [*LISTED, {"type": "text", "text": "!"}]}), text="Owls.!"),
    Case("thinking among parts", body({"content": [
        {"type": "thinking", "thinking": "Owls."}, {"type": "text", "text": "Hoot"}
    ]}), text="Hoot", reasoning="Owls."),
    Case("details", body({"content": "Hoot", "reasoning_details": LISTED}),
         text="Hoot", reasoning="Owls."),
    *(
        Case(f"thinking in a {type(said).__name__}", body({"content": "Hoot", "reasoning": said}),
             text="Hoot", reasoning="Owls.")
        for said in ("Owls.", LISTED, ["Owls."], {"content": "Owls."})
    ),
    Case("usage in strings", body({"content": "Hoot"}, usage={"total_tokens": "7"}), text="Hoot",
         total=7),
    Case("arguments in an object", body(call("add", {"a": 1}, id="a")),
         calls=(("add", '{"a": 1}'),), finish="tool_calls"),
    Case("one call, in no list", body({"tool_calls": fragment(*ADD, id="a")}), calls=(ADD,)),
    Case("no arguments", body(call("add", id="a"), "tool_calls"), calls=(("add", "{}"),)),
    Case("nothing around it", body({"tool_calls": [{"id": "a", "name": "add"}]}),
         calls=(("add", "{}"),)),
    Case("another name for them", body({"tool_calls": [
        {"id": "a", "function": {"name": "add", "parameters": {"a": 1}}}
    ]}), calls=(("add", '{"a": 1}'),)),
    Case("a page", b"<html><body>wait</body></html>", "broken"),
    Case("an error", json.dumps({"message": "Too many requests", "code": "429"}).encode(),
         "throttled"),
]  # fmt: skip


def read(provider: str, sent: bytes, *, size: int, streaming: bool) -> Completion | Fault:
    request = Request(
        messages=({"role": "user", "content": "hi"},), tools=(TOOL,), streaming=streaming
    )
    decoder = DECLARED[provider].decoder(request, "m")
    deltas = []
    for start in range(0, len(sent), size):
        said = decoder.feed(sent[start : start + size])
        if isinstance(said, Fault):
            return said
        deltas += said
    last = decoder.end()
    return last if isinstance(last, Fault) else fold([*deltas, *last])


def check(case: Case, said: Completion | Fault) -> None:
    if isinstance(said, Fault):
        assert said.kind == case.fault
        return
    assert case.fault is None
    assert (said.text, said.reasoning) == (case.text, case.reasoning)
    calls = tuple((call.name, call.arguments) for call in said.tool_calls)
    assert calls == case.calls
    if case.total is not None:
        assert said.usage is not None
        assert said.usage.total_tokens == case.total
    if case.finish is not None:
        assert said.finish_reason == case.finish


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("case", STREAMS, ids=str)
def test_a_stream_nobody_recorded_amounts_to_what_the_table_says(case: Case, provider: str):
    """However its bytes come."""
    for size in SIZES:
        check(case, read(provider, case.sent, size=size, streaming=True))


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("case", BODIES, ids=str)
def test_a_body_nobody_recorded_amounts_to_what_the_table_says(case: Case, provider: str):
    """However its bytes come."""
    for size in SIZES:
        check(case, read(provider, case.sent, size=size, streaming=False))
