"""What nobody recorded goes through the real clients as well, streamed or not, sync and async."""

from __future__ import annotations

import pytest

from tests.fault_matrix.playing import MODES
from tests.fault_matrix.server import Reply
from tests.wire.test_variations import BODIES, PROVIDERS, STREAMS
from tests.wire.test_variations import Case as Answer
from tests.wire.unrecorded import Case, accents


@pytest.mark.parametrize("case", accents.CASES, ids=str)
def test_a_refusal_in_other_words_has_its_kind_and_another_answers(stage, case: Case):
    """In all four modes alike."""
    reply = Reply(case.status, case.headers or {}, case.content)
    for is_streaming, is_async in MODES:
        outcome = stage.play(case.provider, reply, is_streaming=is_streaming, is_async=is_async)

        assert (outcome.answered_by, outcome.text) == ("well", "well")
        assert {kind for kind, _, _ in outcome.faults} == {case.kind}


ANSWERS = [
    # A text that is cut is carried on by another, which is not what is asked here.
    *((case, True) for case in STREAMS if case.fault != "cut"),
    *((case, False) for case in BODIES),
]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("case", "is_streaming"), ANSWERS, ids=str)
def test_an_answer_in_other_shapes_is_told_or_another_answers(
    stage, provider: str, case: Answer, is_streaming: bool
):
    """A fault is told of nobody but the observers."""
    kind = "text/event-stream" if is_streaming else "application/json"
    reply = Reply(200, {"content-type": kind}, case.sent)
    for is_async in (False, True):
        outcome = stage.play(provider, reply, is_streaming=is_streaming, is_async=is_async)

        if case.fault is None:
            assert (outcome.answered_by, outcome.text) == (provider, case.text)
        else:
            assert {fault for fault, _, _ in outcome.faults} == {case.fault}
            assert (outcome.answered_by, outcome.text) == ("well", "well")
