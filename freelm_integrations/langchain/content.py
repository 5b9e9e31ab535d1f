"""How LangChain reads our messages as standard content blocks: the translator for `freelm`.

`content_blocks`, `output_version="v1"` and the v3 event stream ask for a translator by
`model_provider`. The ones in core are made for other shapes and lose reasoning, swallow tool calls
into text, or fold two calls into one (seen with langchain-core 1.7.2). Here each block of a stream
has an index of its own kind, and core merges those that agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from langchain_core.messages import content as standard
from langchain_core.messages.block_translators import register_translator

from freelm_integrations.langchain.messages import REASONING

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, AIMessageChunk
    from langchain_core.messages import content as types

    from freelm_integrations.chat import Json

PROVIDER = "freelm"
"""The constant `model_provider` and `ls_provider`, whoever answered: LangChain compares them across
turns."""
REFUSAL = "refusal"
"""Where `additional_kwargs` keeps the words of a refusal: core's parsers look there since 1.7.5."""
_KNOWS_REFUSALS = REFUSAL in standard.KNOWN_BLOCK_TYPES


def translate(message: AIMessage) -> list[types.ContentBlock]:
    """The standard blocks of a whole message: reasoning, text, refusal, then tool calls."""
    blocks = [_without_index(block) for block in _spoken(message)]
    blocks += [_whole_call(call) for call in message.tool_calls]
    return cast("list[types.ContentBlock]", blocks)


def translate_chunk(chunk: AIMessageChunk) -> list[types.ContentBlock]:
    """The standard blocks of a piece of a stream, or of several pieces added up."""
    blocks = _spoken(chunk)
    if chunk.chunk_position == "last" and chunk.tool_call_chunks:
        blocks += [_whole_call(call) for call in chunk.tool_calls]
        blocks += [{**call, "type": "invalid_tool_call"} for call in chunk.invalid_tool_calls]
    else:
        blocks += [
            {**piece, "type": "tool_call_chunk", "index": f"lc_tc_{piece['index'] or 0}"}
            for piece in chunk.tool_call_chunks
        ]
    return cast("list[types.ContentBlock]", blocks)


def refusal_block(words: str) -> Json:
    """The block of a refusal; core before 1.7.5 has none, so that it is told of it wrapped."""
    if _KNOWS_REFUSALS:
        return {"type": REFUSAL, REFUSAL: words}
    return {"type": "non_standard", "value": {REFUSAL: words}}


def image_block(url: str) -> Json:
    """The block of an image that was made; what is written out in its address is taken from it."""
    head, comma, data = url.partition(",")
    if comma and head.startswith("data:") and head.endswith(";base64"):
        return {"type": "image", "base64": data, "mime_type": head[5:-7] or "image/png"}
    return {"type": "image", "url": url}


def _spoken(message: AIMessage) -> list[Json]:
    """Reasoning, text and what else is no call.

    The index of each kind is a string: core merges those of equal index only.
    """
    blocks: list[Json] = []
    if reasoning := message.additional_kwargs.get(REASONING):
        blocks.append({"type": "reasoning", "reasoning": reasoning, "index": "lc_rs_0"})
    if isinstance(message.content, str):
        if message.content:
            blocks.append({"type": "text", "text": message.content, "index": "lc_txt_0"})
    else:
        blocks += [_as_block(one) for one in message.content]
    if refusal := message.additional_kwargs.get(REFUSAL):
        blocks.append({**refusal_block(refusal), "index": "lc_rf_0"})
    return blocks


def _as_block(block: str | dict[Any, Any]) -> Json:
    if isinstance(block, str):
        return {"type": "text", "text": block, "index": "lc_txt_0"}
    if block.get("type") == "image_url":
        held = block["image_url"]
        return image_block(held if isinstance(held, str) else held["url"])
    return block


def _without_index(block: Json) -> Json:
    return {key: value for key, value in block.items() if key != "index"}


def _whole_call(call: Any) -> Json:
    return {"type": "tool_call", "name": call["name"], "args": call["args"], "id": call.get("id")}


register_translator(PROVIDER, translate, translate_chunk)
