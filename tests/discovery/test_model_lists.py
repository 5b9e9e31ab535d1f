"""Where each provider's list of models is from, how it drifts, and how it heals; on the lab."""

from __future__ import annotations

import asyncio
import json
import math
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from freelm_integrations import (
    AsyncFreeLLM,
    ConfigError,
    FreeLLM,
    Groq,
    Mistral,
    ModelSpec,
    OpenAICompatible,
)
from freelm_integrations.discovery.catalog_file import CatalogFiles
from freelm_integrations.discovery.catalogs import Catalog
from freelm_integrations.discovery.model_lists import drift_row
from freelm_integrations.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(words="plain", limits=False, providers=("groq", "mistral")) as lab, lab.environ():
        yield lab


def lists(client: FreeLLM) -> dict[str, dict[str, Any]]:
    return {row["provider"]: row for row in client.model_lists()}


def chats(lab: Lab, name: str, model: str) -> int:
    return sum(request.model == model for request in lab[name].chats)


def test_nothing_is_sent_to_tell(lab: Lab) -> None:
    """Before the first call the lists are the built-in ones."""
    with FreeLLM(share=False) as client:
        rows = lists(client)

    assert [len(provider.requests) for provider in lab] == [0, 0]
    assert {row["source"] for row in rows.values()} == {"builtin"}
    assert all(row["since_built_in"] is None for row in rows.values())


def test_a_live_list_tells_its_age_and_how_it_drifted(lab: Lab) -> None:
    """In both clients alike, as JSON."""
    with FreeLLM(share=False) as client:
        client.refresh_models()
        rows = lists(client)
        in_async = asyncio.run(client.to_async().model_lists())
        listed = {model.id for model in client.models() if model.provider == "groq"}

    groq, known = rows["groq"], {model.id for model in Groq.spec.models}
    assert (groq["source"], groq["trouble"]) == ("live", None)
    assert 0 <= groq["age"] < 60
    assert groq["models"] == len(listed) > 0
    assert set(groq["since_built_in"]["gone"]) == known - listed
    assert set(groq["since_built_in"]["new"]) == listed - known
    assert groq["since_fetched"] is None
    assert [row["since_built_in"] for row in in_async] == [
        row["since_built_in"] for row in rows.values()
    ]
    assert json.loads(json.dumps(in_async)) == in_async


def test_what_changed_since_the_list_in_the_cache_is_told(lab: Lab) -> None:
    """Also by another process than the one that fetched it."""
    files = CatalogFiles(cache_home())
    with FreeLLM(share=False) as client:
        client.refresh_models()
    path = files.path(f"groq {lab['groq'].base_url}")
    stored = json.loads(path.read_text())
    first, *others = stored["models"]
    gone = {**first, "id": "was-here", "tags": ["fast"]}
    longer = [{**one, "context": 77} for one in others]
    path.write_text(json.dumps({**stored, "models": [gone, *longer]}))
    with FreeLLM(share=False) as client:
        client.refresh_models()
        change = lists(client)["groq"]["since_fetched"]

    assert change["gone"] == ["was-here"]
    assert change["new"] == [first["id"]]
    assert change["lost_lead"] == "was-here"
    sizes = {one["id"]: [77, one["context"]] for one in others if one["context"] is not None}
    assert change["resized"] == sizes != {}


def cache_home() -> Path:
    from pathlib import Path

    return Path(os.environ["FREELM_CACHE_DIR"])


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("unauthorized", "key refused (401)"),
        ("html_200", "a web page came instead"),
        ("empty_body", "an empty answer"),
        ("error_in_200", "no model list came"),
        ("server_error", "server error (500)"),
        ("reset_before_headers", "connection broke"),
    ],
)
@pytest.mark.parametrize("is_cached", [True, False], ids=["cached", "never had"])
def test_a_list_that_cannot_be_had_is_told_and_the_next_best_serves(
    lab: Lab, fault: Any, why: str, is_cached: bool
) -> None:
    """The cache, else the built-in list; the call is answered, and health says why as well."""
    if is_cached:
        with FreeLLM(share=False) as client:
            client.models()
    lab["groq"].fail(fault, path="models", times=None)
    with FreeLLM(share=False) as client:
        client.refresh_models()
        groq, mistral = lists(client)["groq"], lists(client)["mistral"]
        health = {row["provider"]: row["list"] for row in client.health()}
        answer = client.chat("hello", model="groq/auto")

    assert groq["source"] == ("cache" if is_cached else "builtin")
    assert why in groq["trouble"]
    assert health["groq"]["trouble"] == groq["trouble"]
    assert (mistral["source"], mistral["trouble"]) == ("live", None)
    assert answer.provider == "groq"


def test_a_given_list_has_no_drift() -> None:
    """Nobody is asked for it."""
    endpoint = OpenAICompatible("acme", "http://127.0.0.1:9/v1", models=["owl"])
    with FreeLLM(providers=[endpoint], share=False) as client:
        client.refresh_models()
        (row,) = client.model_lists()

    assert (row["source"], row["models"], row["lead"]) == ("given", 1, "owl")
    assert row["since_built_in"] is row["since_fetched"] is None


def test_models_the_settings_rule_out_are_no_drift(lab: Lab) -> None:
    """What costs money is not new to who may not use it."""
    with FreeLLM(share=False, allow_training=False) as client:
        client.refresh_models()
        mistral = lists(client)["mistral"]

    assert (mistral["models"], mistral["lead"]) == (0, None)
    assert mistral["since_built_in"]["new"] == []


@pytest.mark.parametrize("fault", ["model_gone", "forbidden_model"])
@pytest.mark.parametrize("run", ["blocking", "asyncio"])
def test_a_model_that_was_refused_stays_out_past_the_next_refresh(
    lab: Lab, fault: Any, run: str
) -> None:
    """Although the list still names it: it is the pool that remembers."""
    providers = [Groq(lab["groq"].keys), Mistral(lab["mistral"].keys)]
    options: Any = {"providers": providers, "share": False, "strategy": "priority"}
    client = FreeLLM(**options) if run == "blocking" else AsyncFreeLLM(**options).to_sync()
    with client:
        client.refresh_models()
        lead = lists(client)["groq"]["lead"]
        lab["groq"].fail(fault, model=lead, times=None)
        answers = [ask(client, run) for _ in range(2)]
        asked = chats(lab, "groq", lead)
        client.refresh_models()
        answers += [ask(client, run) for _ in range(2)]
        listed = {model.id for model in client.models()}

    assert lead in listed
    assert all(answers)
    assert (asked, chats(lab, "groq", lead)) == (1, 1)


def ask(client: FreeLLM, run: str) -> str:
    if run == "blocking":
        return client.text("hello")
    return asyncio.run(client.to_async().text("hello"))


def test_a_model_taken_off_the_list_is_not_asked_any_more(lab: Lab) -> None:
    """Although it is built in."""
    lead = Groq.spec.models[0].id
    assert lead not in lab["mistral"].models
    elsewhere = Groq(lab["mistral"].keys, base_url=lab["mistral"].base_url)  # lists other models
    with FreeLLM(providers=[elsewhere], share=False) as client:
        client.refresh_models()
        row = lists(client)["groq"]
        with pytest.raises(ConfigError, match="no model is known"):
            client.text("hello", model=lead)

    assert row["source"] == "live"
    assert lead in row["since_built_in"]["gone"]
    assert row["since_built_in"]["lost_lead"] == lead
    assert chats(lab, "mistral", lead) == 0


def test_models_near_their_end_are_named_with_the_day() -> None:
    """Of those that are to be used; others end as well, but later."""
    models = [
        ModelSpec("owl", retires_on="2026-12-01"),
        ModelSpec("elk", retires_on="2027-12-01"),
        ModelSpec("fox", retires_on="2026-06-01"),
        ModelSpec("auk"),
    ]
    endpoint = OpenAICompatible("acme", "http://127.0.0.1:9/v1", models=models)
    catalog = Catalog(tuple(models), "given", math.inf)
    guards = SimpleNamespace(free_only=True, allow_training=True)
    row = drift_row(endpoint, catalog, guards, 1_795_348_800.0)  # 2026-11-22

    assert row["ending"] == {"owl": "2026-12-01", "fox": "2026-06-01"}
