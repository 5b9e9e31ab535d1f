"""One rule says which models a name stands for, and ranks bring every provider's best before any second."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.errors import ConfigError
from freelm_integrations.routing.catalog import matches, resolve
from tests.pool.making import ModelSpec, provider

OSS = "gpt-oss-120b"
GROQ = provider(
    "groq-like",
    models=(
        ModelSpec("openai/gpt-oss-120b", tags=("large", "reasoning", "tools"), family=OSS),
        ModelSpec("lightning-8b", tags=("fast", "tools")),
        ModelSpec("plain-30b"),
    ),
)
ROUTER = provider(
    "router-like",
    models=(
        ModelSpec("openai/gpt-oss-120b:free", tags=("reasoning", "tools"), family=OSS),
        ModelSpec("groq-like/plain", tags=("vision",)),
    ),
)
SOLO = provider("solo", models=(ModelSpec("fast", tags=("slow",)),))
EVERYONE = {who: who.models for who in (GROQ, ROUTER, SOLO)}


def ids(ranks):
    return [[model.id for _, model in rank] for rank in ranks]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # 1. an exact id, even if it looks like something else
        ("plain-30b", {"groq-like": ["plain-30b"]}),
        ("PLAIN-30B", {"groq-like": ["plain-30b"]}),
        ("  plain-30b ", {"groq-like": ["plain-30b"]}),
        ("openai/gpt-oss-120b", {"groq-like": ["openai/gpt-oss-120b"]}),
        ("openai/gpt-oss-120b:free", {"router-like": ["openai/gpt-oss-120b:free"]}),
        ("groq-like/plain", {"router-like": ["groq-like/plain"]}),
        ("fast", {"solo": ["fast"]}),
        # 2. an alias
        (
            "auto",
            {
                "groq-like": ["lightning-8b", "plain-30b", "openai/gpt-oss-120b"],
                "router-like": ["groq-like/plain", "openai/gpt-oss-120b:free"],
                "solo": ["fast"],
            },
        ),
        ("chat:fast", {"groq-like": ["lightning-8b"]}),
        ("auto:vision", {"router-like": ["groq-like/plain"]}),
        ("chat:tools+large", {"groq-like": ["openai/gpt-oss-120b"]}),
        # 3. a family, under whatever id
        (
            OSS,
            {"groq-like": ["openai/gpt-oss-120b"], "router-like": ["openai/gpt-oss-120b:free"]},
        ),
        # 4. a tag
        ("vision", {"router-like": ["groq-like/plain"]}),
        (
            "tools",
            {
                "groq-like": ["lightning-8b", "openai/gpt-oss-120b"],
                "router-like": ["openai/gpt-oss-120b:free"],
            },
        ),
        # 5. the same within one provider
        ("groq-like/plain-30b", {"groq-like": ["plain-30b"]}),
        ("groq-like:openai/gpt-oss-120b", {"groq-like": ["openai/gpt-oss-120b"]}),
        ("Router-Like/gpt-oss-120b", {"router-like": ["openai/gpt-oss-120b:free"]}),
        ("router-like/vision", {"router-like": ["groq-like/plain"]}),
        ("solo/auto", {"solo": ["fast"]}),
        ("groq-like:chat:fast", {"groq-like": ["lightning-8b"]}),
    ],
)
def test_a_name_stands_for_models(name, expected):
    """The first rule that matches anything decides, and matches wherever it holds."""
    found = matches(name, EVERYONE)

    assert {who.name: [model.id for model in models] for who, models in found.items()} == expected


@pytest.mark.parametrize(
    ("name", "hints"),
    [
        ("gpt-oss-12b", [OSS]),
        ("lightning", ["lightning-8b"]),
        ("auto ", None),
        ("chat:fsat", ["chat:fast"]),
        ("chat:", ["chat"]),
        ("groq-like/vision", []),
        ("solo/", []),
        ("", ["try 'auto'"]),
        ("ünknown 模型", ["try 'auto'"]),
    ],
)
def test_a_name_for_nothing_is_a_config_error_with_the_nearest(name, hints):
    """It shows what was asked, and what would have worked."""
    if hints is None:
        assert matches(name, EVERYONE)
        return
    with pytest.raises(ConfigError) as caught:
        matches(name, EVERYONE)

    assert repr(name) in str(caught.value)
    assert all(hint in str(caught.value) for hint in hints)


@given(st.text(max_size=40))
def test_no_name_does_anything_else(name):
    """Models or a ConfigError, whatever the text."""
    try:
        found = matches(name, EVERYONE)
    except ConfigError:
        return
    assert found
    assert all(found.values())


def test_every_providers_best_comes_before_any_second():
    """Ranks are as wide as there are providers left."""
    assert ids(resolve(("auto",), EVERYONE)) == [
        ["lightning-8b", "groq-like/plain", "fast"],
        ["plain-30b", "openai/gpt-oss-120b:free"],
        ["openai/gpt-oss-120b"],
    ]


FAST = provider("fast-one", models=(ModelSpec(OSS, family=OSS), ModelSpec("x-it", family="x")))
OPEN = provider("open", models=(ModelSpec("v/x-it:free", family="x"), ModelSpec("x-2", family="x")))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # an id that is just the family's name asks for nobody in particular
        (OSS, [["openai/gpt-oss-120b", "openai/gpt-oss-120b:free", OSS]]),
        # a bare id of a family leads it
        ("X-it", [["x-it"], ["v/x-it:free"], ["x-2"]]),
        ("x-2", [["x-2"], ["x-it", "v/x-it:free"]]),
        # with its vendor or its provider it is that one alone
        ("v/x-it:free", [["v/x-it:free"]]),
        ("openai/gpt-oss-120b", [["openai/gpt-oss-120b"]]),
        ("fast-one/gpt-oss-120b", [[OSS]]),
        ("fast-one:x-it", [["x-it"]]),
        ("open/x-2", [["x-2"]]),
        # and where that provider has it under another id only, its family
        ("groq-like/gpt-oss-120b", [["openai/gpt-oss-120b"]]),
    ],
)
def test_a_bare_id_stands_for_its_family_and_leads_it(name, expected):
    """One provider's id must not hide the same weights elsewhere."""
    everyone = {who: who.models for who in (GROQ, ROUTER, FAST, OPEN)}

    assert ids(resolve((name,), everyone)) == expected


def test_a_wrong_name_gets_three_suggestions_at_most():
    """More would be a list to search."""
    crowd = provider("crowd", models=tuple(f"gemma-{size}b" for size in range(1, 9)))
    with pytest.raises(ConfigError) as caught:
        matches("gema-1b", {crowd: crowd.models})

    assert str(caught.value).count("'gemma-") == 3


def test_a_fallback_list_is_tried_in_its_own_order_without_repeats():
    """All of the first name, then what the second adds."""
    assert ids(resolve((OSS, "vision", "auto"), EVERYONE)) == [
        ["openai/gpt-oss-120b", "openai/gpt-oss-120b:free"],
        ["groq-like/plain"],
        ["lightning-8b", "fast"],
        ["plain-30b"],
    ]


def test_a_fallback_list_with_a_wrong_name_is_refused_whole():
    """A typo must not be found out on the day the first name fails."""
    with pytest.raises(ConfigError, match="nope"):
        resolve(("auto", "nope"), EVERYONE)


def test_a_last_resort_comes_after_all_models_of_the_others():
    """Not merely last within a rank."""
    last = provider("last", models=("tiny",), priority=100)
    first = provider("first", models=("one", "two"), priority=-1)
    catalogs = {last: last.models, SOLO: SOLO.models, first: first.models}

    assert ids(resolve(("auto",), catalogs)) == [["one"], ["two"], ["fast"], ["tiny"]]


@pytest.mark.parametrize(
    ("prefer", "expected"),
    [
        ((), ["lightning-8b", "plain-30b", "openai/gpt-oss-120b"]),
        (("plain-30b",), ["plain-30b", "lightning-8b", "openai/gpt-oss-120b"]),
        ((OSS, "fast"), ["openai/gpt-oss-120b", "lightning-8b", "plain-30b"]),
        (("LARGE",), ["openai/gpt-oss-120b", "lightning-8b", "plain-30b"]),
        (("not there",), ["lightning-8b", "plain-30b", "openai/gpt-oss-120b"]),
    ],
)
def test_what_a_user_prefers_leads(prefer, expected):
    """By id, family or tag; the rest keeps its order: fast, plain, then thinking."""
    one = provider("one", models=GROQ.models, prefer=prefer)

    assert [rank[0] for rank in ids(resolve(("auto",), {one: one.models}))] == expected


def test_while_no_model_is_known_nothing_is_wrong_with_a_name():
    """A dead model list is an outage, not a typo."""
    assert resolve(("anything",), {SOLO: ()}) == ()


def test_two_providers_of_one_kind_are_both_meant_by_its_name():
    """The same name at two addresses, or with two sets of options."""
    twin = provider("solo", models=("other",))
    found = matches("solo/auto", {SOLO: SOLO.models, twin: twin.models})

    assert set(found) == {SOLO, twin}


def test_an_alias_of_a_model_is_its_id():
    """Whichever of its ids is asked for, the model is the same one; a wrong name may suggest it."""
    owl = ModelSpec("owl-latest", family="owl", aliases=("owl-2512",))
    one = provider("one", models=(owl, ModelSpec("elk")))
    catalogs = {one: one.models}

    for name in ("OWL-2512", "one/owl-2512", "owl-latest"):
        assert [model.id for rank in resolve((name,), catalogs) for _, model in rank] == [
            "owl-latest"
        ]
    with pytest.raises(ConfigError, match="owl-2512"):
        resolve(("owl-2513",), catalogs)
