"""What existing code passes to that SDK's clients, as options of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from freelm_integrations.errors import ConfigError
from freelm_integrations.providers.choice import CLASSES, guess_provider
from freelm_integrations.providers.provider import OpenAICompatible

if TYPE_CHECKING:
    from freelm_integrations.settings import Options

MEANINGLESS = ("organization", "project", "max_retries", "default_query", "webhook_secret")
"""Accepted so that a swapped import runs.

The pool does its own retrying, and the rest is that service's own.
"""


def options_from_openai(given: dict[str, Any]) -> Options:
    """Options for the core clients.

    Raises:
        ConfigError: An argument means nothing here, or a key belongs to no provider we know.
    """
    options = {name: value for name, value in given.items() if name not in MEANINGLESS}
    key, base_url = options.pop("api_key", None), options.pop("base_url", None)
    if base_url is not None:
        options["providers"] = [OpenAICompatible("custom", str(base_url), key)]
    elif key is not None:
        name = guess_provider(str(key))
        if name is None:
            message = (
                "api_key has the shape of no provider's key: pass providers=[Groq('...'), ...], "
                "set the environment variables, or name its endpoint with base_url=..."
            )
            raise ConfigError(message)
        options["providers"] = [CLASSES[name](key)]
    return cast("Options", options)
