"""The OpenAI-shaped shim.

`from freelm_integrations.openai import OpenAI` where there was `from openai import OpenAI`.
"""

from typing import TYPE_CHECKING

from freelm_integrations.openai.absent import MODULE_ADVICE
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
from freelm_integrations.openai.parsing import pydantic_function_tool
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
    "pydantic_function_tool",
]

if not TYPE_CHECKING:  # checkers would take any name for one that is there

    def __getattr__(name: str) -> object:
        """Say of what that SDK's module has and this has not what to do in its place."""
        advice = MODULE_ADVICE.get(name)
        reason = "" if advice is None else f": {advice}"
        raise AttributeError(f"module {__name__!r} has no {name!r}{reason}")
