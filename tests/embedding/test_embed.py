"""Texts embedded by both clients over the lab, while providers fail in every way they know."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import pytest

from freelm_integrations import NIM, AsyncFreeLLM, FreeLLM, Groq, Mistral
from freelm_integrations.embedding.running import LANES
from freelm_integrations.errors import (
    ConfigError,
    ContextOverflow,
    MissingKey,
    NoRouteAnswered,
    RequestRejected,
)
from freelm_integrations.lab import Lab
from freelm_integrations.providers.provider import OpenAICompatible
from freelm_integrations.providers.spec import EmbedderSpec
from tests.turns import turn, turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from freelm_integrations.embedding.vectors import Vectors
    from freelm_integrations.events import Event

PLAYED = ("google", "mistral", "openrouter", "nim", "groq")
SHARED = "llama-nemotron-embed-vl-1b-v2"
"""The model two of the played providers serve."""
TEXTS = [f"the {animal} number {n}" for n in range(20) for animal in ("owl", "cat", "fox", "bee")]


class Embeds(Protocol):
    """Embeds by a client made of these options."""

    def __call__(
        self, texts: Any, *, options: dict[str, Any] | None = None, **asked: Any
    ) -> Vectors: ...


def blocking(texts: Any, *, options: dict[str, Any] | None = None, **asked: Any) -> Vectors:
    with FreeLLM(**(options or {})) as client:
        return client.embed(texts, **asked)


def on_loop(texts: Any, *, options: dict[str, Any] | None = None, **asked: Any) -> Vectors:
    async def run() -> Vectors:
        async with AsyncFreeLLM(**(options or {})) as client:
            return await client.embed(texts, **asked)

    return asyncio.run(run())


@pytest.fixture(params=[blocking, on_loop])
def embed(request: pytest.FixtureRequest) -> Embeds:
    """Either client."""
    chosen: Embeds = request.param
    return chosen


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Five providers without limits, and an environment that leads to them."""
    with Lab(words="plain", limits=False, providers=PLAYED, keys_each=2) as lab, lab.environ():
        yield lab


def sent(lab: Lab, name: str) -> list[dict[str, Any]]:
    """The bodies of what a provider was asked to embed."""
    return [one.body for one in lab[name].requests if one.path == "embeddings"]


def providers(vectors: Vectors) -> set[str]:
    return {origin.provider for origin in vectors.origins}


def dot(one: list[float], two: list[float]) -> float:
    return sum(left * right for left, right in zip(one, two, strict=True))


def test_every_text_has_its_vector_and_whose_it_is_is_told(lab: Lab, embed: Embeds) -> None:
    """In the order of the texts, in as many requests as it takes; no chat list is asked for."""
    vectors = embed(TEXTS)
    alone = [embed(text)[0] for text in TEXTS[::17]]

    assert vectors[::17] == alone
    assert (len(vectors), vectors.dimensions, vectors.model) == (len(TEXTS), 2048, SHARED)
    assert vectors.usage is not None
    assert vectors.usage.total_tokens > len(TEXTS)
    assert len(vectors.origins) == 3
    assert all(len(body["input"]) <= 32 for name in PLAYED for body in sent(lab, name))
    assert not [one for name in PLAYED for one in lab[name].requests if one.path != "embeddings"]


@pytest.mark.parametrize(
    "fault",
    [
        "rate_limited",
        "overloaded",
        "server_error",
        "bad_gateway_html",
        "unauthorized",
        "payment_required",
        "forbidden_model",
        "model_gone",
        "empty_body",
        "html_200",
        "error_in_200",
        "refuse",
        "reset_before_headers",
        "shared_capacity",
    ],
)
@pytest.mark.parametrize("name", ["openrouter", "nim"])
def test_vectors_are_the_same_whoever_fails(lab: Lab, embed: Embeds, fault: Any, name: str) -> None:
    """Another key or another provider of the very same model answers, no other model ever."""
    expected = embed("an owl", model=SHARED)
    lab[name].fail(fault, times=None, path=None if fault == "refuse" else "embeddings")

    vectors = embed(["an owl", "a cat"], options={"hedge": False})

    assert dot(vectors[0], expected[0]) == pytest.approx(1.0)
    assert providers(vectors) == {"openrouter", "nim"} - {name}
    assert not sent(lab, "mistral")
    assert not sent(lab, "google")


def test_a_silent_provider_is_left_for_another(lab: Lab, embed: Embeds) -> None:
    """After the time an attempt has."""
    lab["openrouter"].fail("hang", times=None, path="embeddings")
    lab["nim"].fail("hang", times=1, path="embeddings")

    vectors = embed("an owl", options={"attempt_timeout": 0.3, "hedge": False})

    assert providers(vectors) == {"nim"}


def test_keys_rotate_within_a_provider(lab: Lab, embed: Embeds) -> None:
    """A key that is refused is out; the other one embeds the rest."""
    lab["mistral"].fail("unauthorized", times=None, path="embeddings", key=0)

    vectors = embed(TEXTS, model="mistral-embed")

    assert len(vectors) == len(TEXTS)
    assert {origin.key for origin in vectors.origins} == {vectors.origins[0].key}
    assert {one.kind for one in vectors.attempts} <= {None, "unauthorized"}


def test_where_nobody_serves_the_model_any_more_no_other_takes_its_place(
    lab: Lab, embed: Embeds
) -> None:
    """An index with vectors of two models finds nothing; an error does no harm."""
    for name in ("openrouter", "nim"):
        lab[name].fail("overloaded", times=None, path="embeddings")

    with pytest.raises(NoRouteAnswered, match="nim"):
        embed("an owl")
    assert not sent(lab, "mistral")


def test_spaces_of_one_length_do_not_compare(lab: Lab, embed: Embeds) -> None:
    """The lab would show what mixing them does: both have 1,024 numbers, and nothing in common."""
    one = embed("the owl sat on the mat", model="mistral-embed")
    two = embed("the owl sat on the mat", model="bge-m3")

    assert one.dimensions == two.dimensions == 1024
    assert abs(dot(one[0], two[0])) < 0.3
    assert (one.model, two.model) == ("mistral-embed", "bge-m3")


@pytest.mark.parametrize(
    ("model", "asked", "expected"),
    [
        (SHARED, {"input_type": "query"}, {"input_type": "query"}),
        (SHARED, {}, {"input_type": "passage"}),
        ("nim/nvidia/nv-embedqa-e5-v5", {}, {"input_type": "passage", "encoding_format": "float"}),
        ("baai/bge-m3", {"input_type": "query"}, {"encoding_format": "float"}),
        ("mistral-embed", {"input_type": "query"}, {}),
        ("gemini-embedding-001", {"dimensions": 768}, {"dimensions": 768}),
        ("gemini-embedding-001", {"dimensions": 3072}, {}),
        (
            "nvidia/llama-nemotron-embed-1b-v2",
            {"dimensions": 512},
            {"dimensions": 512, "input_type": "passage"},
        ),
    ],
)
def test_each_provider_is_asked_in_its_own_words(
    lab: Lab, embed: Embeds, model: str, asked: dict[str, Any], expected: dict[str, Any]
) -> None:
    """And no more is said than the model must be told."""
    vectors = embed("an owl", model=model, **asked)
    (body,) = [body for name in PLAYED for body in sent(lab, name)]

    assert {name: body[name] for name in expected} == expected
    assert not {"input_type", "dimensions"} & (body.keys() - expected.keys())
    assert vectors.dimensions == asked.get("dimensions", vectors.dimensions)
    assert dot(vectors[0], vectors[0]) == pytest.approx(1.0, abs=1e-3)


def test_no_texts_have_no_vectors_and_need_no_key(embed: Embeds) -> None:
    """Nothing is sent, nor looked for."""
    assert embed([]) == []
    assert embed(iter(())) == []


@pytest.mark.parametrize(
    ("texts", "asked", "words"),
    [
        (["owl", ""], {}, r"texts\[1\] is empty"),
        ([" \n"], {}, r"texts\[0\] is empty"),
        (["owl", 7], {}, r"texts\[1\] is an int"),
        ([["owl"]], {}, r"texts\[0\] is a list"),
        (b"owl", {}, "not a bytes"),
        ({"owl": 1}, {}, "not a dict"),
        (7, {}, "not an int"),
        (["owl"], {"model": ["mistral-embed", "bge-m3"]}, "one name"),
        (["owl"], {"model": " "}, "model is empty"),
        (["owl"], {"model": "mistral-embd"}, "did you mean 'mistral-embed'"),
        (["owl"], {"input_type": "queri"}, "did you mean 'query'"),
        (["owl"], {"dimensions": 0}, "dimensions takes"),
        (["owl"], {"dimensions": True}, "dimensions takes"),
        (["owl"], {"dimensions": 100, "model": "mistral-embed"}, "choose among 1024"),
        (["owl"], {"timeout": 0}, "timeout takes"),
    ],
)
def test_what_cannot_be_embedded_is_refused_before_anything_is_sent(
    lab: Lab, embed: Embeds, texts: Any, asked: dict[str, Any], words: str
) -> None:
    """With the place where it stands."""
    with pytest.raises(ConfigError, match=words):
        embed(texts, **asked)
    assert not [one for name in PLAYED for one in lab[name].requests]


def test_a_text_that_is_too_long_is_not_cut(lab: Lab, embed: Embeds) -> None:
    """What is cut off could not be found, and nobody would know."""
    with pytest.raises(ContextOverflow, match=r"texts\[1\] has about 10000 tokens"):
        embed(["owl", "owl " * 10_000], model="gemini-embedding-001")
    assert not sent(lab, "google")


def test_without_a_key_the_ways_to_one_are_told(embed: Embeds) -> None:
    """As for a chat."""
    with pytest.raises(MissingKey, match="MISTRAL_API_KEY"):
        embed("owl", options={"providers": [Mistral(())]})
    with pytest.raises(ConfigError, match="no embedding model may be used at groq"):
        embed("owl", options={"providers": [Groq("k")]})


def test_events_of_every_part_are_told(lab: Lab, embed: Embeds) -> None:
    """To the observer of the call and to the client's."""
    lab["openrouter"].fail("overloaded", times=1, path="embeddings")
    of_call: list[Event] = []
    of_client: list[Event] = []

    embed("owl", options={"on_event": of_client.append}, on_event=of_call.append)

    names = [event.name for event in of_call]
    assert names == [event.name for event in of_client]
    assert names[-1] == "freelm.completed"


class Server:
    """An endpoint nobody declared: it notes what it is asked and answers by a function."""

    def __init__(self, answer: Callable[[dict[str, Any], int], httpx.Response]) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.running = self.most = 0
        self._answer = answer

    def _reply(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        self.bodies.append(body)
        return self._answer(body, len(self.bodies))

    async def _later(self, request: httpx.Request) -> httpx.Response:
        self.running += 1
        self.most = max(self.most, self.running)
        await turns(5)
        self.running -= 1
        return self._reply(request)

    def options(self, *embedders: EmbedderSpec) -> dict[str, Any]:
        """A client's options that lead here and nowhere else."""
        provider = OpenAICompatible(
            "hoot", "http://127.0.0.1:9/v1", "k", models=embedders or "chat-owl", discover=False
        )
        return {
            "providers": [provider],
            "share": False,
            "hedge": False,
            "http_client": httpx.Client(transport=httpx.MockTransport(self._reply)),
            "http_async_client": httpx.AsyncClient(transport=httpx.MockTransport(self._later)),
        }


def answer(body: dict[str, Any], length: int = 3) -> httpx.Response:
    rows = [
        {"index": place, "embedding": [1.0, *[0.0] * (length - 1)]}
        for place, _ in enumerate(body["input"])
    ]
    return httpx.Response(200, json={"data": rows, "model": body["model"]})


def test_a_model_nobody_declared_is_asked_for_by_its_provider(embed: Embeds) -> None:
    """Its length is what its first answer has."""
    server = Server(lambda body, _: answer(body))

    vectors = embed(TEXTS, options=server.options(), model="hoot/owl-embed:v2")

    assert (vectors.model, vectors.dimensions) == ("hoot/owl-embed:v2", 3)
    assert {body["model"] for body in server.bodies} == {"owl-embed:v2"}
    assert len(server.bodies) == 3


def test_a_length_that_changes_in_the_midst_is_an_error(embed: Embeds) -> None:
    """Not a vector: the index would be spoilt."""
    server = Server(lambda body, count: answer(body, length=3 if count == 1 else 4))

    with pytest.raises(NoRouteAnswered, match="4 dimensions, not 3"):
        embed(TEXTS, options=server.options(), model="hoot/owl")


def test_a_server_that_takes_few_texts_is_asked_for_few(embed: Embeds) -> None:
    """Though nobody said so before."""

    def few(body: dict[str, Any], _: int) -> httpx.Response:
        if len(body["input"]) > 5:
            return httpx.Response(400, json={"error": {"message": "at most 5 inputs, please"}})
        return answer(body)

    server = Server(few)
    assert len(embed(TEXTS, options=server.options(), model="hoot/owl")) == len(TEXTS)


def test_a_request_that_is_wrong_is_the_caller_s(embed: Embeds) -> None:
    """Once a single text is refused as well."""
    server = Server(lambda body, _: httpx.Response(400, json={"error": {"message": "bad input"}}))

    with pytest.raises(RequestRejected, match="bad input"):
        embed(TEXTS[:4], options=server.options(), model="hoot/owl")
    sizes = [len(body["input"]) for body in server.bodies]
    assert (sizes[0], sizes[-1]) == (4, 1)


def test_no_client_fills_a_loop_with_requests() -> None:
    """However many calls it is in: frameworks start all batches of an index at once."""
    server = Server(lambda body, _: answer(body))
    model = EmbedderSpec("owl", family="owl", dimensions=3, batch=1)

    async def run() -> list[Vectors]:
        async with AsyncFreeLLM(**server.options(model)) as client:
            return await asyncio.gather(*(client.embed(TEXTS[:8]) for _ in range(10)))

    found = asyncio.run(run())

    assert [len(vectors) for vectors in found] == [8] * 10
    assert len(server.bodies) == 80
    assert 1 < server.most <= LANES


def test_one_client_serves_loops_that_come_and_go() -> None:
    """As notebooks and threads make them."""
    server = Server(lambda body, _: answer(body))
    client = AsyncFreeLLM(**server.options(EmbedderSpec("owl", dimensions=3, batch=4)))

    for _ in range(3):
        assert len(asyncio.run(client.embed(TEXTS))) == len(TEXTS)


def test_a_call_that_is_left_takes_its_parts_along() -> None:
    """Nobody goes on embedding for a caller who has gone."""
    server = Server(lambda body, _: answer(body))

    async def run() -> None:
        async with AsyncFreeLLM(
            **server.options(EmbedderSpec("owl", dimensions=3, batch=1))
        ) as client:
            call = asyncio.ensure_future(client.embed(TEXTS))
            while len(server.bodies) < 3:
                await turn()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            count = len(server.bodies)
            await turns(20)
            assert len(server.bodies) == count
            assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())


def test_the_space_is_told_without_asking_anybody(lab: Lab) -> None:
    """So that an index can be told it before its first vector."""
    space = FreeLLM().vector_space()
    short = AsyncFreeLLM(providers=[NIM("k")]).vector_space("nim/auto", dimensions=512)

    assert (space.name, space.dimensions) == (SHARED, 2048)
    assert space.providers == ("openrouter", "nim")
    assert (short.name, short.dimensions) == ("nim/nvidia/llama-nemotron-embed-1b-v2", 512)
    assert not [one for name in PLAYED for one in lab[name].requests]


def test_chats_are_never_served_by_what_embeds(lab: Lab) -> None:
    """Not even by name, and not where nothing else is configured."""
    with FreeLLM() as client:
        assert not any("embed" in model.id for model in client.models())
        with pytest.raises(ConfigError):
            client.chat("hello", model="mistral-embed")
    only = Mistral("k", models="mistral-embed")
    assert only.models == ()
    with FreeLLM(providers=[only]) as client, pytest.raises(NoRouteAnswered):
        client.text("hello")
