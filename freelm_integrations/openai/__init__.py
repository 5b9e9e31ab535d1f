"""The OpenAI-shaped shim.

`from freelm_integrations.openai import OpenAI` where there was `from openai import OpenAI`.
"""

from freelm_integrations.openai.errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ContentFilterFinishReasonError,
    InternalServerError,
    LengthFinishReasonError,
    NotFoundError,
    OpenAIError,
    PermissionDeniedError,
    RateLimitError,
    UnprocessableEntityError,
)
from freelm_integrations.openai.objects import (
    ChatCompletion,
    ChatCompletionChunk,
    CreateEmbeddingResponse,
    ParsedChatCompletion,
)
from freelm_integrations.openai.shim import AsyncOpenAI, OpenAI
from freelm_integrations.openai.streams import AsyncStream, Stream

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncOpenAI",
    "AsyncStream",
    "AuthenticationError",
    "BadRequestError",
    "ChatCompletion",
    "ChatCompletionChunk",
    "ConflictError",
    "ContentFilterFinishReasonError",
    "CreateEmbeddingResponse",
    "InternalServerError",
    "LengthFinishReasonError",
    "NotFoundError",
    "OpenAI",
    "OpenAIError",
    "ParsedChatCompletion",
    "PermissionDeniedError",
    "RateLimitError",
    "Stream",
    "UnprocessableEntityError",
]
