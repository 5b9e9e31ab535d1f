"""One stage for all cells: a server, two transports, a loop in a thread of its own."""

from __future__ import annotations

import pytest

from tests.fault_matrix.playing import Stage


@pytest.fixture(scope="session")
def stage():
    """The stage, struck when the last cell is played."""
    stage = Stage()
    yield stage
    stage.close()
