"""A lab whose first provider always refuses, and what LangChain's own suites need to know of us."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from freelm_integrations.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIRST = "groq"
"""The provider tried first in the lab; it refuses every chat."""

PLAYED = (FIRST, "google", "mistral", "cerebras")
"""Without the two whose model lists run to hundreds: reading them is not what these tests are about."""

OURS = ("freelm_integrations", "langchain", "ChatFreeLLM")


@pytest.fixture(autouse=True)
def known_to_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """Core's `load(..., allowed_objects="all")` admits only what stands in its own table."""
    load = import_module("langchain_core.load.load")  # a function of that name hides it
    monkeypatch.setitem(load.ALL_SERIALIZABLE_MAPPINGS, OURS, OURS)
    monkeypatch.setattr(load, "_default_class_paths_cache", {})


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """Four providers without limits, the first of them out for good."""
    with Lab(words="plain", limits=False, providers=PLAYED) as lab, lab.environ():
        monkeypatch.setenv("FREELM_CACHE_DIR", str(tmp_path / "cache"))
        lab[FIRST].fail("rate_limited", times=None)
        yield lab
