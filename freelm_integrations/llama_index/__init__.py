"""LlamaIndex over the pool: `LlamaIndexFreeLLM`, also as `FreeLLM`, which its users would guess."""

try:
    from llama_index.core.llms.loading import RECOGNIZED_LLMS
except ImportError as error:
    message = 'LlamaIndex is not installed: pip install "freelm-integrations[llama-index]"'
    raise ImportError(message) from error

from freelm_integrations.llama_index.events import (
    AttemptDroppedEvent,
    AttemptFailedEvent,
    ExhaustedEvent,
    ProviderSwitchedEvent,
    ResumedEvent,
)
from freelm_integrations.llama_index.llm import LlamaIndexFreeLLM

FreeLLM = LlamaIndexFreeLLM

# So that what `to_dict` gives can be restored by `load_llm`, which ingestion and extractors use.
RECOGNIZED_LLMS[LlamaIndexFreeLLM.class_name()] = LlamaIndexFreeLLM

__all__ = [
    "AttemptDroppedEvent",
    "AttemptFailedEvent",
    "ExhaustedEvent",
    "FreeLLM",
    "LlamaIndexFreeLLM",
    "ProviderSwitchedEvent",
    "ResumedEvent",
]
