"""A flight over made-up routes, and the replies a script sends it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING

from freelm_integrations.chat import Request, fold
from freelm_integrations.engine.failover import failover
from freelm_integrations.engine.flight import Flight
from freelm_integrations.engine.steps import (
    Broken,
    Cancel,
    Chunk,
    Deliver,
    Elapsed,
    End,
    Launch,
    Opened,
    Refused,
    Report,
    Wait,
    Whole,
    advance,
)
from freelm_integrations.engine.terms import Terms
from freelm_integrations.pool.pool import Pool
from freelm_integrations.routing.candidates import Router
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from freelm_integrations.providers.provider import Provider


class Sky:
    """A pool, a clock and the flights over some providers."""

    def __init__(self, *providers: Provider, strategy: str = "priority", **terms: object) -> None:
        self.clock = FakeClock()
        self.pool = Pool(self.clock)
        self.catalogs = {provider: provider.models for provider in providers}
        guards = SimpleNamespace(strategy=strategy, free_only=True, allow_training=True)
        self.router = Router(self.pool, guards)
        self.terms = Terms(**terms)

    def flight(self, *, streaming: bool = False, **more: object) -> Flight:
        more = {"messages": ({"role": "user", "content": "hi"},), **more}
        request = Request(streaming=streaming, **more)
        candidates = self.router.candidates(request, self.catalogs)
        return Flight(
            request, candidates, pool=self.pool, clock=self.clock, terms=self.terms, call=1
        )

    def machine(self, **more: object):
        return failover(self.flight(**more))

    def in_flight(self) -> int:
        return sum(row.in_flight for row in self.pool.snapshot(self.clock.now()))


class Air:
    """A machine played by hand with several attempts in the air, each answered by its number."""

    def __init__(self, sky: Sky, **more: object) -> None:
        self.sky = sky
        self.machine = sky.machine(**more)
        self.attempts: list = []
        self.cancelled: list[int] = []
        self.deltas: list = []
        self.events: list = []
        self.wait = self._go(None)

    def _go(self, reply) -> float | None:
        """How long the machine waits next; None once it has returned."""
        while (step := advance(self.machine, reply)) is not None:
            reply = None
            if isinstance(step, Launch):
                self.attempts.append(step.attempt)
            elif isinstance(step, Cancel):
                self.cancelled.append(self.attempts.index(step.attempt))
            elif isinstance(step, Deliver):
                self.deltas.append(step.delta)
            elif isinstance(step, Report):
                self.events.append(step.event)
            elif isinstance(step, Wait):
                return step.seconds
        return None

    def silence(self, seconds: float | None = None) -> Air:
        """Nothing comes for as long as the machine waits, or for less."""
        left = self.wait if seconds is None else seconds
        while left > 0 and self.wait is not None:
            passed = min(left, self.wait)
            left -= passed
            self.sky.clock.move(passed)
            self.wait = self._go(Elapsed())
        return self

    def hears(self, number: int, *replies) -> Air:
        """The attempt of that number (from 0) is heard."""
        for reply in replies:
            assert self.wait is not None, "the machine has ended"
            self.wait = self._go(reply(self.attempts[number]))
        return self

    @property
    def hosts(self) -> list[str]:
        return [one.url.removeprefix("https://").split(".")[0] for one in self.attempts]

    @property
    def answer(self):
        return fold(self.deltas)


def body(text: str = "hello", finish: str = "stop") -> bytes:
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": finish}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    return json.dumps({"id": "r1", "model": "owl-1", "choices": [choice], "usage": usage}).encode()


def event(delta: dict | None = None, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return b"data: " + json.dumps({"id": "r1", "choices": [choice]}).encode() + b"\n\n"


def says(text: str) -> bytes:
    return event({"content": text})


def thinks(text: str) -> bytes:
    return event({"reasoning_content": text})


def calls(arguments: str) -> bytes:
    function = {"name": "weather", "arguments": arguments}
    return event({"tool_calls": [{"index": 0, "id": "call_1", "function": function}]})


def counts(prompt: int, completion: int) -> bytes:
    usage = {"prompt_tokens": prompt, "completion_tokens": completion}
    usage["total_tokens"] = prompt + completion
    return b"data: " + json.dumps({"id": "r1", "choices": [], "usage": usage}).encode() + b"\n\n"


ROLE = event({"role": "assistant", "content": ""})
STOP = event(finish="stop") + b"data: [DONE]\n\n"


def opened(**headers: str):
    return lambda attempt: Opened(attempt, headers)


def chunk(data: bytes):
    return lambda attempt: Chunk(attempt, data)


def whole(data: bytes, **headers: str):
    return lambda attempt: Whole(attempt, headers, data)


end = End


def refused(status: int, message: str = "no", retry_after: str | None = None, **error: object):
    headers = {} if retry_after is None else {"retry-after": retry_after}
    content = json.dumps({"error": {"message": message, **error}}).encode()
    return lambda attempt: Refused(attempt, status, headers, content)


def broken(error: BaseException):
    return lambda attempt: Broken(attempt, error)


ANSWER = (whole(body()),)
STREAM = (opened(), chunk(ROLE), chunk(says("hel")), chunk(says("lo")), chunk(STOP), end)
