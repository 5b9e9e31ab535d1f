"""What an answer holds besides text, thoughts and calls: images, and the word that it is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.wire.shapes import is_mapping, mapping, sequence, text

if TYPE_CHECKING:
    from freelm_integrations.chat import Json

_IMAGE_PARTS = ("image_url", "image", "output_image")


def refuses(delta: Json) -> bool:
    """Whether its text is a refusal: it stands in a field of its own then (OpenRouter, 2026-11)."""
    return bool(text(delta.get("refusal"))) and not text(delta.get("content"))


def images_in(delta: Json) -> tuple[str, ...]:
    """The addresses of its images.

    They stand in a list beside the content (OpenRouter, 2026-11), or are parts of it.
    """
    parts = [*sequence(delta.get("images")), *sequence(delta.get("content"))]
    found = (_address(part) for part in parts if is_mapping(part))
    return tuple(one for one in found if one)


def _address(part: Json) -> str:
    if part.get("type", "image_url") not in _IMAGE_PARTS:
        return ""
    held = part.get("image_url", part.get("url"))
    return text(mapping(held).get("url")) if is_mapping(held) else text(held)
