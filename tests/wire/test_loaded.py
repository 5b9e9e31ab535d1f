"""What local servers tell beside their lists: the context that is really there, and abilities."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.wire.catalogs import ListedModel
from freelm_integrations.wire.loaded import detailed, parse_details

PROPS: dict[str, Any] = {
    "default_generation_settings": {"params": {"seed": 1}, "n_ctx": 8192},
    "total_slots": 4,
    "modalities": {"vision": True, "audio": False},
    "chat_template_caps": {"supports_tools": True},
}
SHOW: dict[str, Any] = {
    "parameters": 'stop                           "<|im_end|>"\nnum_ctx                        16384',
    "model_info": {"general.architecture": "owl", "owl.context_length": 40960},
    "capabilities": ["completion", "tools", "thinking", "vision"],
}
PS: dict[str, Any] = {
    "models": [{"name": "owl:7b", "model": "owl:7b", "size": 5, "context_length": 4096}]
}
STUDIO: dict[str, Any] = {
    "object": "list",
    "data": [
        {
            "id": "owl-vl-7b",
            "type": "vlm",
            "state": "loaded",
            "max_context_length": 131072,
            "loaded_context_length": 4096,
            "capabilities": ["tool_use"],
        },
        {"id": "elk-70b", "type": "llm", "state": "not-loaded", "max_context_length": 32768},
        {"id": "text-embedding-owl", "type": "embeddings", "max_context_length": 2048},
    ],
}


def told(page: object, model: str = "") -> tuple[ListedModel, ...]:
    return parse_details(json.dumps(page).encode(), model)


def changed(page: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {**page, **fields}


@pytest.mark.parametrize(
    ("page", "contexts"),
    [
        (PROPS, {"": 8192}),
        (changed(PROPS, default_generation_settings={"n_ctx": 0}), {"": None}),
        (changed(PROPS, default_generation_settings={}), {"": None}),
        (PS, {"owl:7b": 4096}),
        ({"models": [{"name": "owl:7b"}]}, {"owl:7b": None}),
        ({"models": None}, {}),
        (STUDIO, {"owl-vl-7b": 4096, "elk-70b": 32768, "text-embedding-owl": 2048}),
        ({"error": "no such page"}, {}),
    ],
)
def test_a_page_tells_sizes(page: object, contexts: dict[str, int | None]) -> None:
    """Of one model, of all, or of none."""
    assert {model.id: model.context for model in told(page)} == contexts


@pytest.mark.parametrize(
    ("parameters", "length", "context"),
    [
        ("num_ctx 8192", 40960, 8192),
        ('num_ctx                        8192\nstop "num_ctx 5"', 40960, 8192),
        ("temperature 1", 40960, 40960),
        ("num_ctx 99999", 40960, 40960),
        ("num_ctx 8192", None, 8192),
        ("", None, None),
        (None, -1, None),
    ],
)
def test_ollama_has_what_is_loaded_and_not_what_could_be(
    parameters: str | None, length: int | None, context: int | None
) -> None:
    """Whatever the architecture is called."""
    page = changed(SHOW, parameters=parameters, model_info={"owl3vl.context_length": length})

    assert [model.context for model in told(page, "owl")] == [context]


def test_abilities_are_told_in_one_vocabulary() -> None:
    """What sees, calls tools and thinks."""
    (props,), (show,), studio = told(PROPS), told(SHOW, "owl"), told(STUDIO)

    assert (props.input_modalities, props.features) == (("text", "image"), ("completion", "tools"))
    assert (show.features, show.chat) == (("completion", "tools", "reasoning", "vision"), True)
    assert [model.chat for model in studio] == [True, True, False]
    assert studio[0].input_modalities == ("text", "image")
    assert told({"capabilities": ["embedding"]}, "owl")[0].chat is False


def test_of_all_that_is_told_of_a_size_the_least_is_true() -> None:
    """What was loaded is no more than what was trained."""
    listed = [ListedModel(id="owl:7b", context=131072), ListedModel(id="elk")]
    rows = detailed(listed, [*told(PS), *told(SHOW, "owl:7b"), *told(SHOW, "gone")])

    assert [(row.id, row.context) for row in rows] == [("owl:7b", 4096), ("elk", None)]
    assert [row.context for row in detailed(listed, told(PROPS))] == [8192, 8192]


def test_without_details_a_list_stays_as_it_is() -> None:
    """To the last field."""
    listed = (ListedModel(id="owl", features=("tools",), chat=True, free=True),)

    assert detailed(listed, ()) == listed


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("data", "models", "id", "name", "capabilities", "model_info", "parameters"),
                    *("x.context_length", "default_generation_settings", "n_ctx", "modalities"),
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


@given(anything)
def test_whatever_a_page_holds_it_is_read_without_a_word(page: object) -> None:
    """And sizes are above zero."""
    assert all(model.context is None or model.context > 0 for model in told(page, "owl"))


@given(st.binary(max_size=60))
def test_nor_do_bytes_break_it(data: bytes) -> None:
    """They may be anything."""
    assert isinstance(parse_details(data), tuple)
