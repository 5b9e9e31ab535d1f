"""A provider that costs nothing: canned bytes over a raw socket, in a process of its own."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.queues import Queue

WORDS = [
    "The",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "the",
    "lazy",
    "dog",
    "and",
    "goes",
    "on",
    "to",
    "the",
    "next",
    "line",
    "of",
    "the",
    "page",
]
CHUNKS = 400


def whole_body() -> bytes:
    message = {"role": "assistant", "content": " ".join(WORDS)}
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "bench",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 18, "total_tokens": 27},
    }
    return json.dumps(body).encode()


def stream_body() -> bytes:
    def chunk(delta: dict, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        body = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "bench"}
        return b"data: " + json.dumps({**body, "choices": [choice]}).encode() + b"\n\n"

    pieces = [chunk({"role": "assistant", "content": ""})]
    pieces += [chunk({"content": WORDS[n % len(WORDS)] + " "}) for n in range(CHUNKS)]
    pieces.append(chunk({}, "stop"))
    usage = {"prompt_tokens": 9, "completion_tokens": CHUNKS, "total_tokens": CHUNKS + 9}
    tail = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "bench"}
    pieces.append(
        b"data: " + json.dumps({**tail, "choices": [], "usage": usage}).encode() + b"\n\n"
    )
    return b"".join([*pieces, b"data: [DONE]\n\n"])


def _reply(status: str, kind: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


REPLIES = {
    "ok": _reply("200 OK", "application/json", whole_body()),
    "stream": _reply("200 OK", "text/event-stream", stream_body()),
    "429": _reply(
        "429 Too Many Requests",
        "application/json",
        b'{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}',
    ).replace(b"\r\n\r\n", b"\r\nretry-after: 0\r\n\r\n", 1),
    "cut": _reply("200 OK", "text/event-stream", stream_body()).partition(b" dog ")[0],
    "500": _reply("500 Internal Server Error", "application/json", b'{"error":{"message":"oops"}}'),
}


class _Protocol(asyncio.Protocol):
    """Answers by the first path part: /ok, /429, /500, /slow (ok after 20 ms), /hang (never).

    Streams when asked to; /cut leaves in the middle of one, every tenth time.
    """

    cuts = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            length = 0
            if (at := head.find(b"content-length:")) >= 0:
                length = int(head[at + 15 :].split(b"\r\n", 1)[0])
            if len(self.buffer) < end + 4 + length:
                return
            body = self.buffer[end + 4 : end + 4 + length]
            self.buffer = self.buffer[end + 4 + length :]
            self.answer(head.split(b" ", 2)[1].split(b"/")[1].decode(), body)

    def answer(self, name: str, body: bytes) -> None:
        if name == "hang":
            return
        if name == "cut" and (cls := type(self)):
            cls.cuts += 1
            if cls.cuts % 10 == 0:
                self.transport.write(REPLIES["cut"])
                self.transport.close()
                return
        if b'"stream":true' in body or b'"stream": true' in body:
            self.transport.write(REPLIES["stream"])
        elif name == "slow":
            loop = asyncio.get_running_loop()
            loop.call_later(0.02, self.transport.write, REPLIES["ok"])
        else:
            self.transport.write(REPLIES.get(name, REPLIES["ok"]))


def _serve(port: Queue[int]) -> None:
    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(_Protocol, "127.0.0.1", 0)
        port.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


@contextmanager
def serving() -> Iterator[str]:
    """The base address of a running server."""
    context = multiprocessing.get_context("spawn")
    port: Queue[int] = context.Queue()
    process = context.Process(target=_serve, args=(port,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{port.get(timeout=20)}"
    finally:
        process.kill()
        process.join()
