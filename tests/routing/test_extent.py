"""Models that tell no context: what they are taken to have room for, so that nothing is in vain."""

from __future__ import annotations

import pytest

from freelm_integrations import NIM, Groq, ModelSpec, OpenAICompatible
from freelm_integrations.chat import Request
from freelm_integrations.pool.pool import Pool
from freelm_integrations.routing.candidates import Router
from freelm_integrations.routing.extent import BEYOND_ANY, USUAL, Extent, extent_of, families_of
from freelm_integrations.settings import Settings
from tests.fakes import FakeClock


@pytest.mark.parametrize(
    ("model", "extent"),
    [
        (ModelSpec("acme/owl-30b", family="owl-30b"), Extent(40_000, is_known=True)),
        (ModelSpec("acme/OWL-30B", family="OWL-30b"), Extent(40_000, is_known=True)),
        (ModelSpec("meta/llama-3.1-8b-instruct"), Extent(131_072, is_known=True)),
        (ModelSpec("meta/llama3-70b-instruct"), Extent(8_192, is_known=True)),
        (ModelSpec("google/gemma-2-27b-it"), Extent(8_192, is_known=True)),
        (ModelSpec("google/gemma-4-31b-it"), Extent(262_144, is_known=True)),
        (ModelSpec("mistralai/mixtral-8x7b-instruct"), Extent(32_768, is_known=True)),
        (ModelSpec("acme/elk-70b", family="elk-70b"), Extent(USUAL, is_known=False)),
    ],
)
def test_family_then_generation_then_what_is_usual(model: ModelSpec, extent: Extent) -> None:
    """The first that knows tells."""
    told = {
        Groq("gsk_x"): (ModelSpec("owl-30b", family="owl-30b", context=40_000),),
        NIM("nvapi-x"): (ModelSpec("acme/owl-30b:s", family="owl-30b", context=8_000), model),
    }

    assert extent_of(model, families_of(told)) == extent


def asked(prompt_tokens: int, *models: ModelSpec) -> tuple[list[str], list[str]]:
    """Who is a candidate for a prompt of at least so many tokens, and why others are left out."""
    provider = OpenAICompatible("acme", "https://acme.example/v1", "secret", models=models)
    clock = FakeClock()
    router = Router(Pool(clock), Settings.from_options(providers=[provider]))
    words = "x" * int(prompt_tokens * 4 * 1.25 + 8)
    request = Request(messages=({"role": "user", "content": words},), wanted=("auto",))
    found = router.candidates(request, {provider: models})
    ids = [view.route.model.id for view in found.views(clock.now())]
    return ids, [why for *_, why in found.left_out()]


UNTOLD = ModelSpec("elk-70b")
OLD = ModelSpec("gemma-2-9b-it")
LONG = ModelSpec("owl-30b", context=1_000_000)


@pytest.mark.parametrize(
    ("tokens", "models", "ids"),
    [
        (5_000, (UNTOLD, OLD), ["elk-70b", "gemma-2-9b-it"]),
        (9_000, (UNTOLD, OLD), ["elk-70b"]),
        (9_000, (OLD,), []),
        (USUAL + 1000, (UNTOLD, LONG), ["owl-30b"]),
        (USUAL + 1000, (UNTOLD,), ["elk-70b"]),
        (BEYOND_ANY + 1000, (UNTOLD,), []),
    ],
)
def test_a_long_prompt_goes_where_there_is_room(
    tokens: int, models: tuple[ModelSpec, ...], ids: list[str]
) -> None:
    """What is only usual is asked where nothing else is left, but not with anything."""
    candidates, reasons = asked(tokens, *models)

    assert candidates == ids
    assert all("is too short for about" in why for why in reasons)
