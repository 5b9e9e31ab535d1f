"""Images in messages: where they are must be a place that somebody else could look at."""

from __future__ import annotations

from typing import Any

import pytest

from freelm_integrations.errors import ConfigError
from freelm_integrations.request.messages import checked_messages

PNG = "data:image/png;base64,iVBORw0KGgo="


def checked(image: Any, **more: Any) -> None:
    part = {"type": "image_url", "image_url": image, **more}
    checked_messages([{"role": "user", "content": [{"type": "text", "text": "?"}, part]}])


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (None, "image_url is missing"),
        ({}, "image_url.url is missing"),
        ({"url": None}, "image_url.url is missing"),
        ({"url": 5}, "image_url.url is an int"),
        ("", "image_url is empty"),
        ("  ", "image_url is empty"),
        ("cat.png", "no link"),
        ("/home/me/cat.png", "no link"),
        ("C:\\cat.png", "the scheme 'c'"),
        ("file:///home/me/cat.png", "the scheme 'file'"),
        ("ftp://x.example/cat.png", "the scheme 'ftp'"),
        ("https://", "the scheme 'https'"),
        ("data:image/png,abc", "without base64"),
        ("data:image/svg+xml;utf8,<svg/>", "without base64"),
        ("data:image/png;base64", "without base64"),
        ("data:image/png;base64,", "holds nothing"),
        ("data:image/png;base64,***", "no base64"),
        ("data:image/png;base64,b'iVBO'", "no base64"),
    ],
)
def test_what_nobody_could_look_at_is_refused(image: Any, said: str) -> None:
    """With its place, and what to do about it."""
    with pytest.raises(ConfigError) as caught:
        checked(image)

    assert "messages[0].content[1].image_url" in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "image",
    [
        PNG,
        {"url": PNG, "detail": "low"},
        "data:;base64,iVBO",
        "DATA:image/PNG;BASE64,iVBO",
        "data:image/png;charset=x;base64,iV\nBO",
        "data:image/png;base64," + "A" * 100_000,
        "https://x.example/cat.png",
        {"url": "http://localhost:8000/cat.png"},
    ],
)
def test_links_and_images_written_out_pass(image: Any) -> None:
    """In either form."""
    checked(image)


def test_a_part_that_is_no_image_is_none_of_this() -> None:
    """Nor one whose type nobody here knows."""
    message = {"role": "user", "content": [{"type": "audio_url", "audio_url": "x"}, {"text": "?"}]}

    assert checked_messages([message])
