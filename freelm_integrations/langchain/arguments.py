"""What callers may pass under more than one name, and how wrong names are refused."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, cast

from pydantic import SecretStr

from freelm_integrations.langchain.errors import InvalidOption

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freelm_integrations.chat import Json

OTHER_NAMES = {
    "model_name": "model",
    "request_timeout": "timeout",
    "stop_sequences": "stop",
    "max_completion_tokens": "max_tokens",
    "api_keys": "api_key",
}
"""Names other chat models use -> ours."""
NOT_SENT = frozenset({"stream", "structured_output_format", "ls_structured_output_format"})


def tidied(given: Json, known: Iterable[str]) -> Json:
    """Constructor arguments under our names.

    Raises:
        InvalidOption: an argument nobody knows; dropped in silence it would do nothing.
    """
    arguments = {OTHER_NAMES.get(name, name): value for name, value in given.items()}
    wrong = sorted(set(arguments).difference(known))
    if wrong:
        near = get_close_matches(wrong[0], list(known), n=1)
        hint = f": did you mean {near[0]!r}?" if near else ""
        raise InvalidOption(
            f"unknown argument {wrong[0]!r} of ChatFreeLLM{hint} (what only one provider knows "
            "goes into extra_body={...})"
        )
    return arguments


def one_secret(value: Any) -> object:
    """Keys as one secret with commas between: a list of them does not survive serialisation."""
    if isinstance(value, (list, tuple)):
        keys = [_plain(one) for one in cast("Iterable[object]", value)]
        return SecretStr(",".join(keys)) if keys else None
    return value


def _plain(key: object) -> str:
    return key.get_secret_value() if isinstance(key, SecretStr) else str(key)


def call_params(defaults: Json, given: Json) -> Json:
    """The model's parameters under those of one call, without what is unset or not for the wire."""
    if not given:
        return defaults
    params = {**defaults, **given}
    return {
        OTHER_NAMES.get(name, name): value
        for name, value in params.items()
        if value is not None and name not in NOT_SENT and not name.startswith("ls_")
    }


def as_list(value: str | list[str] | None) -> list[str] | None:
    """Stop sequences as the endpoints take them; None for none."""
    if not value:
        return None
    return [value] if isinstance(value, str) else list(value)
