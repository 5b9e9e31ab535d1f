"""Local servers are asked what they have loaded: played by hand on loopback, and a real one."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from freelm_integrations import FreeLLM, Local
from freelm_integrations.discovery import catalogs
from freelm_integrations.embedded import is_available, shared_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freelm_integrations.dispatcher import ModelInfo

OLLAMA = {
    "/v1/models": {
        "object": "list",
        "data": [
            {"id": name, "object": "model", "created": 1, "owned_by": "library"}
            for name in ("owl:7b", "elk:70b", "nomic-vec:v1")
        ],
    },
    "/api/ps": {"models": [{"name": "elk:70b", "model": "elk:70b", "context_length": 4096}]},
    "/api/show owl:7b": {
        "parameters": "num_ctx 16384",
        "model_info": {"owl.context_length": 40960},
        "capabilities": ["completion", "tools", "vision"],
    },
    "/api/show elk:70b": {
        "model_info": {"elk.context_length": 131072},
        "capabilities": ["completion"],
    },
    "/api/show nomic-vec:v1": {
        "model_info": {"nomic.context_length": 2048},
        "capabilities": ["embedding"],
    },
}
STUDIO = {
    "/v1/models": {"data": [{"id": name, "object": "model"} for name in ("owl", "text-emb-x")]},
    "/api/v0/models": {
        "data": [
            {
                "id": "owl",
                "type": "vlm",
                "max_context_length": 32768,
                "loaded_context_length": 8192,
                "capabilities": ["tool_use"],
            },
            {"id": "text-emb-x", "type": "embeddings", "max_context_length": 2048},
        ]
    },
}
LLAMA = {
    "/v1/models": {
        "data": [{"id": "owl.gguf", "owned_by": "llamacpp", "meta": {"n_ctx_train": 131072}}]
    },
    "/props": {"default_generation_settings": {"n_ctx": 2048}, "total_slots": 4},
}


@contextmanager
def serving(pages: dict[str, Any], *, hangs: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """A server of these pages: its base URL, and what it was asked."""
    asked: list[str] = []
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            self.answer(self.path)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self.answer(f"{self.path} {body['model']}")

        def answer(self, name: str) -> None:
            asked.append(name)
            if name.partition(" ")[0] in hangs:
                ended.wait(10)
                return
            page = pages.get(name)
            body = b"404 page not found" if page is None else json.dumps(page).encode()
            self.send_response(404 if page is None else 200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", asked
    finally:
        ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


def models_of(base_url: str, *, on_a_loop: bool = False) -> dict[str, ModelInfo]:
    with FreeLLM(providers=[Local(base_url)], share=False) as client:
        found = asyncio.run(client.to_async().models()) if on_a_loop else client.models()
        return {model.id: model for model in found}


@pytest.mark.parametrize("on_a_loop", [False, True], ids=["blocking", "asyncio"])
@pytest.mark.parametrize(
    ("pages", "contexts"),
    [
        (OLLAMA, {"owl:7b": 16384, "elk:70b": 4096}),
        (STUDIO, {"owl": 8192}),
        (LLAMA, {"owl.gguf": 2048}),
        ({"/v1/models": LLAMA["/v1/models"]}, {"owl.gguf": None}),
    ],
    ids=["Ollama", "LM Studio", "llama.cpp", "none of these"],
)
def test_local_models_have_the_context_that_is_loaded(
    pages: dict[str, Any], contexts: dict[str, int | None], on_a_loop: bool
) -> None:
    """And what only embeds is left out."""
    with serving(pages) as (base_url, _):
        found = models_of(base_url, on_a_loop=on_a_loop)

    assert {name: model.context for name, model in found.items()} == contexts


def test_abilities_come_with_it() -> None:
    """Ollama's list has none."""
    with serving(OLLAMA) as (base_url, _):
        found = models_of(base_url)

    assert {"tools", "vision"} <= set(found["owl:7b"].tags)
    assert {"tools", "vision"}.isdisjoint(found["elk:70b"].tags)


def test_only_ollama_is_asked_model_by_model() -> None:
    """Whoever has no such page is not asked for it."""
    with serving(LLAMA) as (base_url, asked):
        models_of(base_url)

    assert sorted(asked) == ["/api/ps", "/api/v0/models", "/props", "/v1/models"]


def test_a_page_that_is_silent_costs_the_lists_patience_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The list is known without it, and nobody is told of any trouble."""
    monkeypatch.setattr(catalogs, "PATIENCE", 0.3)
    with (
        serving(LLAMA, hangs=("/props",)) as (base_url, _),
        FreeLLM(providers=[Local(base_url)], share=False) as client,
    ):
        found, rows = client.models(), client.model_lists()

    assert [(model.id, model.context) for model in found] == [("owl.gguf", None)]
    assert (rows[0]["source"], rows[0]["trouble"]) == ("live", None)


@pytest.mark.skipif(not is_available(), reason="the extra `local` is not installed")
def test_a_real_llama_server_tells_what_a_slot_has() -> None:
    """It is loaded for 4,096 tokens a call, though the model was trained on more."""
    server = shared_server()
    found = models_of(server.base_url)

    assert [model.context for model in found.values()] == [4096]


def test_a_prompt_without_room_is_refused_before_anything_is_sent() -> None:
    """Ollama would drop the oldest messages without a word."""
    with (
        serving(OLLAMA) as (base_url, asked),
        FreeLLM(providers=[Local(base_url)], share=False) as client,
    ):
        client.models()
        explained = client.explain("word " * 20_000)

    assert explained.candidates == ()
    assert "context of 16384 tokens is too short" in str(explained)
    assert not any("chat" in name for name in asked)
