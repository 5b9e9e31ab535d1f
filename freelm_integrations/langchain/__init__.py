"""LangChain's front end: `ChatFreeLLM`, and what goes with it."""

try:
    import langchain_core  # noqa: F401 - only whether it is there
except ImportError as error:
    raise ImportError(
        "freelm_integrations.langchain needs the extra: pip install freelm-integrations[langchain]"
    ) from error

from freelm_integrations.langchain.chat_model import ChatFreeLLM
from freelm_integrations.langchain.handler import FreeLLMCallbackHandler
from freelm_integrations.langchain.registration import register

__all__ = ["ChatFreeLLM", "FreeLLMCallbackHandler", "register"]
