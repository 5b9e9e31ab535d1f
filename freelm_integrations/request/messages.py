"""Messages, checked: what any provider could read, in JSON's own types.

Fields that no provider is sent may hold anything: callers keep their own in a history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from freelm_integrations.errors import ConfigError
from freelm_integrations.nearest import nearest
from freelm_integrations.request.images import check_image
from freelm_integrations.request.values import (
    is_iterable,
    is_listed,
    is_mapping,
    is_plain,
    kind_of,
    plain,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freelm_integrations.chat import Message

Messages: TypeAlias = "str | Sequence[Message]"
ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
FIELDS = frozenset({"role", "content", "name", "tool_calls", "tool_call_id", "extra_content"})
"""What may be sent of a message, in the terms of any provider."""
_WORDS = ("name", "tool_call_id")
_LONGEST = 30


def checked_messages(messages: object) -> tuple[Message, ...]:
    """The messages, each as it is where it is plain JSON, else a copy; one for a bare string.

    Raises:
        ConfigError: They are no messages, or hold what JSON has no form for; says which and where.
    """
    if isinstance(messages, str):
        return ({"role": "user", "content": messages},)
    if is_mapping(messages):
        raise ConfigError("messages is a string or a list of dicts, not a dict: put it into a list")
    if not is_iterable(messages) or isinstance(messages, bytes):
        raise ConfigError(f"messages is a string or a list of dicts, not {kind_of(messages)}")
    checked = tuple(_message(one, f"messages[{n}]") for n, one in enumerate(messages))
    if not checked:
        raise ConfigError("messages is empty: pass a string, or dicts with role and content")
    return checked


def _message(message: object, where: str) -> Message:
    if not is_mapping(message):
        raise _no_message(f"{where} is {kind_of(message)}")
    role = message.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise _no_message(f"{where} has {_shown(role)}")
    checked: Message = message
    if not is_plain(message):
        sent = (name for name in message if name in FIELDS)
        checked = {name: plain(message[name], f"{where}.{name}") for name in sent}
    content = checked.get("content")
    if not isinstance(content, str):
        _check_content(content, f"{where}.content")
    for name in _WORDS:
        if not isinstance(checked.get(name), (str, type(None))):
            raise ConfigError(f"{where}.{name} is {kind_of(checked[name])}, not a string")
    if "tool_calls" in checked:
        _check_calls(checked["tool_calls"], f"{where}.tool_calls")
    return checked


def _check_content(content: Any, where: str) -> None:
    """A scalar is sent as text; anything else would be lost, or sent in Python's own spelling."""
    if is_mapping(content):
        raise ConfigError(
            f"{where} is a dict: pass a string or a list of parts; a tool's result as JSON text"
        )
    for number, part in enumerate(content if is_listed(content) else ()):
        if isinstance(part, str):
            continue
        if not is_mapping(part):
            raise ConfigError(
                f"{where}[{number}] is {kind_of(part)}: a part is a string or a dict like "
                '{"type": "text", "text": ...}'
            )
        _check_part(part, f"{where}[{number}]")


def _check_part(part: Message, where: str) -> None:
    needed = ("type", "text") if part.get("type") == "text" else ("type",)
    for name in needed:
        if not isinstance(part.get(name), str) and (name == "text" or name in part):
            raise ConfigError(f"{where}.{name} is {kind_of(part.get(name))}, not a string")
    if part.get("type", "image_url") == "image_url" and ("type" in part or "image_url" in part):
        check_image(part, where)


def _check_calls(calls: Any, where: str) -> None:
    if calls is not None and not is_listed(calls):
        raise ConfigError(f"{where} is {kind_of(calls)}, not a list")
    for number, call in enumerate(calls or ()):
        function: object = call.get("function") if is_mapping(call) else None
        name: object = function.get("name") if is_mapping(function) else None
        if is_mapping(call) and not isinstance(call.get("id"), (str, type(None))):
            raise ConfigError(f"{where}[{number}].id is {kind_of(call['id'])}, not a string")
        if not (isinstance(name, str) and name):
            raise ConfigError(
                f"{where}[{number}] names no function: a tool call is a dict like "
                '{"id": ..., "type": "function", "function": {"name": ..., "arguments": ...}}'
            )


def _no_message(what: str) -> ConfigError:
    roles = ", ".join(sorted(ROLES))
    return ConfigError(f"{what}: each message is a dict, its role one of {roles}")


def _shown(role: object) -> str:
    """The wrong role if it is a word, and the one it may have been meant for."""
    if not isinstance(role, str):
        return "no role" if role is None else f"a role of type {type(role).__name__}"
    if len(role) > _LONGEST:
        return f"a role of {len(role)} characters"
    guess = _OTHER_NAMES.get(role.lower()) or nearest(role, ROLES, cutoff=0.7)
    return f"role {role!r}" + ("" if guess is None else f" (did you mean {guess!r}?)")


_OTHER_NAMES = {"human": "user", "ai": "assistant", "model": "assistant", "bot": "assistant"}
"""What other libraries and providers call the same roles."""
