"""How LangChain reads our messages as standard content blocks: the translator for `freelm`.

`content_blocks`, `output_version="v1"` and the v3 event stream ask for a translator by
`model_provider`. The ones in core are made for other shapes and lose reasoning, swallow tool calls
into text, or fold two calls into one (seen with langchain-core 1.7.2). Here each block of a stream
has an index of its own kind, and core merges those that agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from langchain_core.messages.block_translators import register_translator

from freelm_integrations.langchain.messages import REASONING

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, AIMessageChunk
    from langchain_core.messages import content as types

    from freelm_integrations.chat import Json

PROVIDER = "freelm"
"""The constant `model_provider` and `ls_provider`, whoever answered: LangChain compares them across
turns."""


def translate(message: AIMessage) -> list[types.ContentBlock]:
    """The standard blocks of a whole message: reasoning, text, then tool calls."""
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


def _spoken(message: AIMessage) -> list[Json]:
    """Reasoning and text.

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
    return blocks


def _as_block(block: str | dict[Any, Any]) -> Json:
    return {"type": "text", "text": block} if isinstance(block, str) else block


def _without_index(block: Json) -> Json:
    return {key: value for key, value in block.items() if key != "index"}


def _whole_call(call: Any) -> Json:
    return {"type": "tool_call", "name": call["name"], "args": call["args"], "id": call.get("id")}


register_translator(PROVIDER, translate, translate_chunk)
