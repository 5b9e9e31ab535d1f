"""Every fact that is known of a provider's errors has its sample, and every sample its verdict."""

from __future__ import annotations

import pytest

from freelm_integrations.providers import PROVIDERS
from tests.wire import answers, refusals
from tests.wire.sheets import SHEETS

FACTS = [
    (who, fact, names.split()) for who, sheet in SHEETS.items() for fact, names in sheet.items()
]


@pytest.mark.parametrize(("provider", "fact", "names"), FACTS)
def test_a_fact_has_its_samples(provider, fact, names):
    """Each is on file, and a table says what it means."""
    judged = {row.case for row in refusals.ROWS if row.provider == provider}
    judged |= {row.file for row in answers.ROWS if row.provider == provider}

    assert names
    assert set(names) <= judged


@pytest.mark.parametrize("provider", SHEETS)
def test_a_fact_starts_with_its_status(provider):
    """So that the list reads as the table that it is of."""
    first = {fact.split(":")[0].split(",")[0].removesuffix("'s cloud") for fact in SHEETS[provider]}

    assert all(it.isdigit() or it in {"stream", "Ollama", "llama.cpp", "LM Studio"} for it in first)


def test_every_provider_is_listed():
    """Nobody is declared of whose errors nothing is known."""
    assert set(PROVIDERS) <= set(SHEETS)


@pytest.mark.parametrize("provider", ["openrouter", "google", "groq", "cerebras", "mistral", "nim"])
def test_no_refusal_stands_for_nothing(provider):
    """What the six send is there for a fact."""
    named = {name for names in SHEETS[provider].values() for name in names.split()}

    assert {row.case for row in refusals.ROWS if row.provider == provider} <= named
