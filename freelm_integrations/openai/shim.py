"""`OpenAI` and `AsyncOpenAI`: existing code swaps its import and runs over the pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from freelm_integrations.client import AsyncFreeLLM, FreeLLM
from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.openai.objects import Model, ModelPage
from freelm_integrations.openai.options import options_from_openai
from freelm_integrations.openai.translate import Chunker, completion_object, plain_messages

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Sequence

    from typing_extensions import Self

    from freelm_integrations.chat import Message
    from freelm_integrations.client import AsyncDeltaStream, DeltaStream
    from freelm_integrations.dispatcher import ModelInfo
    from freelm_integrations.openai.objects import ChatCompletion, ChatCompletionChunk


class OpenAI:
    """The blocking client in that SDK's shape; every argument of `FreeLLM` works here too.

    `api_key` and `base_url` are understood as there: with a base URL, one endpoint of that address;
    a key alone belongs to the provider whose shape it has. Messages may be that SDK's dicts or the
    objects of an answer, as a history collects them. `max_retries`, `organization` and
    `project` are accepted and mean nothing here. Raises the exceptions of
    `freelm_integrations.errors`.
    """

    def __init__(self, **options: Any) -> None:
        """Take the options; nothing is opened before the first call."""
        self._client = FreeLLM(**options_from_openai(options))
        self.chat = Chat(Completions(self._client))
        self.models = Models(self._client)

    def __repr__(self) -> str:
        """What it runs over, without keys."""
        return f"<OpenAI over {self._client!r}>"

    def close(self) -> None:
        """Close idle connections."""
        self._client.close()

    def __enter__(self) -> Self:
        """The client itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
        self.close()


class AsyncOpenAI:
    """The asyncio twin of `OpenAI`; its `http_client` is an `httpx.AsyncClient`, as there."""

    def __init__(self, **options: Any) -> None:
        """Take the options; nothing is opened before the first call."""
        self._client = AsyncFreeLLM(**options_from_openai(options, is_async=True))
        self.chat = AsyncChat(AsyncCompletions(self._client))
        self.models = AsyncModels(self._client)

    def __repr__(self) -> str:
        """What it runs over, without keys."""
        return f"<AsyncOpenAI over {self._client!r}>"

    async def close(self) -> None:
        """Close the running loop's idle connections."""
        await self._client.close()

    async def __aenter__(self) -> Self:
        """The client itself."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close it."""
        await self.close()


class Chat:
    """`client.chat`."""

    def __init__(self, completions: Completions) -> None:
        """Hold the endpoint."""
        self.completions = completions


class AsyncChat:
    """`client.chat` of the async client."""

    def __init__(self, completions: AsyncCompletions) -> None:
        """Hold the endpoint."""
        self.completions = completions


class Completions:
    """`client.chat.completions`."""

    def __init__(self, client: FreeLLM) -> None:
        """Ask this client."""
        self._client = client

    @overload
    def create(
        self,
        *,
        messages: Sequence[Message],
        stream: Literal[False] | None = None,
        model: str | None = None,
        **params: Any,
    ) -> ChatCompletion: ...

    @overload
    def create(
        self,
        *,
        messages: Sequence[Message],
        stream: Literal[True],
        model: str | None = None,
        **params: Any,
    ) -> Stream: ...

    def create(
        self, *, messages: Sequence[Message], stream: bool | None = None, **params: Any
    ) -> ChatCompletion | Stream:
        """A ChatCompletion, or with `stream=True` a Stream of chunks. Parameters as in that SDK."""
        created, plain = int(SYSTEM_CLOCK.utc()), plain_messages(messages)
        if stream:
            chunker = _chunker(params, created)
            return Stream(self._client.stream_deltas(plain, **params), chunker)
        return completion_object(self._client.chat(plain, **params), created=created)


class AsyncCompletions:
    """`client.chat.completions` of the async client."""

    def __init__(self, client: AsyncFreeLLM) -> None:
        """Ask this client."""
        self._client = client

    @overload
    async def create(
        self,
        *,
        messages: Sequence[Message],
        stream: Literal[False] | None = None,
        model: str | None = None,
        **params: Any,
    ) -> ChatCompletion: ...

    @overload
    async def create(
        self,
        *,
        messages: Sequence[Message],
        stream: Literal[True],
        model: str | None = None,
        **params: Any,
    ) -> AsyncStream: ...

    async def create(
        self, *, messages: Sequence[Message], stream: bool | None = None, **params: Any
    ) -> ChatCompletion | AsyncStream:
        """A ChatCompletion, or with `stream=True` an AsyncStream of chunks.

        Parameters as in that SDK.
        """
        created, plain = int(SYSTEM_CLOCK.utc()), plain_messages(messages)
        if stream:
            chunker = _chunker(params, created)
            return AsyncStream(self._client.stream_deltas(plain, **params), chunker)
        return completion_object(await self._client.chat(plain, **params), created=created)


class Models:
    """`client.models`."""

    def __init__(self, client: FreeLLM) -> None:
        """Ask this client."""
        self._client = client

    def list(self) -> ModelPage:
        """The models that may be called now; the same id at two providers is listed for each."""
        return _page(self._client.models())


class AsyncModels:
    """`client.models` of the async client."""

    def __init__(self, client: AsyncFreeLLM) -> None:
        """Ask this client."""
        self._client = client

    async def list(self) -> ModelPage:
        """The models that may be called now; the same id at two providers is listed for each."""
        return _page(await self._client.models())


class Stream:
    """Chunks arriving; iterate once, `close()` or a `with` to leave early."""

    def __init__(self, deltas: DeltaStream, chunker: Chunker) -> None:
        """Translate these deltas."""
        self._deltas = deltas
        self._chunks = self._translate(chunker)

    def __repr__(self) -> str:
        """Whether anything can still come."""
        return f"<Stream of {self._deltas!r}>"

    def __iter__(self) -> Iterator[ChatCompletionChunk]:
        """The chunks still to come."""
        return self._chunks

    def __next__(self) -> ChatCompletionChunk:
        """The next chunk."""
        return next(self._chunks)

    def close(self) -> None:
        """Leave."""
        self._chunks.close()
        self._deltas.close()

    def __enter__(self) -> Self:
        """The stream itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
        self.close()

    def _translate(self, chunker: Chunker) -> Generator[ChatCompletionChunk, None, None]:
        with self._deltas as deltas:
            for delta in deltas:
                yield from chunker.chunks(delta)


class AsyncStream:
    """Chunks arriving on an event loop.

    Iterate once, `close()` or an `async with` to leave early.
    """

    def __init__(self, deltas: AsyncDeltaStream, chunker: Chunker) -> None:
        """Translate these deltas."""
        self._deltas = deltas
        self._chunks = self._translate(chunker)

    def __repr__(self) -> str:
        """Whether anything can still come."""
        return f"<AsyncStream of {self._deltas!r}>"

    def __aiter__(self) -> AsyncIterator[ChatCompletionChunk]:
        """The chunks still to come."""
        return self._chunks

    async def __anext__(self) -> ChatCompletionChunk:
        """The next chunk."""
        return await anext(self._chunks)

    async def close(self) -> None:
        """Leave."""
        await self._chunks.aclose()
        await self._deltas.aclose()

    async def __aenter__(self) -> Self:
        """The stream itself."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close it."""
        await self.close()

    async def _translate(self, chunker: Chunker) -> AsyncGenerator[ChatCompletionChunk, None]:
        async with self._deltas as deltas:
            async for delta in deltas:
                for chunk in chunker.chunks(delta):
                    yield chunk


def _chunker(params: dict[str, Any], created: int) -> Chunker:
    options: dict[str, Any] = params.pop("stream_options", None) or {}
    return Chunker(created=created, include_usage=bool(options.get("include_usage")))


def _page(models: list[ModelInfo]) -> ModelPage:
    return ModelPage(data=[Model(id=model.id, owned_by=model.provider) for model in models])
