"""`LlamaIndexFreeEmbedding`: one model however it is asked, indexes built while providers fail."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from llama_index.core import Document, Settings, VectorStoreIndex
from llama_index.core.callbacks import CallbackManager, LlamaDebugHandler
from llama_index.core.callbacks.schema import CBEventType
from llama_index.core.embeddings.loading import load_embed_model
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import TokenTextSplitter
from llama_index.core.storage.kvstore import SimpleKVStore

from freelm_integrations import NIM, Mistral, OpenAICompatible
from freelm_integrations.errors import ConfigError, ContextOverflow, MissingKey, NoRouteAnswered
from freelm_integrations.lab import Lab
from freelm_integrations.llama_index import FreeLLMEmbedding, LlamaIndexFreeEmbedding
from freelm_integrations.llama_index import embedding as own
from freelm_integrations.llama_index.configured import OPTIONS
from freelm_integrations.providers.spec import EmbedderSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.llama_index.conftest import Events, Spans

PLAYED = ("openrouter", "nim", "mistral")
SHARED = "llama-nemotron-embed-vl-1b-v2"
SPLITTER = TokenTextSplitter(chunk_size=64, chunk_overlap=0)
DOCUMENTS = [
    Document(text="Owls hunt mice at night."),
    Document(text="The stock market fell on Monday."),
    Document(text="Bread needs flour, water, salt and time."),
    *(Document(text=f"Note {n}: nothing of interest in box {n}.") for n in range(92)),
]


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Three providers without limits, the first of them out for good."""
    with Lab(words="plain", limits=False, providers=PLAYED) as lab, lab.environ():
        lab["openrouter"].fail("rate_limited", times=None, path="embeddings")
        yield lab


def asked(lab: Lab, name: str) -> list[dict[str, Any]]:
    return [one.body for one in lab[name].requests if one.path == "embeddings"]


def index_of(embedding: LlamaIndexFreeEmbedding, *, use_async: bool = False) -> VectorStoreIndex:
    return VectorStoreIndex.from_documents(
        DOCUMENTS, embed_model=embedding, transformations=[SPLITTER], use_async=use_async
    )


HOOKS: list[Callable[[LlamaIndexFreeEmbedding], Any]] = [
    lambda one: one.get_query_embedding("an owl"),
    lambda one: one.get_text_embedding("an owl"),
    lambda one: one.get_text_embedding_batch(["an owl", "a cat"])[0],
    lambda one: one.get_agg_embedding_from_queries(["an owl"]),
    lambda one: asyncio.run(one.aget_query_embedding("an owl")),
    lambda one: asyncio.run(one.aget_text_embedding("an owl")),
    lambda one: asyncio.run(one.aget_text_embedding_batch(["an owl", "a cat"]))[0],
]


@pytest.mark.parametrize("hook", HOOKS)
def test_every_way_to_ask_gives_the_same_vector(
    lab: Lab, hook: Callable[[LlamaIndexFreeEmbedding], Any]
) -> None:
    """The lab's models make no difference between queries and passages; real ones may."""
    with closing(LlamaIndexFreeEmbedding()) as made:
        vector = hook(made)
        expected = made.client.embed("an owl", model=SHARED)[0]

    assert vector == pytest.approx(expected)
    assert asked(lab, "mistral") == []


@pytest.mark.parametrize("use_async", [False, True])
def test_an_index_is_built_and_searched_while_providers_fail(lab: Lab, use_async: bool) -> None:
    """Passages first, the question as a query; every node found where it belongs."""
    lab["nim"].fail("server_error", times=1, path="embeddings")
    made = LlamaIndexFreeEmbedding(embed_batch_size=10)
    index = index_of(made, use_async=use_async)
    found = index.as_retriever(similarity_top_k=1).retrieve("What do owls hunt at night?")
    made.close()

    assert "Owls" in found[0].text
    kinds = [body["input_type"] for body in asked(lab, "nim")]
    assert kinds[-1] == "query"
    assert set(kinds[:-1]) == {"passage"}
    assert {one.path for one in lab["mistral"].requests} <= {"models"}


def test_ninety_five_texts_at_once_are_few_requests_at_a_time(lab: Lab) -> None:
    """Core starts ten batches together; the client lets them through lane by lane."""
    made = LlamaIndexFreeEmbedding(embed_batch_size=10)
    vectors = asyncio.run(made.aget_text_embedding_batch([one.text for one in DOCUMENTS]))

    assert len(vectors) == 95
    assert all(len(vector) == made.dimensions for vector in vectors)
    assert len(asked(lab, "nim")) == 10


def test_the_model_is_pinned_when_it_is_made(lab: Lab) -> None:
    """By its name and its length; the dump says so and leads back to the same."""
    made = LlamaIndexFreeEmbedding()
    again = load_embed_model(made.to_dict())

    assert (made.model_name, made.dimensions) == (SHARED, 2048)
    assert made.vector_space.providers == ("openrouter", "nim")
    assert isinstance(again, LlamaIndexFreeEmbedding)
    assert (again.model_name, again.dimensions) == (SHARED, 2048)
    assert made.to_payload()["dimensions"] == 2048
    assert FreeLLMEmbedding is LlamaIndexFreeEmbedding
    assert LlamaIndexFreeEmbedding.class_name() == "freelm_embedding"
    assert LlamaIndexFreeEmbedding(model="bge-m3").model_name == "bge-m3"


def test_without_a_key_only_a_call_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """And once there is one the model is pinned after all."""
    monkeypatch.setattr("freelm_integrations.embedded.is_available", lambda: False)
    made = LlamaIndexFreeEmbedding()

    assert made.model_name == "auto"
    with pytest.raises(MissingKey):
        made.get_text_embedding("owl")

    with Lab(words="plain", limits=False, providers=("mistral",)) as lab, lab.environ():
        assert len(made.get_text_embedding("owl")) == 1024
        made.close()
    assert (made.model_name, made.dimensions) == ("mistral-embed", 1024)


def test_a_shorter_length_is_served_where_it_is_declared(lab: Lab) -> None:
    """And refused elsewhere before anything is sent."""
    made = LlamaIndexFreeEmbedding(model_name="llama-nemotron-embed-1b-v2", dimensions=512)

    assert len(made.get_text_embedding("owl")) == 512
    made.close()
    with pytest.raises(ConfigError, match="choose among 1024"):
        LlamaIndexFreeEmbedding(model_name="mistral-embed", dimensions=512)


def test_two_models_never_share_a_cached_vector(lab: Lab) -> None:
    """Though they share the store: core would look up the bare text."""
    store = SimpleKVStore()
    one = LlamaIndexFreeEmbedding(model_name="mistral-embed", embeddings_cache=store)
    two = LlamaIndexFreeEmbedding(model_name="bge-m3", embeddings_cache=store)
    texts = ["an owl", "a cat", "an owl"]

    assert one.get_text_embedding_batch(texts) == one.get_text_embedding_batch(texts)
    assert asyncio.run(one.aget_text_embedding_batch(texts)) == one.get_text_embedding_batch(texts)
    assert one.get_text_embedding("an owl") != two.get_text_embedding("an owl")
    one.get_query_embedding("an owl")
    for made in (one, two):
        made.close()

    assert [body["input"] for body in asked(lab, "mistral")] == [texts, ["an owl"]]
    assert len(asked(lab, "nim")) == 1
    again = pickle.loads(pickle.dumps(one))
    assert again.get_text_embedding("a cat") == one.get_text_embedding("a cat")
    assert len(asked(lab, "mistral")) == 2


def test_ingestion_keeps_what_it_has_embedded_by_model(lab: Lab) -> None:
    """A second run asks for nothing; with another model all is asked again."""
    made = LlamaIndexFreeEmbedding()
    pipeline = IngestionPipeline(transformations=[SPLITTER, made])
    nodes = pipeline.run(documents=DOCUMENTS[:3])
    count = len(asked(lab, "nim"))
    pipeline.run(documents=DOCUMENTS[:3])
    assert len(asked(lab, "nim")) == count

    other = LlamaIndexFreeEmbedding(model_name="mistral-embed")
    moved = IngestionPipeline(transformations=[SPLITTER, other], cache=pipeline.cache)
    changed = moved.run(documents=DOCUMENTS[:3])
    made.close()
    other.close()

    assert [len(node.embedding or ()) for node in nodes] == [2048] * 3
    assert [len(node.embedding or ()) for node in changed] == [1024] * 3


def test_an_exhausted_pool_raises(lab: Lab) -> None:
    """And other errors are ours as they are."""
    lab["nim"].fail("rate_limited", times=None, path="embeddings")
    made = LlamaIndexFreeEmbedding()

    with pytest.raises(NoRouteAnswered):
        made.get_text_embedding("owl")
    with pytest.raises(ConfigError, match=r"texts\[0\] is empty"):
        made.get_text_embedding("")
    with pytest.raises(ContextOverflow):
        LlamaIndexFreeEmbedding(model="bge-m3").get_text_embedding("owl " * 20_000)


def test_attempts_are_spans_and_events_of_the_call(lab: Lab, events: Events, spans: Spans) -> None:
    """In instrumentation and in the legacy callbacks: one start and one end."""
    debug = LlamaDebugHandler(print_trace_on_end=False)
    made = LlamaIndexFreeEmbedding(
        callback_manager=CallbackManager([debug]), strategy="priority", embed_batch_size=2048
    )
    made.get_text_embedding_batch([one.text for one in DOCUMENTS])
    made.close()

    assert len(events.named("freelm.attempt_failed")) == 1
    assert spans.ends("freelm.attempt") == ["drop", "exit", "exit", "exit"]
    pairs = debug.get_event_pairs(CBEventType.EMBEDDING)
    assert len(pairs) == 1
    assert len(pairs[0]) == 2


def test_dumps_and_pickles_hold_no_key(lab: Lab) -> None:
    """Copies work, and share what is alive."""
    key = lab["nim"].keys[0]
    store = SimpleKVStore()
    made = LlamaIndexFreeEmbedding(
        model_name="bge-m3",
        providers=[NIM(key, base_url=lab["nim"].base_url)],
        timeout=7,
    )
    packed = pickle.dumps(made)
    again = pickle.loads(packed)
    restored = LlamaIndexFreeEmbedding.from_json(made.to_json())

    for text in (packed.decode("latin-1"), made.to_json(), repr(made), str(made)):
        assert key not in text
    for one in (again, restored, copy.deepcopy(made)):
        assert (one.model_name, one.timeout) == ("bge-m3", 7)
        assert one.get_text_embedding("owl") == made.get_text_embedding("owl")
        one.close()
    made.embeddings_cache = store
    assert made.embeddings_cache is None
    made.get_text_embedding("owl")
    assert copy.deepcopy(made)._cache is made._cache
    made.close()


def test_embedders_of_one_s_own_are_dumped_with_their_provider() -> None:
    """And restored with their lengths."""
    spec = EmbedderSpec("hoot", family="owl", dimensions=4, sizes=(2,), batch=3)
    provider = OpenAICompatible("own", "http://127.0.0.1:9/v1", "k", models=[spec, "owl-chat"])
    made = LlamaIndexFreeEmbedding(providers=[provider], dimensions=2)
    again = LlamaIndexFreeEmbedding.from_dict(json.loads(made.to_json()))

    assert again.vector_space.name == "owl"
    assert (again.dimensions, again.vector_space.batch) == (2, 3)
    assert again.to_dict() == made.to_dict()


def test_it_is_the_default_once_it_is_set(lab: Lab) -> None:
    """As any embedding of core's."""
    before = Settings._embed_model
    made = LlamaIndexFreeEmbedding(providers=["mistral"])
    try:
        Settings.embed_model = made
        index = VectorStoreIndex.from_documents(DOCUMENTS[:3], transformations=[SPLITTER])
        found = index.as_retriever(similarity_top_k=1).retrieve("flour, water, salt")
    finally:
        Settings._embed_model = before
        made.close()

    assert "Bread" in found[0].text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"modle_name": "x"}, "did you mean 'model_name'"),
        ({"strategy": "fastest", "providers": [Mistral("k")]}, "unknown strategy"),
        ({"model_name": "mistral-embd", "providers": [Mistral("k")]}, "mistral-embed"),
    ],
)
def test_what_makes_no_sense_is_refused_when_it_is_made(given: dict[str, Any], words: str) -> None:
    """Not at the first call."""
    with pytest.raises(ConfigError, match=words):
        LlamaIndexFreeEmbedding(**given)


def test_it_is_configured_like_the_chat_model() -> None:
    """By the same options, but for those that only a chat has."""
    assert set(OPTIONS) - {"model", "on_interrupt"} == set(own.OPTIONS)
    assert set(own.OPTIONS) <= set(LlamaIndexFreeEmbedding.model_fields)
