"""What a caller passes, made into a `Request`.

Checked at the border, so that a typo is an error and not a silent default.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

from freelm_integrations.chat import Request
from freelm_integrations.errors import ConfigError
from freelm_integrations.nearest import unknown
from freelm_integrations.providers.options import split_words

if TYPE_CHECKING:
    from collections.abc import Sequence
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

_NOT_EXTRA = frozenset({"messages", "model", "stream"})
"""What the routing of a call or the reading of its answer hangs on."""
_NO_NAME = ""
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
    _check_extra_body(params.get("extra_body"))
    return Request(
        messages=_checked(messages),
        wanted=default_model if model is None else names_of(model),
        tools=_tool_dicts(tools) if tools else (),
        tool_choice=tool_choice if tools else None,
        response_format=_format(response_format),
        params=params,
        streaming=streaming,
    )


def names_of(model: str | Sequence[str]) -> tuple[str, ...]:
    """One name or several, also with commas between, as a tuple.

    Raises:
        ConfigError: There is none, or something is no string.
    """
    return _words(model)


def _words(names: object) -> tuple[str, ...]:
    several = names if _is_iterable(names) and not isinstance(names, str) else (names,)
    words = [name if isinstance(name, str) else _NO_NAME for name in several]
    split = split_words(",".join(words))
    if not split or _NO_NAME in words:
        raise ConfigError("model is a name or a list of names; leave it out for any model")
    return split


def _checked(messages: object) -> tuple[Message, ...]:
    if isinstance(messages, str):
        return ({"role": "user", "content": messages},)
    if not _is_iterable(messages) or _is_mapping(messages) or isinstance(messages, bytes):
        raise ConfigError(f"messages is a string or a list of dicts, not {_kind(messages)}")
    checked = tuple(messages)
    if not checked:
        raise ConfigError("messages is empty: pass a string, or dicts with role and content")
    for number, one in enumerate(checked):
        _check_message(number, one)
    return checked


def _check_message(number: int, message: object) -> None:
    role: object = message.get("role") if _is_mapping(message) else None
    if isinstance(role, str) and role in ROLES:
        return
    has = f"has role {role!r}" if _is_mapping(message) else f"is {_kind(message)}"
    raise ConfigError(
        f"messages[{number}] {has}: each message is a dict, its role one of "
        f"{', '.join(sorted(ROLES))}"
    )


def _tool_dicts(tools: object) -> tuple[Message, ...]:
    if _is_iterable(tools) and not _is_mapping(tools):
        items = tuple(tools)
        if all(isinstance(item, Mapping) for item in items):
            return items
    raise ConfigError('tools is a list of dicts: {"type": "function", "function": {...}}')


def _format(wanted: object) -> Message | None:
    if wanted is None or _is_mapping(wanted):
        return wanted
    raise ConfigError(f'response_format is a dict, {{"type": "json_object"}}, not {_kind(wanted)}')


def _check_extra_body(extra: object) -> None:
    """Sent to whichever route answers, another model's name would make all of them fail."""
    if extra is None:
        return
    if not _is_mapping(extra):
        raise ConfigError(f"extra_body is a dict, not {_kind(extra)}")
    if misplaced := sorted(_NOT_EXTRA.intersection(extra)):
        raise ConfigError(
            f"extra_body holds {misplaced[0]!r}, which is an argument (or method) of its own"
        )


def _is_iterable(value: object) -> TypeGuard[Iterable[Any]]:
    return isinstance(value, Iterable)


def _is_mapping(value: object) -> TypeGuard[Message]:
    return isinstance(value, Mapping)


def _kind(value: object) -> str:
    """Its type: what it says may be long, or a secret that went astray."""
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _unknown(name: str) -> ConfigError:
    wrong = unknown("parameter", name, sorted(PARAMETERS))
    stop = "" if wrong.endswith("?") else "."
    return ConfigError(f"{wrong}{stop} What only one provider knows goes into extra_body={{...}}")
