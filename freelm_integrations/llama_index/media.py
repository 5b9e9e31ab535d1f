"""Images, sounds, documents and films of a message as OpenAI-shaped content parts.

A web address or data URL goes out as it stands; bytes, streams and files are read here and inlined
as base64.
"""

from __future__ import annotations

import base64
from io import IOBase
from typing import TYPE_CHECKING, Any, cast

from llama_index.core.base.llms.types import AudioBlock, DocumentBlock, ImageBlock, VideoBlock
from llama_index.core.utils import resolve_binary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from freelm_integrations.chat import Json


def _image(block: ImageBlock) -> Json:
    image: Json = {"url": _address(block.url, block.image, block.path, block.image_mimetype)}
    if block.detail:
        image["detail"] = block.detail
    return {"type": "image_url", "image_url": image}


def _audio(block: AudioBlock) -> Json:
    url = str(block.url) if block.url else None
    data = _base64(block.audio, block.path, url)
    return {"type": "input_audio", "input_audio": {"data": data, "format": block.format or "wav"}}


def _video(block: VideoBlock) -> Json:
    url = _address(block.url, block.video, block.path, block.video_mimetype or "video/mp4")
    return {"type": "video_url", "video_url": {"url": url}}


def _document(block: DocumentBlock) -> Json:
    mimetype = block.document_mimetype or "application/octet-stream"
    data = _address(block.url, block.data, block.path, mimetype)
    return {"type": "file", "file": {"filename": block.title or "document", "file_data": data}}


def _address(
    url: object, data: bytes | IOBase | None, path: Path | str | None, mimetype: str | None
) -> str:
    """The URL itself where it can be sent, else a data URL of the bytes."""
    if url is not None and data is None and path is None:
        return str(url)
    return f"data:{mimetype or 'image/png'};base64,{_base64(data, path, None)}"


def _base64(data: bytes | IOBase | None, path: Path | str | None, url: str | None) -> str:
    if isinstance(data, IOBase):
        data.seek(0)
        return base64.b64encode(cast("bytes", data.read())).decode("ascii")
    return resolve_binary(data, path, url, as_base64=True).read().decode("ascii")


MEDIA: Mapping[type, Callable[[Any], Json]] = {
    ImageBlock: _image,
    AudioBlock: _audio,
    VideoBlock: _video,
    DocumentBlock: _document,
}
