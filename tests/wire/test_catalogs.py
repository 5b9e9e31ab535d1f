"""Every provider's model list is read for what it says, and for no more."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.wire.catalogs import ListedModel, parse_models
from tests.wire.refusals import SAMPLES

IMAGES = ("text", "image")
SKILLS = ("max_tokens", "reasoning", "structured_outputs", "temperature", "tools", "tool_choice")
OWL = ListedModel(
    id="acme/owl-30b:free",
    context=65_536,
    output=16_384,
    input_modalities=IMAGES,
    output_modalities=("text",),
    features=SKILLS,
    free=True,
    chat=True,
    retires_on="2026-12-31",
    efforts=("high", "low"),
)


def listed(name: str) -> dict[str, ListedModel]:
    models = parse_models((SAMPLES / f"{name}.json").read_bytes())
    found = {model.id: model for model in models}
    assert len(found) == len(models)
    return found


def facts(model: ListedModel, *names: str):
    return tuple(getattr(model, name) for name in names)


def test_openrouters_list():
    """The smaller context, prices as strings, images, and who is free."""
    models = listed("openrouter/models")

    assert models["acme/owl-30b:free"] == OWL
    assert facts(models["acme/owl-90b"], "context", "free", "features") == (
        None,
        False,
        ("temperature",),
    )
    assert models["openrouter/auto"].free is None
    assert models["openrouter/free"].free is True
    assert models["acme/owl-paint"].chat is False
    assert facts(models["acme/owl-think:free"], "context", "output", "must_think") == (
        40_000,
        8_000,
        True,
    )
    assert len(models) == 7


def test_groqs_list():
    """Old rows and those with the fields of mid-2026 side by side."""
    models = listed("groq/models")
    gpt = models["openai/gpt-oss-20b"]

    assert facts(gpt, "context", "output", "chat", "free") == (131_072, 65_536, True, False)
    assert gpt.features == ("tools", "reasoning", "json_mode")
    assert facts(models["whisper-owl-v3"], "context", "chat", "free") == (448, None, None)
    assert models["owl-old-7b"].deprecated is True
    assert facts(models["acme/ear-1"], "chat") == (False,)
    assert facts(models["acme/voice-1"], "chat") == (False,)
    assert facts(models["allam-2-7b"], "chat", "free") == (True, None)


def test_googles_lists():
    """The compatible one has bare names, the native one sizes and methods; no prefix in either."""
    assert set(listed("google/models")) == {"gemini-9.9-flash", "gemini-embedding-009"}
    models = listed("google/models-native")
    flash = models["gemini-9.9-flash"]

    assert facts(flash, "context", "output", "chat") == (1_048_576, 65_536, True)
    assert flash.features == ("reasoning",)
    assert models["gemini-embedding-009"].chat is False


def test_nims_list():
    """Ids and nothing else, each once."""
    models = listed("nim/models")

    assert set(models) == {"acme/owl-3-30b-instruct", "acme/owl-embed-1b"}
    assert models["acme/owl-embed-1b"] == ListedModel(id="acme/owl-embed-1b")


def test_cerebras_lists():
    """The one with a key says nothing, the public one much."""
    assert listed("cerebras/models")["gpt-oss-120b"] == ListedModel(id="gpt-oss-120b")
    models = listed("cerebras/models-public")
    model = models["gpt-oss-120b"]

    assert facts(model, "context", "output", "free", "deprecated") == (
        131_072,
        40_960,
        False,
        False,
    )
    assert {"tools", "reasoning", "structured_outputs"} <= set(model.features)
    assert not {"vision", "logit_bias"} & set(model.features)
    assert models["owl-old"].deprecated is True


def test_mistrals_list():
    """Capabilities tell who chats; aliases and the day of retirement are kept."""
    models = listed("mistral/models")
    small = models["ministral-8b-latest"]

    assert facts(small, "context", "chat", "aliases") == (262_144, True, ("ministral-8b-2512",))
    assert small.input_modalities == IMAGES
    assert "tools" in small.features
    assert models["mistral-embed"].chat is False
    assert models["mistral-small-2506"].retires_on == "2026-07-31T12:00:00Z"
    assert models["mistral-small-2506"].deprecated is None
    assert "reasoning" in models["mistral-small-2506"].features


def test_local_lists():
    """Ollama, llama.cpp and both of LM Studio's; the context is what was loaded, if it is said."""
    assert set(listed("local/models-ollama")) == {"owl:9b"}
    assert listed("local/models-ollama")["owl:9b"].ignores_choice
    assert not any(one.ignores_choice for one in listed("local/models-lmstudio").values())
    assert listed("local/models-ollama-none") == {}
    llamacpp = listed("local/models-llamacpp")
    assert facts(llamacpp["owl.gguf"], "context", "chat") == (None, True)
    assert llamacpp["judge.gguf"].chat is False
    assert llamacpp["broken.gguf"].deprecated is True
    owl = listed("local/models-lmstudio")["acme/owl-9b"]
    assert facts(owl, "context", "chat", "features") == (4096, True, ("tools", "reasoning"))
    assert listed("local/models-lmstudio")["text-embedding-owl"].chat is False
    seeing = listed("local/models-lmstudio-v0")["owl-vl"]
    assert facts(seeing, "input_modalities", "chat") == (IMAGES, True)
    assert listed("local/models-lmstudio-v0")["text-embedding-owl"].chat is False


def test_further_lists():
    """Cloudflare names its models by `name`, Hugging Face has a price for every upstream."""
    models = listed("cloudflare/models")
    assert {name: model.chat for name, model in models.items()} == {
        "@cf/acme/owl-8b": True,
        "@cf/acme/owl-embed": False,
    }
    assert facts(models["@cf/acme/owl-8b"], "context", "features") == (24_000, ("tools",))
    owl = listed("huggingface/models")["acme/owl-30b"]
    assert facts(owl, "context", "free") == (65_536, True)
    assert {"tools", "structured_outputs"} <= set(owl.features)
    assert listed("huggingface/models")["acme/owl-ill"].deprecated is True


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html></html>",
        b"{}",
        b"null",
        b'"models"',
        b'{"error": {"message": "no"}}',
        b'{"data": {"id": "a"}}',
        b'{"error": "no", "data": null}',
        b'{"data": [',
    ],
)
def test_a_body_that_is_no_list_is_an_error(body):
    """So that a page or an error is not taken for an empty catalog."""
    with pytest.raises(ValueError, match="no model list"):
        parse_models(body)


def test_a_bare_list_and_a_byte_order_mark_are_read():
    """Some gateways send the one, some the other."""
    assert parse_models(b'\xef\xbb\xbf[{"id": "a"}, {"id": ""}, 7]') == (ListedModel(id="a"),)


ANY = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
FIELDS = (
    *("id", "name", "key", "task", "context_length", "top_provider", "pricing", "providers"),
    *("architecture", "capabilities", "supported_parameters", "aliases", "deprecation", "status"),
    *("loaded_instances", "type", "active", "reasoning", "input_modalities", "max_output_length"),
)


@given(st.lists(st.one_of(ANY, st.dictionaries(st.sampled_from(FIELDS), ANY)), max_size=4))
def test_any_rows_are_read_without_an_error(rows):
    """Whatever stands in a row, it is a model with an id, or none."""
    models = parse_models(json.dumps({"data": rows}).encode())

    assert all(model.id for model in models)
    assert all(model.context is None or model.context > 0 for model in models)
