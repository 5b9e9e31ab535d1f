"""A loopback server that refuses as it is told, under one path, and answers under another."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

_ANSWER = {"role": "assistant", "content": "well"}


class Reply(NamedTuple):
    """Status, headers and body as they go over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes


def _answer(*, streaming: bool) -> Reply:
    if not streaming:
        choice = {"index": 0, "message": _ANSWER, "finish_reason": "stop"}
        return Reply(200, {}, json.dumps({"id": "1", "choices": [choice]}).encode())
    chunks = [
        {"choices": [{"index": 0, "delta": _ANSWER, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ]
    frames = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks] + ["data: [DONE]\n\n"]
    return Reply(200, {"content-type": "text/event-stream"}, "".join(frames).encode())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer
    disable_nagle_algorithm = True
    server: Server

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        reply = self.server.cells.get(self.path.removesuffix("/chat/completions"))
        reply = reply or _answer(streaming=bool(asked.get("stream")))
        self.send_response(reply.status)
        for name, value in {"content-type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """All cells of the matrix share one; whoever has no cell is answered well."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.cells: dict[str, Reply] = {}
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def address(self, path: str) -> str:
        """The base URL of one cell."""
        return f"http://127.0.0.1:{self.server_address[1]}{path}"
