"""A call whose answers are cut at random, played by hand: a machine, and providers that are scripts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freelm_integrations.engine.steps import End
from freelm_integrations.errors import NoRouteAnswered, StreamInterrupted
from freelm_integrations.lab.mind.continuing import begun_in, carried_on
from tests.engine.flying import ROLE, STOP, Air, broken, chunk, opened

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from freelm_integrations.engine.steps import Attempt, Heard
    from freelm_integrations.lab.mind.continuing import Continuing
    from tests.engine.flying import Sky

CUTS: dict[str, Callable[[Attempt], Heard] | None] = {
    "reset": broken(ConnectionResetError("gone")),
    "closed": broken(ConnectionError("left in mid-message")),
    "clean close": End,
    "error event": chunk(b'\n\ndata: {"error": {"message": "overloaded", "code": 503}}\n\n'),
    "garbage": chunk(b"data: {nonsense\n\n"),
    "silence": None,
}


@dataclass(frozen=True)
class Outcome:
    """What a caller has in the end, and how it ended."""

    text: str
    seams: tuple[int, ...]
    is_whole: bool
    asked: int
    """Attempts."""


class Cutting:
    """One call; the text it should give, and how its providers carry on what others began."""

    def __init__(
        self, sky: Sky, text: str, way: Continuing, chance: random.Random, cuts: int
    ) -> None:
        self._sky = sky
        self._text = text
        self._way = way
        self._chance = chance
        self._cuts_left = cuts
        self._air = Air(sky, streaming=True)

    def play(self) -> Outcome:
        """To its end."""
        is_whole = True
        try:
            self._go()
        except (StreamInterrupted, NoRouteAnswered):
            is_whole = False
        answer = self._air.answer
        return Outcome(answer.text, answer.seams, is_whole, len(self._air.attempts))

    def _go(self) -> None:
        played = 0
        while self._air.wait is not None:
            if played == len(self._air.attempts):
                self._air.silence()  # a pause, or a stall being waited out
                continue
            number, played = len(self._air.attempts) - 1, len(self._air.attempts)
            self._answer(number)

    def _answer(self, number: int) -> None:
        attempt = self._air.attempts[number]
        body = self._frames(attempt)
        is_cut = self._cuts_left > 0
        self._cuts_left -= is_cut
        if is_cut:
            body = body[: self._chance.randrange(len(body) - len(STOP) + 1)]
        self._hear(number, opened())
        for piece in self._in_pieces(body):
            self._hear(number, chunk(piece))
        fault = CUTS[self._chance.choice([*CUTS])] if is_cut else End
        if fault is not None:
            self._hear(number, fault)

    def _hear(self, number: int, reply: Callable[[Any], Heard]) -> None:
        if self._air.wait is not None:
            self._air.hears(number, reply)

    def _frames(self, attempt: Attempt) -> bytes:
        assert attempt.body is not None
        said = self._said(json.loads(attempt.body)["messages"])
        frames = [ROLE]
        while said:
            size = self._chance.choice((1, 2, 5, 9, 30))
            frames.append(_says(said[:size]))
            said = said[size:]
        return b"".join([*frames, STOP])

    def _said(self, messages: list[dict[str, Any]]) -> str:
        begun = begun_in(messages)
        if begun is None:
            return self._text
        rest = carried_on(begun, self._text, self._way)
        echo = begun.partial if messages[-1].get("prefix") is True else ""
        return self._text if rest is None else echo + rest

    def _in_pieces(self, body: bytes) -> list[bytes]:
        """Cut anywhere, in the middle of a character too."""
        places = sorted(self._chance.randrange(len(body) + 1) for _ in range(6))
        edges = zip([0, *places], [*places, len(body)], strict=True)
        return [body[start:end] for start, end in edges if start < end]


def _says(text: str) -> bytes:
    """With letters as they are, so that a cut may go through the middle of one."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return b"data: " + json.dumps({"choices": [choice]}, ensure_ascii=False).encode() + b"\n\n"
