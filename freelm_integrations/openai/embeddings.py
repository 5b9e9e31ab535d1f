"""`client.embeddings`, blocking and asyncio."""

from __future__ import annotations

import base64
import struct
from typing import TYPE_CHECKING, Any, Literal, cast

from freelm_integrations.errors import ConfigError
from freelm_integrations.nearest import unknown
from freelm_integrations.openai.absent import Absent
from freelm_integrations.openai.arguments import RequestParams, call_arguments
from freelm_integrations.openai.errors import told
from freelm_integrations.openai.objects import CreateEmbeddingResponse, EmbeddingUsage
from freelm_integrations.openai.objects import Embedding as EmbeddingObject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Unpack

    from freelm_integrations import Vectors
    from freelm_integrations.client import AsyncFreeLLM, FreeLLM

EncodingFormat = Literal["float", "base64"]
FORMATS = ("float", "base64")
_MEANINGLESS = frozenset({"user"})


class EmbeddingParams(RequestParams, total=False):
    """The parameters of `create` besides `input` and `model`, as in that SDK; None is not given."""

    dimensions: int | None
    """A shorter length than the model's own, where it has one."""
    encoding_format: EncodingFormat | None
    """`base64`: each vector as the base64 of its 32-bit floats."""
    input_type: Literal["query", "passage"] | None
    """Not of that SDK, but needed by models that tell these apart; None: a passage."""
    user: str | None
    """Means nothing here."""


class Embeddings(Absent):
    """`client.embeddings`."""

    def __init__(self, client: FreeLLM) -> None:
        """Ask this client."""
        self._client = client

    def create(
        self,
        *,
        input: str | Sequence[str],  # noqa: A002 - that SDK's name
        model: str | None = None,
        **params: Unpack[EmbeddingParams],
    ) -> CreateEmbeddingResponse:
        """Vectors of one embedding model, whoever serves it; None for the best there is.

        `input` is one text or several; tokens cannot be read back into texts. The answer's `model`
        is what to pass to get more that compare with these. Raises the errors of
        `freelm_integrations.errors`, under that SDK's names as well.
        """
        with told():
            arguments, is_packed = _arguments(params)
            return _response(self._client.embed(_texts(input), model=model, **arguments), is_packed)


class AsyncEmbeddings(Absent):
    """`client.embeddings` of the async client."""

    def __init__(self, client: AsyncFreeLLM) -> None:
        """Ask this client."""
        self._client = client

    async def create(
        self,
        *,
        input: str | Sequence[str],  # noqa: A002 - that SDK's name
        model: str | None = None,
        **params: Unpack[EmbeddingParams],
    ) -> CreateEmbeddingResponse:
        """Vectors of one embedding model; as `Embeddings.create`."""
        with told():
            arguments, is_packed = _arguments(params)
            vectors = await self._client.embed(_texts(input), model=model, **arguments)
            return _response(vectors, is_packed)


def _arguments(params: EmbeddingParams) -> tuple[dict[str, Any], bool]:
    """The arguments for the core client, and whether vectors are wanted packed."""
    arguments = {
        name: value
        for name, value in call_arguments(params).items()
        if value is not None and name not in _MEANINGLESS
    }
    wanted = arguments.pop("encoding_format", "float")
    if wanted not in FORMATS:
        raise ConfigError(unknown("encoding_format", wanted, FORMATS))
    if arguments.pop("extra_body", None):
        raise ConfigError(
            "extra_body cannot be passed here: it would change whose vectors they are"
        )
    return arguments, wanted == "base64"


def _texts(given: str | Sequence[str]) -> str | Sequence[str]:
    """The input, unless it is tokens."""
    items = cast("Sequence[object]", given)
    if not isinstance(given, str) and items and not isinstance(items[0], str):
        raise ConfigError("input takes texts: tokens of one model mean nothing to another")
    return given


def _response(vectors: Vectors, is_packed: bool) -> CreateEmbeddingResponse:  # noqa: FBT001 - private
    tokens = 0 if vectors.usage is None else vectors.usage.prompt_tokens
    return CreateEmbeddingResponse(
        data=[
            EmbeddingObject(index=place, embedding=_packed(vector) if is_packed else vector)
            for place, vector in enumerate(vectors)
        ],
        model=vectors.model,
        usage=EmbeddingUsage(prompt_tokens=tokens, total_tokens=tokens),
        freelm={
            "origins": [
                {"provider": one.provider, "model": one.model, "key": one.key}
                for one in vectors.origins
            ],
            "attempts": [one.to_dict() for one in vectors.attempts],
        },
    )


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
