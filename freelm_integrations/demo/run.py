"""Runs the demonstration: breaks the played providers one after another and asks all the same."""

from __future__ import annotations

import io
import json as json_module
import os
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.embedded import find_gguf, is_available, shared_server
from freelm_integrations.errors import FreeLLMError
from freelm_integrations.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from freelm_integrations.display import Screen
    from freelm_integrations.lab import FaultKind

__all__ = ["run_demo"]

_EXTRAS = (
    "the demo shows LangChain and LlamaIndex on a rich terminal; something of that is missing: "
    'pip install "freelm-integrations[all]"'
)
_RATE_LIMIT = 20.0  # s that groq asks to wait
_BREAKS_OFF_AFTER = 16  # pieces, about words: in mid-sentence
_PACE = 40.0  # pieces a second, where no real model sets the pace


@dataclass(kw_only=True)
class _Asked:
    """One question, what was wrong with the providers then, and what came of it."""

    title: str
    question: str
    broken: str
    answer: str = ""
    error: str = ""
    attempts: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


class _Demo:
    """The demonstration under way."""

    def __init__(self, lab: Lab, screen: Screen) -> None:
        self.lab = lab
        self.screen = screen
        self.asked: list[_Asked] = []
        self._options: dict[str, Any] = {
            "strategy": "priority",  # the order of the list, so that every fault is met
            "on_event": screen,
        }

    def run(self) -> None:
        """All acts. The front ends share a pool: what one learns of a provider, the other knows."""
        from freelm_integrations.demo import chain, query  # noqa: PLC0415 - need the frameworks

        line = chain.make_chain(**self._options)
        engine = query.make_query_engine(**self._options)

        def by_chain(question: str) -> Iterator[str]:
            return chain.stream_answer(line, question)

        def by_engine(question: str) -> Iterator[str]:
            return query.stream_answer(engine, question)

        self._break("groq", "rate_limited", retry_after=_RATE_LIMIT)
        self._break("google", "truncated", times=1, after=_BREAKS_OFF_AFTER)
        self._break("mistral", "unauthorized", key=0)
        self._ask("LangChain", by_chain, "Why do ships need lighthouses?", _FIRST)
        self._break("google", "overloaded")
        self._break("mistral", "hang")
        self._break("nim", "server_error")
        self._ask("LlamaIndex", by_engine, "What did Augustin Fresnel's lens do?", _SECOND)
        self.lab.heal()
        self._ask("LlamaIndex", by_engine, "In which format is a local model stored?", _THIRD)

    def _break(self, provider: str, fault: FaultKind, **how: Any) -> None:
        """Strike every request, unless it is said how."""
        how.setdefault("times", None)
        self.lab[provider].fail(fault, **how)

    def _ask(
        self, framework: str, ask: Callable[[str], Iterator[str]], question: str, broken: str
    ) -> None:
        asked = _Asked(title=framework, question=question, broken=broken)
        timeline = self.screen.timeline
        earlier = set(timeline.calls())
        with self.screen.section(f"{framework}: {question}"):
            self.screen.say(f"What is wrong: {broken}.")
            try:
                for piece in ask(question):
                    self.screen.write(piece)
                    asked.answer += piece
            except FreeLLMError as error:
                asked.error = str(error)
                self.screen.say(asked.error)
        calls = [call for call in timeline.calls() if call not in earlier]
        asked.attempts = [row.to_dict() for call in calls for row in timeline.attempts(call)]
        self.asked.append(asked)


_FIRST = (
    "groq is out of quota, google's connection breaks in mid-answer, mistral's first key is dead"
)
_SECOND = "who rests is not asked again; google is overloaded, mistral keeps silent, nim fails"
_THIRD = "nothing any more: whoever is not resting answers"


def run_demo(*, json: bool = False) -> int:
    """Show failover at work, for a person or as JSON. Gives the exit status: 0 if all was answered.

    Takes ten seconds or so, needs no key and no network, and leaves nothing behind.
    """
    began_at = SYSTEM_CLOCK.now()
    try:
        screen = _screen(is_quiet=json)
        with _stage(screen) as demo:
            demo.run()
    except ImportError as error:
        print(f"{_EXTRAS} ({error})", file=sys.stderr)  # noqa: T201
        return 1
    seconds = SYSTEM_CLOCK.now() - began_at
    all_answered = all(asked.answer.strip() and not asked.error for asked in demo.asked)
    if json:
        print(json_module.dumps(_report(demo, seconds), indent=2))  # noqa: T201
    else:
        _close(screen, seconds, all_answered=all_answered)
    return 0 if all_answered else 1


def _screen(*, is_quiet: bool) -> Screen:
    from freelm_integrations.display import Screen, make_console  # noqa: PLC0415 - needs rich

    return Screen(make_console(io.StringIO() if is_quiet else None))


@contextmanager
def _stage(screen: Screen) -> Generator[_Demo]:
    """The lab, and an environment that leads there and keeps its files apart."""
    gguf = find_gguf() if is_available() else None
    writer = "a deterministic maker (the extra [local] brings a real model)"
    if gguf is not None:
        writer = f"{gguf.stem}: real, but very small"
        shared_server(gguf)  # loaded before the first question: its time is not the provider's
    screen.say(f"Six providers are played on this computer. Their words come from {writer}.")
    lab = Lab(keys_each=2, pace=_PACE if gguf is None else None)
    with TemporaryDirectory() as folder, lab, lab.environ():
        os.environ["FREELM_CACHE_DIR"] = folder
        yield _Demo(lab, screen)


def _close(screen: Screen, seconds: float, *, all_answered: bool) -> None:
    from freelm_integrations.display import print_summary  # noqa: PLC0415 - needs rich

    screen.heading("What each provider did")
    print_summary(screen.timeline, screen.console)
    said = "every question has its answer" if all_answered else "not every question was answered"
    screen.say(f"\n{screen.timeline.totals().words}.\nIn {seconds:.1f} s {said}.")


def _report(demo: _Demo, seconds: float) -> dict[str, Any]:
    timeline = demo.screen.timeline
    return {
        "calls": [asdict(asked) for asked in demo.asked],
        "summary": [row.to_dict() for row in timeline.summary()],
        "totals": timeline.totals().to_dict(),
        "seconds": round(seconds, 2),
    }
