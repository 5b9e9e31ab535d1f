"""A ready-made callback handler that counts what failover does."""

from __future__ import annotations

from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.outputs import ChatGeneration

if TYPE_CHECKING:
    from langchain_core.outputs import LLMResult

    from freelm_integrations.chat import Json


class FreeLLMCallbackHandler(BaseCallbackHandler):
    """Counts answers, failures, switches, hedges and resumptions.

    Safe to share between threads, loops and models. Pass it as any handler:
    `llm.invoke(..., config={"callbacks": [handler]})`.
    """

    def __init__(self) -> None:
        """Start at zero."""
        self._lock = Lock()
        self.answers: Counter[str] = Counter()
        """Whole answers by provider."""
        self.failures: Counter[tuple[str, str]] = Counter()
        """Failed attempts by provider and kind of fault."""
        self.switches: Counter[tuple[str, str]] = Counter()
        """Failovers by the provider left and the one gone to."""
        self.outpaced: Counter[str] = Counter()
        """Attempts dropped as another spoke first, by provider; nobody is to blame for them."""
        self.resumed = 0
        """Cut streams that another route carried on."""
        self.exhausted = 0
        """Calls that no route answered."""
        self.failed_ms = 0.0
        """Milliseconds spent on attempts that failed."""

    def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> None:
        """Count one of our events."""
        del kwargs
        with self._lock:
            if name == "freelm.attempt_failed":
                self.failures[data["provider"], data["kind"]] += 1
                self.failed_ms += data.get("ms", 0.0)
            elif name == "freelm.provider_switched":
                self.switches[data["from_provider"], data["to_provider"]] += 1
            elif name == "freelm.attempt_dropped":
                self.outpaced[data["provider"]] += 1
            elif name == "freelm.resumed":
                self.resumed += 1
            elif name == "freelm.exhausted":
                self.exhausted += 1

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """Count an answer for the provider that gave it."""
        del kwargs
        for generation in response.generations[0] if response.generations else ():
            if isinstance(generation, ChatGeneration):
                told = generation.message.response_metadata.get("freelm")
                if isinstance(told, dict):
                    with self._lock:
                        self.answers[str(cast("Json", told).get("provider"))] += 1

    def __repr__(self) -> str:
        """The counts."""
        return (
            f"FreeLLMCallbackHandler(answers={dict(self.answers)}, failures={dict(self.failures)}, "
            f"switches={dict(self.switches)})"
        )
