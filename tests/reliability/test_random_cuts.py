"""Answers cut at random, in any way, again and again: a whole text or an error, never a wrong one.

By hand for the many, over real sockets for some hundreds. `texts` has what is cut.
"""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from freelm_integrations import FreeLLM, StreamInterrupted
from freelm_integrations.chat import Folding
from freelm_integrations.lab import Lab
from freelm_integrations.lab.mind.continuing import WAYS
from freelm_integrations.providers.provider import Mistral
from tests.engine.flying import Sky
from tests.pool.making import provider
from tests.reliability.cutting import Cutting
from tests.reliability.stage import CLASSES
from tests.reliability.texts import WRITTEN, any_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from freelm_integrations.lab.mind.continuing import Continuing
    from tests.reliability.cutting import Outcome

MANY, SOME = 1_000, 300
"""Cuts by hand; the ten thousand of the bar are a benchmark."""


def told() -> Sky:
    """Six providers that must be told in words to go on."""
    return Sky(*(provider(name, priority=place) for place, name in enumerate("abcdef")))


def prefilled() -> Sky:
    """One to begin, and five that take the text as the beginning of their own answer."""
    others = [
        Mistral(f"made-up-key-{n}", models=("m",), priority=1, base_url=f"https://m{n}.example/v1")
        for n in range(5)
    ]
    return Sky(provider("a", priority=0), *others)


def played(sky: Sky, text: str, way: Continuing, chance: random.Random) -> Outcome:
    """One call, cut up to three times; its leases are settled whatever becomes of it."""
    outcome = Cutting(sky, text, way, chance, chance.randrange(1, 4)).play()
    assert sky.in_flight() == 0
    return outcome


def test_who_continues_exactly_loses_and_doubles_nothing(measured: Callable[[str], None]) -> None:
    """Any text, cut anywhere up to three times, in any pieces, by any fault."""
    seams = 0
    for seed in range(MANY):
        chance = random.Random(seed)
        text = any_text(chance)
        outcome = played(prefilled(), text, "exact", chance)
        seams += len(outcome.seams)

        assert outcome.text == text, (seed, outcome)
        assert outcome.is_whole
    measured(f"{MANY} texts cut at random, {seams} seams: all exact")


WHOLE = {"exact", "repeat", "last_sentence", "preamble", "lost_space"}
"""Ways of the lab's that go on; of the others the caller keeps the beginning, and an error."""


@pytest.mark.parametrize("way", sorted(WAYS))
def test_who_must_be_told_to_go_on_is_never_glued(
    way: Continuing, measured: Callable[[str], None]
) -> None:
    """Whatever it does in place of going on exactly: no text is wrong, and none is given up."""
    ends: Counter[str] = Counter()
    for seed in range(SOME):
        chance = random.Random(seed)
        text = chance.choice(WRITTEN)
        ends[_end(played(told(), text, way, chance), text)] += 1
    measured(f"told to go on, {way}: {dict(ends)}")

    assert ends["wrong"] == 0
    assert ends["whole"] == SOME or way not in WHOLE


def _end(outcome: Outcome, text: str) -> str:
    """Whether a caller has the text, or its beginning and an error, or something else."""
    if not outcome.is_whole:
        return "interrupted" if text.startswith(outcome.text) else "wrong"
    return "whole" if outcome.text == text else "wrong"


# ---------------------------------------------------------------------- on real sockets


FAULTS = ("reset", "cut", "truncated", "error_event", "garbage")
CALLS = 200


def _text_of(messages: list[dict[str, Any]]) -> list[str]:
    """The text whose number is asked for, in pieces."""
    text = WRITTEN[int(str(messages[-1]["content"]).split()[-1])]
    return [text[start : start + 4] for start in range(0, len(text), 4)]


def _call(lab: Lab, second: str, number: int) -> str:
    """How one cut call over sockets ended: whole, interrupted, or wrong."""
    chance = random.Random(number)
    place = chance.randrange(len(WRITTEN))
    lab["groq"].fail(chance.choice(FAULTS), key=number, at=chance.randrange(len(WRITTEN[place])))  # type: ignore[arg-type]
    providers = [
        CLASSES[name](
            lab[name].keys[number],
            base_url=lab[name].base_url,
            models=[lab[name].models[0]],
            priority=rank,
            limits=(),
        )
        for rank, name in enumerate(("groq", second))
    ]
    folding = Folding()
    partial: str | None = None
    with FreeLLM(providers=providers, share=False, state="memory", strategy="priority") as client:
        try:
            for delta in client.stream_deltas(f"text number {place}"):
                folding.add(delta)
        except StreamInterrupted as error:
            partial = error.partial
    text = folding.completion().text
    if partial is None:
        return "whole" if text == WRITTEN[place] else f"wrong: {text!r}"
    is_kept = partial == text and WRITTEN[place].startswith(text)
    return "interrupted" if is_kept else f"wrong: {text!r}"


@pytest.mark.parametrize(
    ("second", "way", "least"),
    [
        ("mistral", "exact", 1.0),
        ("cerebras", "exact", 1.0),
        ("cerebras", "repeat", 1.0),
        ("cerebras", "last_sentence", 1.0),
        ("cerebras", "preamble", 1.0),
        ("cerebras", "restart", 0.0),
    ],
)
def test_cuts_on_sockets_are_carried_on_as_exactly(
    second: str, way: Continuing, least: float, measured: Callable[[str], None]
) -> None:
    """Bytes as they come, decoded in the midst of characters."""
    with Lab(words=_text_of, limits=False, providers=("groq", second), keys_each=CALLS) as lab:
        lab[second].continues = way
        with ThreadPoolExecutor(8) as threads:
            ends = Counter(threads.map(lambda number: _call(lab, second, number), range(CALLS)))
    measured(f"{CALLS} cuts on sockets, {second} {way}: {dict(ends)}")

    assert ends["whole"] + ends["interrupted"] == CALLS, ends
    assert ends["whole"] >= least * CALLS
