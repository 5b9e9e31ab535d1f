"""Two keys and two models: which of the others a call still asks, after what."""

from __future__ import annotations

import json

import pytest

from tests.fault_matrix.playing import MODES
from tests.fault_matrix.server import Reply

KEYS = ("a" * 32, "b" * 32)
MODELS = ("owl-1", "owl-2")
FIRST, OTHER_KEY, OTHER_MODEL, BOTH = (0, "owl-1"), (1, "owl-1"), (0, "owl-2"), (1, "owl-2")


def failed(message="no", **more):
    return {"error": {"message": message, **more}}


EVERY = {FIRST, OTHER_KEY, OTHER_MODEL, BOTH}
ROWS = [
    ("a quota of this key and model", 429, failed(), EVERY),
    (
        "the account's quota",
        429,
        failed("Rate limit exceeded: free-models-per-day"),
        {FIRST, OTHER_KEY},
    ),
    ("a crowded model", 503, failed(), {FIRST, OTHER_MODEL}),
    # A 403 or a 404 is often about the account: the others of this provider come last.
    ("a refusal nobody explains", 403, failed(), {FIRST}),
    ("a model out of plan", 403, failed("Upgrade to use owl-1"), {FIRST}),
    ("a dead key", 401, failed(), {FIRST, OTHER_KEY}),
    ("a key without credit", 402, failed(), {FIRST, OTHER_KEY}),
    ("a model that is gone", 404, failed(), {FIRST}),
    ("a retired model", 400, failed("Model owl-1 is deprecated"), {FIRST}),
    ("a place that is not served", 451, failed(), {FIRST}),
    ("a page in place of an answer", 403, "<html>", {FIRST}),
    (
        "a prompt that is too long",
        400,
        failed(code="context_length_exceeded"),
        {FIRST, OTHER_MODEL},
    ),
    ("a request that is too large", 413, failed(), {FIRST, OTHER_MODEL}),
    ("an ability it lacks", 400, failed("owl-1 does not support tools"), {FIRST, OTHER_MODEL}),
    ("a broken server", 500, failed(), {FIRST}),
    ("a slow server", 504, failed(), {FIRST}),
    ("a malformed request", 400, failed(), {FIRST}),
    ("a moderated request", 403, failed("flagged", metadata={"flagged_input": "x"}), {FIRST}),
]


@pytest.mark.parametrize(("what", "status", "body", "asked"), ROWS, ids=lambda it: str(it)[:30])
def test_a_call_asks_whom_a_fault_does_not_concern(stage, what, status, body, asked):
    """Each once, and then the next provider, which answers."""
    content = body if isinstance(body, str) else json.dumps(body)
    for is_streaming, is_async in MODES:
        outcome = stage.play(
            "other",
            Reply(status, {}, content.encode()),
            is_streaming=is_streaming,
            is_async=is_async,
            keys=KEYS,
            models=MODELS,
        )

        assert outcome.answered_by == "well"
        assert outcome.asked[0] == FIRST
        assert sorted(outcome.asked) == sorted(asked)
