"""LlamaIndex's names for `freelm_integrations.llama_index`; nothing else is here.

The folders above have no `__init__.py`: `llama_index` and `llama_index.llms` are namespace packages
that many distributions share.
"""

from freelm_integrations.llama_index import FreeLLM, LlamaIndexFreeLLM

__all__ = ["FreeLLM", "LlamaIndexFreeLLM"]
