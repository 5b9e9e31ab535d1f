"""`LlamaIndexFreeEmbedding`: pooled free embeddings for LlamaIndex."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.instrumentation.span import active_span_id
from pydantic import Field, PrivateAttr, field_serializer, field_validator
from typing_extensions import Self

from freelm_integrations.errors import ConfigError, MissingKey
from freelm_integrations.llama_index.events import observers
from freelm_integrations.llama_index.portable import described, restored, without_keys
from freelm_integrations.llama_index.vector_cache import VectorCache
from freelm_integrations.nearest import unknown

if TYPE_CHECKING:
    from freelm_integrations import VectorSpace
    from freelm_integrations.chat import InputType, Json
    from freelm_integrations.client import AsyncFreeLLM, FreeLLM
    from freelm_integrations.settings import Options

AUTO = "auto"
OPTIONS = (
    "providers",
    "strategy",
    "timeout",
    "attempt_timeout",
    "max_attempts",
    "hedge",
    "wait",
    "allow_training",
    "free_only",
    "state",
    "on_event",
    "http_client",
    "http_async_client",
    "share",
)
"""Fields that configure the engine, as those of `LlamaIndexFreeLLM`."""
LIVE = ("on_event", "http_client", "http_async_client", "callback_manager", "rate_limiter")
"""Fields that hold something running: shared by copies, left out of pickles if they must be."""
_CONNECTING = Lock()


class LlamaIndexFreeEmbedding(BaseEmbedding):
    """Vectors of one embedding model, from whoever serves it for free.

    Keys and providers change underneath, but never the model. Where none is named the configuration
    decides, and it is pinned when this is made: `model_name` and `dimensions` tell which it is,
    also in `to_dict()`, by which ingestion caches know it. Texts are embedded as passages and
    queries as queries, for models that tell these apart; all vectors have length 1. An empty text
    is an error, and so is one too long for the model: nothing is cut.

    Batches of `embed_batch_size` are split to what the providers take, and a few requests at most
    are on the way at once, whatever `num_workers` says. With `wait=True` an ingestion outlasts a
    minute's allowance.

    `embeddings_cache` is used, but kept from core, which would look vectors up by the text alone:
    here the model, its length and what a text was embedded as are part of the key. The field itself
    stays empty.
    """

    model_name: str = Field(
        default=AUTO, description="Family or id, also with its provider before it."
    )
    dimensions: int | None = Field(
        default=None, description="A shorter length than the model's own; pinned once known.", gt=0
    )
    embed_batch_size: int = Field(
        default=32, description="Texts of one batch; providers may take fewer.", gt=0, le=2048
    )
    providers: Any = Field(
        default=None,
        repr=False,
        description='`NIM("key")` and so on, or names; None: all with a key in the environment.',
    )
    strategy: str | None = Field(default=None, description="Who goes next; None: quota_aware.")
    timeout: float | None = Field(default=None, description="Seconds of one request; None: 60.")
    attempt_timeout: float | None = Field(
        default=None, description="Seconds one attempt may stay silent; None: 30."
    )
    max_attempts: int | None = Field(default=None, description="Tries of one request; None: 12.")
    hedge: bool | float | None = Field(
        default=None, description="A second attempt while the first is silent; None: adaptive."
    )
    wait: bool | None = Field(
        default=None, description="Sleep until a route recovers, inside `timeout`; None: False."
    )
    allow_training: bool | None = Field(
        default=None, description="Use free tiers that may train on texts; None: True."
    )
    free_only: bool | None = Field(
        default=None, description="Refuse models known to cost money; None: True."
    )
    state: str | None = Field(default=None, description="Where counts are kept.")
    share: bool | None = Field(
        default=None, description="Share one pool with other clients over the same keys."
    )
    on_event: Any = Field(
        default=None, exclude=True, repr=False, description="A function told every event."
    )
    http_client: Any = Field(default=None, exclude=True, repr=False)
    http_async_client: Any = Field(default=None, exclude=True, repr=False)

    _clients: tuple[FreeLLM, AsyncFreeLLM] | None = PrivateAttr(default=None)
    _cache: VectorCache | None = PrivateAttr(default=None)

    def __init__(self, **data: Any) -> None:
        """Check every argument and pin the model; nothing is opened or sent.

        Raises:
            ConfigError: An argument is unknown or makes no sense, or no provider has such a model.
                That no key is found is no error here: the first call says so.
        """
        fields = type(self).model_fields
        given = {("model_name" if name == "model" else name): one for name, one in data.items()}
        for name in given:
            if name not in fields:
                raise ConfigError(unknown("argument", name, fields))
        given = {name: value for name, value in given.items() if value is not None}
        store = given.pop("embeddings_cache", None)
        super().__init__(**given)
        self._cache = None if store is None else VectorCache(store)
        self._pin()

    @field_validator("providers", mode="before")
    @classmethod
    def _revive_providers(cls, providers: object) -> object:
        return restored(providers)

    @field_serializer("providers")
    def _describe_providers(self, providers: object) -> object:
        return described(providers)

    @classmethod
    def class_name(cls) -> str:
        """The tag of serialised models; never changes."""
        return "freelm_embedding"

    def to_payload(self) -> Json:
        """What observers are told about the model."""
        return {**super().to_payload(), "dimensions": self.dimensions}

    # Clients

    @property
    def client(self) -> FreeLLM:
        """The blocking core client of this model."""
        return self._connected()[0]

    @property
    def async_client(self) -> AsyncFreeLLM:
        """The asyncio core client, over the same pool; serves any number of event loops."""
        return self._connected()[1]

    @property
    def vector_space(self) -> VectorSpace:
        """Which vectors these are, and who serves them; nothing is sent."""
        return self.client.vector_space(self.model_name, dimensions=self.dimensions)

    def _connected(self) -> tuple[FreeLLM, AsyncFreeLLM]:
        clients = self._clients
        if clients is None:
            # The engine takes as long to import as all else here: who only imports need not wait.
            from freelm_integrations.client import FreeLLM  # noqa: PLC0415

            with _CONNECTING:
                if (clients := self._clients) is None:
                    options = {name: getattr(self, name) for name in OPTIONS}
                    client = FreeLLM(**cast("Options", options))
                    clients = self._clients = (client, client.to_async())
        return clients

    def _pin(self) -> None:
        """Note the name and length of the space that is meant, once there is a key to tell it."""
        try:
            space = self.vector_space
        except MissingKey:
            return
        vars(self)["model_name"] = space.name
        vars(self)["dimensions"] = space.dimensions

    def __setattr__(self, name: str, value: Any) -> None:
        """Assign; a changed option takes effect with the next call."""
        if name == "embeddings_cache" and value is not None:
            name, value = "_cache", VectorCache(value)
        super().__setattr__(name, value)
        if name in OPTIONS:
            self._clients = None

    def close(self) -> None:
        """Close idle connections of blocking calls; a later call opens new ones."""
        if self._clients is not None:
            self._clients[0].close()

    async def aclose(self) -> None:
        """Close idle connections of blocking calls and of the running loop."""
        if self._clients is not None:
            self._clients[0].close()
            await self._clients[1].aclose()

    # Hooks

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._embed([query], "query")[0]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return (await self._aembed([query], "query"))[0]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._embed([text], "passage")[0]

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return (await self._aembed([text], "passage"))[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return self._embed(texts, "passage")

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await self._aembed(texts, "passage")

    def _embed(self, texts: list[str], kind: InputType) -> list[list[float]]:
        cache = self._cache
        if cache is None:
            return self._ask(texts, kind)
        known = cache.get(self._keys(texts, kind))
        fresh = self._ask([text for text, one in zip(texts, known, strict=True) if not one], kind)
        cache.put(self._keys(texts, kind), known, fresh)
        return known

    async def _aembed(self, texts: list[str], kind: InputType) -> list[list[float]]:
        cache = self._cache
        if cache is None:
            return await self._aask(texts, kind)
        known = await cache.aget(self._keys(texts, kind))
        missing = [text for text, one in zip(texts, known, strict=True) if not one]
        await cache.aput(self._keys(texts, kind), known, await self._aask(missing, kind))
        return known

    def _keys(self, texts: list[str], kind: InputType) -> list[str]:
        """What vectors of such texts are kept by; two models never share one."""
        self._pin_late()
        return [f"{self.model_name}|{self.dimensions}|{kind}|{text}" for text in texts]

    def _ask(self, texts: list[str], kind: InputType) -> list[list[float]]:
        self._pin_late()
        told = observers(active_span_id.get())
        try:
            vectors = self.client.embed(
                texts,
                model=self.model_name,
                dimensions=self.dimensions,
                input_type=kind,
                on_event=told,
            )
        finally:
            if told is not None:
                told.settle()
        return list(vectors)

    async def _aask(self, texts: list[str], kind: InputType) -> list[list[float]]:
        self._pin_late()
        told = observers(active_span_id.get())
        try:
            vectors = await self.async_client.embed(
                texts,
                model=self.model_name,
                dimensions=self.dimensions,
                input_type=kind,
                on_event=told,
            )
        finally:
            if told is not None:
                told.settle()
        return list(vectors)

    def _pin_late(self) -> None:
        """There was no key when this was made."""
        if self.model_name == AUTO:
            self._clients = None
            self._pin()

    # Copies

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """An independent copy.

        Shared is what is live: handlers, limiter, cache, HTTP clients and the pool.
        """
        memo = {} if memo is None else memo
        for one in (*(getattr(self, name) for name in LIVE), self._cache):
            if one is not None:
                memo[id(one)] = one
        return super(LlamaIndexFreeEmbedding, self._unconnected()).__deepcopy__(memo)

    def __getstate__(self) -> Json:
        """Fields without keys and connections: keys come from the environment where it arrives."""
        twin = self._unconnected()
        twin.providers = without_keys(self.providers)
        store = None if twin._cache is None else twin._cache.store  # noqa: SLF001 - our own
        vars(twin)["embeddings_cache"] = store
        twin._cache = None  # noqa: SLF001 - our own
        return super(LlamaIndexFreeEmbedding, twin).__getstate__()

    def _unconnected(self) -> Self:
        twin = self.model_copy()
        twin._clients = None  # noqa: SLF001 - our own
        return twin
