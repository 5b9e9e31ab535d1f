"""Core's `with_retry` on top of our own attempts: only what another try can mend is tried again.

By default core tries everything three times, a malformed request as well. Here the default is what
agent middleware does: whatever is no model's error, and those that say they are retryable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.exceptions import ModelError
from langchain_core.language_models import BaseChatModel
from pydantic import ConfigDict
from typing_extensions import override

if TYPE_CHECKING:
    from langchain_core.language_models import LanguageModelInput
    from langchain_core.messages import AIMessage
    from langchain_core.runnables import Runnable


class _Judging(type):
    """Decides by what an error says of itself, as its class alone does not tell."""

    def __instancecheck__(cls, error: object) -> bool:
        if isinstance(error, ModelError):
            return error.is_retryable
        return isinstance(error, Exception)


class WorthAnotherTry(Exception, metaclass=_Judging):
    """Never raised: `isinstance` of it is true of every error that another try may mend.

    A class, as core before 1.7 takes nothing else.
    """


class RetriedChatModel(BaseChatModel):
    """A chat model whose `with_retry` leaves alone what no retry mends."""

    model_config = ConfigDict(defer_build=True)  # its validator is never used

    @override
    def with_retry(self, **options: Any) -> Runnable[LanguageModelInput, AIMessage]:
        """As core's; `retry_if_exception_type` is by default what another try may mend."""
        options.setdefault("retry_if_exception_type", (WorthAnotherTry,))
        return super().with_retry(**options)
