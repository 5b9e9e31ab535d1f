"""What an import costs, in fresh interpreters taken by turns."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.benchmarks.measure import Report

STATEMENTS = {
    "nothing": "pass",
    "plain": "import httpx, pydantic; from pydantic import BaseModel, SecretStr",
    "ours": "from freelm_integrations import FreeLLM",  # a bare import loads next to nothing
    "langchain base": "from langchain_core.language_models.chat_models import BaseChatModel",
    "our langchain": "import freelm_integrations.langchain",
    "llama_index base": "from llama_index.core.llms.function_calling import FunctionCallingLLM",
    "our llama_index": "import freelm_integrations.llama_index",
}


def _seconds(statement: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - began


def run(report: Report, *, rounds: int = 9) -> None:
    samples: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for statement in STATEMENTS.values():
        _seconds(statement)
    for _ in range(rounds):
        for name, statement in STATEMENTS.items():
            samples[name].append(_seconds(statement))
    bare = statistics.median(samples["nothing"])
    cost = {name: statistics.median(values) - bare for name, values in samples.items()}
    report.fact("import httpx and pydantic", cost["plain"] * 1000, "ms")
    report.bar("import FreeLLM / httpx + pydantic", cost["ours"] / cost["plain"], at_most=1.6)
    for ours, base in (
        ("our langchain", "langchain base"),
        ("our llama_index", "llama_index base"),
    ):
        report.fact(f"import of the {base}", cost[base] * 1000, "ms")
        report.bar(f"import of {ours} / its base class", cost[ours] / cost[base], at_most=1.15)
