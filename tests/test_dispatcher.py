"""What all clients over one configuration share: questions about a call, answered without one."""

from __future__ import annotations

import pytest

from freelm_integrations.chat import Request
from freelm_integrations.dispatcher import Dispatcher
from freelm_integrations.providers.provider import Groq, Mistral
from freelm_integrations.providers.spec import ModelSpec
from freelm_integrations.settings import Settings
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
