"""The table of verdicts is complete, and its cooldowns double up to their cap."""

from __future__ import annotations

import pytest

from freelm_integrations.pool.verdicts import VERDICTS
from freelm_integrations.wire.faults import FAULT_KINDS

BREAKING = {"server_error", "timeout", "unreachable", "broken", "cut"}


def test_every_kind_of_fault_has_a_verdict():
    """A new kind without one fails here, not in a call."""
    assert set(VERDICTS) == set(FAULT_KINDS)


def test_the_breaker_is_fed_by_weather_alone():
    """Refusals show that the server is alive."""
    assert {kind for kind, verdict in VERDICTS.items() if verdict.feeds_breaker} == BREAKING


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_a_cooldown_grows_and_is_bounded(kind):
    """Never shrinking, never beyond the cap, never overflowing."""
    verdict = VERDICTS[kind]
    lengths = [verdict.seconds(strikes) for strikes in (1, 2, 3, 10, 10_000)]

    assert lengths == sorted(lengths)
    assert lengths[0] == verdict.cools_for
    assert lengths[-1] == verdict.cap
    assert verdict.cools_for <= verdict.cap


def test_two_kinds_count_as_witnesses_against_the_request():
    """Too long has a path of its own; everything else is the route's."""
    blaming = {kind for kind, verdict in VERDICTS.items() if verdict.blames_request}

    assert blaming == {"malformed", "moderated"}
