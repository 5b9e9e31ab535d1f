"""The further providers as users configure them: a pair for a key, no key at all, no longer there."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

from freelm_integrations.errors import ConfigError
from freelm_integrations.lab import Lab
from freelm_integrations.providers import PROVIDERS
from freelm_integrations.providers.choice import CLASSES, no_key_message, with_keys
from freelm_integrations.providers.provider import (
    ZAI,
    Cloudflare,
    Cohere,
    HuggingFace,
    Kilo,
    OVHcloud,
)
from freelm_integrations.settings import Settings

if TYPE_CHECKING:
    from freelm_integrations.providers.provider import Provider

ACCOUNT = "0123456789abcdef0123456789abcdef"
PLACE = f"https://api.cloudflare.com/client/v4/accounts/{ACCOUNT}/ai/v1"


def used() -> list[str]:
    return [provider.name for provider in Settings.from_options().providers]


@pytest.mark.parametrize("kind", [ZAI, Cohere, HuggingFace, OVHcloud, Kilo])
def test_a_further_provider_with_no_argument_is_its_declaration(kind: type[Provider]) -> None:
    """Where it usually is, on its first tier; its list is asked for only if that costs nothing."""
    provider = kind()

    assert provider.id == provider.name == kind.spec.name
    assert provider.base_url == kind.spec.base_url
    assert provider.tier is kind.spec.tiers["free"]
    assert provider.discover is (kind.spec.list_path is not None)
    assert bool(provider.keys) is not kind.spec.needs_key


def test_classes_and_declarations_are_in_the_same_order() -> None:
    """Each by its name."""
    assert list(CLASSES) == list(PROVIDERS)
    assert all(kind.spec is PROVIDERS[name] for name, kind in CLASSES.items())


@pytest.mark.parametrize("named", ["argument", "variable"])
def test_cloudflare_s_address_is_built_from_the_account_s_id(
    monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """All its tokens share the account's allowance; the id itself is not shown."""
    if named == "variable":
        monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", f" {ACCOUNT} ")
        provider = Cloudflare(["one", "two"])
    else:
        provider = Cloudflare(["one", "two"], account_id=ACCOUNT)

    assert provider.base_url == PLACE
    assert len({key.account for key in provider.keys}) == 1
    assert ACCOUNT not in repr(provider)
    assert provider.id != Cloudflare("one", account_id="other").id
    assert provider.discover


def test_cloudflare_s_list_is_elsewhere_than_its_chats() -> None:
    """Beside the OpenAI-shaped part of its API, on the account's own address."""
    url = Cloudflare("token", account_id=ACCOUNT).list_url

    assert url.partition("?")[0] == PLACE.removesuffix("/v1") + "/models/search"


def test_an_account_of_cloudflare_has_one_allowance_whatever_its_tokens() -> None:
    """Also where two objects were made for it; a name given to it is kept."""
    (first,) = Cloudflare("one", account_id=ACCOUNT).keys
    (second,) = Cloudflare("two", account_id=ACCOUNT).keys
    (third,) = Cloudflare("two", account_id=ACCOUNT, account="acme").keys

    assert first.account == second.account
    assert third.account == "acme"


def test_half_a_pair_is_told_where_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token alone in the usual variable is often there for something else: it is left alone."""
    monkeypatch.setattr("freelm_integrations.embedded.is_available", lambda: False)
    with pytest.raises(ConfigError, match="CLOUDFLARE_ACCOUNT_ID"):
        Cloudflare("token")
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "token")
    monkeypatch.setenv("FREELM_FURTHER", "1")

    assert Cloudflare().keys == ()
    assert used() == []
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", ACCOUNT)
    assert used() == ["cloudflare"]
    monkeypatch.delenv("CLOUDFLARE_ACCOUNT_ID")
    monkeypatch.setenv("FREELM_CLOUDFLARE_KEYS", "token")
    with pytest.raises(ConfigError, match="CLOUDFLARE_ACCOUNT_ID"):
        used()


@pytest.mark.parametrize("account_id", ["a/b", "{x}", "..", "a b", "a?b"])
def test_an_account_id_that_would_lead_elsewhere_is_refused(account_id: str) -> None:
    """It is put into an address."""
    with pytest.raises(ConfigError, match="letters and digits"):
        Cloudflare("token", account_id=account_id)


def test_cloudflare_may_be_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then no account id is needed."""
    given = Cloudflare("token", base_url="http://127.0.0.1:9/cf")
    monkeypatch.setenv("FREELM_CLOUDFLARE_BASE_URL", "http://127.0.0.1:8/cf")
    named = Cloudflare("token", account_id=ACCOUNT)

    assert given.id == "cloudflare@127.0.0.1:9/cf"
    assert named.id == "cloudflare@127.0.0.1:8/cf"


def test_cloudflare_travels_without_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its place goes along."""
    made = Cloudflare("secret-token-1", account_id=ACCOUNT)
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "from-outside")

    data = pickle.dumps(made)
    again = pickle.loads(data)

    assert b"secret-token-1" not in data
    assert (again.base_url, again.id) == (PLACE, made.id)
    assert again.keys[0].account == made.keys[0].account


@pytest.mark.parametrize(
    ("variables", "names"),
    [
        ({}, []),
        ({"FREELM_KEYLESS": "0"}, []),
        ({"FREELM_KEYLESS": "1"}, ["ovhcloud", "kilo"]),
        ({"FREELM_KILO_KEYS": "k", "FREELM_OVHCLOUD_KEYS": "k"}, []),
        ({"FREELM_KEYLESS": "1", "GROQ_API_KEY": "k"}, ["groq", "ovhcloud", "kilo"]),
        (
            {
                "FREELM_KEYLESS": "yes",
                "FREELM_LOCAL": "1",
                "FREELM_LOCAL_BASE_URL": "http://localhost:1/v1",
                "FREELM_HUGGINGFACE_KEYS": "k",
                "FREELM_COHERE_KEYS": "k",
                "FREELM_ZAI_KEYS": "k",
                "CEREBRAS_API_KEY": "k",
            },
            ["cerebras", "zai", "cohere", "huggingface", "ovhcloud", "kilo", "local"],
        ),
    ],
)
def test_who_needs_no_key_is_asked_only_where_that_is_wished(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], names: list[str]
) -> None:
    """After all that have one, before the local model."""
    monkeypatch.setattr("freelm_integrations.embedded.is_available", lambda: False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert used() == names


USUAL = {
    "HF_TOKEN": "hf-usual",
    "CO_API_KEY": "co-usual",
    "ZAI_API_KEY": "zai-usual",
    "CLOUDFLARE_API_TOKEN": "cf-usual",
    "CLOUDFLARE_ACCOUNT_ID": ACCOUNT,
}
FURTHER = ["cloudflare", "zai", "cohere", "huggingface"]


@pytest.mark.parametrize(
    ("variables", "names"),
    [
        ({}, ["groq"]),
        ({"FREELM_FURTHER": "0"}, ["groq"]),
        ({"FREELM_FURTHER": "1"}, ["groq", *FURTHER]),
        ({"FREELM_COHERE_KEYS": "mine"}, ["groq", "cohere"]),
        ({"FREELM_HUGGINGFACE_KEYS": " , "}, ["groq"]),
        ({"FREELM_CLOUDFLARE_KEYS": "mine"}, ["groq", "cloudflare"]),
    ],
)
def test_a_token_set_for_another_program_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], names: list[str]
) -> None:
    """`HF_TOKEN` is there on many machines: it spends nothing of ours unless that is wished."""
    for name, value in {**USUAL, "GROQ_API_KEY": "k", **variables}.items():
        monkeypatch.setenv(name, value)

    assert used() == names


def test_a_further_provider_that_is_named_reads_the_usual_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who names it has asked for it; a variable of ours comes before the usual one."""
    for name, value in {**USUAL, "FREELM_COHERE_KEYS": "co-mine"}.items():
        monkeypatch.setenv(name, value)
    providers = Settings.from_options(providers=["huggingface", "cohere"]).providers

    secrets = [key.secret.get_secret_value() for one in providers for key in one.keys]
    assert secrets == ["hf-usual", "co-mine"]
    assert HuggingFace().keys == providers[0].keys


def test_who_needs_no_key_can_be_named() -> None:
    """Without the switch; no Authorization goes out: its one key is an empty secret."""
    providers = Settings.from_options(providers="kilo, OVHcloud").providers

    assert [provider.name for provider in providers] == ["kilo", "ovhcloud"]
    assert [key.secret.get_secret_value() for one in providers for key in one.keys] == ["", ""]


@pytest.mark.parametrize("name", ["github", "GitHub", "github-models", "GITHUB_MODELS"])
def test_github_models_is_said_to_be_retired(name: str) -> None:
    """And since when, rather than that the name is unknown."""
    with pytest.raises(ConfigError, match=r"retired on 2026-07-30.*from providers"):
        Settings.from_options(providers=[name])


@pytest.mark.parametrize(
    "variable", ["GITHUB_MODELS_TOKEN", "GITHUB_MODELS_API_KEY", "FREELM_GITHUB_KEYS"]
)
def test_a_variable_of_github_models_is_said_to_be_useless(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """Its value is not shown; providers that are named have nothing to do with it."""
    monkeypatch.setenv(variable, "ghp_secret")

    with pytest.raises(ConfigError, match=variable) as caught:
        Settings.from_options()

    assert "ghp_secret" not in str(caught.value)
    assert Settings.from_options(providers="groq").providers


def test_the_lab_hides_every_key_from_its_users(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of those it does not play: a test would ask them for real."""
    variables = [
        name for spec in PROVIDERS.values() for name in (*spec.key_variables, *spec.usual_variables)
    ]
    for name in (
        *variables,
        "CLOUDFLARE_ACCOUNT_ID",
        "GITHUB_MODELS_TOKEN",
        "FREELM_KEYLESS",
        "FREELM_FURTHER",
    ):
        monkeypatch.setenv(name, "1")

    with Lab(providers=["groq"]) as lab, lab.environ():
        assert used() == ["groq"]


def test_the_message_for_no_key_names_the_ways_without_one() -> None:
    """And both halves of Cloudflare's pair."""
    message = no_key_message()

    assert "FREELM_KEYLESS=1" in message
    assert "set FREELM_CLOUDFLARE_KEYS (or FREELM_FURTHER=1 beside CLOUDFLARE_API_TOKEN)" in message
    assert ", and CLOUDFLARE_ACCOUNT_ID" in message


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_name_takes_keys(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """One table says what a name stands for, also where keys come beside it."""
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", ACCOUNT)
    provider = with_keys(name, "one,two")

    assert provider.name == name
    assert [key.secret.get_secret_value() for key in provider.keys] == ["one", "two"]
