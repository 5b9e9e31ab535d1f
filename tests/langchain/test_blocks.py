"""Every kind of content block LangChain users send, as the part a chat endpoint takes."""

from __future__ import annotations

from typing import Any

import pytest

from freelm_integrations.errors import ConfigError
from freelm_integrations.langchain.blocks import LEFT_OUT, to_part


def image(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def file(name: str, data: str) -> dict[str, Any]:
    return {"type": "file", "file": {"filename": name, "file_data": data}}


PNG = "data:image/png;base64,QUJD"
PDF = "data:application/pdf;base64,QUJD"
ANTHROPIC = {"type": "base64", "media_type": "image/png", "data": "QUJD"}
PAPER = {"type": "base64", "media_type": "application/pdf", "data": "QUJD"}
GUARDED = {"guard_content": {"text": {"text": "hi"}}}
SAID = [{"type": "text", "text": "hi"}]
BEDROCK = {"image": {"format": "png", "source": {"bytes": b"ABC"}}}
AUDIO = {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}}


@pytest.mark.parametrize(
    ("block", "part"),
    [
        ("hi", {"type": "text", "text": "hi"}),
        ({"type": "text", "text": "hi"}, {"type": "text", "text": "hi"}),
        (
            {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}, "id": "b1"},
            {"type": "text", "text": "hi"},
        ),
        ({"type": "text", "text": ""}, None),
        ({"text": "hi"}, {"type": "text", "text": "hi"}),
        ({"type": "text-plain", "text": "hi"}, {"type": "text", "text": "hi"}),
        ({"type": "json", "json": {"a": 1}}, {"type": "text", "text": '{"a": 1}'}),
        (GUARDED, {"type": "text", "text": "hi"}),
        ({"type": "image_url", "image_url": "https://x/y.png"}, image("https://x/y.png")),
        (image(PNG), image(PNG)),
        ({"type": "image", "url": "https://x/y.png"}, image("https://x/y.png")),
        ({"type": "image", "base64": "QUJD", "mime_type": "image/png"}, image(PNG)),
        (
            {"type": "image", "source_type": "base64", "data": "QUJD", "mime_type": "image/png"},
            image(PNG),
        ),
        ({"type": "image", "source": ANTHROPIC}, image(PNG)),
        ({"type": "image", "source": {"type": "url", "url": "https://x"}}, image("https://x")),
        (BEDROCK, image(PNG)),
        ({"type": "media", "mime_type": "image/png", "data": "QUJD"}, image(PNG)),
        ({"type": "media", "mime_type": "application/pdf", "data": "QUJD"}, file("file", PDF)),
        (
            {"type": "media", "mime_type": "image/png", "file_uri": "https://x/y.png"},
            image("https://x/y.png"),
        ),
        ({"inlineData": {"mimeType": "image/png", "data": "QUJD"}}, image(PNG)),
        ({"inline_data": {"mime_type": "audio/wav", "data": "QUJD"}}, AUDIO),
        ({"type": "input_text", "text": "hi"}, {"type": "text", "text": "hi"}),
        ({"type": "output_text", "text": "hi"}, {"type": "text", "text": "hi"}),
        ({"type": "input_image", "image_url": PNG}, image(PNG)),
        (
            {"type": "input_image", "image_url": PNG, "detail": "low"},
            {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
        ),
        ({"type": "input_file", "filename": "a.pdf", "file_data": PDF}, file("a.pdf", PDF)),
        ({"type": "input_file", "file_url": "https://x/a.pdf"}, file("file", "https://x/a.pdf")),
        ({"type": "input_file", "file_id": "f1"}, {"type": "file", "file": {"file_id": "f1"}}),
        (
            {"document": {"format": "pdf", "name": "a", "source": {"bytes": b"ABC"}}},
            file("a.pdf", PDF),
        ),
        (
            {"type": "search_result", "title": "T", "source": "S", "content": SAID},
            {"type": "text", "text": "T (S)\nhi"},
        ),
        (
            {"type": "document", "source": {"type": "content", "content": SAID}},
            {"type": "text", "text": "hi"},
        ),
        ({"type": "audio", "base64": "QUJD", "mime_type": "audio/wav"}, AUDIO),
        ({"type": "media", "mime_type": "audio/wav", "data": "QUJD"}, AUDIO),
        (AUDIO, AUDIO),
        (
            {
                "type": "file",
                "base64": "QUJD",
                "mime_type": "application/pdf",
                "extras": {"filename": "a.pdf"},
            },
            file("a.pdf", PDF),
        ),
        ({"type": "file", "file_id": "f1"}, {"type": "file", "file": {"file_id": "f1"}}),
        ({"type": "file", "file": {"file_data": PDF}}, file("file", PDF)),
        ({"type": "document", "source": PAPER, "title": "a.pdf"}, file("a.pdf", PDF)),
        (
            {"type": "document", "source": {"type": "text", "data": "hi"}},
            {"type": "text", "text": "hi"},
        ),
        (
            {"type": "video", "url": "https://x/y.mp4"},
            {"type": "video_url", "video_url": {"url": "https://x/y.mp4"}},
        ),
        (
            {"type": "non_standard", "value": {"type": "text", "text": "hi"}},
            {"type": "text", "text": "hi"},
        ),
        ({"type": "non_standard", "value": {"type": "of_theirs"}}, None),
        *[({"type": kind}, None) for kind in sorted(LEFT_OUT)],
    ],
    ids=repr,
)
def test_each_block_becomes_its_part_or_is_left_out(block: Any, part: Any) -> None:
    """Nothing of a maker's own (cache marks, ids, thinking) is sent on."""
    assert to_part(block) == part


@pytest.mark.parametrize(
    "block",
    [
        {"type": "hologram"},
        {"type": "image"},
        {"type": "audio", "base64": "QUJD"},
        {},
        {"inlineData": {}},
    ],
    ids=repr,
)
def test_what_no_endpoint_takes_is_the_callers_to_mend(block: Any) -> None:
    """A block of unknown kind, or one that lacks its content, is refused before anything is sent."""
    with pytest.raises(ConfigError, match="content block"):
        to_part(block)
