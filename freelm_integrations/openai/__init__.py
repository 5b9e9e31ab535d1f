"""The OpenAI-shaped shim.

`from freelm_integrations.openai import OpenAI` where there was `from openai import OpenAI`.
"""

from freelm_integrations.openai.objects import ChatCompletion, ChatCompletionChunk
from freelm_integrations.openai.shim import AsyncOpenAI, AsyncStream, OpenAI, Stream

__all__ = [
    "AsyncOpenAI",
    "AsyncStream",
    "ChatCompletion",
    "ChatCompletionChunk",
    "OpenAI",
    "Stream",
]
