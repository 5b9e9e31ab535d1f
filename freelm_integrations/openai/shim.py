"""`OpenAI` and `AsyncOpenAI`: existing code swaps its import and runs over the pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freelm_integrations.client import AsyncFreeLLM, FreeLLM
from freelm_integrations.openai.absent import Absent
from freelm_integrations.openai.completions import AsyncChat, AsyncCompletions, Chat, Completions
from freelm_integrations.openai.embeddings import AsyncEmbeddings, Embeddings
from freelm_integrations.openai.models import AsyncModels, Models
from freelm_integrations.openai.options import options_from_openai

if TYPE_CHECKING:
    from typing_extensions import Self


class OpenAI(Absent):
    """The blocking client in that SDK's shape; every argument of `FreeLLM` works here too.

    `api_key` and `base_url` are understood as there: with a base URL, one endpoint of that address;
    a key alone belongs to the provider whose shape it has. `timeout` is seconds, or an
    `httpx.Timeout` whose `read` counts. Messages may be that SDK's dicts or the objects of an
    answer, as a history collects them. `max_retries`, `organization` and `project` are accepted and
    mean nothing here. Calls raise the errors of `freelm_integrations.errors`, under the names of
    that SDK as well (`freelm_integrations.openai.errors`).
    """

    chat: Chat
    embeddings: Embeddings
    models: Models

    def __init__(self, **options: Any) -> None:
        """Take the options; nothing is opened before the first call."""
        self._use(FreeLLM(**options_from_openai(options)))

    def __repr__(self) -> str:
        """What it runs over, without keys."""
        return f"<OpenAI over {vars(self).get('_client')!r}>"

    def with_options(self, **options: Any) -> Self:
        """A client with these options changed, over the same pool and connections.

        Closing either closes both.
        """
        return self._over(self._client.with_options(**options_from_openai(options)))

    copy = with_options

    def close(self) -> None:
        """Close idle connections."""
        self._client.close()

    def __enter__(self) -> Self:
        """The client itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
        self.close()

    @classmethod
    def _over(cls, client: FreeLLM) -> Self:
        other = cls.__new__(cls)
        other._use(client)  # noqa: SLF001 - our own
        return other

    def _use(self, client: FreeLLM) -> None:
        self._client = client
        self.chat = Chat(Completions(client))
        self.embeddings = Embeddings(client)
        self.models = Models(client)
        self.beta = self  # where `chat.completions.parse` once was


class AsyncOpenAI(Absent):
    """The asyncio twin of `OpenAI`; its `http_client` is an `httpx.AsyncClient`, as there."""

    chat: AsyncChat
    embeddings: AsyncEmbeddings
    models: AsyncModels

    def __init__(self, **options: Any) -> None:
        """Take the options; nothing is opened before the first call."""
        self._use(AsyncFreeLLM(**options_from_openai(options, is_async=True)))

    def __repr__(self) -> str:
        """What it runs over, without keys."""
        return f"<AsyncOpenAI over {vars(self).get('_client')!r}>"

    def with_options(self, **options: Any) -> Self:
        """A client with these options changed; as `OpenAI.with_options`."""
        changed = options_from_openai(options, is_async=True)
        return self._over(self._client.with_options(**changed))

    copy = with_options

    async def close(self) -> None:
        """Close the running loop's idle connections."""
        await self._client.close()

    async def __aenter__(self) -> Self:
        """The client itself."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close it."""
        await self.close()

    @classmethod
    def _over(cls, client: AsyncFreeLLM) -> Self:
        other = cls.__new__(cls)
        other._use(client)  # noqa: SLF001 - our own
        return other

    def _use(self, client: AsyncFreeLLM) -> None:
        self._client = client
        self.chat = AsyncChat(AsyncCompletions(client))
        self.embeddings = AsyncEmbeddings(client)
        self.models = AsyncModels(client)
        self.beta = self
