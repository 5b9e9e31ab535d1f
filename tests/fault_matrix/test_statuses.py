"""Status by shape by provider: all cells are classified, and a share of them is played."""

from __future__ import annotations

import math
from itertools import cycle

import pytest

from tests.fakes import MIDDAY
from tests.fault_matrix.expected import CONSEQUENCES, cooled_by
from tests.fault_matrix.playing import MODES
from tests.fault_matrix.server import Reply
from tests.fault_matrix.statuses import ASKED, EVERYBODY, SHAPES, WAITS, body, verdict
from tests.wire.dialects import DECLARED, PLAIN


@pytest.mark.parametrize("provider", ASKED)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_status_means_the_same_in_every_shape(provider, shape):
    """Where the words say nothing, the status decides; Retry-After is heard where it can help."""
    dialect = DECLARED.get(provider, PLAIN)
    for status in EVERYBODY:
        fault = dialect.fault(status, {}, body(status, shape), utc=MIDDAY)
        assert (status, fault.kind, fault.scope) == (status, *verdict(provider, status, shape))
        assert (status, fault.retry_after) == (status, WAITS.get((provider, status)))

        told = dialect.fault(status, {"retry-after": "8"}, body(status, shape), utc=MIDDAY)
        rests = CONSEQUENCES[fault.kind].rests or fault.kind in {"server_error", "timeout"}
        heard = rests and fault.kind not in {"unauthorized", "model_gone", "not_on_plan"}
        assert (status, told.retry_after) == (status, 8.0 if heard else None)


_SHAPE = cycle(SHAPES)
PLAYED = [(provider, status, next(_SHAPE)) for provider in ASKED for status in EVERYBODY]


@pytest.mark.parametrize(("provider", "status", "shape"), PLAYED)
def test_a_status_has_its_consequences(stage, provider, status, shape):
    """In all four modes alike, another provider answers, and who should rests so long."""
    kind, scope = verdict(provider, status, shape)
    wait = WAITS.get((provider, status))
    cooled = cooled_by(kind, scope, wait, provider=provider)
    reply = Reply(status, {}, body(status, shape))
    for is_streaming, is_async in MODES:
        outcome = stage.play(provider, reply, is_streaming=is_streaming, is_async=is_async)

        assert (outcome.answered_by, outcome.text) == ("well", "well")
        assert outcome.faults == [(kind, status, wait)] * CONSEQUENCES[kind].tries
        assert outcome.cooled == cooled
        assert outcome.rests == [it for it in cooled if it[2] != math.inf]
