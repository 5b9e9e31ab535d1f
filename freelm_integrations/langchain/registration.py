"""Makes `init_chat_model("freelm:auto")` of the package `langchain` work."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def register() -> None:
    """Enter `freelm` into LangChain's table of providers. Safe to call again.

    Raises:
        ImportError: `langchain` is not installed, or keeps its table elsewhere by now (it is a
            private one: seen in 1.4).
    """
    home = import_module("langchain.chat_models.base")
    table: Any = getattr(home, "_BUILTIN_PROVIDERS", None)
    if not isinstance(table, dict):
        message = (
            "this version of langchain has no table to register with: use ChatFreeLLM(...) itself"
        )
        raise ImportError(message)  # noqa: TRY004 - the fault is the version's, not a type's
    table["freelm"] = ("freelm_integrations.langchain", "ChatFreeLLM", _make)


def _make(cls: type[Any], **kwargs: Any) -> Any:
    return cls(**kwargs)
