"""What a model, or a pool of them, is said to be able to do."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from freelm_integrations import Groq, ModelSpec
from freelm_integrations.langchain import ChatFreeLLM
from freelm_integrations.langchain.profile import found_in

SEES = ModelSpec("sees", tags=("tools", "vision", "json_schema"), context=8_000, output=1_000)
BLIND = ModelSpec("blind", tags=("tools", "json_schema"), context=32_000, output=500)
PLAIN = ModelSpec("plain", tags=("fast",), context=4_000)
UNKNOWN = ModelSpec("unknown")


@pytest.mark.parametrize(
    ("models", "profile"),
    [
        (
            [SEES],
            {
                "max_input_tokens": 8_000,
                "max_output_tokens": 1_000,
                "tool_calling": True,
                "image_inputs": True,
                "structured_output": True,
            },
        ),
        (
            [SEES, BLIND],
            {
                "max_input_tokens": 8_000,
                "max_output_tokens": 500,
                "tool_calling": True,
                "image_inputs": False,
                "structured_output": True,
            },
        ),
        (
            [SEES, PLAIN],
            {
                "max_input_tokens": 4_000,
                "max_output_tokens": 1_000,
                "tool_calling": True,
                "image_inputs": False,
                "structured_output": False,
            },
        ),
        ([PLAIN], {"max_input_tokens": 4_000, "tool_calling": False}),
        ([UNKNOWN], {"tool_calling": True}),
        ([], {"tool_calling": True}),
    ],
    ids=lambda value: "+".join(one.id for one in value) if isinstance(value, list) else "",
)
def test_a_pool_is_said_to_do_what_all_of_it_can(models: Any, profile: dict[str, Any]) -> None:
    """And what nobody tells of is not said; tools are: requests with tools go to who calls them."""
    found: dict[str, Any] = {**found_in(models)}

    assert {name: found[name] for name in profile} == profile
    assert set(found) - set(profile) <= {"tool_choice", "tool_call_streaming", "image_url_inputs"}


def pooled(**more: Any) -> ChatFreeLLM:
    return ChatFreeLLM(providers=[Groq("gsk_x", models=[SEES, PLAIN])], **more)


def test_a_model_that_is_named_has_its_own_profile() -> None:
    """Also within a pool that can less."""
    assert pooled(model="sees").profile["image_inputs"]
    assert not pooled().profile["image_inputs"]
    assert not pooled(model=["sees", "plain"]).profile["structured_output"]


def test_a_name_of_nobody_has_no_profile_and_raises_nothing() -> None:
    """The first call says it better."""
    assert pooled(model="nobody").profile.get("max_input_tokens") is None


def test_a_profile_given_is_kept() -> None:
    """Whoever knows better may say so."""
    assert pooled(profile={"max_input_tokens": 7}).profile == {"max_input_tokens": 7}


def test_copies_keep_the_profile_and_pickles_what_is_known_of_it() -> None:
    """It holds the clients, which no pickle does."""
    llm = pooled()
    window = llm.profile["max_input_tokens"]

    assert copy.deepcopy(llm).profile is llm.profile
    assert pickle.loads(pickle.dumps(llm.profile))["max_input_tokens"] == window
