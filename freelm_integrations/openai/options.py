"""What existing code passes to that SDK's clients, as options of ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from pydantic import SecretStr

from freelm_integrations.errors import ConfigError
from freelm_integrations.openai.arguments import check_addressed, given_ones, seconds_of
from freelm_integrations.providers import PROVIDERS
from freelm_integrations.providers.address import checked_base_url, place_of
from freelm_integrations.providers.choice import CLASSES, guess_provider
from freelm_integrations.providers.provider import OpenAICompatible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freelm_integrations.providers.configured import Provider
    from freelm_integrations.settings import Options

MEANINGLESS = frozenset(
    {
        *("organization", "project", "max_retries", "webhook_secret", "websocket_base_url"),
        *("_strict_response_validation", "_enforce_credentials"),
    }
)
"""Accepted so that a swapped import runs.

The pool does its own retrying, and the rest is that service's own.
"""
REFUSED: Mapping[str, str] = {
    "admin_api_key": "there is nothing to administer",
    "data_residency": "nobody can promise it for all providers: choose them with providers=[...]",
    "provider": "which ones there are is providers=[...]",
    "workload_identity": "providers here take keys: api_key, providers=[...] or the environment",
}
"""What cannot be kept, and why."""
_SHAPELESS = (
    "api_key has the shape of no provider's key: pass providers=[Groq('...'), ...], "
    "set the environment variables, or name its endpoint with base_url=..."
)
_NO_LETTER = re.compile(r"[^A-Za-z0-9]+")


def options_from_openai(given: dict[str, Any], *, is_async: bool = False) -> Options:
    """Options for the core clients.

    Raises:
        ConfigError: An argument means nothing here, or a key belongs to no provider we know.
    """
    options = {n: value for n, value in given_ones(given).items() if n not in MEANINGLESS}
    for name, why in REFUSED.items():
        if options.pop(name, None) is not None:
            raise ConfigError(f"{name} cannot be passed here: {why}")
    for name in ("default_headers", "set_default_headers", "default_query", "set_default_query"):
        check_addressed(options.pop(name, None), name)
    if "timeout" in options:
        options["timeout"] = seconds_of(options["timeout"])
    key, base_url = options.pop("api_key", None), options.pop("base_url", None)
    if is_async and "http_client" in options:
        options.setdefault("http_async_client", options.pop("http_client"))
    if key is None and base_url is None:
        return cast("Options", options)
    if options.get("providers") is not None:
        raise ConfigError("providers bring their own keys and addresses: pass no api_key, base_url")
    options["providers"] = [_of_key(key) if base_url is None else _at(str(base_url), key)]
    return cast("Options", options)


def _of_key(key: object) -> Provider:
    """The provider whose keys look like this one."""
    text = key.get_secret_value() if isinstance(key, SecretStr) else key
    name = guess_provider(text) if isinstance(text, str) else None
    if name is None:
        raise ConfigError(_SHAPELESS)
    return CLASSES[name](cast("str", key))


def _at(base_url: str, key: Any) -> Provider:
    """The declared provider of this address, with all that is known of it, else another endpoint.

    That one is named by its address: what the pool knows of a provider is kept by its name.
    """
    url = checked_base_url(base_url, owner="the client")
    for spec in PROVIDERS.values():
        if spec.needs_key and spec.base_url == url:
            return CLASSES[spec.name](key)
    return OpenAICompatible("custom-" + _NO_LETTER.sub("-", place_of(url)).strip("-"), url, key)
