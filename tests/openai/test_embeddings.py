"""`client.embeddings`: as in that SDK, over the lab."""

from __future__ import annotations

import asyncio
import base64
import inspect
import struct
from typing import TYPE_CHECKING, Any

import openai as sdk
import pytest
from openai.resources.embeddings import AsyncEmbeddings, Embeddings

from freelm_integrations import ConfigError, NoRouteAnswered
from freelm_integrations.openai import AsyncOpenAI, CreateEmbeddingResponse, OpenAI, RateLimitError
from freelm_integrations.openai.arguments import RequestParams
from freelm_integrations.openai.embeddings import EmbeddingParams

if TYPE_CHECKING:
    from freelm_integrations.lab import Lab


@pytest.mark.parametrize("method", [Embeddings.create, AsyncEmbeddings.create])
def test_every_parameter_is_taken(method: Any) -> None:
    """One that comes with a new version fails here."""
    theirs = set(inspect.signature(method).parameters) - {"self", "input", "model"}

    assert theirs <= set(EmbeddingParams.__annotations__) | set(RequestParams.__annotations__)


def test_the_objects_have_that_sdk_s_fields() -> None:
    """Each of them, by name."""
    theirs = sdk.types.CreateEmbeddingResponse.model_fields

    assert set(theirs) <= set(CreateEmbeddingResponse.model_fields)


@pytest.mark.parametrize("given", ["an owl", ["an owl"], ("an owl",)])
def test_one_text_or_several(client: OpenAI, given: Any) -> None:
    """In order, with the model, who gave them and the tokens."""
    made = client.embeddings.create(input=given)
    (row,) = made.data

    assert (made.object, row.object, row.index) == ("list", "embedding", 0)
    assert len(row.embedding) == 1024
    assert made.model == "mistral-embed"
    assert made.usage.total_tokens > 0
    assert made.freelm["origins"][0]["provider"] == "mistral"
    assert client.embeddings.create(input=given, model=made.model).data == made.data


def test_vectors_come_packed_where_that_is_asked_for(client: OpenAI) -> None:
    """As 32-bit floats."""
    plain = client.embeddings.create(input="an owl", encoding_format="float").data[0].embedding
    packed = client.embeddings.create(input="an owl", encoding_format="base64").data[0].embedding

    assert isinstance(packed, str)
    numbers = struct.unpack("<1024f", base64.b64decode(packed))
    assert list(numbers) == pytest.approx(plain, abs=1e-6)


def test_the_async_client_gives_the_same(lab: Lab, client: OpenAI) -> None:
    """Awaited."""

    async def run() -> CreateEmbeddingResponse:
        async with AsyncOpenAI(share=False) as there:
            return await there.embeddings.create(input=["an owl", "a cat"], model="mistral-embed")

    there = asyncio.run(run())

    assert there.data == client.embeddings.create(input=["an owl", "a cat"]).data


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"input": [[1, 2]]}, "input takes texts"),
        ({"input": [1, 2]}, "input takes texts"),
        ({"input": ""}, "is empty"),
        ({"input": "owl", "model": "text-embedding-3-small"}, "no model is known"),
        ({"input": "owl", "encoding_format": "int8"}, "unknown encoding_format"),
        ({"input": "owl", "extra_body": {"truncate": "END"}}, "extra_body"),
        ({"input": "owl", "dimensions": 7}, "choose among 1024"),
    ],
)
def test_what_cannot_be_embedded_is_refused(
    client: OpenAI, params: dict[str, Any], words: str
) -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigError, match=words):
        client.embeddings.create(**params)


def test_what_means_nothing_is_taken(client: OpenAI) -> None:
    """And that SDK's timeout, in seconds."""
    params: dict[str, Any] = {"user": "me", "timeout": 5, "extra_headers": None}

    assert client.embeddings.create(input="owl", input_type="query", **params).data


def test_errors_bear_that_sdk_s_names_too(lab: Lab, client: OpenAI) -> None:
    """As in a chat."""
    lab["mistral"].fail("rate_limited", times=None, path="embeddings")

    with pytest.raises(NoRouteAnswered) as caught:
        client.embeddings.create(input="owl")
    assert isinstance(caught.value, RateLimitError)
