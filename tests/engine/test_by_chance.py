"""Whatever replies and clock jumps come, the machine keeps its promises."""

from __future__ import annotations

import math
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from freelm_integrations.engine.steps import Deliver, Elapsed, Launch, Wait, advance
from freelm_integrations.errors import FreeLLMError
from tests.engine.flying import ROLE, STOP, Sky, body, broken, chunk, end, opened, refused, says
from tests.pool.making import provider

REPLIES = [
    opened(),
    chunk(ROLE),
    chunk(says("word ")),
    chunk(says("x") + STOP),
    chunk(b": ping\n\n"),
    chunk(body()),
    chunk(b"\xff\x00garbage"),
    chunk(b'data: {"error": {"message": "oops"}}\n\n'),
    end,
    refused(429, retry_after="3"),
    refused(429, retry_after="0"),
    refused(500),
    refused(401),
    refused(404, "model not found"),
    refused(400, "bad"),
    refused(400, "unsupported parameter", param="seed"),
    refused(413, "too large"),
    broken(ConnectionResetError("r")),
    broken(ConnectionRefusedError("c")),
    broken(TimeoutError("t")),
    None,  # silence
]


@settings(max_examples=400, deadline=None)
@given(
    script=st.lists(st.tuples(st.sampled_from(REPLIES), st.floats(0, 50)), max_size=60),
    streaming=st.booleans(),
    wait=st.booleans(),
    keys=st.integers(1, 3),
)
def test_every_lease_is_settled_once_one_attempt_speaks_and_the_machine_ends(
    script, streaming, wait, keys
):
    """And every wait is finite."""
    sky = Sky(
        provider("a", keys=keys, models=("a1", "a2")),
        provider("b"),
        wait=wait,
        timeout=100,
        max_attempts=8,
    )
    leases, settled = _watch(sky.pool)
    machine = sky.machine(streaming=streaming, params={"seed": 1})
    attempt, reply, origins = None, None, 0
    replies = iter(script)
    try:
        for number in count():
            assert number < 2000, "the machine does not end"
            step = advance(machine, reply)
            reply = None
            if step is None:
                break
            if isinstance(step, Launch):
                attempt = step.attempt
            elif isinstance(step, Deliver):
                origins += step.delta.origin is not None
            elif isinstance(step, Wait):
                assert 0 <= step.seconds < math.inf
                make, seconds = next(replies, (None, 1e6))
                sky.clock.move(min(seconds, step.seconds))
                is_mute = make is None or attempt is None or step.seconds == 0
                reply = Elapsed() if is_mute else make(attempt)
    except FreeLLMError:
        pass

    assert sorted(map(id, leases)) == sorted(map(id, settled))
    assert origins <= 1
    assert sky.in_flight() == 0


def _watch(pool):
    leases, settled = [], []
    lease, settle = pool.lease, pool.settle

    def watched_lease(*args, **more):
        taken = lease(*args, **more)
        if taken is not None:
            leases.append(taken)
        return taken

    def watched_settle(taken, *args, **more):
        settled.append(taken)
        return settle(taken, *args, **more)

    pool.lease, pool.settle = watched_lease, watched_settle
    return leases, settled
