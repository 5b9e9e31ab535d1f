"""What existing code passes to a call of that SDK, as arguments of ours.

Its sentinels for "not given" are not given. `extra_body` and `extra_headers` go along as they are.
Query parameters, and headers for all calls of a client, are meant for one server and would go to
many, some of them a key's worth of trust away: those that only say who is calling are left out, any
other is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, cast

from typing_extensions import TypedDict

from freelm_integrations.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from freelm_integrations.chat import Message


class RequestParams(TypedDict, total=False):
    """What every method takes besides its own arguments."""

    extra_headers: Mapping[str, Any] | None
    """Who is calling is left out; anything else is refused: it would go to many servers."""
    extra_query: Mapping[str, object] | None
    """Must be empty, for the same reason."""
    extra_body: object | None
    """Sent verbatim to whichever route answers."""
    timeout: Any
    """Seconds until the first content of this call; of an `httpx.Timeout` its `read`."""


class CallParams(RequestParams, total=False):
    """The parameters of `create` and `parse`, as in that SDK; None is not given."""

    affinity: str | None
    """Not of that SDK and not sent: which conversation the call belongs to."""
    avoid: list[str] | None
    """Not of that SDK and not sent: providers, or `provider/model`s, to be asked last."""
    frequency_penalty: float | None
    logit_bias: Mapping[str, int] | None
    logprobs: bool | None
    max_completion_tokens: int | None
    max_tokens: int | None
    metadata: Mapping[str, str] | None
    modalities: Sequence[Literal["text", "audio"]] | None
    """Text is all that is read of an answer."""
    n: int | None
    """1: a call has one answer."""
    parallel_tool_calls: bool | None
    prediction: Message | None
    presence_penalty: float | None
    prompt_cache_key: str | None
    prompt_cache_retention: str | None
    reasoning_effort: str | None
    safety_identifier: str | None
    seed: int | None
    service_tier: str | None
    stop: str | Sequence[str] | None
    store: bool | None
    stream_options: Message | None
    """`{"include_usage": True}` adds a last chunk with the usage and no choices."""
    temperature: float | None
    tool_choice: str | Message | None
    tools: Iterable[Message] | None
    top_k: int | None
    """Not of that SDK, but of most providers."""
    top_logprobs: int | None
    top_p: float | None
    user: str | None
    verbosity: str | None
    web_search_options: Message | None


REFUSED: Mapping[str, str] = {
    "audio": "answers are read as text",
    "function_call": "the old form of tool_choice",
    "functions": "the old form of tools",
    "moderation": "no provider here does that",
    "prompt_cache_options": "no provider here knows them",
}
"""Of that SDK's parameters, those that cannot be kept or have a newer form, and why."""

_SAY_WHO = frozenset({"http-referer", "referer", "user-agent"})
_SAY_WHO_TOO = ("x-title", "x-openrouter-", "x-stainless-", "helicone-")
_NOT_GIVEN = frozenset({"NotGiven", "Omit"})


def call_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments for the core clients.

    Raises:
        ConfigError: One can mean nothing here; says why. What is unknown altogether, wrong or out
            of range is found out by the core clients.
    """
    arguments = given_ones(given)
    for name, why in REFUSED.items():
        if arguments.pop(name, None) is not None:
            raise ConfigError(f"{name} cannot be passed here: {why}")
    if isinstance(headers := arguments.get("extra_headers"), Mapping):
        arguments["extra_headers"] = given_ones(cast("Mapping[str, Any]", headers))
    check_addressed(arguments.pop("extra_query", None), "extra_query")
    if isinstance(arguments.get("response_format"), type):
        raise ConfigError("response_format is a class: that is for chat.completions.parse()")
    if "timeout" in arguments:
        arguments["timeout"] = seconds_of(arguments["timeout"])
    return arguments


def given_ones(given: Mapping[str, Any]) -> dict[str, Any]:
    """Without that SDK's sentinels, which some code passes on."""
    return {name: value for name, value in given.items() if type(value).__name__ not in _NOT_GIVEN}


def check_addressed(fields: Any, argument: str) -> None:
    """Refuse headers or query parameters that were meant for one server."""
    for name in fields or ():
        plain = str(name).lower()
        if "headers" in argument and (plain in _SAY_WHO or plain.startswith(_SAY_WHO_TOO)):
            continue
        raise ConfigError(
            f"{argument} has {str(name)[:40]!r}, which would go to every provider; "
            "what a request may say to all of them goes into extra_body"
        )


def seconds_of(timeout: Any) -> Any:
    """Of a timeout in parts (httpx) the one for reading; anything else as it is."""
    parts = type(timeout).__name__ == "Timeout" and hasattr(timeout, "read")
    return timeout.read if parts else timeout
