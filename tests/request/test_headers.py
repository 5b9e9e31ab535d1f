"""Headers that a caller adds: what is taken, and that it arrives."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from freelm_integrations import FreeLLM, OpenAICompatible
from freelm_integrations.errors import ConfigError
from freelm_integrations.request import make_request

ANSWER = b'{"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]}'


def asked(headers: Any) -> Any:
    return make_request(
        "hi",
        model=None,
        default_model=("auto",),
        streaming=False,
        params={"extra_headers": headers},
    )


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (None, {}),
        ({}, {}),
        (
            {"X-Title": "App", "HTTP-Referer": "https://a.example"},
            {"x-title": "App", "http-referer": "https://a.example"},
        ),
        ({"x-a": None, "x-b": ""}, {"x-b": ""}),
        ({"x-keyboard": "qwerty"}, {"x-keyboard": "qwerty"}),
    ],
)
def test_headers_are_taken_with_lower_case_names(given: Any, taken: Any) -> None:
    """What is None is not given."""
    assert asked(given).headers == taken


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"Authorization": "Bearer hunter2"}, "would go to every provider"),
        ({"x-goog-api-key": "hunter2"}, "would go to every provider"),
        ({"api_key": "hunter2", "x": "y"}, "would go to every provider"),
        ({"Cookie": "hunter2"}, "would go to every provider"),
        ({"X-Auth-Token": "hunter2"}, "would go to every provider"),
        ({"Content-Length": "hunter2"}, "not the caller's to say"),
        ({"Host": "hunter2"}, "not the caller's to say"),
        ({"Transfer-Encoding": "hunter2"}, "not the caller's to say"),
        ({"x-a": "hunter2\r\nx-b: c"}, "no header"),
        ({"x-a": "hunter2\N{SNOWMAN}"}, "no header"),
        ({"x a": "hunter2"}, "no header"),
        ({"": "hunter2"}, "no header"),
        ({"x-a": 2}, "no header"),
        ("x-a: hunter2", "extra_headers takes a dict"),
    ],
)
def test_what_is_no_header_or_holds_a_secret_is_refused(given: Any, words: str) -> None:
    """And no value is shown."""
    with pytest.raises(ConfigError, match=words) as raised:
        asked(given)
    assert "hunter2" not in str(raised.value)


class Listener(BaseHTTPRequestHandler):
    """Refuses at one path, answers at another, and keeps what it was told."""

    def do_POST(self) -> None:
        self.server.told.append((self.path, dict(self.headers.items())))  # type: ignore[attr-defined]
        self.rfile.read(int(self.headers["content-length"]))
        status, body = (503, b"{}") if self.path.startswith("/down") else (200, ANSWER)
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None: ...


def test_they_go_to_every_provider_that_is_asked() -> None:
    """Beside what it is told anyway, and after a failure."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        server.told = told = []  # type: ignore[attr-defined]
        Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        providers = [
            OpenAICompatible(name, f"{base}/{name}", "key", models=["m"], priority=place)
            for place, name in enumerate(("down", "up"))
        ]
        with FreeLLM(providers=providers, share=False, strategy="priority") as client:
            client.chat("hi", extra_headers={"X-Trace": "abc"})
        server.shutdown()

    assert [path.split("/")[1] for path, _ in told] == ["down", "up"]
    for _, headers in told:
        assert headers["x-trace"] == "abc"
        assert headers["authorization"] == "Bearer key"
