"""Two providers, the first of them faulty: the full answer comes all the same, in every way to ask.

The cells with silence in them are played side by side, so that they take no longer than the slowest.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from concurrent.futures import wait
from typing import TYPE_CHECKING

import pytest

from freelm_integrations.lab.mind.plain import pieces, plain_words
from tests.reliability.faults import COLD, CUT_AFTER, FAULTS, SHORT_STOP
from tests.reliability.fronts import FRONTS
from tests.reliability.stage import PROMPT, Cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Future

    from tests.reliability.faults import Fault
    from tests.reliability.stage import Played, Stage

ANSWER = "".join(plain_words([{"role": "user", "content": PROMPT}]))
SEAM = len("".join(pieces(ANSWER)[:CUT_AFTER]))
WAYS = [Cell("", *way) for way in itertools.product(FRONTS, (False, True), (False, True))]
NOISE = 2.0
"""How many times longer than it should a cell may take where others use the machine as well."""


def _cells(faults: Mapping[str, Fault], *, is_warm: bool = True) -> list[Cell]:
    return [
        Cell(fault, way.front, way.is_async, way.is_streamed, is_warm)
        for fault in faults
        for way in WAYS
    ]


CELLS = _cells(FAULTS)
COLD_CELLS = _cells(
    {name: fault for name, fault in FAULTS.items() if name.startswith("hang")}, is_warm=False
)
STOPS = _cells({"short stop at 20": SHORT_STOP})
ALL: Mapping[str, Fault] = {**FAULTS, "short stop at 20": SHORT_STOP}


@pytest.fixture(scope="module")
def play(stage: Stage, measured: Callable[[str], None]) -> Iterator[Callable[[Cell], Played]]:
    """Plays a cell; those with silence in them are under way from the first one on."""
    ready = {
        cell: stage.prepare(cell, ALL[cell.fault])
        for cell in (*CELLS, *COLD_CELLS, *STOPS)
        if ALL[cell.fault].is_slow
    }
    under_way = {cell: start() for cell, start in ready.items()}
    seconds: defaultdict[str, list[float]] = defaultdict(list)

    def one(cell: Cell) -> Played:
        future: Future[Played] = under_way.get(cell) or stage.prepare(cell, ALL[cell.fault])()
        played = future.result(60.0)
        seconds[cell.fault + ("" if cell.is_warm else ", cold")].append(played.seconds)
        return played

    yield one
    wait(under_way.values())
    for fault, took in seconds.items():
        measured(f"{fault:28} {len(took):3} cells, longest {max(took):6.3f} s")


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_the_second_provider_completes_what_the_first_could_not(
    cell: Cell, play: Callable[[Cell], Played]
) -> None:
    """To the character, within its time, with one start and one end told to who listens."""
    fault, played = FAULTS[cell.fault], play(cell)
    told = played.told

    assert told.text == ANSWER
    assert told.integrity == ("stitched" if told.seams else "complete")
    assert _is_where_it_broke(told.seams, fault, cell)
    assert told.attempts[-1] == ("cerebras", None)
    assert {who for who, _ in told.attempts[:-1]} == {"groq"}
    assert {kind for _, kind in told.attempts[:-1]} <= fault.ends
    assert told.heard == Counter({"start": 1, "end": 1})
    assert played.seconds <= fault.seconds * NOISE


def _is_where_it_broke(seams: list[int], fault: Fault, cell: Cell) -> bool:
    """What came in one piece with an error, or was unread when a connection broke, is not shown."""
    if not (fault.is_inside and cell.is_streamed):
        return seams == []
    return seams == [SEAM] or (not fault.is_slow and (seams == [] or seams[0] < SEAM))


@pytest.mark.parametrize("cell", COLD_CELLS, ids=str)
def test_a_provider_nothing_is_known_of_is_given_longer_and_not_for_ever(
    cell: Cell, play: Callable[[Cell], Played]
) -> None:
    """Another is asked beside it after four seconds."""
    played = play(cell)

    assert played.told.text == ANSWER
    assert played.told.attempts == [("groq", "outpaced"), ("cerebras", None)]
    assert played.told.heard == Counter({"start": 1, "end": 1})
    assert played.seconds <= COLD * NOISE


@pytest.mark.parametrize("cell", STOPS, ids=str)
def test_a_short_stop_is_nobodys_fault(cell: Cell, play: Callable[[Cell], Played]) -> None:
    """Who goes on by itself in time is heard to the end."""
    told = play(cell).told

    assert told.text == ANSWER
    assert told.attempts[-1] == ("groq", None)
    assert (told.integrity, told.seams) == ("complete", [])
    assert told.heard == Counter({"start": 1, "end": 1})
