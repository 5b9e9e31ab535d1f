"""What every test gets: no keys and no settings from the developer's environment.

A cache folder of its own.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import hypothesis
import pytest

from freelm_integrations.pool.shared import forget_shared

if TYPE_CHECKING:
    from pathlib import Path

# How long an example takes says something of the machine only, which others may be using as well.
hypothesis.settings.register_profile("freelm", deadline=None)
hypothesis.settings.load_profile("freelm")

KEY_WORDS = (
    *("_API_KEY", "GOOGLE_AI_STUDIO_KEY", "HF_TOKEN", "CLOUDFLARE_", "GITHUB_MODELS_", "FREELM_"),
)


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads the developer's keys, writes the developer's cache or meets another's pool."""
    for name in list(os.environ):
        if any(word in name for word in KEY_WORDS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FREELM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("FREELM_STATE", "memory")  # a test that shares counts names its own place
    forget_shared()
