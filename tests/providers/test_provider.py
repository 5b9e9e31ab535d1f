"""Providers as users configure them: arguments, variables, identity, and keys that stay at home."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from freelm_integrations import embedded
from freelm_integrations.errors import ConfigError
from freelm_integrations.providers import PROVIDERS
from freelm_integrations.providers.provider import (
    NIM,
    Cerebras,
    GoogleAIStudio,
    Groq,
    Local,
    Mistral,
    OpenAICompatible,
    OpenRouter,
    Provider,
)
from freelm_integrations.providers.spec import Limit, ModelSpec, Tier

CLASSES: list[type[Provider]] = [OpenRouter, GoogleAIStudio, NIM, Groq, Cerebras, Mistral]
SECRET = "gsk_0123456789abcdefSECRET"


def secrets(provider: Provider) -> list[str]:
    return [key.secret.get_secret_value() for key in provider.keys]


@pytest.mark.parametrize("kind", CLASSES)
def test_a_provider_with_no_argument_is_its_declaration(kind: type[Provider]) -> None:
    """Where it usually is, its first tier, its own list; no key where none is set."""
    provider = kind()

    assert provider.id == provider.name == kind.spec.name
    assert provider.base_url == kind.spec.base_url
    assert provider.tier is next(iter(kind.spec.tiers.values()))
    assert provider.dialect is kind.spec.dialect
    assert (provider.models, provider.limits, provider.prefer) == (None, None, ())
    place = kind.spec.priority
    assert (provider.keys, provider.priority, provider.discover) == ((), place, True)
    provider.start()
    assert provider.base_url == kind.spec.base_url


def test_who_spends_a_credit_or_runs_here_is_a_last_resort_unless_told_otherwise() -> None:
    """Cerebras before a model of one's own."""
    free = [kind() for kind in CLASSES if kind is not Cerebras]

    assert {provider.priority for provider in free} == {0}
    assert 0 < Cerebras().priority < Local("http://localhost:1234/v1").priority
    assert Cerebras(priority=0).priority == 0


@pytest.mark.parametrize("kind", CLASSES)
def test_keys_come_from_the_provider_s_variables(
    kind: type[Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last of them serves, too."""
    monkeypatch.setenv(kind.spec.key_variables[-1], "key-one,key-two")

    assert secrets(kind()) == ["key-one", "key-two"]


def test_keys_given_keep_the_environment_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if what is given is blank."""
    monkeypatch.setenv("GROQ_API_KEY", "from-outside")

    assert secrets(Groq("given")) == ["given"]
    assert secrets(Groq("")) == []
    assert secrets(Groq()) == ["from-outside"]


def test_variables_stand_in_for_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Address, tier and models; an argument beats each."""
    monkeypatch.setenv("FREELM_GROQ_BASE_URL", "http://127.0.0.1:99/groq/v1/")
    monkeypatch.setenv("FREELM_GROQ_TIER", "developer")
    monkeypatch.setenv("FREELM_GROQ_MODELS", "a, openai/gpt-oss-20b")

    named, told = Groq(), Groq(base_url="https://x.example/v1", tier="free", models=["b"])

    assert named.base_url == "http://127.0.0.1:99/groq/v1"
    assert named.tier == Tier()
    assert [model.id for model in named.models or ()] == ["a", "openai/gpt-oss-20b"]
    assert not named.discover
    assert told.base_url == "https://x.example/v1"
    assert told.tier_name == "free"
    assert [model.id for model in told.models or ()] == ["b"]


def test_ids_that_are_declared_bring_what_is_known_of_them() -> None:
    """Tags, sizes and family; a `ModelSpec` is taken as it is."""
    own = ModelSpec("mine", tags=("fast",), context=1000)

    models = Groq(models=["openai/gpt-oss-20b", own, "unheard-of"]).models

    assert models == (PROVIDERS["groq"].models[0], own, ModelSpec("unheard-of"))


@pytest.mark.parametrize(
    ("options", "id_"),
    [
        ({}, "groq"),
        ({"base_url": "https://api.groq.com/openai/v1"}, "groq"),
        ({"base_url": "https://api.groq.com/openai/v1/"}, "groq"),
        ({"base_url": "http://127.0.0.1:99/groq/v1"}, "groq@127.0.0.1:99/groq/v1"),
        ({"base_url": "http://127.0.0.1:98/groq/v1"}, "groq@127.0.0.1:98/groq/v1"),
    ],
)
def test_a_provider_elsewhere_is_another_one(options: dict[str, Any], id_: str) -> None:
    """What the pool knows of the one is not held against the other."""
    assert Groq("k", **options).id == id_


def test_limits_given_replace_the_shared_ones_and_a_model_s_own_beat_the_tier_s() -> None:
    """By model first, then by tier; another tier forgets what the free one allowed."""
    mine = (Limit(5, "requests", per=60),)
    free, paid = GoogleAIStudio("k"), GoogleAIStudio("k", tier="paid")
    lite, flash = ModelSpec("gemini-3.5-flash-lite"), ModelSpec("gemini-3.8-flash")

    assert OpenRouter("k", limits=mine).shared_limits == mine
    assert OpenRouter("k").shared_limits == PROVIDERS["openrouter"].tiers["free"].shared
    assert OpenRouter("k", limits=[]).shared_limits == ()
    assert free.limits_of(lite)[0].amount == 15
    assert free.limits_of(flash)[0].amount == 5
    assert free.limits_of(ModelSpec("x", limits=mine)) == mine
    assert paid.limits_of(lite) == paid.limits_of(flash) == ()


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: Groq(tier="fre"), "'fre': did you mean 'free'"),
        (lambda: Groq(tyer="free"), "'tyer': did you mean 'tier'"),  # type: ignore[arg-type]
        (lambda: Groq(models=[]), "models of groq is empty"),
        (lambda: Groq(models=[5]), "not int"),  # type: ignore[list-item]
        (lambda: Groq(models=[""]), "id or a ModelSpec"),
        (lambda: Groq(limits=[30]), "is a Limit such as"),  # type: ignore[list-item]
        (lambda: Groq(limits=[Limit(30, "request")]), "did you mean 'requests'"),  # type: ignore[arg-type]
        (lambda: Groq(limits=[Limit(-1)]), "amount >= 0"),
        (lambda: Groq(limits=[Limit(1, per=0)]), "per > 0"),
        (lambda: Groq(limits=[Limit(1, resets="utcday")]), "did you mean 'utc_day'"),  # type: ignore[arg-type]
        (lambda: Groq(base_url="http://api.groq.com"), "plain http"),
        (lambda: Groq(priority="first"), "priority of groq"),  # type: ignore[arg-type]
        (lambda: Groq(priority=True), "priority of groq"),
        (lambda: Groq(prefer=[3]), "prefer of groq"),  # type: ignore[list-item]
        (lambda: OpenAICompatible("my ai", "https://x.example"), "made of letters"),
        (lambda: OpenAICompatible("groq", "https://x.example"), "is a declared provider"),
        (lambda: OpenAICompatible("x", "http://x.example"), "plain http"),
        (lambda: OpenAICompatible("x", "https://x.example", tier="y"), "'tier'"),  # type: ignore[arg-type]
        (lambda: Local("http://localhost:1/v1", gguf="x.gguf"), "not both"),
    ],
)
def test_what_makes_no_sense_is_a_config_error_that_helps(make: Any, why: str) -> None:
    """It names the wrong word and the nearest valid one."""
    with pytest.raises(ConfigError) as caught:
        make()

    assert why in str(caught.value)


def test_a_provider_does_not_change() -> None:
    """The pool keeps what it knows under its id."""
    provider = Groq("k")

    with pytest.raises(AttributeError, match="does not change"):
        provider.base_url = "https://x.example"
    with pytest.raises(AttributeError, match="does not change"):
        del provider.keys
    assert provider.base_url == PROVIDERS["groq"].base_url


def test_it_shows_its_name_and_fingerprints() -> None:
    """And how many keys there are."""
    shown = repr(Groq([SECRET, "other"], account=SECRET))

    assert (
        shown
        == f"<Groq 'groq', 2 keys: {', '.join(key.fingerprint for key in Groq([SECRET, 'other']).keys)}>"
    )
    assert repr(Groq("")) == "<Groq 'groq', 0 keys>"
    assert repr(Groq("k")).startswith("<Groq 'groq', 1 key: ")


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=","), min_size=9)
)
def test_no_key_leaves_by_repr_or_pickle(secret: str) -> None:
    """Nor is it in the attributes as plain text."""
    first, second = f"first-{secret}", f"second-{secret}"
    provider = Mistral([first, SecretStr(second)])

    for key in (first, second):
        assert key not in repr(provider)
        assert key not in str(vars(provider))
        assert key.encode() not in pickle.dumps(provider)


def test_unpickled_it_reads_its_keys_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """All else is as it was: a worker process has the variables, not the secrets."""
    made = Groq(SECRET, base_url="http://127.0.0.1:9/v1", models=["a"], prefer="b", account="acme")
    data = pickle.dumps(made)
    assert pickle.loads(data).keys == ()

    monkeypatch.setenv("GROQ_API_KEY", "from-outside")
    again = pickle.loads(data)

    assert type(again) is Groq
    assert secrets(again) == ["from-outside"]
    assert again.keys[0].account == "acme"
    assert (again.id, again.models, again.prefer) == (made.id, made.models, made.prefer)
    assert again.spec is made.spec
    assert again.dialect is made.dialect


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_in_process_keeps_the_keys(copied: Any) -> None:
    """It is the same object: there is nothing to change in it."""
    provider = Groq(SECRET)

    assert copied(provider) is provider


def test_another_endpoint_needs_no_key_and_has_no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """One key of an empty secret stands for none; `FREELM_<NAME>_KEYS` may bring real ones."""
    free = OpenAICompatible("my-ai", "https://x.example/v1/", models=["m"])
    monkeypatch.setenv("FREELM_MY_AI_KEYS", "k1,k2")
    keyed = OpenAICompatible("my-ai", "https://x.example/v1", models=["m"], priority=3)

    assert secrets(free) == [""]
    assert repr(free) == "<OpenAICompatible 'my-ai@x.example/v1', 0 keys>"
    assert (free.base_url, free.id) == ("https://x.example/v1", "my-ai@x.example/v1")
    assert free.shared_limits == ()
    assert free.limits_of(ModelSpec("m")) == ()
    assert secrets(keyed) == ["k1", "k2"]
    assert keyed.priority == 3
    assert keyed.spec.trains is None
    assert OpenAICompatible("x", "https://x.example/v1", trains=False).spec.trains is False


def test_the_address_of_another_endpoint_is_the_one_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument beats the environment, here too."""
    monkeypatch.setenv("FREELM_X_BASE_URL", "https://elsewhere.example/v1")

    assert OpenAICompatible("x", "https://x.example/v1").base_url == "https://x.example/v1"


def test_another_endpoint_travels_with_its_declaration() -> None:
    """There is no other place it could be read from."""
    made = OpenAICompatible("x", "https://x.example/v1", "secret-key-1", ["m"])

    data = pickle.dumps(made)
    again = pickle.loads(data)

    assert b"secret-key-1" not in data
    assert (again.name, again.base_url, again.models) == ("x", "https://x.example/v1", made.models)
    assert again.dialect == made.dialect


def test_a_local_server_is_known_by_its_url(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given or named; it is asked last, without a key."""
    monkeypatch.setenv("FREELM_LOCAL_BASE_URL", "http://ollama:11434/v1")
    given, named = Local("http://192.168.1.5:8080/v1"), Local()

    assert (given.base_url, given.id) == ("http://192.168.1.5:8080/v1", "local@192.168.1.5:8080/v1")
    assert named.base_url == "http://ollama:11434/v1"
    assert (named.priority, secrets(named)) == (100, [""])
    assert named.discover


def test_a_gguf_file_is_loaded_when_it_is_started_and_not_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its address shows then; a second start changes nothing."""
    asked: list[Path] = []

    class Server:
        base_url = "http://127.0.0.1:12345/v1"

    def shared_server(gguf: Path) -> Server:
        asked.append(gguf)
        return Server()

    monkeypatch.setattr(embedded, "shared_server", shared_server)
    file = tmp_path / "Tiny-1B.gguf"
    provider = Local(gguf=file)
    assert (provider.base_url, provider.id) == ("", "local@Tiny-1B.gguf")
    assert asked == []

    provider.start()
    provider.start()

    assert provider.base_url == "http://127.0.0.1:12345/v1"
    assert asked[0] == file
    assert [model.id for model in provider.models or ()] == ["Tiny-1B"]
    assert provider.id == "local@Tiny-1B.gguf"
    assert provider.headers["connection"] == "close"
    assert pickle.loads(pickle.dumps(provider)).base_url == ""


@pytest.mark.parametrize(
    ("variables", "bundled", "id_"),
    [
        ({}, None, "local"),
        ({}, "b.gguf", "local@b.gguf"),
        ({"FREELM_LOCAL_GGUF": "/m/own.gguf"}, "b.gguf", "local@own.gguf"),
        (
            {"FREELM_LOCAL_BASE_URL": "http://localhost:1234/v1"},
            "b.gguf",
            "local@localhost:1234/v1",
        ),
    ],
)
def test_local_finds_what_is_at_hand(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], bundled: str | None, id_: str
) -> None:
    """A server that is named, else a file, else the bundled one, else Ollama where it usually is."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(embedded, "is_available", lambda: bundled is not None)
    monkeypatch.setattr(embedded, "find_gguf", lambda: bundled and Path(bundled))

    assert Local().id == id_


def test_a_context_of_one_s_own_has_a_server_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The shared one was perhaps loaded for another; the same provider starts one only."""
    made: list[int] = []

    class Server:
        def __init__(self, gguf: Path, *, context: int) -> None:
            made.append(context)

        def start(self) -> str:
            return "http://127.0.0.1:1/v1"

    monkeypatch.setattr(embedded, "EmbeddedServer", Server)
    provider = Local(gguf=tmp_path / "x.gguf", context=8192)

    provider.start()
    provider.start()

    assert made == [8192]
    assert provider.base_url == "http://127.0.0.1:1/v1"
    assert [model.context for model in provider.models or ()] == [8192]
    assert pickle.loads(pickle.dumps(provider)).base_url == ""


def test_several_local_servers_are_told_apart_by_the_names_given_to_them() -> None:
    """In the pool by where they are as well."""
    ollama = Local("http://localhost:11434/v1", name="ollama")
    studio = Local("http://localhost:1234/v1", name="studio")

    assert [one.name for one in (ollama, studio)] == ["ollama", "studio"]
    assert [one.id for one in (ollama, studio)] == [
        "ollama@localhost:11434/v1",
        "studio@localhost:1234/v1",
    ]
    assert Local(gguf="/somewhere/owl.gguf", name="owl").id == "owl@owl.gguf"
    assert pickle.loads(pickle.dumps(ollama)).name == "ollama"


@pytest.mark.parametrize(("name", "why"), [("groq", "declared"), ("a b", "letters")])
def test_a_local_server_takes_no_name_that_means_somebody_else(name: str, why: str) -> None:
    """Its state would be mistaken for that provider's."""
    with pytest.raises(ConfigError, match=why):
        Local("http://localhost:1/v1", name=name)
