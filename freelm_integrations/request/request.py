"""A call's arguments become its `Request`."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from freelm_integrations.chat import Request
from freelm_integrations.errors import ConfigError
from freelm_integrations.providers.options import split_words
from freelm_integrations.request.headers import checked_headers
from freelm_integrations.request.messages import Messages, checked_messages
from freelm_integrations.request.parameters import checked_parameters
from freelm_integrations.request.schemas import check_schema
from freelm_integrations.request.tools import checked_choice, checked_tools
from freelm_integrations.request.values import is_iterable, is_mapping, kind_of, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from freelm_integrations.chat import Message
    from freelm_integrations.events import Observer

__all__ = ["Messages", "checked_observer", "make_request", "names_of"]

_NO_NAME = ""
_LONGEST_NAME = 300
"""Characters; what is longer was pasted by mistake, and may be a secret."""


def make_request(
    messages: Messages,
    *,
    model: str | Sequence[str] | None,
    default_model: tuple[str, ...],
    streaming: bool,
    tools: Iterable[Message] | None = None,
    tool_choice: str | Message | None = None,
    response_format: Message | None = None,
    params: Mapping[str, Any],
) -> Request:
    """The request, the caller's objects untouched; raises ConfigError on what cannot be one."""
    checked = checked_parameters(params)
    listed = () if tools is None else checked_tools(tools)
    return Request(
        messages=checked_messages(messages),
        wanted=default_model if model is None else names_of(model),
        tools=listed,
        tool_choice=checked_choice(tool_choice, listed) if listed else None,
        response_format=_format(response_format),
        timeout=checked.pop("timeout", None),
        affinity=checked.pop("affinity", None),
        avoid=tuple(checked.pop("avoid", ())),
        headers=checked_headers(checked.pop("extra_headers", None)),
        params=checked,
        streaming=streaming,
    )


def names_of(model: str | Sequence[str]) -> tuple[str, ...]:
    """One name or several, also with commas between, as a tuple.

    Raises:
        ConfigError: There is none, something is no string, or they have no order.
    """
    return _known_words(model) if isinstance(model, str) else _words(model)


def checked_observer(observer: Observer | None) -> Observer | None:
    """The function to be told events; raises ConfigError where it is none."""
    if observer is None or callable(observer):
        return observer
    raise ConfigError(f"on_event takes a function of one event, not {kind_of(observer)}")


def _words(names: object) -> tuple[str, ...]:
    several: Iterable[object] = (names,)
    if is_iterable(names) and not isinstance(names, (str, Mapping, AbstractSet)):
        several = names
    words = [name if isinstance(name, str) else _NO_NAME for name in several]
    split = split_words(",".join(words))
    if not split or _NO_NAME in words:
        raise ConfigError("model is a name or a list of names; leave it out for any model")
    if (longest := max(map(len, split))) > _LONGEST_NAME:
        raise ConfigError(f"model is no name of {longest} characters")
    return split


_known_words = functools.lru_cache(maxsize=64)(_words)


def _format(wanted: object) -> Message | None:
    if wanted is None:
        return None
    if not is_mapping(wanted):
        hint = "; for a class pass its JSON schema" if isinstance(wanted, type) else ""
        raise ConfigError(
            f'response_format is a dict, {{"type": "json_object"}}, not {kind_of(wanted)}{hint}'
        )
    checked: Message = plain(wanted, "response_format")
    if not isinstance(checked.get("type"), str):
        raise ConfigError('response_format has no type: {"type": "json_object"}, for one')
    described = checked.get("json_schema")
    if checked["type"] == "json_schema" and not is_mapping(described):
        raise ConfigError(
            "response_format has no schema: "
            '{"type": "json_schema", "json_schema": {"name": ..., "schema": {...}}}'
        )
    if is_mapping(described) and is_mapping(schema := described.get("schema")):
        check_schema(schema, "response_format.json_schema.schema")
    return checked
