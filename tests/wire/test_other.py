"""Images and refusals in answers: each has a field of its own, and neither is an empty answer."""

from __future__ import annotations

import json

import pytest

from freelm_integrations.chat import Request, fold
from freelm_integrations.wire.faults import Fault
from tests.wire.dialects import DECLARED

URL = "data:image/png;base64,QUJD"
IMAGE = {"type": "image_url", "image_url": {"url": URL}}


def answered(message: dict, *, streamed: bool):
    request = Request(messages=({"role": "user", "content": "hi"},), streaming=streamed)
    decoder = DECLARED["openrouter"].decoder(request, "m")
    if streamed:
        chunks = [
            {"choices": [{"index": 0, "delta": message, "finish_reason": None}]},
            {"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}]},
        ]
        data = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    else:
        data = json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
    said = decoder.feed(data.encode())
    rest = decoder.end()
    if isinstance(said, Fault) or isinstance(rest, Fault):
        return said if isinstance(said, Fault) else rest
    return fold([*said, *rest])


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("message", "text", "refused", "images"),
    [
        ({"content": None, "refusal": "I will not."}, "I will not.", True, ()),
        ({"content": "", "refusal": "I will not."}, "I will not.", True, ()),
        ({"content": "Yes.", "refusal": None}, "Yes.", False, ()),
        ({"content": "Yes.", "refusal": "odd"}, "Yes.", False, ()),
        ({"content": "Here.", "images": [IMAGE]}, "Here.", False, (URL,)),
        ({"content": "", "images": [IMAGE, IMAGE]}, "", False, (URL, URL)),
        ({"content": None, "images": [{"image_url": URL}]}, "", False, (URL,)),
        ({"content": [{"type": "text", "text": "Here."}, IMAGE]}, "Here.", False, (URL,)),
        ({"content": "Yes.", "images": []}, "Yes.", False, ()),
        ({"content": "Yes.", "images": [{}, 7, {"type": "audio", "url": URL}]}, "Yes.", False, ()),
    ],
)
def test_what_is_no_plain_text_is_told_apart(message, text, refused, images, streamed):
    """Whole or streamed; a refusal is its text, too."""
    whole = answered({"role": "assistant", **message}, streamed=streamed)

    assert (whole.text, whole.refused, whole.images) == (text, refused, images)


@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_with_nothing_in_it_is_still_a_fault(streamed):
    """No image, no refusal, no word."""
    said = answered({"content": None, "images": None, "refusal": None}, streamed=streamed)

    assert isinstance(said, Fault)
    assert said.kind == "empty"
