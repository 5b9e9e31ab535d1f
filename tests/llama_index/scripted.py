"""A provider whose every answer is written down: for what the lab's providers would never say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx

from freelm_integrations import OpenAICompatible
from freelm_integrations.llama_index import LlamaIndexFreeLLM

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

Reply = Any
"""A body (dict), a refusal (status, body), or the chunks of a stream (list)."""

USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
MODEL = "parrot-1"
KEY = "sk-the-secret-itself-0123456789"


class ScriptedLLM(LlamaIndexFreeLLM):
    """The model under test over a provider that says `replies`, one a request; `sent` are the bodies it got."""

    @classmethod
    def that_says(cls, *replies: Reply, **fields: Any) -> tuple[LlamaIndexFreeLLM, list[Any]]:
        waiting, sent = list(replies), []

        def answer(request: httpx.Request) -> httpx.Response:
            sent.append(json.loads(request.content))
            return _response(waiting.pop(0))

        transport = httpx.MockTransport(answer)
        parrot = OpenAICompatible("parrot", "https://parrot.invalid/v1", KEY, [MODEL])
        fields = {"providers": [parrot], "share": False, **fields}
        llm = LlamaIndexFreeLLM(
            http_client=httpx.Client(transport=transport),
            http_async_client=httpx.AsyncClient(transport=transport),
            **fields,
        )
        return llm, sent


def said(text: str | None, finish: str = "stop", **message: Any) -> Reply:
    """A whole answer."""
    spoken = {"role": "assistant", "content": text, **message}
    choice = {"index": 0, "message": spoken, "finish_reason": finish}
    return {
        "id": "r1",
        "object": "chat.completion",
        "model": MODEL,
        "choices": [choice],
        "usage": USAGE,
    }


def called(*calls: tuple[str, str]) -> Reply:
    """A whole answer of tool calls: (name, arguments as JSON text)."""
    listed = [
        {"id": f"call_{n}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for n, (name, arguments) in enumerate(calls)
    ]
    return said(None, "tool_calls", tool_calls=listed)


def streamed(*texts: str, finish: str | None = "stop", usage: Any = USAGE) -> list[Any]:
    """The chunks of a streamed answer, the usage after the last of them."""
    chunks = [chunk({"content": text}) for text in texts]
    if finish is not None:
        chunks.append(chunk({}, finish))
    if usage is not None:
        chunks.append({**_envelope(), "choices": [], "usage": usage})
    return chunks


def streamed_call(name: str, *parts: str) -> list[Any]:
    """The chunks of a streamed tool call, its arguments in pieces."""
    begun = {
        "index": 0,
        "id": "call_0",
        "type": "function",
        "function": {"name": name, "arguments": ""},
    }
    return [
        chunk({"tool_calls": [begun]}),
        *(chunk({"tool_calls": [{"index": 0, "function": {"arguments": part}}]}) for part in parts),
        chunk({}, "tool_calls"),
    ]


def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    """One chunk of a stream."""
    return {**_envelope(), "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def _envelope() -> dict[str, Any]:
    return {"id": "r1", "object": "chat.completion.chunk", "model": MODEL}


def _response(reply: Reply) -> httpx.Response:
    if isinstance(reply, tuple):
        return httpx.Response(reply[0], json=reply[1])
    if isinstance(reply, dict):
        return httpx.Response(200, json=reply)
    return httpx.Response(200, stream=_Body(reply), headers={"content-type": "text/event-stream"})


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Server-sent events, each in bytes of its own as from a slow endpoint."""

    def __init__(self, chunks: Iterable[Any]) -> None:
        self._pieces = [f"data: {json.dumps(one)}\n\n".encode() for one in chunks]
        self._pieces.append(b"data: [DONE]\n\n")

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
