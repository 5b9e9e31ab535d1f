"""What is left, added up over accounts, used or not."""

from __future__ import annotations

import json

import pytest

from freelm_integrations import FreeLLM, Groq, Mistral, OpenRouter
from freelm_integrations.capacity import capacity_of
from freelm_integrations.pool.snapshot import KeyRow, WindowRow
from freelm_integrations.providers.spec import Limit


def window(
    remaining: float, *, limit: float = 30, model: str | None = None, back: float | None = 2.0
):
    return WindowRow(
        unit="requests",
        per=60,
        resets="rolling",
        limit=limit,
        remaining=remaining,
        resets_after=back,
        source="declared",
        model=model,
    )


def key(mark: str, *windows: WindowRow, account: str = "", state: str = "ready") -> KeyRow:
    return KeyRow(
        provider="acme", fingerprint=mark, account=account or mark, state=state, windows=windows
    )


DECLARED = {"acme": {"owl": (Limit(30), Limit(1000, per=86_400)), "elk": (Limit(5),)}}


def left(rows, declared=None):
    return {
        (row["model"], row["per"]): (row["remaining"], row["limit"], row["accounts"])
        for row in capacity_of(rows, declared)
    }


@pytest.mark.parametrize(
    ("rows", "declared", "total"),
    [
        ([key("a", window(20))], None, {(None, 60): (20, 30, 1)}),
        ([key("a", window(20)), key("b", window(5))], None, {(None, 60): (25, 60, 2)}),
        (
            [key("a", window(20), account="one"), key("b", window(20), account="one")],
            None,
            {(None, 60): (20, 30, 1)},
        ),
        ([key("a", window(20), state="retired")], DECLARED, {}),
        ([key("a", window(0, limit=0))], None, {(None, 60): (0, 0, 1)}),
        (
            [key("a")],
            DECLARED,
            {("owl", 60): (30, 30, 1), ("owl", 86_400): (1000, 1000, 1), ("elk", 60): (5, 5, 1)},
        ),
        (
            [key("a", window(7, model="owl")), key("b")],
            DECLARED,
            {("owl", 60): (37, 60, 2), ("owl", 86_400): (1000, 1000, 1), ("elk", 60): (10, 10, 2)},
        ),
        ([key("a")], {"other": DECLARED["acme"]}, {}),
        ([], DECLARED, {}),
    ],
    ids=[
        "one key",
        "two accounts",
        "two keys of one account",
        "a retired key has nothing",
        "nothing is nothing",
        "models not used yet have all of it",
        "one account used it, the other did not",
        "limits of others",
        "no key",
    ],
)
def test_windows_add_up_over_accounts(rows, declared, total):
    """Each account once."""
    assert left(rows, declared) == total


def test_the_last_account_to_be_whole_again_tells_when():
    """None while nothing is out."""
    spent = capacity_of([key("a", window(1, back=2.0)), key("b", window(1, back=9.0))])
    whole = capacity_of([key("a", window(30, back=None))])

    assert [row["resets_after"] for row in (*spent, *whole)] == [9.0, None]


def test_a_client_tells_the_allowance_of_models_it_never_asked():
    """Whatever way a provider counts: by model, or all together."""
    providers = [
        Groq("gsk_x", models=["openai/gpt-oss-20b"]),
        OpenRouter("sk-or-x", models=["owl:free"]),
        Mistral(["m" * 32, "n" * 32], models=["ministral-8b-latest"]),
    ]
    with FreeLLM(providers=providers, share=False) as client:
        rows = client.capacity()

    counted = {(row["provider"], row["model"]) for row in rows}
    assert counted == {
        ("groq", "openai/gpt-oss-20b"),
        ("openrouter", None),
        ("mistral", "ministral-8b-latest"),
    }
    assert {row["accounts"] for row in rows if row["provider"] == "mistral"} == {2}
    assert json.dumps(rows)
