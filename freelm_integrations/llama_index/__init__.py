"""LlamaIndex over the pool: `LlamaIndexFreeLLM` and `LlamaIndexFreeEmbedding`.

Also as `FreeLLM` and `FreeLLMEmbedding`, which its users would guess.
"""

try:
    import llama_index.core  # noqa: F401  # pyright: ignore[reportUnusedImport]
except ImportError as error:
    message = 'LlamaIndex is not installed: pip install "freelm-integrations[llama-index]"'
    raise ImportError(message) from error

from freelm_integrations.llama_index.embedding import LlamaIndexFreeEmbedding
from freelm_integrations.llama_index.events import (
    AttemptDroppedEvent,
    AttemptFailedEvent,
    ExhaustedEvent,
    ProviderSwitchedEvent,
    ResumedEvent,
)
from freelm_integrations.llama_index.llm import LlamaIndexFreeLLM
from freelm_integrations.llama_index.restoring import join

FreeLLM = LlamaIndexFreeLLM
FreeLLMEmbedding = LlamaIndexFreeEmbedding

join("llama_index.core.llms.loading", "RECOGNIZED_LLMS", LlamaIndexFreeLLM)
join("llama_index.core.embeddings.loading", "RECOGNIZED_EMBEDDINGS", LlamaIndexFreeEmbedding)

__all__ = [
    "AttemptDroppedEvent",
    "AttemptFailedEvent",
    "ExhaustedEvent",
    "FreeLLM",
    "FreeLLMEmbedding",
    "LlamaIndexFreeEmbedding",
    "LlamaIndexFreeLLM",
    "ProviderSwitchedEvent",
    "ResumedEvent",
]
