"""A lab without limits, and a lab with limits and a clock that a test moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from freelm_integrations.lab import Lab
from tests.lab.asking import Asker, MovableClock

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(words="plain", limits=False) as running:
        yield running


@pytest.fixture(autouse=True)
def healed(lab: Lab) -> Iterator[None]:
    yield
    lab.heal()


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def limited(clock: MovableClock) -> Iterator[Lab]:
    with Lab(words="plain", keys_each=2, clock=clock) as running:
        yield running


@pytest.fixture(scope="module")
def ask() -> Iterator[Asker]:
    with httpx.Client(timeout=5.0, trust_env=False) as http:
        yield Asker(http)
