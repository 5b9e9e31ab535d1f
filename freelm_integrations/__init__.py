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
    ZAI,
    Cerebras,
    Cloudflare,
    Cohere,
    GoogleAIStudio,
    Groq,
    HuggingFace,
    Kilo,
    Local,
    Mistral,
    OpenAICompatible,
    OpenRouter,
    OVHcloud,
)
from freelm_integrations.providers.spec import Limit, ModelSpec
from freelm_integrations.version import VERSION as __version__

__all__ = [
    "NIM",
    "ZAI",
    "AsyncFreeLLM",
    "AttemptRecord",
    "Cerebras",
    "Cloudflare",
    "Cohere",
    "Completion",
    "ConfigError",
    "ContextOverflow",
    "Delta",
    "FreeLLM",
    "FreeLLMError",
    "GoogleAIStudio",
    "Groq",
    "HuggingFace",
    "Kilo",
    "LedgerUnavailable",
    "Limit",
    "Local",
    "Mistral",
    "ModelSpec",
    "NoRouteAnswered",
    "OVHcloud",
    "OpenAICompatible",
    "OpenRouter",
    "RequestRejected",
    "StreamInterrupted",
    "ToolCall",
    "Usage",
    "__version__",
]
