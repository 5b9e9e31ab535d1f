"""Whatever replies and clock jumps come, the machine keeps its promises."""

from __future__ import annotations

import math
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from freelm_integrations.chat import fold
from freelm_integrations.engine.steps import (
    Broken,
    Cancel,
    Deliver,
    Elapsed,
    End,
    Launch,
    Refused,
    Report,
    Wait,
    advance,
)
from freelm_integrations.errors import FreeLLMError, StreamInterrupted
from freelm_integrations.events import CallCompleted, Exhausted
from tests.engine.flying import (
    ROLE,
    STOP,
    Sky,
    body,
    broken,
    calls,
    chunk,
    end,
    opened,
    refused,
    says,
)
from tests.pool.making import provider

REPLIES = [
    opened(),
    chunk(ROLE),
    chunk(says("word ")),
    chunk(says("x") + STOP),
    chunk(calls('{"city": ')),
    chunk(calls('"Paris"}') + STOP),
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
    script=st.lists(
        st.tuples(st.sampled_from(REPLIES), st.floats(0, 50), st.integers(0, 2)), max_size=60
    ),
    streaming=st.booleans(),
    wait=st.booleans(),
    keys=st.integers(1, 3),
    hedge=st.sampled_from([True, False, 0.5]),
    on_interrupt=st.sampled_from(["resume", "raise"]),
)
def test_every_lease_is_settled_once_one_attempt_speaks_and_the_machine_ends(
    script, streaming, wait, keys, hedge, on_interrupt
):
    """Every wait is finite, what ends is told so, and the seams are where another took over."""
    sky = Sky(
        provider("a", keys=keys, models=("a1", "a2")),
        provider("b"),
        wait=wait,
        hedge=hedge,
        on_interrupt=on_interrupt,
        timeout=100,
        max_attempts=8,
    )
    leases, settled = _watch(sky.pool)
    machine = sky.machine(streaming=streaming, params={"seed": 1})
    ending = None
    said: list = []
    heard: list = []
    try:
        _fly(machine, sky.clock, script, said, heard)
    except FreeLLMError as error:
        ending = error

    text = "".join(delta.text for delta in said)
    if ending is None:
        answer = fold(said)
        assert answer.text == text
        assert answer.attempts[-1].kind is None
    elif isinstance(ending, StreamInterrupted):
        assert ending.partial == text
    else:
        assert not any(delta.text or delta.tool_calls for delta in said)
    ends = [event for event in heard if isinstance(event, (CallCompleted, Exhausted))]
    assert ends == heard[-1:]
    assert isinstance(ends[0], CallCompleted if ending is None else Exhausted)
    assert sorted(map(id, leases)) == sorted(map(id, settled))
    assert sum(delta.origin is not None for delta in said) <= len(leases)
    assert sky.in_flight() == 0


def _fly(machine, clock, script, said, heard) -> None:
    """Play the script, each reply of one of the attempts in the air, and silence after it."""
    in_air: list = []
    reply, replies = None, iter(script)
    for number in count():
        assert number < 4000, "the machine does not end"
        step = advance(machine, reply)
        reply = None
        if step is None:
            return
        if isinstance(step, Launch):
            in_air.append(step.attempt)
        elif isinstance(step, Cancel):
            in_air.remove(step.attempt)  # nothing is cancelled twice, or after its end
        elif isinstance(step, Deliver):
            said.append(step.delta)
        elif isinstance(step, Report):
            heard.append(step.event)
        elif isinstance(step, Wait):
            assert 0 <= step.seconds < math.inf
            reply = _reply(step, clock, next(replies, (None, 1e6, 0)), in_air)


def _reply(step, clock, entry, in_air):
    make, seconds, which = entry
    clock.move(min(seconds, step.seconds))
    if make is None or not in_air or step.seconds == 0:
        return Elapsed()
    reply = make(in_air[which % len(in_air)])
    if isinstance(reply, (End, Refused, Broken)):
        in_air.remove(reply.attempt)
    return reply


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
