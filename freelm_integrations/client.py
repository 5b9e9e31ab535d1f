"""The core clients: `FreeLLM` and `AsyncFreeLLM`, two faces of one dispatcher."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any

from freelm_integrations.batches.batch import member_here
from freelm_integrations.chat import Folding
from freelm_integrations.connections import AsyncConnections, Connections
from freelm_integrations.delta_streams import (
    AsyncDeltaStream,
    DeltaStream,
    async_texts_of,
    texts_of,
)
from freelm_integrations.dispatcher import Dispatcher, Explanation, ModelInfo
from freelm_integrations.embedding.running import Lanes, run, run_on_loop
from freelm_integrations.embedding.vectors import Vectors
from freelm_integrations.engine.failover import failover
from freelm_integrations.request import Messages, checked_observer, make_request, names_of
from freelm_integrations.request.texts import (
    checked_dimensions,
    checked_input_type,
    checked_model,
    checked_texts,
    checked_timeout,
)
from freelm_integrations.settings import Settings

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Collection,
        Generator,
        Iterable,
        Iterator,
        Sequence,
    )

    from typing_extensions import Self, Unpack

    from freelm_integrations.capacity import Capacity
    from freelm_integrations.chat import (
        Completion,
        Delta,
        EmbeddingRequest,
        InputType,
        Json,
        Message,
        Request,
    )
    from freelm_integrations.embedding.job import Job
    from freelm_integrations.embedding.spaces import VectorSpace
    from freelm_integrations.engine.flight import Flight
    from freelm_integrations.events import Event, Observer
    from freelm_integrations.settings import Options

__all__ = ["AsyncFreeLLM", "FreeLLM"]

_WHOLE, _STREAMED = False, True


class _Client:
    """What both clients do without I/O."""

    def __init__(self, **options: Unpack[Options]) -> None:
        self._share_with(Dispatcher(Settings.from_options(**options)))

    def _share_with(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    @classmethod
    def from_env(cls, **options: Unpack[Options]) -> Self:
        """A client over every provider whose key variables are set.

        The same as calling the class.
        """
        return cls(**options)

    @classmethod
    def _over(cls, dispatcher: Dispatcher) -> Self:
        client = cls.__new__(cls)
        client._share_with(dispatcher)  # noqa: SLF001 - our own
        return client

    def __repr__(self) -> str:
        """The configuration, without keys; of half-made ones only the name."""
        dispatcher: Dispatcher | None = vars(self).get("_dispatcher")
        found = () if dispatcher is None else dispatcher.settings.providers
        return f"{type(self).__name__}(providers=[{', '.join(map(repr, found))}])"

    def _with_options(self, options: Options) -> Self:
        before = self._dispatcher.settings
        changed = before.changed(**options)
        dispatcher = self._dispatcher.with_settings(changed)
        client = self._over(dispatcher)
        if (changed.http_client, changed.http_async_client) == (
            before.http_client,
            before.http_async_client,
        ):
            vars(client)["_connections"] = vars(self)["_connections"]
        return client

    def __copy__(self) -> Self:
        """Itself: it is safe to share, and its connections are not to be doubled."""
        return self

    def __deepcopy__(self, memo: object) -> Self:
        """Itself, like `copy`."""
        return self

    def context_window(self, model: str | Sequence[str] | None = None) -> int | None:
        """The smallest context (tokens) among the models such a call may use; nothing is sent.

        None when none is known. Raises ConfigError when no model has such a name.
        """
        wanted = self._dispatcher.settings.wanted if model is None else names_of(model)
        return self._dispatcher.context_window(wanted)

    def models_for(self, model: str | Sequence[str] | None = None) -> list[ModelInfo]:
        """The models such a call may use, as known now; nothing is sent and no list asked for.

        Raises ConfigError when no model has such a name.
        """
        wanted = self._dispatcher.settings.wanted if model is None else names_of(model)
        return self._dispatcher.models_for(wanted)

    def vector_space(
        self, model: str | None = None, *, dimensions: int | None = None
    ) -> VectorSpace:
        """The vector space that `embed` with these arguments uses; nothing is sent.

        Its `name` is what to pass as `model` wherever vectors must compare with those of another
        day: in what an index is told, and in configuration. Raises ConfigError when there is none.
        """
        return self._dispatcher.embedding.space(
            checked_model(model), checked_dimensions(dimensions)
        )

    def _job(
        self,
        texts: str | Iterable[str],
        model: str | None,
        dimensions: int | None,
        input_type: InputType | None,
        timeout: float | None,
    ) -> Job | None:
        """What is to be embedded; None where that is nothing."""
        given, kind = checked_texts(texts), checked_input_type(input_type)
        limit, name = checked_timeout(timeout), checked_model(model)
        length = checked_dimensions(dimensions)
        if not given:
            return None
        space = self._dispatcher.embedding.space(name, length)
        return self._dispatcher.embedding.job(given, space, input_type=kind, timeout=limit)

    def _embedding_flight(
        self, job: Job, request: EmbeddingRequest, observer: Observer | None
    ) -> Flight:
        candidates = self._dispatcher.embedding.candidates(request, job.space)
        return self._dispatcher.flight(request, observer, candidates)

    def _request(
        self,
        messages: Messages,
        streaming: bool,  # noqa: FBT001 - private
        model: str | Sequence[str] | None,
        tools: Sequence[Message] | None,
        tool_choice: str | Message | None,
        response_format: Message | None,
        params: dict[str, Any],
    ) -> Request:
        return make_request(
            messages,
            model=model,
            default_model=self._dispatcher.settings.wanted,
            streaming=streaming,
            tools=tools,
            tool_choice=tool_choice,
            response_format=response_format,
            params=params,
        )


class FreeLLM(_Client):
    """The blocking client.

    Safe from any number of threads; two over the same keys share one pool.

    Takes the arguments of the configuration table (`Options`); with none it uses every provider
    whose key is in the environment. Nothing is opened or read before the first call.
    """

    def _share_with(self, dispatcher: Dispatcher) -> None:
        super()._share_with(dispatcher)
        self._connections = Connections(dispatcher.settings.http_client)

    def text(self, prompt: str, **params: Any) -> str:
        """The answer to one user message, as text. Takes and raises what `chat` does."""
        return self.chat(prompt, **params).text

    def chat(
        self,
        messages: Messages,
        *,
        model: str | Sequence[str] | None = None,
        tools: Sequence[Message] | None = None,
        tool_choice: str | Message | None = None,
        response_format: Message | None = None,
        on_event: Observer | None = None,
        **params: Any,
    ) -> Completion:
        """The whole answer of whichever route gives it.

        Args:
            messages: OpenAI-shaped dicts, or a string for one user message. Never changed.
            model: an id, family, alias or tag, or a list of these in order of preference.
            tools: OpenAI-shaped tool definitions.
            tool_choice: `auto`, `none`, `required`, or the dict that names one tool.
            response_format: OpenAI-shaped, e.g. `{"type": "json_object"}`.
            on_event: told this call's events, besides the client's own observer.
            **params: chat-completions parameters (`temperature`, `max_tokens`, `stop`, ...), and
                `timeout`: seconds until this call's first content, in place of the client's;
                `avoid`: providers, or `provider/model`s, to ask only when nobody else is left.

        Raises:
            ConfigError: no key; an argument is unknown, of a wrong type or out of range. Nothing
                was sent.
            NoRouteAnswered: every candidate failed or rests; says when the first is back.
            RequestRejected: the request is at fault, two providers (or the only one) say.
            ContextOverflow: the prompt fits no candidate.
        """
        request = self._request(
            messages, _WHOLE, model, tools, tool_choice, response_format, params
        )
        began_at = self._dispatcher.clock.now()
        folding = Folding()
        with closing(self._deltas(request, checked_observer(on_event))) as deltas:
            for delta in deltas:
                folding.add(delta)
        return folding.completion(latency_ms=(self._dispatcher.clock.now() - began_at) * 1000)

    def stream(self, messages: Messages, **params: Any) -> Iterator[str]:
        """The answer's text, piece by piece; nothing is sent before the first is asked for.

        Takes what `chat` does; also raises StreamInterrupted. A ConfigError over the arguments is
        raised at once, the other errors when it is read.
        """
        return texts_of(self.stream_deltas(messages, **params))

    def stream_deltas(
        self,
        messages: Messages,
        *,
        model: str | Sequence[str] | None = None,
        tools: Sequence[Message] | None = None,
        tool_choice: str | Message | None = None,
        response_format: Message | None = None,
        on_event: Observer | None = None,
        **params: Any,
    ) -> DeltaStream:
        """The answer as deltas: the first names its origin, the last has finish reason and usage.

        Takes what `chat` does. A ConfigError over the arguments is raised at once; what else `chat`
        raises when it is read, and StreamInterrupted with the partial text when the answer breaks
        off after its first content. Close it, or use it in a `with`, to leave early.
        """
        request = self._request(
            messages, _STREAMED, model, tools, tool_choice, response_format, params
        )
        return DeltaStream(self._deltas(request, checked_observer(on_event)))

    def embed(
        self,
        texts: str | Iterable[str],
        *,
        model: str | None = None,
        dimensions: int | None = None,
        input_type: InputType | None = None,
        timeout: float | None = None,
        on_event: Observer | None = None,
    ) -> Vectors:
        """A vector a text, of length 1, all of one model and so of one vector space.

        Keys and providers change underneath, but only among those that serve this very model. Which
        one that is without `model` depends on the configuration alone; `Vectors.model` and
        `vector_space()` tell its name. Texts go in as many requests as the providers' limits ask
        for, one after another; with `wait=True` a long list outlasts a minute's allowance.

        Args:
            texts: Strings; a string by itself is one text. None at all gives no vectors.
            model: An embedding model's family or id, also with its provider before it
                (`nim/bge-m3`, `local/nomic-embed-text`). Not the client's own `model`, which chats.
            dimensions: A shorter length than the model's own, where it has one.
            input_type: `query` or `passage` (also if None), for models that tell these apart.
            timeout: Seconds each request may take, in place of the client's.
            on_event: Told this call's events, besides the client's own observer.

        Raises:
            ConfigError: No key; a text is empty; there is no such model or length. Nothing was
                sent.
            ContextOverflow: A text is too long for the model: it is not cut.
            NoRouteAnswered: Whoever serves this model failed or rests; never is another used.
            RequestRejected: The request is at fault, its providers say.
        """
        job = self._job(texts, model, dimensions, input_type, timeout)
        observer = self._dispatcher.observer(checked_observer(on_event))
        return Vectors() if job is None else run(job, lambda one: self._vectors(job, one, observer))

    def models(self) -> list[ModelInfo]:
        """What may be called now, best first within a provider.

        Asks for lists that are due, as a call would.
        """
        if not self._dispatcher.is_prepared:
            self._refresh()
        return self._dispatcher.models()

    def refresh_models(self, *, timeout: float | None = None) -> list[ModelInfo]:
        """Ask every provider for its list now, and wait `timeout` (s) at most; then as `models`.

        None: three seconds. What is later is still taken, for a quarter of a minute, and known to
        later calls.
        """
        self._refresh(force=True, patience=checked_timeout(timeout))
        return self._dispatcher.models()

    def model_lists(self) -> list[Json]:
        """A row a provider: where its list of models is from, and how that has drifted.

        `source` is live, cache, builtin or given, `age` the seconds since it was fetched, `trouble`
        why the live list could not be had. `since_built_in` and `since_fetched` tell which ids are
        gone or new, whose context changed, and whether the model `auto` led with is lost. Nothing
        is sent: `refresh_models` asks.
        """
        return self._dispatcher.model_lists()

    def health(self) -> list[Json]:
        """A row a key: provider, fingerprint, state, cooldowns, windows, last fault, model list.

        Nothing is sent.
        """
        self._dispatcher.look()
        return self._dispatcher.health()

    def capacity(self) -> Capacity:
        """Calls and tokens left per provider and model, and when each window resets.

        A list of rows; its `plan(calls, tokens_each=...)` says whether so many calls fit before
        midnight, and when. Nothing is sent.
        """
        self._dispatcher.look()
        return self._dispatcher.capacity()

    def readmit(self, keys: Collection[str] | None = None) -> list[str]:
        """Ask keys again that were refused, as a person has mended them; nothing is sent.

        A refused key is left alone in this process for good, and for a day in others that share its
        state. `freellm doctor` readmits every key that answers it.

        Args:
            keys: Fingerprints, as in `health()`; None: all keys of this client.

        Returns:
            The fingerprints of those that were held back.
        """
        return self._dispatcher.readmit(keys)

    def explain(
        self,
        messages: Messages,
        *,
        model: str | Sequence[str] | None = None,
        tools: Sequence[Message] | None = None,
        tool_choice: str | Message | None = None,
        response_format: Message | None = None,
        **params: Any,
    ) -> Explanation:
        """What `chat` with these arguments would do now.

        Candidates in order, and why every other is left out.
        """
        request = self._request(
            messages, _WHOLE, model, tools, tool_choice, response_format, params
        )
        self._dispatcher.look()
        return self._dispatcher.explain(request)

    def with_options(self, **options: Unpack[Options]) -> Self:
        """A client with these options changed, over the same pool and connections.

        Closing either closes both. `share=False`, or other providers, bring a pool of its own.
        """
        return self._with_options(options)

    def to_async(self) -> AsyncFreeLLM:
        """The async client over the same pool and settings."""
        return AsyncFreeLLM._over(self._dispatcher)  # noqa: SLF001 - our own

    def close(self) -> None:
        """Close idle connections. A later call opens new ones."""
        self._connections.close()

    def __enter__(self) -> Self:
        """The client itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
        self.close()

    def _deltas(self, request: Request, on_event: Observer | None) -> Generator[Delta, None, None]:
        from freelm_integrations.engine import blocking  # noqa: PLC0415 - brings httpx

        if not self._dispatcher.is_prepared:
            self._refresh()
        member = member_here()
        observer = self._dispatcher.observer(on_event, member)
        flight = self._dispatcher.flight(
            request, observer, batch=None if member is None else member.batch
        )
        exchanges = blocking.exchanges(self._connections.send())
        consult = None if (desk := self._dispatcher.desk) is None else desk.ask
        deltas = blocking.drive(failover(flight), exchanges, observer or _ignore, consult)
        yield from deltas if member is None else member.followed(deltas)

    def _vectors(
        self, job: Job, request: EmbeddingRequest, observer: Observer | None
    ) -> Generator[Delta, None, None]:
        from freelm_integrations.engine import blocking  # noqa: PLC0415 - brings httpx

        if not self._dispatcher.is_started:
            self._dispatcher.start()
        flight = self._embedding_flight(job, request, observer)
        exchanges = blocking.exchanges(self._connections.send())
        consult = None if (desk := self._dispatcher.desk) is None else desk.ask
        yield from blocking.drive(failover(flight), exchanges, observer or _ignore, consult)

    def _refresh(self, *, force: bool = False, patience: float | None = None) -> None:
        from freelm_integrations.engine import blocking  # noqa: PLC0415 - brings httpx

        self._dispatcher.start()
        machine = self._dispatcher.catalogs.refresh(force=force, patience=patience)
        exchanges = blocking.exchanges(self._connections.send())
        run = blocking.drive(machine, exchanges, _ignore)
        if next(run, None) is not None:  # what is late is nothing to wait for
            self._connections.go_on(run)


class AsyncFreeLLM(_Client):
    """The asyncio client.

    Safe from any number of event loops and tasks; two over the same keys share one pool.

    Takes the arguments of the configuration table (`Options`); with none it uses every provider
    whose key is in the environment. Connections belong to the running loop and are closed with it.
    """

    def _share_with(self, dispatcher: Dispatcher) -> None:
        super()._share_with(dispatcher)
        self._connections = AsyncConnections(dispatcher.settings.http_async_client)
        self._lanes = Lanes()

    async def text(self, prompt: str, **params: Any) -> str:
        """The answer to one user message, as text. Takes and raises what `chat` does."""
        return (await self.chat(prompt, **params)).text

    async def chat(
        self,
        messages: Messages,
        *,
        model: str | Sequence[str] | None = None,
        tools: Sequence[Message] | None = None,
        tool_choice: str | Message | None = None,
        response_format: Message | None = None,
        on_event: Observer | None = None,
        **params: Any,
    ) -> Completion:
        """The whole answer of whichever route gives it; arguments and errors as `FreeLLM.chat`."""
        request = self._request(
            messages, _WHOLE, model, tools, tool_choice, response_format, params
        )
        began_at = self._dispatcher.clock.now()
        folding = Folding()
        observer = checked_observer(on_event)
        deltas = await self._set_off(request, observer)
        try:  # written out: `aclosing` costs a call more than the rest of this
            async for delta in deltas:
                folding.add(delta)
        finally:
            await deltas.aclose()
        return folding.completion(latency_ms=(self._dispatcher.clock.now() - began_at) * 1000)

    def stream(self, messages: Messages, **params: Any) -> AsyncIterator[str]:
        """The answer's text, piece by piece; arguments and errors as `FreeLLM.stream`."""
        return async_texts_of(self.stream_deltas(messages, **params))

    def stream_deltas(
        self,
        messages: Messages,
        *,
        model: str | Sequence[str] | None = None,
        tools: Sequence[Message] | None = None,
        tool_choice: str | Message | None = None,
        response_format: Message | None = None,
        on_event: Observer | None = None,
        **params: Any,
    ) -> AsyncDeltaStream:
        """The answer as deltas; arguments and errors as `FreeLLM.stream_deltas`."""
        request = self._request(
            messages, _STREAMED, model, tools, tool_choice, response_format, params
        )
        return AsyncDeltaStream(self._deltas(request, checked_observer(on_event)))

    async def embed(
        self,
        texts: str | Iterable[str],
        *,
        model: str | None = None,
        dimensions: int | None = None,
        input_type: InputType | None = None,
        timeout: float | None = None,
        on_event: Observer | None = None,
    ) -> Vectors:
        """A vector a text, all of one model; arguments and errors as `FreeLLM.embed`.

        A few requests are on the way at once, however many calls the client is in.
        """
        job = self._job(texts, model, dimensions, input_type, timeout)
        observer = self._dispatcher.observer(checked_observer(on_event))
        if job is None:
            return Vectors()
        return await run_on_loop(job, lambda one: self._vectors(job, one, observer), self._lanes)

    async def models(self) -> list[ModelInfo]:
        """What may be called now, best first within a provider.

        Asks for lists that are due, as a call would.
        """
        if not self._dispatcher.is_prepared:
            await self._refresh()
        return self._dispatcher.models()

    async def refresh_models(self, *, timeout: float | None = None) -> list[ModelInfo]:
        """Ask every provider for its list now, and wait `timeout` (s) at most; then as `models`.

        As `FreeLLM.refresh_models`.
        """
        await self._refresh(force=True, patience=checked_timeout(timeout))
        return self._dispatcher.models()

    async def model_lists(self) -> list[Json]:
        """A row a provider: where its list of models is from, and how that has drifted.

        `source` is live, cache, builtin or given, `age` the seconds since it was fetched, `trouble`
        why the live list could not be had. `since_built_in` and `since_fetched` tell which ids are
        gone or new, whose context changed, and whether the model `auto` led with is lost. Nothing
        is sent: `refresh_models` asks.
        """
        return self._dispatcher.model_lists()

    async def health(self) -> list[Json]:
        """A row a key: provider, fingerprint, state, cooldowns, windows, last fault, model list.

        Nothing is sent.
        """
        await asyncio.to_thread(self._dispatcher.look)
        return self._dispatcher.health()

    async def capacity(self) -> Capacity:
        """Calls and tokens left per provider and model, and when each window resets.

        A list of rows; its `plan(calls, tokens_each=...)` says whether so many calls fit before
        midnight, and when. Nothing is sent.
        """
        await asyncio.to_thread(self._dispatcher.look)
        return self._dispatcher.capacity()

    async def readmit(self, keys: Collection[str] | None = None) -> list[str]:
        """Ask keys again that were refused; arguments and answer as `FreeLLM.readmit`."""
        return await asyncio.to_thread(self._dispatcher.readmit, keys)

    async def explain(
        self,
        messages: Messages,
        *,
        model: str | Sequence[str] | None = None,
        tools: Sequence[Message] | None = None,
        tool_choice: str | Message | None = None,
        response_format: Message | None = None,
        **params: Any,
    ) -> Explanation:
        """What `chat` with these arguments would do now.

        Candidates in order, and why every other is left out.
        """
        request = self._request(
            messages, _WHOLE, model, tools, tool_choice, response_format, params
        )
        await asyncio.to_thread(self._dispatcher.look)
        return self._dispatcher.explain(request)

    def with_options(self, **options: Unpack[Options]) -> Self:
        """A client with these options changed; arguments and sharing as `FreeLLM.with_options`."""
        return self._with_options(options)

    def to_sync(self) -> FreeLLM:
        """The blocking client over the same pool and settings."""
        return FreeLLM._over(self._dispatcher)  # noqa: SLF001 - our own

    async def close(self) -> None:
        """Close the running loop's idle connections. A later call opens new ones."""
        await self._connections.aclose()
        await self._dispatcher.aclose()

    aclose = close

    async def __aenter__(self) -> Self:
        """The client itself."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close it."""
        await self.close()

    async def _set_off(
        self, request: Request, on_event: Observer | None
    ) -> AsyncGenerator[Delta, None]:
        from freelm_integrations.engine import aio  # noqa: PLC0415 - brings httpx

        send = await self._connections.send()
        if not self._dispatcher.is_prepared:
            await self._refresh()
        member = member_here()
        observer = self._dispatcher.observer(on_event, member)
        flight = self._dispatcher.flight(
            request, observer, batch=None if member is None else member.batch
        )
        exchanges = aio.TaskExchanges(send)
        consult = None if (desk := self._dispatcher.desk) is None else desk.ask_on_loop
        deltas = aio.drive(failover(flight), exchanges, observer or _ignore, consult)
        return deltas if member is None else member.followed_on_loop(deltas)

    async def _vectors(
        self, job: Job, request: EmbeddingRequest, observer: Observer | None
    ) -> AsyncGenerator[Delta, None]:
        from freelm_integrations.engine import aio  # noqa: PLC0415 - brings httpx

        send = await self._connections.send()
        if not self._dispatcher.is_started:
            await asyncio.to_thread(self._dispatcher.start)
        flight = self._embedding_flight(job, request, observer)
        exchanges = aio.TaskExchanges(send)
        consult = None if (desk := self._dispatcher.desk) is None else desk.ask_on_loop
        return aio.drive(failover(flight), exchanges, observer or _ignore, consult)

    async def _deltas(
        self, request: Request, on_event: Observer | None
    ) -> AsyncGenerator[Delta, None]:
        async with aclosing(await self._set_off(request, on_event)) as deltas:
            async for delta in deltas:
                yield delta

    async def _refresh(self, *, force: bool = False, patience: float | None = None) -> None:
        from freelm_integrations.engine import aio  # noqa: PLC0415 - brings httpx

        await asyncio.to_thread(self._dispatcher.start)
        machine = self._dispatcher.catalogs.refresh(force=force, patience=patience)
        exchanges = aio.TaskExchanges(await self._connections.send())
        run = aio.drive(machine, exchanges, _ignore)
        if await anext(run, None) is not None:  # what is late is nothing to wait for
            self._connections.go_on(run)


def _ignore(event: Event) -> None:
    """Nobody looks."""
