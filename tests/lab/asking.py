"""A short way to ask a played provider, and a clock to move."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import httpx

    from freelm_integrations.lab import LabProvider

NAMES = ("openrouter", "google", "nim", "groq", "cerebras", "mistral")


class MovableClock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Asker:
    """Asks a played provider the way a bare HTTP client does."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def post(
        self,
        provider: LabProvider,
        path: str = "/chat/completions",
        *,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        **body: Any,
    ) -> httpx.Response:
        told = {"authorization": f"Bearer {provider.keys[0] if key is None else key}"}
        asked = {"model": provider.models[0], **body}
        if path == "/chat/completions":
            asked = {"messages": [{"role": "user", "content": "Tell me about cats"}], **asked}
        sent = told if headers is None else headers
        return self.http.post(provider.base_url + path, headers=sent, json=asked)

    def opened(self, provider: LabProvider, **body: Any) -> AbstractContextManager[httpx.Response]:
        """A reply whose body is still to be read."""
        question = [{"role": "user", "content": "Tell me about cats"}]
        return self.http.stream(
            "POST",
            f"{provider.base_url}/chat/completions",
            headers={"authorization": f"Bearer {provider.keys[0]}"},
            json={"model": provider.models[0], "messages": question, "stream": True, **body},
        )

    def get(self, provider: LabProvider, path: str) -> httpx.Response:
        told = {"authorization": f"Bearer {provider.keys[0]}"}
        return self.http.get(provider.base_url + path, headers=told)

    def events(self, provider: LabProvider, **body: Any) -> list[Any]:
        """The data of every event of a stream; `[DONE]` as it is."""
        text = self.post(provider, stream=True, **body).text
        data = [line[6:] for line in text.split("\n") if line.startswith("data: ")]
        return [one if one == "[DONE]" else json.loads(one) for one in data]


def text_of(events: list[Any]) -> str:
    """The visible text a stream adds up to."""
    deltas = [event["choices"][0]["delta"] for event in events if _has_choice(event)]
    return "".join(delta["content"] for delta in deltas if isinstance(delta.get("content"), str))


def _has_choice(event: Any) -> bool:
    return event != "[DONE]" and bool(event.get("choices"))
