"""One failover engine over the free tiers of six LLM providers, for LangChain.

LlamaIndex and plain Python.

    from freelm_integrations import FreeLLM
    FreeLLM().text("Say hello.")

Front ends live in `freelm_integrations.langchain`, `.llama_index` and `.openai`; importing this
package loads none of them, and of itself only the names that are asked for: its pytest plugin is
loaded in every test run of its users.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.version import VERSION as __version__

if TYPE_CHECKING:
    from freelm_integrations.batches.batch import batching
    from freelm_integrations.chat import AttemptRecord, Completion, Delta, ToolCall, Usage
    from freelm_integrations.client import AsyncFreeLLM, FreeLLM
    from freelm_integrations.embedding.spaces import VectorSpace
    from freelm_integrations.embedding.vectors import Vectors
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
    from freelm_integrations.providers.spec import EmbedderSpec, Limit, ModelSpec

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
    "EmbedderSpec",
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
    "VectorSpace",
    "Vectors",
    "__version__",
    "batching",
]

_NAMES = {
    "batches.batch": "batching",
    "chat": "AttemptRecord Completion Delta ToolCall Usage",
    "client": "AsyncFreeLLM FreeLLM",
    "embedding.spaces": "VectorSpace",
    "embedding.vectors": "Vectors",
    "errors": (
        "ConfigError ContextOverflow FreeLLMError LedgerUnavailable NoRouteAnswered "
        "RequestRejected StreamInterrupted"
    ),
    "providers.provider": (
        "NIM ZAI Cerebras Cloudflare Cohere GoogleAIStudio Groq HuggingFace Kilo Local Mistral "
        "OpenAICompatible OpenRouter OVHcloud"
    ),
    "providers.spec": "EmbedderSpec Limit ModelSpec",
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names.split()}


if not TYPE_CHECKING:  # checkers would take any name for one of ours

    def __getattr__(name: str) -> object:
        """Load a public name when it is first used; then it is an attribute like any other."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415 - no name of this module's own

        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return sorted(__all__)
