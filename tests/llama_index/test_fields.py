"""Construction, dumps, copies: everything travels but what is secret or alive."""

from __future__ import annotations

import copy
import json
import pickle
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from llama_index.core import Settings
from llama_index.core.callbacks import CallbackManager, LlamaDebugHandler
from llama_index.core.llms.loading import load_llm
from llama_index.core.llms.utils import resolve_llm

import freelm_integrations.llama_index as front_end
from freelm_integrations import (
    ConfigError,
    Groq,
    Limit,
    ModelSpec,
    NoRouteAnswered,
    OpenAICompatible,
)
from freelm_integrations.llama_index import FreeLLM, LlamaIndexFreeLLM
from freelm_integrations.llama_index.configured import OPTIONS
from freelm_integrations.llama_index.portable import described, restored
from freelm_integrations.providers.choice import CLASSES
from freelm_integrations.providers.spec import EmbedderSpec
from freelm_integrations.settings import Options
from tests.llama_index.scripted import KEY, ScriptedLLM, said

if TYPE_CHECKING:
    from freelm_integrations.lab import Lab

HERE = OpenAICompatible(
    "here",
    "http://127.0.0.1:9/v1",
    KEY,
    [ModelSpec("m", context=4096, tags=("tools",), limits=(Limit(5, per=1),))],
    priority=2,
    limits=[Limit(30, "requests", per=60)],
)


def test_the_short_name_is_the_same_class() -> None:
    """And stays out of the top level, where it means the core client."""
    assert FreeLLM is LlamaIndexFreeLLM
    assert LlamaIndexFreeLLM.class_name() == "freelm_llm"


def test_without_a_key_only_a_call_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Construction and metadata do not; the error of the call lists the variables."""
    monkeypatch.setattr("freelm_integrations.embedded.is_available", lambda: False)
    llm = LlamaIndexFreeLLM()

    assert llm.metadata.is_chat_model
    with pytest.raises(ConfigError, match="GROQ_API_KEY"):
        llm.complete("hi")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temprature": 0.1}, "temperature"),
        ({"strategy": "fastest"}, "quota_aware"),
        ({"providers": ["grok"]}, "groq"),
        ({"timeout": 0.0}, "timeout"),
    ],
)
def test_a_typo_is_refused_with_the_nearest_word(arguments: dict[str, Any], message: str) -> None:
    """Not dropped in silence."""
    with pytest.raises(ConfigError, match=message):
        LlamaIndexFreeLLM(**arguments)


@pytest.mark.parametrize("arguments", [{"temperature": 3}, {"max_tokens": 0}, {"model": 5}])
def test_impossible_values_are_refused(arguments: dict[str, Any]) -> None:
    """By name, as a ValueError."""
    with pytest.raises(ValueError, match=next(iter(arguments))):
        LlamaIndexFreeLLM(**arguments)


def test_none_means_not_given() -> None:
    """As users of other integrations write it; a temperature of None is the provider's own."""
    fields = ("callback_manager", "additional_kwargs", "model", "max_tokens", "temperature")

    llm = LlamaIndexFreeLLM(providers=[HERE], **dict.fromkeys(fields))

    assert llm.model == "auto"
    assert llm.additional_kwargs == {}
    assert llm.temperature is None


def test_an_unknown_parameter_of_a_call_is_refused() -> None:
    """It would be dropped by some providers and refused by others."""
    llm, sent = ScriptedLLM.that_says(said("never"))

    with pytest.raises(ConfigError, match="temperature"):
        llm.complete("hi", temprature=1)
    assert sent == []


def test_calls_override_fields_and_nothing_unset_is_sent() -> None:
    """`extra_body` goes as it is."""
    fields = {"temperature": 0.5, "max_tokens": 9, "seed": 3, "additional_kwargs": {"top_p": 0.9}}
    llm, sent = ScriptedLLM.that_says(*[said("a")] * 4, **fields)

    llm.complete("hi")
    llm.complete("hi", temperature=0.0, seed=None, stop=["x"])
    llm.complete("hi", extra_body={"vendor": 1}, extra_headers={"x-a": "b"})
    llm.complete("hi", max_completion_tokens=5)

    first, second, third, fourth = sent
    assert (first["temperature"], first["max_tokens"], first["seed"]) == (0.5, 9, 3)
    assert first["top_p"] == 0.9
    assert "stop" not in first
    assert (second["temperature"], second["stop"]) == (0.0, ["x"])
    assert "seed" not in second
    assert third["vendor"] == 1
    assert 5 in (fourth.get("max_completion_tokens"), fourth.get("max_tokens"))
    assert 9 not in fourth.values()


def secret_places(llm: LlamaIndexFreeLLM) -> dict[str, str]:
    return {
        "repr": repr(llm),
        "str": str(llm),
        "dict": str(llm.to_dict()),
        "json": llm.to_json(),
        "payload": str(llm.to_payload()),
        "metadata": repr(llm.metadata),
        "pickle": pickle.dumps(llm).decode("latin-1"),
    }


def test_a_key_is_nowhere_to_be_read() -> None:
    """Not in any dump, before or after a call."""
    llm = LlamaIndexFreeLLM(providers=[HERE], timeout=0.2)
    with pytest.raises(NoRouteAnswered) as caught:
        llm.complete("hi")

    for place, text in {**secret_places(llm), "error": repr(caught.value)}.items():
        assert KEY not in text, place
        assert KEY[:12] not in text, place


def test_a_key_in_the_wrong_place_is_not_dumped_either() -> None:
    """Assigned to a field later, it is found out by the next call only."""
    llm = LlamaIndexFreeLLM(providers=["groq"])
    llm.providers = ["gsk_" + "a" * 40]

    assert not any("gsk_" in text for text in secret_places(llm).values())


def test_a_dump_is_the_same_before_and_after_calls() -> None:
    """Ingestion caches hash it."""
    llm, _ = ScriptedLLM.that_says(said("a"), model="parrot-1", system_prompt="Be brief.")
    before = llm.to_dict()

    llm.complete("hi")

    assert llm.to_dict() == before == json.loads(llm.to_json())
    assert before["class_name"] == "freelm_llm"
    assert before["providers"][0]["name"] == "parrot"


def test_a_dump_is_restored_with_the_keys_of_the_environment(lab: Lab) -> None:
    """By `from_dict`, `from_json` and core's loader."""
    providers = ["mistral", Groq(tier="free", models=lab["groq"].models[:1], prefer=["fast"])]
    llm = LlamaIndexFreeLLM(providers=providers, strategy="priority", temperature=0.7)

    for again in (
        LlamaIndexFreeLLM.from_dict(llm.to_dict()),
        LlamaIndexFreeLLM.from_json(llm.to_json()),
        load_llm(llm.to_dict()),
    ):
        assert again.to_dict() == llm.to_dict()
        assert again.complete("hi").text


def test_providers_survive_as_plain_data() -> None:
    """All of their declaration but the keys."""
    data = json.loads(json.dumps(described([HERE, "groq"])))

    again, name = restored(data)  # type: ignore[misc]

    assert name == "groq"
    assert (again.name, again.base_url, again.priority) == ("here", HERE.base_url, 2)
    assert again.models == HERE.models
    assert again.limits == HERE.limits
    assert described(HERE) == [data[0]]
    assert described(None) is None
    assert described("groq, mistral") == "groq,mistral"
    assert restored("groq") == "groq"


@pytest.mark.parametrize("name", sorted(set(CLASSES) - {"local"}))
def test_every_declared_provider_survives_as_plain_data(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Further ones as well; an address that names an account is made anew where it is restored."""
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "whose0account")
    provider = CLASSES[name]("a-key", models=["some-model"], priority=3)

    data = json.loads(json.dumps(described([provider])))
    [again] = restored(data)  # type: ignore[misc]

    assert type(again) is type(provider)
    assert (again.id, again.base_url, again.priority) == (provider.id, provider.base_url, 3)
    assert again.models == provider.models
    assert described(f" {name.upper()} ") == name
    assert not [secret for secret in ("a-key", "whose0account") if secret in str(data)]


def test_embedding_models_of_a_static_list_survive_as_plain_data() -> None:
    """Beside the others, each as what it is; and whether an endpoint trains on prompts."""
    models = [ModelSpec("talker", tags=("fast",)), EmbedderSpec("vec", dimensions=8, sizes=(4,))]
    house = OpenAICompatible("house", "https://house.test/v1", "key", models, trains=False)

    [again] = restored(json.loads(json.dumps(described([house]))))  # type: ignore[misc]

    assert (again.models, again.embedders) == (house.models, house.embedders)
    assert again.spec.trains is False


def test_every_argument_of_the_core_clients_is_a_field() -> None:
    """They are named where the engine is not imported."""
    assert set(Options.__annotations__) == OPTIONS
    assert set(LlamaIndexFreeLLM.model_fields) >= OPTIONS


def test_pickles_and_copies_work_after_use(lab: Lab) -> None:
    """Worker processes get keys from their own environment; deep copies share what is live."""
    told: list[Any] = []
    llm = LlamaIndexFreeLLM(on_event=told.append, http_client=httpx.Client(), temperature=0.3)
    llm.callback_manager = CallbackManager([LlamaDebugHandler(print_trace_on_end=False)])
    llm.complete("hi")

    unpickled = pickle.loads(pickle.dumps(llm))
    copied = copy.deepcopy(llm)

    assert unpickled.temperature == copied.temperature == 0.3
    assert unpickled.http_client is None
    assert copied.http_client is llm.http_client
    assert copied.callback_manager is llm.callback_manager
    for other in (unpickled, copied, llm):
        assert other.complete("hi").text
    copied.temperature = 0.9
    assert llm.temperature == 0.3
    llm.http_client.close()


def test_a_changed_option_takes_effect_with_the_next_call() -> None:
    """A changed field of LlamaIndex's own changes nothing else."""
    llm, _ = ScriptedLLM.that_says(said("a"), said("b"))
    client = llm.client

    llm.callback_manager = CallbackManager([])
    assert llm.client is client
    llm.max_attempts = 1
    assert llm.client is not client
    assert llm.complete("hi").text == "a"


def test_it_is_settable_as_the_default_model() -> None:
    """Core assigns its callback manager on every read."""
    llm = LlamaIndexFreeLLM(providers=[HERE])
    before = Settings._llm, Settings._callback_manager
    try:
        Settings.llm = llm
        Settings.callback_manager = CallbackManager([])
        assert Settings.llm is llm
        assert llm.callback_manager is Settings.callback_manager
        assert resolve_llm(llm) is llm
    finally:
        Settings._llm, Settings._callback_manager = before


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, {"context_window": 4096, "num_output": -1, "model_name": "auto"}),
        ({"max_tokens": 100}, {"num_output": 100}),
        ({"max_tokens": 9999}, {"num_output": 4095}),
        ({"context_window": 777}, {"context_window": 777}),
        ({"model": ["m", "auto"]}, {"model_name": "m,auto"}),
        ({"model": "nonsense"}, {"context_window": 8192, "model_name": "nonsense"}),
        ({}, {"is_chat_model": True, "is_function_calling_model": True}),
        ({"is_function_calling_model": False}, {"is_function_calling_model": False}),
    ],
)
def test_metadata_is_true_to_the_pool(fields: dict[str, Any], told: dict[str, Any]) -> None:
    """Without asking anybody, and without ever raising."""
    metadata = LlamaIndexFreeLLM(providers=[HERE], **fields).metadata

    assert {name: getattr(metadata, name) for name in told} == told


@pytest.mark.parametrize(
    ("tags", "can"), [((), True), (("fast",), True), (("tools",), True), (("vision",), False)]
)
def test_tools_are_offered_where_routing_would_try_them(tags: tuple[str, ...], can: bool) -> None:
    """A list that tells no abilities may have all."""
    provider = OpenAICompatible("here", "http://127.0.0.1:9/v1", KEY, [ModelSpec("m", tags=tags)])

    metadata = LlamaIndexFreeLLM(providers=[provider]).metadata

    assert metadata.is_function_calling_model is can


def test_changed_fields_show_in_metadata_at_once() -> None:
    """Though the pool is looked at every few seconds only."""
    llm = LlamaIndexFreeLLM(providers=[HERE])
    assert llm.metadata.context_window == 4096

    llm.context_window = 1000
    llm.max_tokens = 10

    assert (llm.metadata.context_window, llm.metadata.num_output) == (1000, 10)
    assert llm.to_payload()["model"] == "auto"
    assert llm.to_payload()["temperature"] == 0.1


def test_everything_public_is_there() -> None:
    """`__all__` is what can be imported."""
    assert all(hasattr(front_end, name) for name in front_end.__all__)


async def test_closing_is_not_the_end() -> None:
    """A later call opens new connections."""
    llm, _ = ScriptedLLM.that_says(said("a"), said("b"), share=True)
    LlamaIndexFreeLLM(providers=[HERE]).close()
    with LlamaIndexFreeLLM(providers=[HERE]) as inside:
        assert inside.metadata
    async with LlamaIndexFreeLLM(providers=[HERE]) as inside:
        assert inside.metadata
    assert llm.complete("hi").text == "a"
    await llm.aclose()
