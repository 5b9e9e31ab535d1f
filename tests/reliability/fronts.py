"""The three surfaces a user calls, each asked in four ways and told of in one shape."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from langchain_core.callbacks import BaseCallbackHandler
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.callbacks import CallbackManager
from llama_index.core.callbacks.base_handler import BaseCallbackHandler as LegacyHandler

from freelm_integrations import FreeLLM
from freelm_integrations.chat import Folding
from freelm_integrations.langchain import ChatFreeLLM
from freelm_integrations.llama_index import LlamaIndexFreeLLM

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from freelm_integrations.chat import Completion
    from freelm_integrations.providers.provider import Provider

Heard: TypeAlias = "Counter[str]"


@dataclass(frozen=True)
class Told:
    """What one call gave, and what its callbacks heard: `start`, `end` and `error`, counted."""

    text: str
    provider: str
    attempts: list[tuple[str, str | None]]
    """(provider, kind) of each, in the order they ended; None for the one that answered."""
    lasted: list[float]
    """Milliseconds of each."""
    integrity: str
    seams: list[int]
    heard: Heard = field(default_factory=Counter)


def _told(text: str, facts: Mapping[str, Any], heard: Heard) -> Told:
    attempts = facts["attempts"]
    return Told(
        text=text,
        provider=attempts[-1]["provider"],
        attempts=[(one["provider"], one.get("kind")) for one in attempts],
        lasted=[one["ms"] for one in attempts],
        integrity=facts["integrity"],
        seams=list(facts.get("seams", ())),
        heard=heard,
    )


class Core:
    """`FreeLLM` and `AsyncFreeLLM`; the end of a call is its `completed` event."""

    def __init__(self, providers: Sequence[Provider], **options: Any) -> None:
        self.client = FreeLLM(providers=list(providers), **options)
        self.twin = self.client.to_async()

    def whole(self, prompt: str) -> Told:
        heard, listen = _listener()
        return self._of(self.client.chat(prompt, on_event=listen), heard)

    async def awhole(self, prompt: str) -> Told:
        heard, listen = _listener()
        return self._of(await self.twin.chat(prompt, on_event=listen), heard)

    def streamed(self, prompt: str) -> Told:
        heard, listen = _listener()
        folding = Folding()
        for delta in self.client.stream_deltas(prompt, on_event=listen):
            folding.add(delta)
        return self._of(folding.completion(), heard)

    async def astreamed(self, prompt: str) -> Told:
        heard, listen = _listener()
        folding = Folding()
        async with self.twin.stream_deltas(prompt, on_event=listen) as deltas:
            async for delta in deltas:
                folding.add(delta)
        return self._of(folding.completion(), heard)

    def close(self) -> None:
        self.client.close()

    async def aclose(self) -> None:
        await self.twin.aclose()

    @staticmethod
    def _of(completion: Completion, heard: Heard) -> Told:
        facts = {
            "attempts": [one.to_dict() for one in completion.attempts],
            "integrity": completion.integrity,
            "seams": completion.seams,
        }
        return _told(completion.text, facts, heard)


def _listener() -> tuple[Heard, Callable[[Any], None]]:
    names = {"freelm.completed": "end", "freelm.exhausted": "error"}
    heard: Heard = Counter({"start": 1})

    def listen(event: Any) -> None:
        if event.name in names:
            heard[names[event.name]] += 1

    return heard, listen


class LangChain:
    """`ChatFreeLLM`."""

    def __init__(self, providers: Sequence[Provider], **options: Any) -> None:
        self.llm = ChatFreeLLM(providers=list(providers), **options)

    def whole(self, prompt: str) -> Told:
        heard = _Runs()
        return self._of(self.llm.invoke(prompt, {"callbacks": [heard]}), heard)

    async def awhole(self, prompt: str) -> Told:
        heard = _Runs()
        return self._of(await self.llm.ainvoke(prompt, {"callbacks": [heard]}), heard)

    def streamed(self, prompt: str) -> Told:
        heard = _Runs()
        whole: Any = None
        for chunk in self.llm.stream(prompt, {"callbacks": [heard]}):
            whole = chunk if whole is None else whole + chunk
        return self._of(whole, heard)

    async def astreamed(self, prompt: str) -> Told:
        heard = _Runs()
        whole: Any = None
        async for chunk in self.llm.astream(prompt, {"callbacks": [heard]}):
            whole = chunk if whole is None else whole + chunk
        return self._of(whole, heard)

    def close(self) -> None:
        self.llm.close()

    async def aclose(self) -> None:
        await self.llm.aclose()

    @staticmethod
    def _of(message: Any, heard: _Runs) -> Told:
        return _told(str(message.text), message.response_metadata["freelm"], heard.counted)


class _Runs(BaseCallbackHandler):
    """Counts the ends of runs."""

    def __init__(self) -> None:
        self.counted: Heard = Counter()

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self.counted["start"] += 1

    def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
        self.counted["end"] += 1

    def on_llm_error(self, *args: Any, **kwargs: Any) -> None:
        self.counted["error"] += 1


class LlamaIndex:
    """`LlamaIndexFreeLLM`."""

    def __init__(self, providers: Sequence[Provider], **options: Any) -> None:
        self.llm = LlamaIndexFreeLLM(providers=list(providers), **options)
        self._heard = _Events()
        self.llm.callback_manager = CallbackManager([self._heard])

    def whole(self, prompt: str) -> Told:
        return self._of(self.llm.chat(_user(prompt)))

    async def awhole(self, prompt: str) -> Told:
        return self._of(await self.llm.achat(_user(prompt)))

    def streamed(self, prompt: str) -> Told:
        *_, last = self.llm.stream_chat(_user(prompt))
        return self._of(last)

    async def astreamed(self, prompt: str) -> Told:
        snapshots = [one async for one in await self.llm.astream_chat(_user(prompt))]
        return self._of(snapshots[-1])

    def close(self) -> None:
        self.llm.close()

    async def aclose(self) -> None:
        await self.llm.aclose()

    def _of(self, response: Any) -> Told:
        heard, self._heard.counted = self._heard.counted, Counter()
        return _told(response.message.content or "", response.raw["freelm"], heard)


def _user(prompt: str) -> list[ChatMessage]:
    return [ChatMessage(role="user", content=prompt)]


class _Events(LegacyHandler):
    """Counts the events of the older of LlamaIndex' two callback systems."""

    def __init__(self) -> None:
        super().__init__([], [])
        self.counted: Heard = Counter()

    def on_event_start(self, *args: Any, **kwargs: Any) -> str:
        self.counted["start"] += 1
        return str(kwargs.get("event_id", ""))

    def on_event_end(self, *args: Any, **kwargs: Any) -> None:
        self.counted["end"] += 1

    def start_trace(self, trace_id: str | None = None) -> None:
        """Traces are not counted."""

    def end_trace(self, trace_id: str | None = None, trace_map: Any = None) -> None:
        """Traces are not counted."""


Front: TypeAlias = "Core | LangChain | LlamaIndex"
FRONTS: Mapping[str, type[Core | LangChain | LlamaIndex]] = {
    "core": Core,
    "langchain": LangChain,
    "llama_index": LlamaIndex,
}
