"""`client.chat.completions`, blocking and asyncio."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeGuard, overload

from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.errors import ConfigError
from freelm_integrations.openai.absent import Absent
from freelm_integrations.openai.arguments import call_arguments
from freelm_integrations.openai.errors import told
from freelm_integrations.openai.parsing import format_of, parsed_completion
from freelm_integrations.openai.streams import AsyncStream, Stream
from freelm_integrations.openai.translate import Chunker, completion_object, plain_messages

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from freelm_integrations.chat import Message
    from freelm_integrations.client import AsyncFreeLLM, FreeLLM
    from freelm_integrations.openai.arguments import CallParams
    from freelm_integrations.openai.objects import ChatCompletion, ParsedChatCompletion


class Completions(Absent):
    """`client.chat.completions`."""

    def __init__(self, client: FreeLLM) -> None:
        """Ask this client."""
        self._client = client

    @overload
    def create(
        self,
        *,
        messages: Iterable[Any],
        model: str | None = None,
        stream: Literal[False] | None = None,
        response_format: Message | None = None,
        **params: Unpack[CallParams],
    ) -> ChatCompletion: ...

    @overload
    def create(
        self,
        *,
        messages: Iterable[Any],
        stream: Literal[True],
        model: str | None = None,
        response_format: Message | None = None,
        **params: Unpack[CallParams],
    ) -> Stream: ...

    @overload
    def create(
        self,
        *,
        messages: Iterable[Any],
        stream: bool,
        model: str | None = None,
        response_format: Message | None = None,
        **params: Unpack[CallParams],
    ) -> ChatCompletion | Stream: ...

    def create(
        self, *, messages: Iterable[Any], stream: bool | None = None, **params: Any
    ) -> ChatCompletion | Stream:
        """A ChatCompletion, or with `stream=True` a Stream of chunks.

        Parameters as in that SDK; `timeout` is that of this call. Raises the errors of
        `freelm_integrations.errors`, under that SDK's names as well.
        """
        with told():
            plain, arguments = plain_messages(messages), call_arguments(params)
            created = int(SYSTEM_CLOCK.utc())
            if stream:
                chunker = _chunker(arguments, created)
                return Stream(self._client.stream_deltas(plain, **arguments), chunker)
            return completion_object(self._client.chat(plain, **arguments), created=created)

    def parse(
        self,
        *,
        messages: Iterable[Any],
        model: str | None = None,
        response_format: Any = None,
        **params: Unpack[CallParams],
    ) -> ParsedChatCompletion:
        """The answer as an object of `response_format`, in `choices[0].message.parsed`.

        That is a pydantic model, or another class of fields pydantic can describe. Strict tools get
        `function.parsed_arguments`. Raises what `create` does, LengthFinishReasonError and
        ContentFilterFinishReasonError for half an answer, and pydantic.ValidationError for one that
        is no such object.
        """
        with told():
            wanted, tools = response_format, _kept(params)
            form = format_of(wanted)
        done = self.create(messages=messages, model=model, response_format=form, **params)
        return parsed_completion(done, wanted, tools)


class AsyncCompletions(Absent):
    """`client.chat.completions` of the async client."""

    def __init__(self, client: AsyncFreeLLM) -> None:
        """Ask this client."""
        self._client = client

    @overload
    async def create(
        self,
        *,
        messages: Iterable[Any],
        model: str | None = None,
        stream: Literal[False] | None = None,
        response_format: Message | None = None,
        **params: Unpack[CallParams],
    ) -> ChatCompletion: ...

    @overload
    async def create(
        self,
        *,
        messages: Iterable[Any],
        stream: Literal[True],
        model: str | None = None,
        response_format: Message | None = None,
        **params: Unpack[CallParams],
    ) -> AsyncStream: ...

    @overload
    async def create(
        self,
        *,
        messages: Iterable[Any],
        stream: bool,
        model: str | None = None,
        response_format: Message | None = None,
        **params: Unpack[CallParams],
    ) -> ChatCompletion | AsyncStream: ...

    async def create(
        self, *, messages: Iterable[Any], stream: bool | None = None, **params: Any
    ) -> ChatCompletion | AsyncStream:
        """A ChatCompletion, or with `stream=True` an AsyncStream of chunks.

        Parameters and errors as `Completions.create`.
        """
        with told():
            plain, arguments = plain_messages(messages), call_arguments(params)
            created = int(SYSTEM_CLOCK.utc())
            if stream:
                chunker = _chunker(arguments, created)
                return AsyncStream(self._client.stream_deltas(plain, **arguments), chunker)
            return completion_object(await self._client.chat(plain, **arguments), created=created)

    async def parse(
        self,
        *,
        messages: Iterable[Any],
        model: str | None = None,
        response_format: Any = None,
        **params: Unpack[CallParams],
    ) -> ParsedChatCompletion:
        """The answer as an object of `response_format`; all as `Completions.parse`."""
        with told():
            wanted, tools = response_format, _kept(params)
            form = format_of(wanted)
        done = await self.create(messages=messages, model=model, response_format=form, **params)
        return parsed_completion(done, wanted, tools)


class Chat(Absent):
    """`client.chat`."""

    def __init__(self, completions: Completions) -> None:
        """Hold the endpoint."""
        self.completions = completions


class AsyncChat(Absent):
    """`client.chat` of the async client."""

    def __init__(self, completions: AsyncCompletions) -> None:
        """Hold the endpoint."""
        self.completions = completions


def _chunker(arguments: dict[str, Any], created: int) -> Chunker:
    options: Any = arguments.get("stream_options")
    include_usage = bool(options.get("include_usage")) if hasattr(options, "get") else False
    return Chunker(created=created, include_usage=include_usage)


def _kept(params: CallParams) -> list[Any]:
    """The tools, which are gone through twice; refuses to parse what comes in pieces."""
    if "stream" in params:
        raise ConfigError("parse reads whole answers: leave out stream")
    tools: object = params.get("tools")
    if not _are_several(tools):
        return []  # what is no list of tools is found out by who sends it
    params["tools"] = kept = list(tools)
    return kept


def _are_several(tools: object) -> TypeGuard[Iterable[Any]]:
    return isinstance(tools, Iterable) and not isinstance(tools, (Mapping, str))
