"""`client.models`, blocking and asyncio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freelm_integrations.errors import ConfigError
from freelm_integrations.nearest import unknown
from freelm_integrations.openai.absent import Absent
from freelm_integrations.openai.arguments import call_arguments
from freelm_integrations.openai.errors import NotFoundError, of_both, told
from freelm_integrations.openai.objects import Model, ModelPage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Sequence

    from typing_extensions import Unpack

    from freelm_integrations.client import AsyncFreeLLM, FreeLLM
    from freelm_integrations.dispatcher import ModelInfo
    from freelm_integrations.openai.arguments import RequestParams


class Models(Absent):
    """`client.models`."""

    def __init__(self, client: FreeLLM) -> None:
        """Ask this client."""
        self._client = client

    def list(self, **params: Unpack[RequestParams]) -> ModelPage:
        """The models that may be called now; the same id at two providers is listed for each."""
        _check(params)
        return _page(self._client.models())

    def retrieve(self, model: str, **params: Unpack[RequestParams]) -> Model:
        """The model of that id, of the first provider that has it.

        Raises:
            NotFoundError: No model has that id (a ConfigError as well, with the nearest).
        """
        _check(params)
        return _found(model, self._client.models())


class AsyncModels(Absent):
    """`client.models` of the async client."""

    def __init__(self, client: AsyncFreeLLM) -> None:
        """Ask this client."""
        self._client = client

    def list(self, **params: Unpack[RequestParams]) -> AsyncListing:
        """As `Models.list`: to be awaited for the page, or gone through with `async for`."""
        _check(params)
        return AsyncListing(self._client)

    async def retrieve(self, model: str, **params: Unpack[RequestParams]) -> Model:
        """The model of that id; as `Models.retrieve`."""
        _check(params)
        return _found(model, await self._client.models())


class AsyncListing:
    """A list of models under way: await it, or go through it."""

    def __init__(self, client: AsyncFreeLLM) -> None:
        """Ask this client, once it is awaited."""
        self._client = client

    def __await__(self) -> Generator[Any, None, ModelPage]:
        """The page."""
        return self._read().__await__()

    async def __aiter__(self) -> AsyncIterator[Model]:
        """The models one by one."""
        for model in (await self._read()).data:
            yield model

    async def _read(self) -> ModelPage:
        return _page(await self._client.models())


def _check(params: RequestParams) -> None:
    with told():
        call_arguments(params)


def _page(models: Sequence[ModelInfo]) -> ModelPage:
    return ModelPage(data=[_model(model) for model in models])


def _model(model: ModelInfo) -> Model:
    return Model(id=model.id, owned_by=model.provider)


def _found(name: str, models: Sequence[ModelInfo]) -> Model:
    found = next((model for model in models if model.id == name), None)
    if found is not None:
        return _model(found)
    make: Callable[[str], Exception] = of_both(ConfigError, NotFoundError)
    raise make(unknown("model", name, dict.fromkeys(model.id for model in models)))
