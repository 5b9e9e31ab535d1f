"""`freellm chat`: one question, its answer whole or as it comes."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from freelm_integrations.chat import Folding
from freelm_integrations.client import FreeLLM
from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.command.console import remark, write, write_json
from freelm_integrations.errors import ConfigError

if TYPE_CHECKING:
    from freelm_integrations.chat import Completion

__all__ = ["ask", "read_question"]


def read_question(given: str | None) -> str:
    """The question given, or what standard input holds for `-`, or for none in a pipe.

    Raises:
        ConfigError: There is none.
    """
    if given == "-" or (given is None and sys.stdin is not None and not sys.stdin.isatty()):
        if sys.stdin.isatty():
            remark("(type the question; ctrl-D on a line of its own ends it)")
        given = sys.stdin.read()
    if given is None or not given.strip():
        raise ConfigError('no question: freellm chat "..." or, from a pipe, freellm chat -')
    return given


def ask(question: str, *, model: str | None, stream: bool, as_json: bool) -> None:
    """Print the answer, and to a person who gave it.

    With `as_json` that is one object, or with `stream` a line a piece (`{"text": ...}`) and one
    last (`{"done": ...}`).
    """
    with FreeLLM() as client:
        if stream:
            answer = _streamed(client, question, model, as_json=as_json)
        else:
            answer = client.chat(question, model=model)
            if as_json:
                write_json(_described(answer))
            else:
                write(answer.text + "\n")
    if not as_json:
        tries = len(answer.attempts)
        after = "" if tries <= 1 else f", attempt {tries}"
        remark(f"({answer.provider} {answer.model}{after})")


def _streamed(client: FreeLLM, question: str, model: str | None, *, as_json: bool) -> Completion:
    folding, began_at = Folding(), SYSTEM_CLOCK.now()
    said = ""
    try:
        with client.stream_deltas(question, model=model) as deltas:
            for delta in deltas:
                folding.add(delta)
                if delta.text:
                    said = delta.text
                    write(json.dumps({"text": said}) + "\n" if as_json else said)
    finally:
        if said and not as_json and not said.endswith("\n"):
            write("\n")  # whatever is told next begins a line
    answer = folding.completion(latency_ms=(SYSTEM_CLOCK.now() - began_at) * 1000)
    if as_json:
        write(json.dumps({"done": _described(answer)}, default=str) + "\n")
    return answer


def _described(answer: Completion) -> dict[str, Any]:
    from dataclasses import asdict  # noqa: PLC0415 - programs only

    return {
        "text": answer.text,
        "reasoning": answer.reasoning,
        "finish_reason": answer.finish_reason,
        "provider": answer.provider,
        "model": answer.model,
        "key": answer.key,
        "integrity": answer.integrity,
        "latency_ms": round(answer.latency_ms),
        "usage": None if answer.usage is None else asdict(answer.usage),
        "attempts": [attempt.to_dict() for attempt in answer.attempts],
    }
