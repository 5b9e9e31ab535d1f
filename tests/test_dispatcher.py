"""What all clients over one configuration share: questions about a call, answered without one."""

from __future__ import annotations

import warnings
from dataclasses import replace

import pytest

from freelm_integrations.chat import Request
from freelm_integrations.dispatcher import Dispatcher
from freelm_integrations.errors import MissingKey
from freelm_integrations.providers.provider import Groq, Local, Mistral
from freelm_integrations.providers.spec import ModelSpec
from freelm_integrations.settings import Settings
from freelm_integrations.wire.faults import Fault
from freelm_integrations.wire.requests.abilities import TOOLS
from tests.fakes import FakeClock

ASKED = Request(messages=({"role": "user", "content": "hello"},))


def dispatcher(*providers, **options) -> Dispatcher:
    return Dispatcher(
        Settings.from_options(providers=list(providers), share=False, **options), FakeClock()
    )


def groq(*models):
    return Groq("gsk_made_up_for_tests", models=list(models))


def mistral(*models):
    return Mistral("made_up_for_tests", models=list(models))


def test_asking_what_a_call_would_do_does_not_change_what_it_does():
    """A rotation moves on with calls, not with questions."""
    one = dispatcher(groq("a"), mistral("b"), strategy="round_robin")

    def explained() -> list[str]:
        return [row["provider"] for row in one.explain(ASKED).candidates]

    assert explained() == explained() == ["groq", "mistral"]
    one.flight(ASKED, None)
    assert explained() == explained() == ["mistral", "groq"]


def test_what_a_model_was_found_to_lack_is_told_where_it_is_needed():
    """Such models come last, as they do in a call; other requests know nothing of it."""
    provider = groq("a", "b")
    one = dispatcher(provider, strategy="priority")
    tool = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
    needy = replace(ASKED, tools=(tool,))
    one.pool.learn_refused(one.pool.route(provider, provider.keys[0], provider.models[0]), TOOLS)

    rows = one.explain(needy).candidates

    assert [(row["model"], row["reservation"]) for row in rows] == [
        ("b", None),
        ("a", "turned out not to call tools"),
    ]
    assert "put last as it turned out not to call tools" in str(one.explain(needy))
    assert [row["reservation"] for row in one.explain(ASKED).candidates] == [None, None]


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ({}, ["gratis", "other"]),
        ({"free_only": False}, ["gratis", "costly", "other"]),
        ({"allow_training": False}, ["gratis"]),
        ({"allow_training": False, "free_only": False}, ["gratis", "costly"]),
    ],
)
def test_only_models_that_may_be_called_are_listed(options, ids):
    """What the settings refuse is no choice: Mistral may train on prompts, and one costs money."""
    one = dispatcher(groq("gratis", ModelSpec("costly", free=False)), mistral("other"), **options)

    assert [model.id for model in one.models()] == ids


def local():
    return Local("http://localhost:11434/v1", models=["owl"])


def test_a_local_model_that_stands_in_says_so_once_in_one_line():
    """With where to look: the list of all keys belongs to the error of who has nothing at all."""
    one = Dispatcher(
        Settings(providers=(local(),), is_local_stand_in=True, share=False), FakeClock()
    )
    with pytest.warns(UserWarning, match="the local model answers") as caught:
        one.flight(ASKED, None)

    assert len(caught) == 1
    assert "freellm doctor" in str(caught[0].message)
    assert "\n" not in str(caught[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one.flight(ASKED, None)


def test_without_anything_to_ask_the_error_lists_every_key():
    """What to set, and where it is had."""
    one = Dispatcher(Settings(providers=(), share=False), FakeClock())
    with pytest.raises(MissingKey) as caught:
        one.flight(ASKED, None)

    assert "GROQ_API_KEY" in str(caught.value)
    assert "https://console.groq.com/keys" in str(caught.value)


def test_a_provider_without_keys_has_a_row_in_health_all_the_same():
    """Asked or not, and told apart from one that lost its key."""
    one = dispatcher(groq("a"), local())
    rows = {row["provider"]: row for row in one.health()}

    assert list(rows) == ["groq", "local"]
    assert rows["local"]["fingerprint"] == "keyless"
    assert rows["local"]["state"] == "ready"
    assert str(one.explain(ASKED)).endswith("2. local owl (keyless)")


def test_providers_of_one_name_are_told_apart_by_where_they_are():
    """Two local servers look alike otherwise; one alone goes by its name, and so do named ones."""

    def shown(*servers):
        rows = dispatcher(groq("a"), *servers).health()
        return [row["provider"] for row in rows]

    first, second = (Local(f"http://localhost:{port}/v1", models=["m"]) for port in (1, 2))
    named = Local("http://localhost:3/v1", models=["m"], name="studio")

    assert shown(first) == ["groq", "local"]
    assert shown(first, named) == ["groq", "local", "studio"]
    assert shown(first, second) == ["groq", "local@localhost:1/v1", "local@localhost:2/v1"]


def test_an_explanation_says_in_words_why_a_route_rests():
    """And what a person has to do about a key that is refused."""
    one = dispatcher(groq("a"))
    flight = one.flight(ASKED, None)
    (route,) = (view.route for view in flight._itinerary.candidates.views(one.clock.now()))
    flight.close()
    lease = one.pool.lease(route, one.clock.now())
    one.pool.settle(lease, Fault(kind="unauthorized"), one.clock.now())

    assert "key refused: needs a new key, out until a person acts" in str(one.explain(ASKED))
