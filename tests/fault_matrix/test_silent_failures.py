"""A 200 that is no answer, through the real client: a fault, and another provider answers."""

from __future__ import annotations

import json

import pytest

from tests.fault_matrix.expected import CONSEQUENCES, cooled_by
from tests.fault_matrix.server import Reply
from tests.fault_matrix.statuses import ASKED

PAGE = "<!doctype html><html><title>Please wait</title></html>"


def choice(finish="stop", **message):
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish}]}


def chunk(finish=None, **delta):
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def failed(message="no", **more):
    return {"error": {"message": message, **more}}


EITHER = [
    ("", "empty", None, None),
    ("  \n ", "empty", None, None),
    (PAGE, "broken", None, None),
    ("Service unavailable", "broken", None, None),
    (failed("Rate limit exceeded"), "throttled", None, None),
    (failed("Rate limit exceeded, try again in 20s"), "throttled", None, 20.0),
    ({"error": "Too many requests"}, "throttled", None, None),
    (failed(code=429), "throttled", None, None),
    (failed(code="RateLimitExceeded"), "throttled", None, None),
    (failed(status="RESOURCE_EXHAUSTED"), "throttled", None, None),
    ([failed(code=503, status="UNAVAILABLE")], "overloaded", "model", None),
    (failed("The model is overloaded"), "overloaded", "model", None),
    (failed(code="overloaded_error"), "overloaded", "model", None),
    (failed(code=502), "server_error", "model", None),
    (failed("went wrong"), "server_error", None, None),
    (failed(code=504), "timeout", "route", None),
    (failed("Request timed out"), "timeout", "route", None),
    (failed("Invalid API key"), "unauthorized", "key", None),
    (failed(code=401), "unauthorized", "key", None),
    (failed("Insufficient credits", code=402), "unpaid", "key", None),
    (failed("The model `owl-1` does not exist"), "model_gone", "model", None),
    (failed(code="model_not_found"), "model_gone", "model", None),
    (failed("This model's maximum context length is 8192 tokens"), "too_long", None, None),
    (failed("not available in your country"), "blocked", "provider", None),
    (failed(code="content_filter"), "moderated", "call", None),
    ({"detail": "Too many requests"}, "throttled", None, None),
    ({"object": "error", "message": "no", "code": 500}, "server_error", "model", None),
    ({"choices": [], "error": {"message": "no", "code": 503}}, "overloaded", "model", None),
    ({"choices": [{"error": {"code": 429, "message": "no"}, "finish_reason": "error"}]},
     "throttled", None, None),
    (failed(json.dumps(failed(code=429))), "throttled", None, None),
]  # fmt: skip
WHOLE = [
    *EITHER,
    ("null", "empty", None, None),
    ({}, "empty", None, None),
    ({"choices": []}, "empty", None, None),
    ({"choices": None}, "empty", None, None),
    ('{"choices": [{"mess', "cut", None, None),
    (choice(content=""), "empty", None, None),
    (choice(content=None), "empty", None, None),
    (choice("length", content=""), "only_thinking", None, None),
    (choice("content_filter", content=None), "moderated", "call", None),
]
STREAMED = [
    *(
        (f"data: {json.dumps(said)}\n\n" if isinstance(said, (dict, list)) else said, *verdict)
        for said, *verdict in EITHER
    ),
    ("data: [DONE]\n\n", "empty", None, None),
    (": keep-alive\n\n", "empty", None, None),
    ([chunk(role="assistant"), "[DONE]"], "empty", None, None),
    ([chunk(role="assistant"), chunk("stop"), "[DONE]"], "empty", None, None),
    ([chunk(role="assistant"), chunk("content_filter"), "[DONE]"], "moderated", "call", None),
    ([chunk(role="assistant"), failed(code=429)], "throttled", None, None),
    ([chunk(role="assistant"), failed("no", code=503)], "overloaded", "model", None),
    ([chunk(role="assistant"), failed("Rate limit exceeded")], "throttled", None, None),
    ([chunk(role="assistant"), "nonsense"], "broken", None, None),
]


def _frames(said):
    if isinstance(said, str):
        return said
    return "".join(f"data: {it if isinstance(it, str) else json.dumps(it)}\n\n" for it in said)


CELLS = [
    *((False, said if isinstance(said, str) else json.dumps(said), *it) for said, *it in WHOLE),
    *((True, _frames(said), *verdict) for said, *verdict in STREAMED),
]


@pytest.mark.parametrize(("is_streaming", "body", "kind", "scope", "wait"), CELLS)
def test_a_failure_behind_a_200_has_its_consequences(stage, is_streaming, body, kind, scope, wait):
    """Blocking and async alike, at one provider after the other."""
    headers = {"content-type": "text/event-stream"} if is_streaming else {}
    cooled = cooled_by(kind, scope, wait)
    for is_async in (False, True):
        outcome = stage.play(
            "other",
            Reply(200, headers, body.encode()),
            is_streaming=is_streaming,
            is_async=is_async,
        )

        assert outcome.answered_by == outcome.text == "well"
        assert [(it[0], it[2]) for it in outcome.faults] == [(kind, wait)] * CONSEQUENCES[
            kind
        ].tries
        assert outcome.cooled == cooled


@pytest.mark.parametrize("provider", ASKED)
def test_every_provider_s_silence_is_noticed(stage, provider):
    """An answer without text is none, whoever gives it."""
    said = json.dumps(choice(content="")).encode()
    outcome = stage.play(provider, Reply(200, {}, said), is_streaming=False, is_async=False)

    assert outcome.answered_by == "well"
    assert [it[0] for it in outcome.faults] == ["empty"]
    assert outcome.rests == []


def test_an_answer_that_is_still_being_made_is_none(stage):
    """NVIDIA's 202 with nothing in it (2026-07): too slow, so the next is asked."""
    reply = Reply(202, {"nvcf-reqid": "1", "nvcf-status": "pending-evaluation"}, b"")
    outcome = stage.play("nim", reply, is_streaming=False, is_async=False)

    assert outcome.answered_by == "well"
    assert [it[0] for it in outcome.faults] == ["timeout"]
