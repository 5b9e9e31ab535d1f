"""What clients know, in words for a person."""

from __future__ import annotations

import pytest

from freelm_integrations.rendering import (
    capacity_rows,
    drift_lines,
    findings_text,
    list_words,
    model_rows,
)

LIST = {
    "provider": "acme",
    "source": "live",
    "age": 4.2,
    "models": 3,
    "trouble": None,
    "lead": "owl",
    "since_built_in": None,
    "since_fetched": None,
    "ending": {},
}


def drift(**facts):
    return {"gone": [], "new": [], "resized": {}, "lost_lead": None, **facts}


@pytest.mark.parametrize(
    ("source", "age", "words"),
    [
        ("live", 4.2, "live"),
        ("cache", 4.2, "cache, 4 s old"),
        ("cache", 3 * 3600.0, "cache, 3 h old"),
        ("cache", None, "cache"),
        ("builtin", None, "built in"),
        ("given", None, "as set"),
    ],
)
def test_where_a_list_is_from_is_said_with_its_age(source, age, words):
    """Where that says anything."""
    assert list_words({"source": source, "age": age}) == words


@pytest.mark.parametrize(
    ("facts", "lines"),
    [
        ({}, []),
        ({"since_built_in": drift()}, []),
        ({"since_built_in": drift(gone=["a", "b"])}, ["gone since this release: a, b"]),
        (
            {"since_built_in": drift(new=["a", "b", "c", "d", "e"])},
            ["new since this release: a, b, c and 2 more"],
        ),
        (
            {"since_fetched": drift(resized={"a": [8192, 131072]})},
            ["another context since the list before: a 8,192 -> 131,072 tokens"],
        ),
        (
            {"since_built_in": drift(gone=["elk"], lost_lead="elk")},
            [
                "auto begins with owl now: elk is gone since this release",
                "gone since this release: elk",
            ],
        ),
        (
            {"trouble": "key refused (401)", "source": "cache"},
            ["the live list could not be had: key refused (401); the cached one serves"],
        ),
        (
            {"ending": {"owl": "2026-12-01", "elk": "2026-12-02"}},
            ["announced to end: owl (2026-12-01), elk (2026-12-02)"],
        ),
    ],
)
def test_drift_is_told_only_where_there_is_any(facts, lines):
    """A line a kind."""
    assert list(drift_lines({**LIST, **facts})) == lines


def window(model, left, **facts):
    return {
        "provider": "acme",
        "model": model,
        "unit": "requests",
        "per": 60.0,
        "limit": 30.0,
        "remaining": left,
        "resets_after": None,
        "accounts": 1,
        **facts,
    }


def test_models_that_stand_alike_share_a_row():
    """Those that differ in anything do not."""
    rows = capacity_rows(
        [
            window(None, 5),
            window("owl", 30),
            window("elk", 30),
            window("fox", 29.9, resets_after=1.0),
            window("owl", 30, per=3600.0),
        ]
    )

    assert [(row["model"], row["left"], row["unit"]) for row in rows] == [
        ("all together", "5", "requests a minute"),
        ("2 models, each", "30", "requests a minute"),
        ("fox", "29", "requests a minute"),
        ("owl", "30", "requests an hour"),
    ]


def test_whether_a_model_is_free_is_shown_where_not_all_are():
    """Otherwise it goes without saying."""
    owl = {"provider": "acme", "id": "owl", "family": None, "tags": [], "context": None}
    owl["retires_on"] = None
    free, paid = {**owl, "free": True}, {**owl, "free": False}

    def shown(*models):
        return [row["free"] for row in model_rows(models, {"acme": LIST})]

    assert shown(free, free) == ["", ""]
    assert shown(free, paid) == ["yes", "no"]


def test_long_names_stay_aligned_and_long_words_of_providers_are_folded():
    """What a provider says cannot move the cursor either."""
    found = {"key": "12345678", "works": False, "mend": "wait", "models": LIST, "left": None}
    text = findings_text(
        [
            {
                **found,
                "provider": "a-provider-of-a-long-name",
                "what": "no\x1b[2J: " + "word " * 30,
            },
            {**found, "provider": "b", "what": "silent", "models": None},
        ],
        80,
    )
    lines = text.splitlines()
    at = lines[0].index("12345678")

    assert max(map(len, lines)) <= 80
    assert next(line for line in lines if " b " in line).index("12345678") == at
    assert "\x1b" not in text
    assert lines[1].startswith(" " * at)


def test_the_day_of_a_models_end_is_shown():
    """Where one is announced."""
    owl = {"provider": "acme", "id": "owl", "family": None, "tags": [], "context": None}
    rows = model_rows(
        [{**owl, "free": True, "retires_on": day} for day in (None, "2026-12-01")], {"acme": LIST}
    )

    assert [row["until"] for row in rows] == ["", "2026-12-01"]
