"""What a LlamaIndex call costs on top of the bytes: raw httpx is 1, `OpenAILike` stands beside us.

Needs `llama-index-llms-openai-like`, whose class LlamaIndex's users take for such endpoints:

    uv run --with llama-index-llms-openai-like python -m tests.benchmarks.llama_index
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import httpx
from llama_index.core.base.llms.types import ChatMessage

from freelm_integrations import OpenAICompatible
from freelm_integrations.llama_index import LlamaIndexFreeLLM
from tests.benchmarks.measure import Report, sampled
from tests.benchmarks.server import CHUNKS, serving

if TYPE_CHECKING:
    from llama_index.core.llms.function_calling import FunctionCallingLLM

HISTORY = [ChatMessage(content="Say something about foxes.")]
BASE = "from llama_index.core.llms import ChatMessage"
OURS = "import freelm_integrations.llama_index"


def _both(base: str) -> tuple[FunctionCallingLLM, FunctionCallingLLM]:
    from llama_index.llms.openai_like import OpenAILike

    bench = OpenAICompatible("bench", f"{base}/ok", "key", models=["bench"])
    ours = LlamaIndexFreeLLM(providers=[bench], share=False)
    like = OpenAILike(model="bench", api_base=f"{base}/ok", api_key="key", is_chat_model=True)
    return ours, like


def calls(base: str, report: Report) -> None:
    """Whole answers."""
    ours, like = _both(base)
    raw, url = httpx.Client(), f"{base}/ok/chat/completions"
    headers = {"content-type": "application/json", "authorization": "Bearer key"}
    told = [{"role": "user", "content": HISTORY[0].content}]
    body = json.dumps({"model": "bench", "messages": told}).encode()
    times = sampled(
        {
            "raw": lambda: raw.post(url, content=body, headers=headers),
            "ours": lambda: ours.chat(HISTORY),
            "like": lambda: like.chat(HISTORY),
        }
    )
    report.bar("LlamaIndexFreeLLM.chat / raw", times.ratio("ours", "raw"), at_most=1.7)
    report.fact("OpenAILike.chat / raw", times.ratio("like", "raw"))
    report.bar("LlamaIndexFreeLLM.chat / OpenAILike.chat", times.ratio("ours", "like"), at_most=0.5)


def streams(base: str, report: Report) -> None:
    """Streamed answers, read to their end."""
    ours, like = _both(base)
    times = sampled(
        {
            "LlamaIndexFreeLLM": lambda: sum(1 for _ in ours.stream_chat(HISTORY)),
            "OpenAILike": lambda: sum(1 for _ in like.stream_chat(HISTORY)),
        },
        rounds=20,
        batch=2,
    )
    for name in ("LlamaIndexFreeLLM", "OpenAILike"):
        report.fact(f"{name}.stream_chat, chunks per second", CHUNKS / times[name], "/s")
    report.bar(
        "LlamaIndexFreeLLM.stream_chat / OpenAILike, chunks per second",
        times.ratio("OpenAILike", "LlamaIndexFreeLLM"),
        at_least=4,
    )


def imports(report: Report, *, rounds: int = 9) -> None:
    """In fresh interpreters, by turns."""
    samples = [[_seconds(one) for one in ("pass", BASE, OURS)] for _ in range(rounds + 1)][1:]
    bare, base, ours = map(statistics.median, zip(*samples, strict=True))
    report.bar(
        "import of our llama_index / llama_index.core.llms",
        (ours - bare) / (base - bare),
        at_most=1.1,
    )


def _seconds(statement: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - began


def run(report: Report) -> None:
    with serving() as base:
        calls(base, report)
        streams(base, report)
    imports(report)


if __name__ == "__main__":
    told = Report()
    run(told)
    sys.exit(1 if told.failed else 0)
