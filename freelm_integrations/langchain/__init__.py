"""LangChain's front end: `ChatFreeLLM`, `FreeLLMEmbeddings`, and what goes with them."""

from importlib.util import find_spec

if find_spec("langchain_core") is None:
    raise ImportError('LangChain is not installed: pip install "freelm-integrations[langchain]"')

from freelm_integrations.langchain.chat_model import ChatFreeLLM
from freelm_integrations.langchain.embeddings import FreeLLMEmbeddings
from freelm_integrations.langchain.handler import FreeLLMCallbackHandler
from freelm_integrations.langchain.registration import register

__all__ = ["ChatFreeLLM", "FreeLLMCallbackHandler", "FreeLLMEmbeddings", "register"]
