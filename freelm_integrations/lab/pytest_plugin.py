"""A pytest fixture: `freelm_lab`, a running lab with the environment set to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freelm_integrations.lab import Lab


@pytest.fixture
def freelm_lab() -> Iterator[Lab]:
    """A lab with deterministic words; meanwhile clients made from the environment talk to it."""
    from freelm_integrations.lab import Lab  # noqa: PLC0415 - loaded in every test run of our users

    with Lab(words="plain") as lab, lab.environ():
        yield lab
