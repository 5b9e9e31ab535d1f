"""One LangChain content block -> the chat-completions part that says the same.

LangChain messages hold blocks of many makers: its own (v0 and v1), OpenAI's (chat completions and
responses), Anthropic's, Bedrock's and Google's. A chat endpoint knows five parts: text, image_url,
input_audio, file and video_url. Blocks that only their maker understands (thinking, signatures,
server tools) have no part and are left out; a block nobody knows is the caller's to mend.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, cast

from freelm_integrations.langchain.errors import UnsendableMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    Block: TypeAlias = Mapping[str, Any]
    Part: TypeAlias = dict[str, Any]

# Blocks without a type are told by one of these keys.
UNTYPED = (
    *("text", "image", "document", "json", "guard_content"),  # Bedrock's
    *("inline_data", "inlineData"),  # Google's
)
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
    """The block's type; Bedrock's and Google's have none and are told by a key of theirs."""
    kind = block.get("type")
    if isinstance(kind, str):
        return kind
    return next((key for key in UNTYPED if key in block), "")


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
        return _image_part(_sourced(block["source"]))
    if "image" in block:  # Bedrock
        image = block["image"]
        return _image_part(_data_url(f"image/{image['format']}", image["source"]["bytes"]))
    if "url" in block:
        return _image_part(block["url"])
    return _image_part(_data_url(block.get("mime_type", "image/png"), _base64(block)))


def _sourced(source: Block) -> str:
    """Where Anthropic's source is, or what it holds."""
    if source["type"] == "url":
        return str(source["url"])
    return _data_url(source["media_type"], source["data"])


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
    return _file_part(_filename(block), data)


def _filename(block: Block) -> str:
    for holder in (block, block.get("extras"), block.get("metadata")):
        if holder and holder.get("filename"):
            return str(holder["filename"])
    return "file"


def _document(block: Block) -> Part | None:
    """Anthropic's document (a file, text, or blocks), or Bedrock's."""
    if "document" in block:
        document = block["document"]
        mime_type = f"application/{document['format']}"
        data = _data_url(mime_type, document["source"]["bytes"])
        return _file_part(f"{document['name']}.{document['format']}", data)
    source = block["source"]
    if source["type"] == "text":
        return _text({"text": source["data"]})
    if source["type"] == "content":
        return _text({"text": _words(source["content"])})
    return _file_part(block.get("title") or "file", _sourced(source))


def _file_part(name: str, data: str) -> Part:
    return {"type": "file", "file": {"filename": name, "file_data": data}}


def _search_result(block: Block) -> Part:
    """Anthropic's passage to be cited."""
    heading = f"{block.get('title') or ''} ({block.get('source') or ''})".strip()
    return {"type": "text", "text": f"{heading}\n{_words(block['content'])}"}


def _words(content: str | Sequence[str | Block]) -> str:
    """The text of blocks that may hold nothing else."""
    if isinstance(content, str):
        return content
    return "\n".join(one if isinstance(one, str) else str(one.get("text", "")) for one in content)


def _media(block: Block) -> Part | None:
    """Google's media, written out or by its address: what it is stands in its MIME type."""
    held = block.get("inline_data", block.get("inlineData", block))
    address = held.get("file_uri", held.get("fileUri", held.get("url")))
    mime_type = str(held["mime_type"] if "mime_type" in held else held["mimeType"])
    reader = MEDIA.get(mime_type.partition("/")[0], _file)
    named = {"url": address} if address is not None else {"data": held["data"]}
    return reader({"mime_type": mime_type, **named})


def _input_image(block: Block) -> Part:
    """The responses API's image: its address stands by itself, the detail beside it."""
    image: Part = {"url": block["image_url"]}
    if block.get("detail"):
        image["detail"] = block["detail"]
    return {"type": "image_url", "image_url": image}


def _input_file(block: Block) -> Part:
    """The responses API's file."""
    if "file_id" in block:
        return {"type": "file", "file": {"file_id": block["file_id"]}}
    data = block["file_url"] if "file_url" in block else block["file_data"]
    return _file_part(block.get("filename") or "file", data)


def _video(block: Block) -> Part:
    url = block["url"] if "url" in block else _data_url(block["mime_type"], _base64(block))
    return {"type": "video_url", "video_url": {"url": url}}


MEDIA: Mapping[str, Callable[[Block], Part | None]] = {
    "image": _image,
    "audio": _audio,
    "video": _video,
}
"""How Google's media are read, by the first word of their MIME type; the rest are files."""


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
    "inlineData": _media,
    "inline_data": _media,
    "input_audio": _as_is,
    "input_file": _input_file,
    "input_image": _input_image,
    "input_text": _text,
    "json": _json,
    "media": _media,
    "non_standard": _unwrapped,
    "output_text": _text,
    "search_result": _search_result,
    "text": _text,
    "text-plain": _text,
    "video": _video,
    "video_url": _as_is,
}
