"""One LangChain content block -> the chat-completions part that says the same.

LangChain messages hold blocks of many makers: its own (v0 and v1), OpenAI's, Anthropic's, Bedrock's
and Google's. A chat endpoint knows five parts: text, image_url, input_audio, file and video_url.
Blocks that only their maker understands (thinking, signatures, server tools) have no part and are
left out; a block nobody knows is the caller's to mend.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, cast

from freelm_integrations.langchain.errors import UnsendableMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    Block: TypeAlias = Mapping[str, Any]
    Part: TypeAlias = dict[str, Any]

# Said by a model to itself, to its maker's own tools, or carried elsewhere (tool calls): never sent
# as content.
LEFT_OUT = frozenset(
    {
        "citation",
        "function_call",
        "input_json_delta",
        "invalid_tool_call",
        "non_standard_annotation",
        "reasoning",
        "redacted_thinking",
        "refusal",
        "server_tool_call",
        "server_tool_call_chunk",
        "server_tool_result",
        "thinking",
        "tool_call",
        "tool_call_chunk",
        "tool_use",
    }
)


def to_part(block: str | Block) -> Part | None:
    """The part for one block, or None where there is nothing to send.

    Raises:
        UnsendableMessage: the block is of an unknown kind, or lacks what its kind needs.
    """
    if isinstance(block, str):
        return {"type": "text", "text": block}
    kind = _kind(block)
    if kind in LEFT_OUT:
        return None
    reader = READERS.get(kind)
    if reader is None:
        message = (
            f"cannot send a content block of type {kind!r}: known are {', '.join(sorted(READERS))}"
        )
        raise UnsendableMessage(message)
    try:
        return reader(block)
    except (KeyError, TypeError) as error:
        message = f"a content block of type {kind!r} lacks what a chat endpoint needs: {error}"
        raise UnsendableMessage(message) from None


def _kind(block: Block) -> str:
    """The block's type; Bedrock's and some of Google's have none and are told by their only key."""
    kind = block.get("type")
    if isinstance(kind, str):
        return kind
    return next((key for key in ("text", "image", "json", "guard_content") if key in block), "")


def _data_url(mime_type: str, data: str | bytes) -> str:
    text = data if isinstance(data, str) else base64.b64encode(data).decode("ascii")
    return f"data:{mime_type};base64,{text}"


def _text(block: Block) -> Part | None:
    # Cache marks, annotations and ids of other makers stay behind: strict endpoints answer them
    # with a 422.
    return {"type": "text", "text": block["text"]} if block["text"] else None


def _image_part(url: str) -> Part:
    return {"type": "image_url", "image_url": {"url": url}}


def _image_url(block: Block) -> Part:
    image = block["image_url"]
    return (
        _image_part(image) if isinstance(image, str) else {"type": "image_url", "image_url": image}
    )


def _image(block: Block) -> Part:
    if "source" in block:  # Anthropic
        source = block["source"]
        if source["type"] == "url":
            return _image_part(source["url"])
        return _image_part(_data_url(source["media_type"], source["data"]))
    if "image" in block:  # Bedrock
        image = block["image"]
        return _image_part(_data_url(f"image/{image['format']}", image["source"]["bytes"]))
    if "url" in block:
        return _image_part(block["url"])
    return _image_part(_data_url(block.get("mime_type", "image/png"), _base64(block)))


def _base64(block: Block) -> str | bytes:
    """The payload under its v1 name or its v0 one."""
    return cast("str | bytes", block["base64"] if "base64" in block else block["data"])


def _audio(block: Block) -> Part:
    form = str(block["mime_type"]).rpartition("/")[2]
    return {"type": "input_audio", "input_audio": {"data": _base64(block), "format": form}}


def _file(block: Block) -> Part:
    if "file" in block:  # OpenAI's own
        return {"type": "file", "file": {"filename": "file", **block["file"]}}
    if "file_id" in block:
        return {"type": "file", "file": {"file_id": block["file_id"]}}
    data = block["url"] if "url" in block else _data_url(block["mime_type"], _base64(block))
    return {"type": "file", "file": {"filename": _filename(block), "file_data": data}}


def _filename(block: Block) -> str:
    for holder in (block, block.get("extras"), block.get("metadata")):
        if holder and holder.get("filename"):
            return str(holder["filename"])
    return "file"


def _document(block: Block) -> Part:
    """Anthropic's document: a PDF, or plain text."""
    source = block["source"]
    if source["type"] == "text":
        return {"type": "text", "text": source["data"]}
    data = (
        source["url"]
        if source["type"] == "url"
        else _data_url(source["media_type"], source["data"])
    )
    return {"type": "file", "file": {"filename": block.get("title") or "file", "file_data": data}}


def _media(block: Block) -> Part | None:
    """Google's media: what it is stands in its MIME type."""
    mime_type = str(block["mime_type"])
    if mime_type.startswith("image/"):
        return _image_part(_data_url(mime_type, block["data"]))
    if mime_type.startswith("audio/"):
        return _audio(block)
    return _file(block)


def _video(block: Block) -> Part:
    url = block["url"] if "url" in block else _data_url(block["mime_type"], _base64(block))
    return {"type": "video_url", "video_url": {"url": url}}


def _json(block: Block) -> Part:
    return {"type": "text", "text": json.dumps(block["json"], ensure_ascii=False)}


def _guarded(block: Block) -> Part:
    text = block["guard_content"]["text"]
    return {"type": "text", "text": text if isinstance(text, str) else text["text"]}


def _unwrapped(block: Block) -> Part | None:
    """What LangChain did not know; we may."""
    inside = block["value"]
    known = isinstance(inside, dict) and _kind(cast("Block", inside)) in READERS
    return to_part(cast("Block", inside)) if known else None


def _as_is(block: Block) -> Part:
    return dict(block)


READERS: dict[str, Callable[[Block], Part | None]] = {
    "audio": _audio,
    "document": _document,
    "file": _file,
    "guard_content": _guarded,
    "image": _image,
    "image_url": _image_url,
    "input_audio": _as_is,
    "json": _json,
    "media": _media,
    "non_standard": _unwrapped,
    "text": _text,
    "text-plain": _text,
    "video": _video,
    "video_url": _as_is,
}
