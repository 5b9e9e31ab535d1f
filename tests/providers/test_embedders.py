"""What is declared of embedding models, and what a user's own list makes of it."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

from freelm_integrations import NIM, ConfigError, EmbedderSpec, Groq, Mistral, OpenAICompatible
from freelm_integrations.providers import PROVIDERS
from freelm_integrations.providers.listing import models_from
from freelm_integrations.wire.catalogs import ListedModel
from freelm_integrations.wire.embeddings import ASYMMETRIC

if TYPE_CHECKING:
    from freelm_integrations.providers.configured import Provider
    from freelm_integrations.providers.spec import ProviderSpec

OFFERED = [(spec, one) for spec in PROVIDERS.values() for one in spec.embedders]
EVERY = pytest.mark.parametrize(
    ("spec", "one"), OFFERED, ids=[f"{spec.name}-{one.id}" for spec, one in OFFERED]
)


@EVERY
def test_a_declared_embedder_says_what_its_vectors_are(
    spec: ProviderSpec, one: EmbedderSpec
) -> None:
    """Family and length; shorter lengths are shorter; batches hold something."""
    assert one.family
    assert one.dimensions
    assert all(size < one.dimensions for size in one.sizes)
    assert one.batch > 0
    assert one.longest is None or one.longest > 0
    assert set(one.tags) <= {ASYMMETRIC}
    assert one.free


@EVERY
def test_what_embeds_is_no_chat_model_wherever_it_is_listed(
    spec: ProviderSpec, one: EmbedderSpec
) -> None:
    """Nor is it in the built-in list."""
    assert one.id not in {model.id for model in spec.models}
    assert models_from(spec, [ListedModel(id=one.id)]) == ()


def test_one_family_has_one_length_and_one_kind_everywhere() -> None:
    """Else it would not be one vector space."""
    kinds: dict[str | None, set[object]] = {}
    for _, one in OFFERED:
        kinds.setdefault(one.family, set()).add((one.dimensions, ASYMMETRIC in one.tags))

    assert {family: len(some) for family, some in kinds.items()} == dict.fromkeys(kinds, 1)


OWL = EmbedderSpec("owl", dimensions=4)


@pytest.mark.parametrize(
    ("provider", "chats", "embeds"),
    [
        (Mistral("k"), None, ["mistral-embed", "codestral-embed"]),
        (
            Mistral("k", models="codestral-latest"),
            ["codestral-latest"],
            ["mistral-embed", "codestral-embed"],
        ),
        (Mistral("k", models="mistral-embed"), [], ["mistral-embed"]),
        (NIM("k", models="baai/bge-m3, z-ai/glm-5.3"), ["z-ai/glm-5.3"], ["baai/bge-m3"]),
        (Mistral("k", models=[OWL, "codestral-latest"]), ["codestral-latest"], ["owl"]),
        (Groq("k"), None, []),
        (Groq("k", models=OWL), [], ["owl"]),
        (OpenAICompatible("own", "http://127.0.0.1:9/v1", models=[OWL]), [], ["owl"]),
    ],
)
def test_a_static_list_is_taken_apart(
    provider: Provider, chats: list[str] | None, embeds: list[str]
) -> None:
    """Into what chats and what embeds; where nothing embeds, what is declared still does."""
    models = None if provider.models is None else [model.id for model in provider.models]
    again = pickle.loads(pickle.dumps(provider))

    assert models == chats
    assert [one.id for one in provider.embedders] == embeds
    assert again.embedders == provider.embedders


def test_a_list_from_the_environment_is_taken_apart_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the ids that are known to embed."""
    monkeypatch.setenv("FREELM_NIM_MODELS", "baai/bge-m3")
    assert (NIM("k").models, [one.id for one in NIM("k").embedders]) == ((), ["baai/bge-m3"])

    monkeypatch.setenv("FREELM_NIM_MODELS", ",")
    with pytest.raises(ConfigError, match="models of nim is empty"):
        NIM("k")
