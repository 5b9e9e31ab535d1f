"""Every recorded refusal through the real client: streamed or not, blocking or async."""

from __future__ import annotations

import math

import pytest

from tests.fault_matrix.expected import cooled_by, tries
from tests.fault_matrix.playing import MODES
from tests.fault_matrix.server import Reply
from tests.wire.refusals import ROWS, Row


@pytest.mark.parametrize(("is_streaming", "is_async"), MODES)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.provider}/{row.case}")
def test_a_recorded_refusal_has_its_consequences(stage, row: Row, is_streaming, is_async):
    """The kind, the promised time, who rests and for how long, and that another answers."""
    status, headers, body = row.recorded()
    outcome = stage.play(
        row.provider, Reply(status, headers, body), is_streaming=is_streaming, is_async=is_async
    )

    wait = row.retry_after if row.retry_after is None else pytest.approx(row.retry_after)
    cooled = cooled_by(row.kind, row.scope, row.retry_after, provider=row.provider)
    assert (outcome.answered_by, outcome.text) == ("well", "well")
    assert outcome.faults == [(row.kind, status, wait)] * tries(row)
    assert outcome.cooled == cooled
    if row.kind == "unauthorized":
        assert outcome.state == "retired"
    else:
        assert outcome.rests == [it for it in cooled if it[2] != math.inf]
