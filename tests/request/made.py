"""A request made of what a caller passes, with defaults for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freelm_integrations.request import make_request

if TYPE_CHECKING:
    from freelm_integrations.chat import Request

USER = {"role": "user", "content": "hello"}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}


def made(messages: Any = "hello", **options: Any) -> Request:
    defaults: dict[str, Any] = {
        "model": None,
        "default_model": ("auto",),
        "streaming": False,
        "params": {},
    }
    return make_request(messages, **{**defaults, **options})
