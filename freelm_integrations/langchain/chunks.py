"""What the core client answers -> LangChain's message chunks, one concern each.

Core adds chunks up by rules of its own (seen with langchain-core 1.7.2): strings are joined, so a
name sent twice comes out doubled; the bridge to v3 events instead keeps the last value of each key.
Hence who speaks is said once, on the first chunk of text or tool calls (who breaks off while it
thinks did not answer), and how it went and ended once, on the last; only `model_provider`, which
core knows to keep, stands on all.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

from freelm_integrations.langchain.answers import gateway_note, new_call_id, to_usage
from freelm_integrations.langchain.content import PROVIDER, REFUSAL, image_block
from freelm_integrations.langchain.messages import EXTRA, REASONING
from freelm_integrations.langchain.telling import Telling, who

if TYPE_CHECKING:
    from freelm_integrations.chat import Delta, Json, Origin, ToolCallPart

_MESSAGE = AIMessageChunk(content="", response_metadata={"model_provider": PROVIDER})
_GENERATION = ChatGenerationChunk(message=_MESSAGE)


def _text_chunk(text: str) -> ChatGenerationChunk:
    """A chunk of plain text, copied and not validated: this is most of what a stream does.

    It takes 2.6 us where the constructors take 5.4; what could be shared with others is made anew.
    """
    message, chunk = copy(_MESSAGE), copy(_GENERATION)
    fields: Json = vars(message)
    fields["content"] = text
    fields["additional_kwargs"] = {}
    fields["response_metadata"] = {"model_provider": PROVIDER}
    fields["tool_calls"] = []
    fields["invalid_tool_calls"] = []
    fields["tool_call_chunks"] = []
    fields = vars(chunk)
    fields["message"] = message
    fields["text"] = text
    return chunk


class ChunkWriter:
    """The deltas of one call -> chunks with one concern each. One per call; not thread safe.

    `whole_at_end` is for who keeps only the last value of each key: everything about the call then
    stands on the last chunk.
    """

    def __init__(self, *, whole_at_end: bool = False) -> None:
        """Start with nothing said."""
        self._whole_at_end = whole_at_end
        self._opening: Origin | None = None
        self._told = Telling()
        self._call_ids: dict[int, str] = {}
        self._images = 0

    def write(self, delta: Delta) -> list[ChatGenerationChunk]:
        """The chunks of one delta; none for one that says nothing a reader sees."""
        text, reasoning, calls, finish_reason, usage, origin, extra, *_, odds = delta
        refused, images = delta.refused, delta.images
        told = self._told
        if origin is not None and told.meet(origin):
            self._opening = origin
        told.length += len(text)
        if finish_reason or usage or extra:
            told.note(delta)
        if not (reasoning or calls or self._opening or refused or images or odds):
            return [_text_chunk(text)] if text else []
        answer: list[ChatGenerationChunk] = []
        if text:
            answer.append(_refusal(text) if refused else _text_chunk(text))
        answer += [self._image_chunk(url) for url in images]
        answer += [self._call_chunk(part) for part in calls]
        if odds:
            answer = answer or [_text_chunk("")]
            answer[0].message.response_metadata["logprobs"] = {"content": list(odds)}
        if answer and self._opening is not None:
            self._introduce(answer[0], self._opening)
        return [_chunk(additional_kwargs={REASONING: reasoning}), *answer] if reasoning else answer

    def finish(self) -> ChatGenerationChunk:
        """The last chunk: how it ended, what it used, and what is still to be said of the call."""
        told = self._told
        kept = {EXTRA: {"message": dict(told.extra)}} if told.extra else {}
        chunk = _chunk(chunk_position="last", additional_kwargs=kept)
        message = chunk.message
        if self._opening is not None:
            self._introduce(chunk, self._opening)
        message.response_metadata["finish_reason"] = told.finish_reason or "stop"
        entry = message.response_metadata.get("freelm", {})
        if self._whole_at_end and told.origins:
            entry = who(told.origins[0])
        message.response_metadata["freelm"] = {**entry, **told.closing()}
        if isinstance(message, AIMessageChunk) and told.usage is not None:
            message.usage_metadata = to_usage(told.usage)
        return chunk

    def _introduce(self, chunk: ChatGenerationChunk, origin: Origin) -> None:
        self._opening = None
        chunk.message.response_metadata["model_name"] = origin.model
        chunk.generation_info = gateway_note(origin.provider, origin.model)
        if not self._whole_at_end:
            chunk.message.response_metadata["freelm"] = who(origin)

    def _call_chunk(self, part: ToolCallPart) -> ChatGenerationChunk:
        self._told.has_calls = True
        call_id = None
        if part.index not in self._call_ids:
            call_id = self._call_ids[part.index] = part.id or new_call_id()
        piece = tool_call_chunk(name=part.name, args=part.arguments, id=call_id, index=part.index)
        kept = (
            {EXTRA: {"calls": {self._call_ids[part.index]: dict(part.extra)}}} if part.extra else {}
        )
        return _chunk(tool_call_chunks=[piece], additional_kwargs=kept)

    def _image_chunk(self, url: str) -> ChatGenerationChunk:
        index = f"lc_img_{self._images}"
        self._images += 1
        return _chunk(content=[{**image_block(url), "index": index}])


def _refusal(text: str) -> ChatGenerationChunk:
    return _chunk(additional_kwargs={REFUSAL: text})


def _chunk(content: str | list[str | dict[Any, Any]] = "", **fields: Any) -> ChatGenerationChunk:
    metadata = {"model_provider": PROVIDER}
    message = AIMessageChunk(content=content, response_metadata=metadata, **fields)
    return ChatGenerationChunk(message=message)
