"""`FreeLLMEmbeddings`: pooled free embeddings for LangChain's vector stores and retrievers."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from langchain_core.embeddings import Embeddings
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from freelm_integrations.errors import FreeLLMError
from freelm_integrations.langchain.arguments import OTHER_NAMES, one_secret
from freelm_integrations.langchain.clients import Clients
from freelm_integrations.langchain.errors import InvalidOption, as_model_error
from freelm_integrations.nearest import unknown

if TYPE_CHECKING:
    from typing_extensions import Self

    from freelm_integrations import Vectors, VectorSpace
    from freelm_integrations.chat import InputType

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
"""Fields that configure the engine, as those of `ChatFreeLLM`."""
UNPICKLED = frozenset({"api_key", "engine", "http_async_client", "http_client", "on_event"})
"""Fields left out of a pickle: secrets, sockets and functions."""
SHARED = frozenset({"engine", "http_async_client", "http_client", "on_event", "providers"})
"""Fields whose objects a deep copy shares with its original."""


class FreeLLMEmbeddings(BaseModel, Embeddings):
    """Vectors of one embedding model, from whoever serves it for free.

    Keys and providers change underneath, but never the model: what is embedded today compares with
    what was embedded yesterday. Without `model` the configuration decides which it is, so that
    another key may make it another: who keeps an index passes `vector_space.name` from then on
    (also as the namespace of a `CacheBackedEmbeddings`). Texts are embedded as passages by
    `embed_documents` and as queries by `embed_query`, for models that tell these apart; all vectors
    have length 1. An empty text is an error, and so is one too long for the model: nothing is cut.

    Safe from any thread and event loop. Raises what `ChatFreeLLM` does.
    """

    model_config = ConfigDict(
        arbitrary_types_allowed=True,
        extra="forbid",
        hide_input_in_errors=True,
        populate_by_name=True,
        protected_namespaces=(),
    )

    model: str = "auto"
    """The model's family or id, also with its provider before it (`nim/bge-m3`)."""
    dimensions: int | None = None
    """A shorter length than the model's own, where it has one."""
    api_key: SecretStr | None = None
    """Keys of any providers, with commas between. Unset: the environment."""
    providers: Any = Field(default=None, exclude=True)
    """`[NIM("key"), ...]`, or provider names. Unset: all whose key variables are set."""
    strategy: str | None = None
    timeout: float | None = None
    """Seconds one request may take (60); a long list is several requests."""
    attempt_timeout: float | None = None
    max_attempts: int | None = None
    hedge: bool | float | None = None
    wait: bool | None = None
    """Whether to sleep until a route recovers: a long list outlasts a minute's allowance."""
    allow_training: bool | None = None
    free_only: bool | None = None
    state: str | None = None
    on_event: Any = Field(default=None, exclude=True, repr=False)
    http_client: Any = Field(default=None, exclude=True, repr=False)
    http_async_client: Any = Field(default=None, exclude=True, repr=False)
    share: bool | None = None
    engine: Any = Field(default=None, exclude=True, repr=False)
    """The clients, shared by its copies."""

    if not TYPE_CHECKING:  # checkers see the fields

        def __init__(self, **given: Any) -> None:
            """Refuse what makes no sense; nothing is opened, read or sent."""
            fields = type(self).model_fields
            arguments = {OTHER_NAMES.get(name, name): value for name, value in given.items()}
            for name in arguments:
                if name not in fields:
                    raise InvalidOption(unknown("argument of FreeLLMEmbeddings", name, fields))
            super().__init__(**arguments)
            self._connect()
            self.engine.check()

    @field_validator("api_key", mode="before")
    @classmethod
    def _join_keys(cls, value: object) -> object:
        return one_secret(value)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """A vector a text, in their order; the list is a `Vectors`, which tells whose they are."""
        return self._embed(texts, "passage")

    def embed_query(self, text: str) -> list[float]:
        """The vector of a query."""
        return self._embed([text], "query")[0]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """As `embed_documents`; a few requests are on the way at once."""
        return await self._aembed(texts, "passage")

    async def aembed_query(self, text: str) -> list[float]:
        """As `embed_query`."""
        return (await self._aembed([text], "query"))[0]

    @property
    def vector_space(self) -> VectorSpace:
        """Which vectors these are: `name` to pass as `model`, `dimensions`, `providers`.

        Nothing is sent. Raises ConfigError when there is no such model.
        """
        try:
            return self._clients().blocking().vector_space(self.model, dimensions=self.dimensions)
        except FreeLLMError as error:
            raise as_model_error(error) from None

    def close(self) -> None:
        """Close idle connections of blocking calls; a later call opens new ones."""
        self._clients().close()

    async def aclose(self) -> None:
        """Close the running event loop's idle connections; a later call opens new ones."""
        await self._clients().aclose()

    def _embed(self, texts: list[str], kind: InputType) -> Vectors:
        try:
            return (
                self._clients()
                .blocking()
                .embed(texts, model=self.model, dimensions=self.dimensions, input_type=kind)
            )
        except FreeLLMError as error:
            raise as_model_error(error) from None

    async def _aembed(self, texts: list[str], kind: InputType) -> Vectors:
        try:
            return await (
                self._clients()
                .on_loop()
                .embed(texts, model=self.model, dimensions=self.dimensions, input_type=kind)
            )
        except FreeLLMError as error:
            raise as_model_error(error) from None

    def _clients(self) -> Clients:
        """The clients for these fields: those at hand, or new ones if a field was changed."""
        if not isinstance(self.engine, Clients):
            self._connect()
        clients: Clients = self.engine
        return clients

    def _connect(self) -> None:
        options = {name: value for name in OPTIONS if (value := getattr(self, name)) is not None}
        if not (isinstance(self.engine, Clients) and self.engine.is_for(options, self.api_key)):
            vars(self)["engine"] = Clients(options, self.api_key)

    def __setattr__(self, name: str, value: Any) -> None:
        """Assign; a changed option takes effect with the next call."""
        super().__setattr__(name, value)
        if name in OPTIONS or name == "api_key":
            self._connect()

    def __getstate__(self) -> dict[Any, Any]:
        """Everything but secrets, sockets and functions; providers leave their keys behind too."""
        state = super().__getstate__()
        fields = {
            name: None if name in UNPICKLED else value for name, value in state["__dict__"].items()
        }
        return {**state, "__dict__": fields}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        """Take the fields; keys are read from the environment again."""
        super().__setstate__(state)
        self._connect()

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """A copy over the same engine, keys included."""
        copied = self.model_copy()
        for name, value in self.__dict__.items():
            if name not in SHARED:
                vars(copied)[name] = deepcopy(value, memo)
        return copied
