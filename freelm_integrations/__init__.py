"""One failover engine over the free tiers of six LLM providers, for LangChain.

LlamaIndex and plain Python.

    from freelm_integrations import FreeLLM
    FreeLLM().text("Say hello.")

Front ends live in `freelm_integrations.langchain`, `.llama_index` and `.openai`; importing this
package loads none of them.
"""

from freelm_integrations.chat import AttemptRecord, Completion, Delta, ToolCall, Usage
from freelm_integrations.client import AsyncFreeLLM, FreeLLM
from freelm_integrations.errors import (
    ConfigError,
    ContextOverflow,
    FreeLLMError,
    LedgerUnavailable,
    NoRouteAnswered,
    RequestRejected,
    StreamInterrupted,
)
from freelm_integrations.providers.provider import (
    NIM,
    Cerebras,
    GoogleAIStudio,
    Groq,
    Local,
    Mistral,
    OpenAICompatible,
    OpenRouter,
)
from freelm_integrations.providers.spec import Limit, ModelSpec
from freelm_integrations.version import VERSION as __version__

__all__ = [
    "NIM",
    "AsyncFreeLLM",
    "AttemptRecord",
    "Cerebras",
    "Completion",
    "ConfigError",
    "ContextOverflow",
    "Delta",
    "FreeLLM",
    "FreeLLMError",
    "GoogleAIStudio",
    "Groq",
    "LedgerUnavailable",
    "Limit",
    "Local",
    "Mistral",
    "ModelSpec",
    "NoRouteAnswered",
    "OpenAICompatible",
    "OpenRouter",
    "RequestRejected",
    "StreamInterrupted",
    "ToolCall",
    "Usage",
    "__version__",
]
