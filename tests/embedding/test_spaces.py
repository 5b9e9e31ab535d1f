"""Names become vector spaces, by the configuration alone, and no space holds two kinds of vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations import NIM, GoogleAIStudio, Groq, Limit, Local, Mistral, OpenRouter
from freelm_integrations.embedding.spaces import Spaces, VectorSpace, offers
from freelm_integrations.errors import ConfigError, NoRouteAnswered
from freelm_integrations.providers.provider import OpenAICompatible, Provider
from freelm_integrations.providers.spec import EmbedderSpec


@dataclass
class Rules:
    free_only: bool = True
    allow_training: bool = True


def owl(name: str, *embedders: EmbedderSpec, **options: Any) -> Provider:
    return OpenAICompatible(name, "http://localhost:9/v1", "k", models=embedders, **options)


def embedder(name: str, family: str | None = None, dimensions: int | None = 4, **more: Any) -> Any:
    return EmbedderSpec(name, family=family, dimensions=dimensions, **more)


SIX = (
    Groq("k"),
    GoogleAIStudio("k"),
    Mistral("k"),
    OpenRouter("k"),
    NIM("k"),
    Local("http://localhost:1/v1"),
)


def find(name: str = "auto", *providers: Provider, **more: Any) -> VectorSpace:
    return Spaces(providers or SIX, Rules()).find(name, **more)


@pytest.mark.parametrize(
    ("name", "expected", "served_by"),
    [
        ("auto", "llama-nemotron-embed-vl-1b-v2", ("openrouter", "nim")),
        ("mistral-embed", "mistral-embed", ("mistral",)),
        ("MISTRAL-Embed", "mistral-embed", ("mistral",)),
        ("mistral/mistral-embed", "mistral/mistral-embed", ("mistral",)),
        ("mistral/auto", "mistral/mistral-embed", ("mistral",)),
        ("google:gemini-embedding-001", "google/gemini-embedding-001", ("google",)),
        ("baai/bge-m3", "bge-m3", ("nim",)),
        ("nim/bge-m3", "nim/baai/bge-m3", ("nim",)),
        (
            "nvidia/llama-nemotron-embed-vl-1b-v2",
            "llama-nemotron-embed-vl-1b-v2",
            ("openrouter", "nim"),
        ),
        (
            "nim/llama-nemotron-embed-vl-1b-v2",
            "nim/nvidia/llama-nemotron-embed-vl-1b-v2",
            ("nim",),
        ),
        ("local/nomic-embed-text", "local/nomic-embed-text", ("local",)),
        ("local/Hoot-Embed:v1.5", "local/Hoot-Embed:v1.5", ("local",)),
        ("groq/whatever", "groq/whatever", ("groq",)),
    ],
)
def test_a_name_stands_for_one_space(name: str, expected: str, served_by: tuple[str, ...]) -> None:
    """Wherever the same vectors are to be had; with a provider before it, there alone."""
    space = find(name)

    assert (space.name, space.providers) == (expected, served_by)


@pytest.mark.parametrize(
    "name", ["auto", "baai/bge-m3", "nim/auto", "local/Owl", "mistral/mistral-embed"]
)
def test_the_name_of_a_space_leads_back_to_it(name: str) -> None:
    """So that an index can be told once and for all."""
    space = find(name)
    again = find(space.name)

    assert again.name == space.name
    assert list(offers(again.members)) == list(offers(space.members))


@pytest.mark.parametrize(
    ("providers", "expected"),
    [
        ((owl("a", embedder("x", "one")), owl("b", embedder("y", "two"))), "one"),
        (
            (
                owl("a", embedder("x", "one")),
                owl("b", embedder("y", "two")),
                owl("c", embedder("z", "two")),
            ),
            "two",
        ),
        (
            (
                owl("a", embedder("x", "one")),
                owl("b", embedder("y", "two"), priority=5),
                owl("c", embedder("z", "two"), priority=5),
            ),
            "one",
        ),
        (
            (
                owl("a", embedder("x", "one"), embedder("w", "three"), prefer="three"),
                owl("b", embedder("y", "two")),
                owl("c", embedder("z", "two")),
            ),
            "three",
        ),
        ((owl("a", embedder("x", None), embedder("y", "two")),), "a/x"),
    ],
)
def test_auto_takes_the_space_that_most_serve_unless_told_otherwise(
    providers: tuple[Provider, ...], expected: str
) -> None:
    """Priority counts before preference, that before numbers, and among equals the order."""
    assert find("auto", *providers).name == expected


def test_one_family_of_two_lengths_is_two_spaces() -> None:
    """Whatever it is called, a vector of another length cannot stand in the same index."""
    space = find("one", owl("a", embedder("x", "one", 4)), owl("b", embedder("y", "one", 8)))

    assert (space.dimensions, space.providers) == (4, ("a",))


@pytest.mark.parametrize(
    ("dimensions", "asked", "served_by"),
    [(None, None, ("a", "b")), (8, None, ("a", "b")), (4, 4, ("b",)), (2, 2, ("b",))],
)
def test_a_shorter_length_is_asked_of_those_who_have_it(
    dimensions: int | None, asked: int | None, served_by: tuple[str, ...]
) -> None:
    """The model's own length is no request at all."""
    space = find(
        "one",
        owl("a", embedder("x", "one", 8)),
        owl("b", embedder("y", "one", 8, sizes=(4, 2))),
        dimensions=dimensions,
    )

    assert (space.dimensions, space.asked, space.providers) == (dimensions or 8, asked, served_by)


@pytest.mark.parametrize(
    ("name", "providers", "words"),
    [
        ("mistral-embd", SIX, "did you mean 'mistral-embed'"),
        ("text-embedding-3-small", SIX, "no model is known by the name"),
        ("auto", (Groq("k"),), "no embedding model may be used at groq"),
        ("groq/auto", SIX, "no embedding model may be used at groq"),
        ("auto", (Mistral(()), Groq("k")), "no embedding model may be used at groq"),
    ],
)
def test_a_name_that_stands_for_nothing_is_refused(
    name: str, providers: tuple[Provider, ...], words: str
) -> None:
    """With what would be a name, or a way out."""
    with pytest.raises(ConfigError, match=words):
        find(name, *providers)


def test_a_length_nobody_has_is_refused() -> None:
    """With those there are."""
    with pytest.raises(ConfigError, match="no vectors of 100 dimensions: choose among 3072, 1536"):
        find("gemini-embedding-001", dimensions=100)


def test_what_the_settings_rule_out_is_no_part_of_a_space() -> None:
    """As in chats: no training on what is embedded, nothing that costs money."""
    costly = embedder("x", "one", free=False)
    spaces = Spaces((owl("a", costly, embedder("y", "two")), NIM("k")), Rules(allow_training=True))
    assert spaces.find().name != "one"

    quiet = Spaces(
        (NIM("k"), owl("a", embedder("y", "two"), trains=False)), Rules(allow_training=False)
    )
    assert quiet.find().providers == ("a",)


def test_a_request_fits_everybody_who_serves_the_space() -> None:
    """The fewest texts and tokens of all; a minute's tokens are not spent on one request."""
    space = find(
        "one",
        owl("a", embedder("x", "one", batch=20, batch_tokens=900, longest=512)),
        owl("b", embedder("y", "one", batch=50), limits=[Limit(1_000, "tokens", per=60)]),
    )

    assert (space.batch, space.batch_tokens, space.longest) == (20, 500, 512)


def test_a_length_is_learnt_once() -> None:
    """What is of another length later is not of that space any more."""
    spaces = Spaces(SIX, Rules())
    space = spaces.find("local/owl")
    assert spaces.length(space) is None

    spaces.learn(space, 768)
    spaces.learn(space, 768)
    assert spaces.length(space) == 768
    assert spaces.find("local/owl") is space

    with pytest.raises(NoRouteAnswered, match="had 768 dimensions and now have 512"):
        spaces.learn(space, 512)


EMBEDDERS = st.builds(
    embedder,
    st.sampled_from("xyz"),
    st.sampled_from(["one", "two", None]),
    st.sampled_from([4, 8, None]),
    batch=st.integers(1, 50),
)


@given(
    st.lists(st.lists(EMBEDDERS, min_size=1, max_size=4), min_size=1, max_size=4),
    st.sampled_from(["auto", "one", "two", "x", "p0/x", "p1/auto", "p0/none"]),
)
def test_no_space_ever_mixes_vectors(offered: list[list[EmbedderSpec]], name: str) -> None:
    """Its models are of one family and length, or are one model alone; its name leads back."""
    providers = [owl(f"p{place}", *some) for place, some in enumerate(offered)]
    try:
        space = find(name, *providers)
    except ConfigError:
        return
    kinds = {(one.family, one.dimensions) for _, one in offers(space.members)}

    assert len(kinds) == 1
    if next(iter(kinds))[0] is None:
        assert len({(who.id, one.id) for who, one in offers(space.members)}) == 1
