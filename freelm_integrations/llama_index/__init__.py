"""LlamaIndex over the pool: `LlamaIndexFreeLLM` and `LlamaIndexFreeEmbedding`.

Also as `FreeLLM` and `FreeLLMEmbedding`, which its users would guess.
"""

try:
    from llama_index.core.embeddings.loading import RECOGNIZED_EMBEDDINGS
    from llama_index.core.llms.loading import RECOGNIZED_LLMS
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

FreeLLM = LlamaIndexFreeLLM
FreeLLMEmbedding = LlamaIndexFreeEmbedding

# So that what `to_dict` gives can be restored by `load_llm` and `load_embed_model`, which ingestion
# and extractors use.
RECOGNIZED_LLMS[LlamaIndexFreeLLM.class_name()] = LlamaIndexFreeLLM
RECOGNIZED_EMBEDDINGS[LlamaIndexFreeEmbedding.class_name()] = LlamaIndexFreeEmbedding

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
