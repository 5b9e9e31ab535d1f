"""What a caller passes, made into a `Request`.

Checked at the border, so that a typo is an error and not a silent default.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, cast

from freelm_integrations.chat import Request
from freelm_integrations.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from freelm_integrations.chat import Message

Messages: TypeAlias = "str | Sequence[Message]"

PARAMETERS = frozenset(
    {
        "extra_body",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "metadata",
        "n",
        "parallel_tool_calls",
        "presence_penalty",
        "reasoning_effort",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream_options",
        "temperature",
        "top_k",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
    }
)
"""The parameters of the chat-completions dialect.

Anything else goes into `extra_body`, which is sent verbatim.
"""

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})


def make_request(
    messages: Messages,
    *,
    model: str | Sequence[str] | None,
    default_model: tuple[str, ...],
    streaming: bool,
    tools: Sequence[Message] | None = None,
    tool_choice: str | Message | None = None,
    response_format: Message | None = None,
    params: Mapping[str, Any],
) -> Request:
    """The request, its messages untouched; raises ConfigError on what cannot be a request."""
    if not PARAMETERS.issuperset(params):
        raise _unknown(min(set(params) - PARAMETERS))
    return Request(
        messages=_checked(messages),
        wanted=default_model if model is None else names_of(model),
        tools=tuple(tools) if tools else (),
        tool_choice=tool_choice if tools else None,
        response_format=response_format,
        params=params,
        streaming=streaming,
    )


def names_of(model: str | Sequence[str]) -> tuple[str, ...]:
    """One name or several as a tuple; ConfigError when that is empty or not of strings."""
    names = (model,) if isinstance(model, str) else tuple(model)
    if not names or not all(isinstance(cast("object", name), str) and name for name in names):
        message = f"model must be a name or a list of names, not {model!r}"
        raise ConfigError(message)
    return names


def _checked(messages: Messages) -> tuple[Message, ...]:
    if isinstance(messages, str):
        return ({"role": "user", "content": messages},)
    checked = tuple(messages)
    if not checked:
        message = "messages is empty: pass a string, or dicts with role and content"
        raise ConfigError(message)
    for number, one in enumerate(checked):
        role = one.get("role") if hasattr(one, "get") else None
        if role not in ROLES:
            message = (
                f"messages[{number}] has role {role!r}: each message is a dict, its role one of "
                f"{', '.join(sorted(ROLES))}"
            )
            raise ConfigError(message)
    return checked


def _unknown(name: str) -> ConfigError:
    near = get_close_matches(name, PARAMETERS, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return ConfigError(
        f"unknown parameter {name!r}{hint} (what only one provider knows: extra_body={{...}})"
    )
