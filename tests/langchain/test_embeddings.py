"""`FreeLLMEmbeddings`: LangChain's own suites, and vector stores built while providers fail."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.documents import Document
from langchain_core.exceptions import ContextOverflowError, ModelError
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_tests.integration_tests import EmbeddingsIntegrationTests
from langchain_tests.unit_tests import EmbeddingsUnitTests
from pydantic import SecretStr

from freelm_integrations import NIM, Mistral, OpenRouter
from freelm_integrations.errors import ConfigError, ContextOverflow, NoRouteAnswered
from freelm_integrations.lab import Lab
from freelm_integrations.langchain import FreeLLMEmbeddings, configuration, embeddings

if TYPE_CHECKING:
    from collections.abc import Iterator

PLAYED = ("openrouter", "nim", "mistral")
SHARED = "llama-nemotron-embed-vl-1b-v2"
DOCUMENTS = [
    Document("Owls hunt mice at night.", metadata={"of": "owls"}),
    Document("The stock market fell on Monday.", metadata={"of": "stocks"}),
    Document("Bread needs flour, water, salt and time.", metadata={"of": "bread"}),
    *(Document(f"Note {n}: nothing of interest in box {n}.") for n in range(60)),
]


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Three providers without limits, the first of them out for good."""
    with Lab(words="plain", limits=False, providers=PLAYED) as lab, lab.environ():
        lab["openrouter"].fail("rate_limited", times=None, path="embeddings")
        yield lab


def kinds(lab: Lab) -> list[Any]:
    """As what texts were embedded, by request."""
    return [one.body.get("input_type") for one in lab["nim"].requests if one.path == "embeddings"]


@pytest.mark.disable_socket
class TestUnit(EmbeddingsUnitTests):
    """Every test of the suite, without a socket."""

    @property
    def embeddings_class(self) -> type[FreeLLMEmbeddings]:
        return FreeLLMEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"model": "bge-m3"}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        return {"NVIDIA_API_KEY": "nvapi-test"}, {"model": "bge-m3"}, {"model": "bge-m3"}


class TestOnTheLab(EmbeddingsIntegrationTests):
    """Every test of the suite, over the lab whose first provider refuses."""

    @pytest.fixture(autouse=True)
    def _played(self, lab: Lab) -> None:
        """The lab runs."""

    @property
    def embeddings_class(self) -> type[FreeLLMEmbeddings]:
        return FreeLLMEmbeddings


class TestOfOneProvider(TestOnTheLab):
    """And once more with a model of one provider alone."""

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"model": "mistral-embed", "strategy": "priority"}


def test_a_vector_store_is_built_and_searched_while_a_provider_fails(lab: Lab) -> None:
    """Documents as passages, queries as queries, each found where it belongs."""
    made = FreeLLMEmbeddings()
    store = InMemoryVectorStore.from_documents(DOCUMENTS, made)
    lab["nim"].fail("server_error", times=1, path="embeddings")
    found = store.similarity_search("What do owls hunt at night?", k=1)

    assert found[0].metadata["of"] == "owls"
    assert kinds(lab) == ["passage", "passage", "query", "query"]
    assert {one.path for one in lab["mistral"].requests} <= {"models"}


async def test_the_same_on_an_event_loop(lab: Lab) -> None:
    """Through a retriever."""
    made = FreeLLMEmbeddings(providers=[NIM(lab["nim"].keys, base_url=lab["nim"].base_url)])
    store = await InMemoryVectorStore.afrom_documents(DOCUMENTS, made)
    found = await store.as_retriever(search_kwargs={"k": 1}).ainvoke("flour, water and salt")
    await made.aclose()

    assert found[0].metadata["of"] == "bread"
    assert kinds(lab)[-1] == "query"


def test_the_model_is_told_and_can_be_pinned(lab: Lab) -> None:
    """Without asking anybody; a shorter length as well."""
    made = FreeLLMEmbeddings()
    pinned = FreeLLMEmbeddings(model=made.vector_space.name)
    short = FreeLLMEmbeddings(model="nvidia/llama-nemotron-embed-1b-v2", dimensions=512)

    assert made.vector_space.name == pinned.vector_space.name == SHARED
    assert made.vector_space.providers == ("openrouter", "nim")
    assert not [request for name in PLAYED for request in lab[name].requests]
    assert len(short.embed_query("an owl")) == short.vector_space.dimensions == 512


@pytest.mark.parametrize(
    ("texts", "ours", "theirs"),
    [
        (["owl", ""], ConfigError, ModelError),
        (["owl " * 20_000], ContextOverflow, ContextOverflowError),
    ],
)
def test_errors_are_of_both_families(lab: Lab, texts: Any, ours: type, theirs: type) -> None:
    """As those of the chat model."""
    with pytest.raises(ours) as caught:
        FreeLLMEmbeddings(model="bge-m3").embed_documents(texts)
    assert isinstance(caught.value, theirs)


async def test_an_exhausted_pool_raises_and_no_other_model_answers(lab: Lab) -> None:
    """Blocking and on a loop."""
    lab["nim"].fail("rate_limited", times=None, path="embeddings")
    made = FreeLLMEmbeddings()

    with pytest.raises(NoRouteAnswered) as blocking:
        made.embed_query("owl")
    with pytest.raises(NoRouteAnswered) as on_loop:
        await made.aembed_query("owl")
    await made.aclose()

    assert isinstance(blocking.value, ModelError)
    assert isinstance(on_loop.value, ModelError)
    assert not [one for one in lab["mistral"].requests if one.path == "embeddings"]


def test_pickles_and_copies_keep_the_model_and_no_key(lab: Lab) -> None:
    """Keys are read again from the environment where they arrive; copies share the engine."""
    keys = lab["nim"].keys[0]
    made = FreeLLMEmbeddings(model="bge-m3", api_key=SecretStr(keys), timeout=7)
    packed = pickle.dumps(made)
    again = pickle.loads(packed)

    assert keys.encode() not in packed
    assert keys not in repr(made) + str(made) + str(made.model_dump())
    assert (again.model, again.timeout, again.api_key) == ("bge-m3", 7, None)
    assert again.embed_query("owl") == made.embed_query("owl")
    assert copy.deepcopy(made).engine is copy.copy(made).engine is made.engine


def test_a_changed_option_takes_effect_with_the_next_call() -> None:
    """And so does another key; the model alone needs no other engine."""
    made = FreeLLMEmbeddings(providers=[Mistral("k")])
    before = made.engine
    made.model = "mistral-embed"
    assert made.engine is before

    made.providers = [OpenRouter("k")]
    made.model = "auto"
    assert made.vector_space.providers == ("openrouter",)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"modle": "bge-m3"}, "did you mean 'model'"),
        ({"strategy": "fastest"}, "unknown strategy"),
        ({"timeout": -1}, "timeout"),
        ({"on_interrupt": "raise"}, "unknown argument of FreeLLMEmbeddings"),
    ],
)
def test_what_makes_no_sense_is_refused_when_it_is_made(given: dict[str, Any], words: str) -> None:
    """Not at the first call."""
    with pytest.raises(ConfigError, match=words):
        FreeLLMEmbeddings(**given)


def test_it_is_configured_like_the_chat_model() -> None:
    """By the same options, but for those that only a chat has."""
    of_chats = set(configuration.OPTIONS) - {"on_interrupt"}

    assert of_chats <= set(embeddings.OPTIONS) <= of_chats | {"max_attempts"}
    assert set(embeddings.OPTIONS) <= set(FreeLLMEmbeddings.model_fields)
    elsewhere: dict[str, Any] = {"model_name": "bge-m3", "request_timeout": 3}
    assert FreeLLMEmbeddings(**elsewhere).timeout == 3
