"""Options from arguments and the environment: what they default to, and how a wrong one is told."""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations import embedded
from freelm_integrations.environment import switch, variable
from freelm_integrations.errors import ConfigError
from freelm_integrations.nearest import nearest, unknown
from freelm_integrations.pool.ledger.address import MEMORY, file_address
from freelm_integrations.providers import PROVIDERS
from freelm_integrations.providers.provider import Groq, Local, Mistral, OpenAICompatible
from freelm_integrations.settings import (
    Options,
    Settings,
    cache_dir,
    guess_provider,
    no_key_message,
)


@pytest.fixture(autouse=True)
def no_embedded_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the extra is not installed; a test that wants it says so."""
    monkeypatch.setattr(embedded, "is_available", lambda: False)


def made(**options: Any) -> Settings:
    return Settings.from_options(**options)


def names(settings: Settings) -> list[str]:
    return [provider.id for provider in settings.providers]


def test_without_arguments_and_variables_it_has_the_documented_defaults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those of the table in the documentation; no key is no error yet."""
    monkeypatch.delenv("FREELM_STATE")

    settings = made()

    assert settings == Settings(providers=())
    assert (settings.wanted, settings.strategy) == (("auto",), "quota_aware")
    assert (settings.timeout, settings.attempt_timeout, settings.max_attempts) == (60.0, 30.0, 12)
    assert (settings.hedge, settings.wait, settings.on_interrupt) == (True, False, "resume")
    assert (settings.allow_training, settings.free_only, settings.share) == (True, True, True)
    assert (settings.state, settings.on_event) == (None, None)
    assert settings.home == file_address(cache_dir() / "state.db")
    assert not settings.has_keys
    assert not settings.is_local_stand_in


def test_every_option_can_be_given_as_none() -> None:
    """It means that it is not given: front ends pass what their fields hold."""
    assert made(**dict.fromkeys(Options.__annotations__)) == made()


def test_every_option_given_is_kept() -> None:
    """In the type it is declared with."""

    def observe(event: object) -> None: ...

    with httpx.Client() as client:
        settings = made(
            providers=[Groq("k")],
            model=["a", "chat:fast"],
            strategy="latency",
            timeout=5,
            attempt_timeout=0.5,
            max_attempts=1,
            hedge=2,
            wait=True,
            on_interrupt="raise",
            allow_training=False,
            free_only=False,
            state="memory",
            on_event=observe,
            http_client=client,
            share=False,
        )

    assert settings == Settings(
        providers=settings.providers,
        wanted=("a", "chat:fast"),
        strategy="latency",
        timeout=5.0,
        attempt_timeout=0.5,
        max_attempts=1,
        hedge=2.0,
        wait=True,
        on_interrupt="raise",
        allow_training=False,
        free_only=False,
        state=MEMORY,
        on_event=observe,
        http_client=client,
        share=False,
    )
    assert isinstance(settings.timeout, float)
    assert isinstance(settings.hedge, float)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"strategie": "latency"}, "unknown argument 'strategie': did you mean 'strategy'?"),
        ({"temprature": 1}, "unknown argument 'temprature'"),
        (
            {"strategy": "round-robin"},
            "unknown strategy 'round-robin': did you mean 'round_robin'?",
        ),
        ({"strategy": "best"}, "valid: priority, round_robin, quota_aware, latency"),
        ({"strategy": 3}, "unknown strategy of type int"),
        ({"on_interrupt": "resum"}, "unknown on_interrupt 'resum': did you mean 'resume'?"),
        ({"providers": ["grok"]}, "unknown provider 'grok': did you mean 'groq'?"),
        ({"providers": "mistrall"}, "unknown provider 'mistrall': did you mean 'mistral'?"),
        ({"providers": [3]}, "unknown provider of type int"),
        ({"providers": 3}, "unknown provider of type int"),
        ({"providers": [Groq]}, "holds the class Groq: write Groq(...)"),
        ({"providers": []}, "providers is empty"),
        ({"providers": " , "}, "providers is empty"),
        ({"timeout": 0}, "timeout takes a number of seconds above 0, not 0"),
        ({"timeout": -1.5}, "not -1.5"),
        ({"timeout": math.nan}, "not nan"),
        ({"timeout": True}, "not True"),
        ({"timeout": "60"}, "not a str"),
        ({"attempt_timeout": 0}, "attempt_timeout takes"),
        ({"max_attempts": 0}, "max_attempts takes a whole number, 1 or more, not 0"),
        ({"max_attempts": 1.5}, "not 1.5"),
        ({"max_attempts": True}, "not True"),
        ({"hedge": 0}, "hedge takes a number of seconds above 0"),
        ({"hedge": "fast"}, "hedge takes"),
        ({"wait": 1}, "wait takes True or False, not 1"),
        ({"share": "no"}, "share takes True or False, not a str"),
        ({"allow_training": 0}, "allow_training takes True or False"),
        ({"free_only": "yes"}, "free_only takes True or False"),
        ({"model": ""}, "model takes a model name"),
        ({"model": []}, "model takes a model name"),
        ({"model": " , "}, "model names no model"),
        ({"model": 5}, "model takes a model name"),
        ({"model": ["a", 5]}, "model takes a model name"),
        ({"on_event": "print"}, "on_event takes a function of one event, not a str"),
        ({"http_client": "x"}, "http_client takes an httpx.Client"),
        ({"http_async_client": object()}, "http_async_client takes an httpx.AsyncClient"),
        ({"state": "sqlite:counts.db"}, "state 'sqlite' is written"),
        ({"state": "redis://:hunter2@:x/0"}, "state 'redis' names no server"),
        ({"state": "redis://:hunter2@host/0?absent=alnoe"}, "did you mean 'alone'?"),
        ({"state": "memroy"}, "unknown state 'memroy': did you mean 'memory'?"),
        ({"state": 5}, "state takes"),
    ],
)
def test_a_wrong_option_is_told_with_the_nearest_right_one(
    options: dict[str, Any], said: str
) -> None:
    """A ConfigError that names it; no secret part of a URL is shown."""
    with pytest.raises(ConfigError) as caught:
        made(**options)

    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "key", ["gsk_" + "a" * 48, "sk-or-v1-" + "a" * 64, "sk-proj-" + "a" * 60, "A" * 32, "nvapi-aaa"]
)
def test_a_key_in_the_place_of_a_name_is_not_shown(key: str) -> None:
    """It happens, and the message may end up in a log."""
    with pytest.raises(ConfigError) as caught:
        made(providers=[key])

    assert key not in str(caught.value)
    assert "aaa" not in str(caught.value).lower()


@pytest.mark.parametrize(
    ("name", "text", "attribute", "value"),
    [
        ("FREELM_STRATEGY", "priority", "strategy", "priority"),
        ("FREELM_STRATEGY", " latency ", "strategy", "latency"),
        ("FREELM_MODEL", "chat:fast", "wanted", ("chat:fast",)),
        ("FREELM_MODEL", "gpt-oss-120b, auto", "wanted", ("gpt-oss-120b", "auto")),
        ("FREELM_STATE", "memory", "state", MEMORY),
        ("FREELM_STATE", "sqlite:///x.db", "state", file_address(Path("x.db"))),
        ("FREELM_ALLOW_TRAINING", "0", "allow_training", False),
        ("FREELM_ALLOW_TRAINING", "No", "allow_training", False),
        ("FREELM_ALLOW_TRAINING", "TRUE", "allow_training", True),
        ("FREELM_ALLOW_TRAINING", " ", "allow_training", True),
    ],
)
def test_a_variable_stands_in_for_its_argument(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, attribute: str, value: object
) -> None:
    """A blank one says nothing."""
    monkeypatch.setenv(name, text)

    assert getattr(made(), attribute) == value


def test_an_argument_beats_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where the variable makes no sense."""
    monkeypatch.setenv("FREELM_STRATEGY", "nonsense")
    monkeypatch.setenv("FREELM_ALLOW_TRAINING", "perhaps")

    settings = made(strategy="priority", allow_training=False)

    assert (settings.strategy, settings.allow_training) == ("priority", False)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("FREELM_STRATEGY", "priorty", "unknown strategy 'priorty': did you mean 'priority'?"),
        ("FREELM_ALLOW_TRAINING", "perhaps", "FREELM_ALLOW_TRAINING"),
        ("FREELM_LOCAL", "maybe", "FREELM_LOCAL"),
        ("FREELM_STATE", "sqlite:/x", "state 'sqlite' is written"),
        ("FREELM_GROQ_TIER", "fre", "unknown tier of groq 'fre'"),
    ],
)
def test_a_wrong_variable_is_told_like_a_wrong_argument(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, said: str
) -> None:
    """By its name or by its option's."""
    monkeypatch.setenv("GROQ_API_KEY", "k")
    monkeypatch.setenv(name, text)

    with pytest.raises(ConfigError) as caught:
        made()

    assert said in str(caught.value)


def test_every_provider_with_a_key_is_used_in_default_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And no other; the local model is no silent stand-in for any of them."""
    monkeypatch.setenv("CEREBRAS_API_KEY", "c")
    monkeypatch.setenv("GOOGLE_AI_STUDIO_KEY", "g")
    monkeypatch.setenv("FREELM_GROQ_KEYS", "a,b")
    monkeypatch.setenv("MISTRAL_API_KEY", " ")
    monkeypatch.setenv("FREELM_LOCAL_BASE_URL", "http://localhost:1/v1")

    settings = made()

    assert names(settings) == ["groq", "google", "cerebras"]
    assert len(settings.providers[0].keys) == 2
    assert settings.has_keys
    assert not settings.is_local_stand_in


def test_local_is_the_last_resort_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nobody needs to be warned."""
    monkeypatch.setenv("GROQ_API_KEY", "k")
    monkeypatch.setenv("FREELM_LOCAL", "1")
    monkeypatch.setenv("FREELM_LOCAL_BASE_URL", "http://localhost:1/v1")

    settings = made()

    assert names(settings) == ["groq", "local@localhost:1/v1"]
    assert not settings.is_local_stand_in


@pytest.mark.parametrize(
    ("variables", "is_available", "found"),
    [
        ({}, False, []),
        ({}, True, ["local@tiny.gguf"]),
        ({"FREELM_LOCAL_BASE_URL": "http://localhost:1/v1"}, False, ["local@localhost:1/v1"]),
        ({"FREELM_LOCAL_GGUF": "/m/x.gguf"}, False, ["local@x.gguf"]),
        ({"FREELM_LOCAL": "0"}, True, ["local@tiny.gguf"]),
    ],
)
def test_without_a_key_a_local_model_that_is_at_hand_stands_in(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], is_available: bool, found: list[str]
) -> None:
    """Which is to be told; with none at hand there is nobody to ask."""
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setattr(embedded, "is_available", lambda: is_available)
    monkeypatch.setattr(embedded, "find_gguf", lambda: Path("tiny.gguf"))

    settings = made()

    assert names(settings) == found
    assert settings.is_local_stand_in is bool(found)


def test_providers_are_taken_as_objects_and_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """One alone, a list, or names with commas between; in the order given."""
    monkeypatch.setenv("GROQ_API_KEY", "k")
    other = OpenAICompatible("x", "https://x.example/v1", models=["m"])
    local = Local("http://localhost:1/v1")

    several = names(made(providers=[other, "groq", local]))
    assert several == ["x@x.example/v1", "groq", "local@localhost:1/v1"]
    assert names(made(providers=(Mistral("k"),))) == ["mistral"]
    assert names(made(providers=other)) == ["x@x.example/v1"]
    assert names(made(providers="google, Groq")) == ["google", "groq"]
    assert made(providers="groq").providers[0].keys[0].secret.get_secret_value() == "k"
    assert not made(providers="google").has_keys


def test_the_message_for_no_key_lists_every_variable_and_page() -> None:
    """With the way to go without one."""
    message = no_key_message()

    for spec in PROVIDERS.values():
        if spec.needs_key:
            assert all(name in message for name in spec.key_variables)
            assert spec.key_page in message
    assert "FREELM_LOCAL_BASE_URL" in message
    assert "freelm-integrations[local]" in message


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("gsk_abc", "groq"),
        ("sk-or-v1-abc", "openrouter"),
        ("AIzaSyabc", "google"),
        ("AQ.abc", "google"),
        ("nvapi-abc", "nim"),
        ("csk-abc", "cerebras"),
        ("a1B2" * 8, "mistral"),
        (" gsk_abc\n", "groq"),
        ("a1B2" * 8 + "x", None),
        ("a1-2" * 8, None),
        ("sk-proj-abc", None),
        ("", None),
    ],
)
def test_a_key_is_known_by_its_shape(key: str, name: str | None) -> None:
    """The OpenAI-shaped client takes any of them as its `api_key`."""
    assert guess_provider(key) == name


def test_files_go_where_the_variable_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else to the user's cache folder, under our name; nothing is made yet."""
    monkeypatch.setenv("FREELM_CACHE_DIR", "~/somewhere")
    assert cache_dir() == Path.home() / "somewhere"

    monkeypatch.delenv("FREELM_CACHE_DIR")
    assert cache_dir().name == "freelm-integrations"
    assert cache_dir().is_absolute()


def test_settings_are_frozen_and_show_no_key() -> None:
    """They travel to every part of a client, and into its repr."""
    settings = made(providers=[Groq("gsk_very_secret")])

    with pytest.raises(AttributeError):
        settings.timeout = 3.0  # type: ignore[misc]
    assert "gsk_very_secret" not in repr(settings)
    assert b"gsk_very_secret" not in pickle.dumps(settings)


@given(st.text(max_size=50), st.lists(st.text(min_size=1, max_size=20), unique=True, max_size=9))
def test_the_nearest_word_is_one_of_the_valid_ones(word: str, words: list[str]) -> None:
    """Or none; a valid word is nearest to itself, whatever its case."""
    found = nearest(word, words)

    assert found is None or found in words
    for valid in words:
        assert (nearest(valid, words) or "").casefold() == valid.casefold()


def test_a_wrong_word_is_told_the_nearest_or_all() -> None:
    """Of many valid words, one that fits says more than the list."""
    words = ["temperature", "top_p", "seed"]

    assert unknown("word", "tempature", words) == (
        "unknown word 'tempature': did you mean 'temperature'?"
    )
    assert unknown("word", "xyz", words) == "unknown word 'xyz' (valid: temperature, top_p, seed)"


def test_a_long_wrong_word_is_not_repeated() -> None:
    """It was pasted, and may be a secret."""
    assert unknown("model", "x" * 31, ["a", "b"]) == "unknown model of 31 characters (valid: a, b)"


@pytest.mark.parametrize(
    ("text", "is_on"),
    [
        ("1", True),
        ("on", True),
        ("Yes", True),
        ("0", False),
        ("OFF", False),
        ("", None),
        (None, None),
    ],
)
def test_a_switch_is_on_off_or_silent(
    monkeypatch: pytest.MonkeyPatch, text: str | None, is_on: bool | None
) -> None:
    """Blank is silent."""
    if text is not None:
        monkeypatch.setenv("SWITCH", text)

    assert switch("SWITCH") is is_on
    assert variable("SWITCH") == (text or None)


@pytest.mark.parametrize(
    ("options", "variable", "home"),
    [
        ({}, None, "state.db"),
        ({"share": False}, None, "memory"),
        ({"share": False, "state": "sqlite:///x.db"}, None, "x.db"),
        ({"share": False}, "sqlite:///y.db", "y.db"),
        ({}, "sqlite:///y.db", "y.db"),
        ({"state": "memory"}, "sqlite:///y.db", "memory"),
    ],
)
def test_counts_are_kept_where_is_named_or_in_the_cache_folder(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], variable: str | None, home: str
) -> None:
    """A pool of one's own shares nothing, unless a place is named."""
    monkeypatch.delenv("FREELM_STATE")
    if variable is not None:
        monkeypatch.setenv("FREELM_STATE", variable)

    found = made(**options).home

    assert (found.kind if found.path is None else found.path.name) == home


def test_no_password_of_a_state_is_shown() -> None:
    """Settings are printed and compared."""
    settings = made(state="redis://:hunter2@localhost:1/0")

    assert "hunter2" not in repr(settings)
    assert settings.changed(timeout=3.0).home == settings.home
