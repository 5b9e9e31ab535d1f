"""Live lists in the light of what is declared: who chats, in which order, and what a name tells."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.providers import PROVIDERS
from freelm_integrations.providers.listing import family_of, folded, models_from, restored
from freelm_integrations.providers.spec import Limit, ModelSpec, ProviderSpec
from freelm_integrations.wire.catalogs import ListedModel, parse_models
from freelm_integrations.wire.openai import ChatCompletions
from tests.wire.refusals import SAMPLES

OWL = ModelSpec("owl", tags=("fast",), context=8000, output=1000, limits=(Limit(5),))
ELK = ModelSpec("elk", tags=("large",))
SPEC = ProviderSpec(
    name="acme",
    title="Acme",
    base_url="https://acme.example/v1",
    key_page="",
    key_variables=(),
    dialect=ChatCompletions(),
    models=(OWL, ELK),
    chat_exclude=("embed", "tts"),
)


def row(model_id: str, **facts: object) -> ListedModel:
    return ListedModel(id=model_id, **facts)  # type: ignore[arg-type]


def ids(*rows: ListedModel, spec: ProviderSpec = SPEC) -> list[str]:
    return [model.id for model in models_from(spec, rows)]


def only(listed: ListedModel, spec: ProviderSpec = SPEC) -> ModelSpec:
    (model,) = models_from(spec, [listed])
    return model


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (["elk", "owl"], ["owl", "elk"]),
        (["new", "elk", "owl"], ["owl", "elk", "new"]),
        (["elk"], ["elk"]),
        (["new"], ["new"]),
        ([], []),
        (["z-think", "b", "a-mini", "z-mini-think"], ["a-mini", "b", "z-mini-think", "z-think"]),
        (["b", "a"], ["b", "a"]),
        (["owl", "owl", "b", "b"], ["owl", "b"]),
    ],
)
def test_declared_models_lead_and_thinkers_come_last(
    listed: list[str], expected: list[str]
) -> None:
    """Those that are not listed any more are gone; the unknown ones follow, plain and fast first."""
    assert ids(*map(row, listed)) == expected


@pytest.mark.parametrize(
    ("listed", "chats"),
    [
        (row("new"), True),
        (row("new", chat=True), True),
        (row("new", chat=False), False),
        (row("new", deprecated=True), False),
        (row("new", deprecated=False), True),
        (row("new", retires_on="2020-01-01"), True),
        (row("text-embed-3"), False),
        (row("Text-Embed-3"), False),
        (row("new-tts"), False),
        (row("owl", deprecated=True), False),
        (row("owl", chat=False), False),
    ],
)
def test_what_does_not_chat_is_left_out(listed: ListedModel, chats: bool) -> None:
    """On the list's word, or else on the name's."""
    assert bool(ids(listed)) == chats


def test_where_a_provider_says_what_chats_nothing_else_does() -> None:
    """By the beginnings of its names."""
    spec = replace(SPEC, chat_include=("gem",))

    assert ids(row("gem-1"), row("Gem-2"), row("veo-gem"), row("gem-embed"), spec=spec) == [
        "gem-1",
        "Gem-2",
    ]


@pytest.mark.parametrize(
    ("listed", "context", "output"),
    [
        (row("owl"), 8000, 1000),
        (row("owl", context=4000), 4000, 1000),
        (row("owl", context=16_000, output=2000), 16_000, 2000),
    ],
)
def test_the_list_knows_a_models_size_better(
    listed: ListedModel, context: int, output: int
) -> None:
    """Whatever else is declared stays."""
    assert only(listed) == replace(OWL, context=context, output=output)


def test_a_declared_model_that_is_confirmed_is_the_same_object() -> None:
    """Plans that were made for it hold."""
    assert only(row("owl", context=8000)) is OWL


TAGS: dict[str, str] = {
    "gemini-2.5-flash": "fast tools vision audio",
    "gemini-2.5-flash-lite": "fast tools vision audio",
    "gemini-2.5-pro": "large tools vision audio",
    "gemini-exp": "tools vision audio",
    "llama-3.1-8b-instant": "fast small tools",
    "llama-3.3-70b-versatile": "large tools",
    "meta/llama-3.1-405b-instruct": "large tools",
    "mistral-small-latest": "fast tools",
    "mistral-large-latest": "large tools",
    "ministral-3b-latest": "fast small tools",
    "openai/gpt-oss-120b": "large tools reasoning",
    "openai/gpt-oss-20b": "fast tools reasoning",
    "gpt-4o-mini": "fast tools",
    "minimax/minimax-m2": "tools reasoning",
    "qwen/qwen2.5-vl-72b-instruct": "large tools vision",
    "deepseek/deepseek-r1:free": "tools reasoning",
    "deepseek-r1-distill-llama-70b": "large tools reasoning",
    "qwen3-235b-a22b-thinking-2507": "large tools reasoning",
    "qwen2.5:0.5b": "fast small tools",
    "llama3.2:3b": "fast small tools",
    "llama3.3:70b": "large tools",
    "smollm2-1.7b": "fast small tools",
    "gemma-3-27b-it": "fast tools vision",
    "elite-writer": "tools",
    "smaller-is-better": "tools",
}


@pytest.mark.parametrize(("name", "tags"), TAGS.items())
def test_a_name_tells_what_the_list_does_not(name: str, tags: str) -> None:
    """By its own words, not by parts of others: no Gemini is a mini."""
    assert only(row(name)).tags == tuple(tags.split())


@pytest.mark.parametrize(
    ("listed", "tag", "holds"),
    [
        (row("new"), "tools", True),
        (row("new", features=("tools",)), "tools", True),
        (row("new", features=("temperature",)), "tools", False),
        (row("new", input_modalities=("text", "image")), "vision", True),
        (row("new", features=("reasoning",)), "reasoning", True),
        (row("new", features=("structured_outputs",)), "json_schema", True),
        (row("new"), "json_schema", False),
    ],
)
def test_what_the_list_says_counts(listed: ListedModel, tag: str, holds: bool) -> None:
    """Tools are only denied by a list that tells of features at all."""
    assert (tag in only(listed).tags) == holds


@pytest.mark.parametrize(
    ("model_id", "free", "expected"),
    [
        ("owl:free", None, True),
        ("owl2", None, False),
        ("owl2", True, True),
        ("owl2", False, False),
        ("owl2:free", False, False),
    ],
)
def test_where_some_cost_money_the_list_or_the_name_tells(
    model_id: str, free: bool | None, expected: bool
) -> None:
    """Not to know is to take it for a paid one."""
    spec = replace(SPEC, free_suffix=":free")

    assert only(row(model_id, free=free), spec).free is expected


def test_where_none_costs_money_prices_do_not_matter() -> None:
    """They are what it would cost beyond the free tier."""
    assert only(row("new", free=False)).free is True


FAMILIES = {
    "llama-3.3-70b": [
        "llama-3.3-70b",
        "llama-3.3-70b-versatile",
        "meta-llama/llama-3.3-70b-instruct:free",
        "meta/llama-3.3-70b-instruct",
        "Llama-3.3-70B-Instruct",
    ],
    "gpt-oss-120b": ["gpt-oss-120b", "openai/gpt-oss-120b", "openai/gpt-oss-120b:free"],
    "gemma-3-27b": ["gemma-3-27b-it", "google/gemma-3-27b-it:free"],
    "mistral-small": ["mistral-small-latest", "mistral-small-2506"],
    "qwen2.5-7b": ["qwen2.5:7b", "qwen2.5:7b-instruct"],
    "qwen2.5-72b": ["qwen2.5:72b"],
    "llama3.2": ["llama3.2:latest", "llama3.2"],
}


@pytest.mark.parametrize(
    ("model_id", "family"),
    [(model_id, family) for family, members in FAMILIES.items() for model_id in members],
)
def test_one_family_is_the_same_weights_everywhere(model_id: str, family: str) -> None:
    """Under any vendor, variant or instruct suffix; another size is another family."""
    assert family_of(model_id) == family


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_declared_model_passes_its_own_providers_rules(name: str) -> None:
    """What is built in would otherwise be dropped by the first live list."""
    spec = PROVIDERS[name]
    listed = [row(model.id) for model in spec.models]

    assert models_from(spec, listed) == spec.models


def test_limits_come_from_the_declaration() -> None:
    """A model that is not declared has none of its own."""
    stored = [replace(OWL, limits=None, context=5), ModelSpec("new", limits=(Limit(1),))]

    assert restored(SPEC, stored) == (replace(OWL, context=5), ModelSpec("new"))


@given(st.lists(st.builds(ListedModel, id=st.text(min_size=1)), max_size=8))
def test_any_list_gives_each_of_its_models_once(listed: list[ListedModel]) -> None:
    """And a second look gives the same."""
    models = models_from(SPEC, listed)
    names = [model.id for model in models]

    assert len(set(names)) == len(names)
    assert set(names) <= {one.id for one in listed}
    assert models_from(SPEC, listed) == models
    assert all(family_of(name) == family_of(name).lower() for name in names)


@pytest.mark.parametrize(
    ("name", "listed", "free"),
    [
        ("cloudflare", "@cf/moonshotai/kimi-k2.7-code", False),
        ("cloudflare", "@cf/zai-org/glm-5.2", False),
        ("cloudflare", "@cf/zai-org/glm-4.7-flash", True),
        ("google", "gemini-9.9-pro-preview", False),
        ("google", "gemini-pro-latest", False),
        ("google", "gemini-9.9-flash", True),
        ("mistral", "mistral-large-2612", False),
        ("mistral", "mistral-small-2612", True),
    ],
)
def test_what_a_list_does_not_price_is_known_by_its_name(name, listed, free):
    """Listed is not the same as free: these are refused on a free key, or paid for."""
    (model,) = models_from(PROVIDERS[name], [ListedModel(id=listed)])

    assert model.free is free


def listing(*rows):
    """The models that a list of OpenRouter's makes known, by id."""
    spec = replace(
        SPEC,
        models=(
            ModelSpec("owl", tags=("fast", "tools", "vision"), context=10),
            ModelSpec("elk", tags=("large",)),
        ),
    )
    return {model.id: model for model in models_from(spec, [ListedModel(**row) for row in rows])}


def test_a_list_is_newer_than_what_is_declared():
    """It gives skills and takes them away, where it tells of them at all."""
    models = listing(
        {"id": "owl", "features": ("reasoning",), "input_modalities": ("text",)},
        {"id": "elk", "features": ("tools", "structured_outputs"), "context": 99},
    )

    assert models["owl"].tags == ("fast",)
    assert models["elk"].tags == ("large", "tools", "json_schema")
    assert (models["owl"].context, models["elk"].context) == (10, 99)


def test_a_list_that_never_speaks_of_a_skill_denies_it_to_nobody():
    """Groq's tells tools and thinking, but no schemas."""
    models = listing({"id": "owl", "features": ("json_mode",)}, {"id": "elk"})

    assert models["owl"].tags == ("fast", "tools", "vision")


def test_what_a_model_takes_beside_text_is_known_by_its_list():
    """Sound, files and films as well as images."""
    seen = ("text", "image", "audio", "file", "video")

    assert listing({"id": "new", "input_modalities": seen})["new"].tags == (
        *("tools", "vision", "audio", "files", "video"),
    )


def test_a_model_that_chooses_its_tools_by_itself_is_known_by_its_list():
    """Where the choice of tools is named for others and not for it."""
    models = listing(
        {"id": "owl", "features": ("tools", "tool_choice")}, {"id": "elk", "features": ("tools",)}
    )

    assert [models[name].lacks for name in ("owl", "elk")] == [(), ("forced_tool",)]
    assert listing({"id": "elk", "features": ("tools",)})["elk"].lacks == ()


LISTED_SKILLS = ("tools", "tool_choice", "response_format", "structured_outputs")


@pytest.mark.parametrize(
    ("listed", "lacks"),
    [
        (row("new", features=LISTED_SKILLS), ()),
        (row("new"), ()),
        (row("new", features=("tools", "tool_choice", "response_format")), ("json_schema",)),
        (
            row("new", features=("tools",)),
            ("forced_tool", "json_mode", "json_schema"),
        ),
        (row("new", ignores_choice=True), ("forced_tool",)),
        (row("new", must_think=True), ("effort_none",)),
        (
            row("new", must_think=True, efforts=("high", "low")),
            ("effort_none", "effort_minimal", "effort_medium", "effort_xhigh", "effort_max"),
        ),
        (
            row("new", efforts=("high", "medium", "low", "minimal")),
            ("effort_xhigh", "effort_max"),
        ),
    ],
)
def test_what_a_list_tells_of_others_a_model_lacks(
    listed: ListedModel, lacks: tuple[str, ...]
) -> None:
    """A format that is ignored in silence, a choice nobody heeds, an effort it does not take."""
    models = {one.id: one for one in models_from(SPEC, [listed, row("b", features=LISTED_SKILLS)])}

    assert models["new"].lacks == lacks


LIKE_GEMINI = ModelSpec("gem-", tags=("tools", "reasoning"), context=100, output=10, lacks=("x",))


def test_a_model_that_is_not_declared_is_like_those_of_its_name() -> None:
    """What the list says of it counts more."""
    spec = replace(SPEC, alike={"gem-": LIKE_GEMINI})
    told = only(row("gem-9-flash"), spec)

    assert (told.tags, told.context, told.output) == (("fast", "tools", "reasoning"), 100, 10)
    assert told.lacks == ("x",)
    assert only(row("gem-9", context=7), spec).context == 7
    assert only(row("a-gem-9"), spec).context is None
    assert only(row("gem-9", features=("vision",)), spec).tags == ("tools", "reasoning")


@pytest.mark.parametrize(
    ("name", "listed", "context", "tags"),
    [
        ("google", "gemini-4-flash", 1_048_576, {"tools", "vision", "reasoning", "json_schema"}),
        ("google", "gemini-2.5-flash", 1_048_576, {"tools", "vision", "reasoning", "json_schema"}),
        ("google", "gemma-4-9b-it", 262_144, {"tools", "vision", "reasoning"}),
        ("google", "gemma-9-1b-it", None, {"tools"}),
    ],
)
def test_googles_list_says_nothing_of_its_models(name, listed, context, tags) -> None:
    """Its Geminis are alike, and so are its Gemmas of one generation (2026-09)."""
    (model,) = models_from(PROVIDERS[name], [ListedModel(id=listed)])

    assert model.context == context
    assert tags <= set(model.tags)


@pytest.mark.parametrize("listed", ["glm-4.9-flash", "glm-4.6v-flash", "glm-4.7-flash"])
def test_no_glm_before_the_fifth_is_made_to_call_a_tool(listed) -> None:
    """It is left to the model (Z.ai's docs, 2026)."""
    (model,) = models_from(PROVIDERS["zai"], [ListedModel(id=listed)])

    assert model.lacks == ("forced_tool",)


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ([row("a-2512", aliases=("a-latest",)), row("a-latest")], {"a-latest": ("a-2512",)}),
        ([row("a-2512", aliases=("a",)), row("a", aliases=("a-2512",))], {"a": ("a-2512",)}),
        ([row("owl-latest", aliases=("owl",)), row("owl")], {"owl": ("owl-latest",)}),  # declared
        ([row("a", aliases=("b",)), row("c", aliases=("b",)), row("b")], {"a": ("c", "b")}),
        ([row("a", aliases=("b",)), row("b", aliases=("c",)), row("c")], {"a": ("b", "c")}),
        ([row("a", aliases=("elsewhere",)), row("b")], {"a": ("elsewhere",), "b": ()}),
        ([row("a", aliases=("a",)), row("b")], {"a": (), "b": ()}),
        ([row("~acme/a-latest", aliases=("acme/a-3",)), row("acme/a-3")], None),
    ],
)
def test_a_model_under_several_ids_is_one(
    listed: list[ListedModel], expected: dict[str, tuple[str, ...]] | None
) -> None:
    """Under the id that is declared, or that stays; the others lead to it."""
    expected = {"acme/a-3": ("~acme/a-latest",)} if expected is None else expected

    assert {model.id: model.aliases for model in models_from(SPEC, listed)} == expected


@given(
    st.lists(
        st.builds(
            lambda name, aliases: row(name, aliases=tuple(aliases)),
            st.sampled_from("abcdef"),
            st.lists(st.sampled_from("abcdef"), max_size=3),
        ),
        max_size=6,
    )
)
def test_no_id_is_lost_by_folding(listed: list[ListedModel]) -> None:
    """Each is there once: a model's own or one model's alias, if it was listed."""
    kept = folded(listed)
    heads = [model.id for model in kept]
    others = [name for model in kept for name in model.aliases]

    assert set(heads).isdisjoint(others)
    assert set(heads) | set(others) >= {model.id for model in listed}
    assert {one.id for one in folded(kept)} == set(heads)


@pytest.mark.parametrize(
    ("listed", "day"),
    [
        (row("a", retires_on="2026-12-31"), "2026-12-31"),
        (row("a", retires_on="2026-08-31T00:00:00Z"), "2026-08-31"),
        (row("a", retires_on="next autumn"), None),
        (row("a", retires_on="2026-13-31"), None),
        (row("a"), None),
        (row("old-1"), "2026-06-01"),
        (row("old-1", retires_on="2027-01-01"), "2027-01-01"),
    ],
)
def test_the_day_of_a_models_end_is_known_by_its_list_or_declared(
    listed: ListedModel, day: str | None
) -> None:
    """The list is newer; what is no day is none."""
    assert only(listed, replace(SPEC, retires={"old-": "2026-06-01"})).retires_on == day


def test_groqs_own_systems_are_not_given_tools():
    """Compound runs tools of its own and refuses others, however little its row says."""
    rows = parse_models((SAMPLES / "groq" / "models.json").read_bytes())
    models = {model.id: model for model in models_from(PROVIDERS["groq"], rows)}

    assert "tools" not in models["groq/compound"].tags
    assert models.keys() == {"openai/gpt-oss-20b", "allam-2-7b", "groq/compound"}
