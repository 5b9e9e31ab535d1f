"""One stage for all, and what was measured on it told at the end of the run."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from tests.reliability.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEASURED = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """A lab, threads and a loop, let go of when the last test is done."""
    stage = Stage()
    gc.freeze()  # collecting is a part of many tests here: all that was there before is passed over
    yield stage
    gc.unfreeze()
    stage.close()


@pytest.fixture(scope="session")
def measured(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Takes a line to be shown at the end of the run."""
    return pytestconfig.stash.setdefault(MEASURED, []).append


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Show what was measured, where somebody asks for more than dots."""
    lines = config.stash.get(MEASURED, [])
    if lines and config.get_verbosity() > 0:
        terminalreporter.section("reliability, as measured")
        for line in lines:
            terminalreporter.write_line(line)
