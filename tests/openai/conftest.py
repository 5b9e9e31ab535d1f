"""A lab of two providers, and a shim over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from freelm_integrations.lab import Lab
from freelm_integrations.openai import OpenAI

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(words="plain", limits=False, providers=("groq", "mistral")) as lab, lab.environ():
        yield lab


@pytest.fixture
def client(lab: Lab) -> Iterator[OpenAI]:
    with OpenAI(share=False) as client:
        yield client
