"""Answers nobody recorded, shaped as some server might: what they say is read, or is a fault."""

from __future__ import annotations

import json

import pytest

from freelm_integrations.chat import Request, fold
from freelm_integrations.wire.faults import Fault
from tests.wire.dialects import DECLARED

SAID = {"role": "assistant", "content": "Hoot."}


def whole(message=None, finish: object = "stop", **more):
    choice = {"index": 0, "message": SAID if message is None else message, "finish_reason": finish}
    return {"id": "1", "choices": [choice], **more}


def pieces(data):
    """The same answer as a stream of one chunk and an end."""
    said = json.dumps(data).replace('"message": {', '"delta": {')
    return f"data: {said}\n\ndata: [DONE]\n\n".encode()


def told(provider, body, *, streaming):
    request = Request(messages=({"role": "user", "content": "hi"},), streaming=streaming)
    decoder = DECLARED[provider].decoder(request, "m")
    said = decoder.feed(body)
    rest = said if isinstance(said, Fault) else decoder.end()
    return rest if isinstance(rest, Fault) else fold([*said, *rest])  # type: ignore[misc]


READ = {
    "an error that is null": whole(error=None),
    "an error that is empty": whole(error={}),
    "usage in digits": whole(usage={"prompt_tokens": "9", "completion_tokens": "4.0"}),
    "usage that is a list": whole(usage=[1, 2]),
    "content in parts": whole({"content": [{"type": "text", "text": "Hoot."}]}),
    "a role alone beside it": {"id": None, "model": None, "choices": whole()["choices"]},
    "a reason in capitals": whole(finish="STOP"),
    "a reason that is an object": whole(finish={"type": "stop"}),
    "no reason": whole(finish=None),
    "details of any shape": whole({**SAID, "reasoning_details": [None, 1, {"type": "x"}]}),
    "details that are no list": whole({**SAID, "reasoning_details": {"a": 1}}),
    "extras that are none": whole({**SAID, "extra_content": "x"}),
    "no tool calls": whole({**SAID, "tool_calls": None}),
    "tool calls of nothing": whole({**SAID, "tool_calls": []}),
    "an index in digits": {"choices": [{**whole()["choices"][0], "index": "0"}]},
    "an index that is null": {"choices": [{**whole()["choices"][0], "index": None}]},
    "another choice first": {
        "choices": [{"index": 1, "message": {"content": "No."}}, *whole()["choices"]]
    },
    "other fields first": {"usage": None, "x": [{}], **whole()},
}
FAULTS = {
    "no choices": ({"id": "1"}, "empty"),
    "choices of null": ({"choices": [None]}, "empty"),
    "no message": ({"choices": [{"index": 0, "finish_reason": "stop"}]}, "empty"),
    "a number for content": (whole({"content": 7}), "empty"),
    "an error that is a text": ({"error": "rate limit exceeded"}, "throttled"),
    "errors in a list": ({"errors": [{"message": "busy", "code": "503"}]}, "overloaded"),
    "an error in an error": ({"error": {"error": {"message": "no", "code": 429}}}, "throttled"),
    "an error in a list": ([{"error": {"message": "no", "code": "503"}}], "overloaded"),
    "an error beside what was said": (whole(error={"code": 502, "message": "no"}), "server_error"),
    "a filter in capitals": (whole({"content": None}, "PROHIBITED_CONTENT"), "moderated"),
    "a reason of the filter": (whole({"content": ""}, "content_filter: SAFETY"), "moderated"),
}


@pytest.mark.parametrize("provider", ["openrouter", "google", "local", "kilo"])
@pytest.mark.parametrize("streaming", [True, False], ids=["stream", "body"])
@pytest.mark.parametrize("data", READ.values(), ids=READ)
def test_an_answer_in_an_odd_shape_is_read(provider, streaming, data):
    """Nothing but its text is relied on."""
    body = pieces(data) if streaming else json.dumps(data).encode()
    answer = told(provider, body, streaming=streaming)

    assert not isinstance(answer, Fault)
    assert answer.text == "Hoot."


@pytest.mark.parametrize("provider", ["openrouter", "google", "local", "kilo"])
@pytest.mark.parametrize("streaming", [True, False], ids=["stream", "body"])
@pytest.mark.parametrize(("data", "kind"), FAULTS.values(), ids=FAULTS)
def test_what_is_no_answer_is_a_fault_of_its_kind(provider, streaming, data, kind):
    """Behind a 200, whatever its shape."""
    body = pieces(data) if streaming else json.dumps(data).encode()
    fault = told(provider, body, streaming=streaming)

    assert isinstance(fault, Fault)
    assert fault.kind == kind


FRAMED = {
    "without a space": b"data:%s\n\ndata:[DONE]\n\n",
    "with names and ids": b"event: message\nid: 1\nretry: 5\ndata: %s\n\nevent: x\ndata: [DONE]\n\n",
    "with null and nothing before": b"data: null\n\ndata: {}\n\ndata: %s\n\ndata: [DONE]\n\n",
    "with comments": b": PROCESSING\r\n\r\n: PROCESSING\r\n\r\ndata: %s\r\n\r\ndata: [DONE]\r\n\r\n",
    "on lines that follow each other": b"data: %s\ndata: [DONE]\n",
    "cut behind its end": b'data: %s\n\ndata: {"choi',
    "as a body": b"%s",
    "as a body behind padding": b"\n\n   \n%s",
    "behind a mark of its byte order": b"\xef\xbb\xbfdata: %s\n\ndata: [DONE]\n\n",
}


@pytest.mark.parametrize("frame", FRAMED.values(), ids=FRAMED)
def test_a_stream_in_an_odd_frame_is_read(frame):
    """Servers and the proxies before them differ in all of this."""
    chunk = json.dumps(whole()).replace('"message"', '"delta"' if b"data" in frame else '"message"')
    answer = told("openrouter", frame.replace(b"%s", chunk.encode()), streaming=True)

    assert not isinstance(answer, Fault)
    assert answer.text == "Hoot."
